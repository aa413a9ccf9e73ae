/* Lines as requests, and their answers. */
#ifndef UNIT_REPLY_H
#define UNIT_REPLY_H

#include <stddef.h>

#define UNIT_PING_ANSWER "'ok':true,'version':'" PACKAGE_VERSION "'}\n"

/* What one request was answered. */
struct unit_reply {
	char *text; /* to be freed with free() */
	unsigned count;
};

/* The operations are there, of a server that the test plays. */
void unit_reply_begin(void);

/* How often that server was told to stop. */
unsigned unit_reply_stops(void);

/* Runs a line as a request; the other with ' for ". */
void unit_reply_ask_bytes(const char *line, size_t length, struct unit_reply *);
void unit_reply_ask(const char *line, struct unit_reply *);

/* For request_run; arg: a struct unit_reply. */
void unit_reply_take(void *arg, const char *text, size_t length);

/* That the answer comes at once and is this line; both with ' for ". */
void unit_reply_check(const char *line, const char *wanted);

/* That it is a refusal with this code, and with this text or any. */
void unit_reply_refused(const char *line, const char *code, const char *message);
void unit_reply_code(const char *line, size_t length, const char *code);

#endif
