#ifndef FIXTURE_CTL_H
#define FIXTURE_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* A connection to the daemon under test, and what came over it and has not been taken yet. */
struct ctl {
	int fd;
	char *text;
	size_t length, room;
};

/* Connects; false when nobody listens. */
bool ctl_try(struct ctl *ctl, const char *path);

/* Connects to the daemon of this place, or fails the test. */
void ctl_open(struct ctl *ctl);
void ctl_close(struct ctl *ctl);

/* Sends it all; false when the other side is gone. */
bool ctl_send(struct ctl *ctl, const char *bytes, size_t length);
bool ctl_say(struct ctl *ctl, const char *text);

/* Shuts our direction. */
void ctl_finish(struct ctl *ctl);

/* The next line without its end, to be freed; null at the end of the connection. Fails the test
 * when nothing comes. */
char *ctl_line(struct ctl *ctl);

/* The next line as JSON; fails the test when there is none or it is no object. */
json_t *ctl_answer(struct ctl *ctl);

/* Fails the test unless the other side closes now, with nothing more to say. */
void ctl_expect_end(struct ctl *ctl);

/* One request over a connection of its own. The answer, whatever it is. */
json_t *ctl_ask(const char *request);

/* The same, for a value that is put into one line and freed. */
json_t *ctl_ask_json(json_t *request);

/* The answer must be ok. */
json_t *ctl_ask_ok(const char *request);

/* Fails the test unless answer refuses with this code and a message that mentions the word (null:
 * any). Frees it. */
void ctl_refused(json_t *answer, const char *code, const char *mentions);
void ctl_ask_refused(const char *request, const char *code, const char *mentions);

/* Does the daemon answer a ping? */
bool ctl_alive(void);

/* The same, to be waited for after a crowd: a full queue makes some systems refuse a connection, where others let it
 * wait. */
bool ctl_serves(void *unused);

/* Members of an object; each fails the test unless the member is there and of the type. */
json_int_t ctl_int(const json_t *object, const char *member);
const char *ctl_string(const json_t *object, const char *member);
bool ctl_true(const json_t *object, const char *member);
json_t *ctl_member(const json_t *object, const char *member);

#endif
