/* One line of a client → a row of the command table → one line of answer. */
#ifndef REQUEST_H
#define REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "error.h"

struct command;

/* text: one line with its newline, valid during the call. */
typedef void request_reply_cb(void *arg, const char *text, size_t length);

struct request {
	const struct command *command; /* NULL: nothing but an error to answer */
	json_t *body;
	bool keep; /* the client asked for the connection to stay open */
	struct error error;
	request_reply_cb *reply;
	void *arg;
};

/* Lines longer than this are not requests. */
#define REQUEST_LINE_MAX 65536

/* Deeper JSON is refused before it is parsed; no request needs more than 2. */
#define REQUEST_DEPTH_MAX 8

/* Always gives a request; one that is not well-formed answers with its error when it is run.
 * NULL: no memory. */
struct request *request_parse(const char *line, size_t length);

/* A request that stands for a line which could not even be read. NULL: no memory. */
struct request *request_refuse(enum error_code, const char *message);

/* For a client that may only look: everything else is answered with ERR_DENIED. */
void request_restrict(struct request *);

/* May be run while earlier requests of the same client are not answered yet. */
bool request_may_overlap(const struct request *);

/* Answers exactly once, now or later, and is freed with that. */
void request_run(struct request *, request_reply_cb *, void *arg);

/* Instead of running it. */
void request_discard(struct request *);

/* For the handlers. members: an object with what the answer has beside id and ok; its reference is
 * taken. NULL is answered as out of memory. */
void request_answer(struct request *, json_t *members);
void request_fail(struct request *, const struct error *);

#endif
