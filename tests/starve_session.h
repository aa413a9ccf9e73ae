#ifndef STARVE_SESSION_H
#define STARVE_SESSION_H

#include <sys/types.h>

#include <jansson.h>

#include "jailfix.h"

/* What a daemon holds when it has nothing to do. */
struct starve_usage {
	int descriptors, children;
	unsigned blocks; /* of memory */
};

/* The daemons of one session, one after the other. */
enum { STARVE_FIRST_LIFE, STARVE_SECOND_LIFE, STARVE_LIVES };

struct starve_session {
	struct jailfix *jail;
	pid_t daemon;
	int refusals; /* of requests, excused by what failed; some may have been done … */
	int restarts; /* … and daemons that gave up over it */
	struct starve_usage usage[STARVE_LIVES];
};

/* Starts the daemon. It may give up over what failed, and then another one must start. */
void session_start(struct starve_session *session);

/* The same, for one that was to take over from itself, after it has ended. */
void session_start_again(struct starve_session *session);

/* Whether anything has failed yet. */
bool session_has_failed(void);

/* Fails the test unless something has failed, and nothing was excused on this account before. */
void session_excuse(int *count, const char *what);

/*
 * Asks as often as it must until the answer has one of these codes; what failed excuses one
 * refusal. In the request ' stands for ". Null: the daemon has ended.
 */
json_t *session_ask(struct starve_session *session, const char *codes, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same; the daemon must not have ended. */
void session_say(struct starve_session *session, const char *codes, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The probe object. */
json_t *session_get(struct starve_session *session, const char *name);

/* Ends the daemon by its own operation, in order. */
void session_stop(struct starve_session *session);

/* The script: the whole session. At the end of each life no more may be used than in most, or if
 * that is null, what was used is found out. */
void session_play(struct starve_session *session, const struct starve_usage most[STARVE_LIVES]);

#endif
