/* One line of a client → a row of the command table → one line of answer. */
#ifndef REQUEST_H
#define REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "error.h"
#include "text.h"

struct command;
struct handover_feed;

/* text: one line with its newline, valid during the call. */
typedef void request_reply_cb(void *arg, const char *text, size_t length);

/*
 * Lines that follow an answer on the same connection, for as long as its client stays. They are asked
 * for as the client takes them, so a slow one makes nothing pile up. Events are such lines.
 */
struct request_feed {
	/* The next line with its newline, valid until something is told or asked for again; NULL: none
	 * for now, and wake will be called when there is. */
	const char *(*next)(struct request_feed *, size_t *length);
	void (*closed)(struct request_feed *); /* the client has gone; frees the feed */
	/* What the daemon that comes after this one needs to go on with it. */
	void (*save)(const struct request_feed *, struct handover_feed *);
	/* Set by who takes the lines. May be called from anywhere, so it only makes a note. */
	void (*wake)(void *client);
	void *client;
};

/*
 * A long answer that is made in parts, between which others have their turn. next adds a part, and returns
 * false after the last one; closed frees the parts, also when the client has gone before that.
 */
struct request_parts {
	bool (*next)(struct request_parts *, struct text *);
	void (*closed)(struct request_parts *);
};

typedef void request_parts_cb(void *arg, struct request_parts *);

/* False: this client can't have it, and it is not taken. */
typedef bool request_follow_cb(void *arg, struct request_feed *);

struct request {
	const struct command *command; /* NULL: nothing but an error to answer */
	json_t *body;
	bool keep; /* the client asked for the connection to stay open */
	struct error error;
	request_reply_cb *reply;
	request_follow_cb *follow; /* before it is run; NULL: nothing can follow the answer */
	request_parts_cb *parts;   /* likewise; NULL: all parts are made at once */
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

/* The same with members as a text, `"probe":{…}`, which is taken over. */
void request_answer_text(struct request *, struct text *members);

/* The same in parts, which are taken over: the first one begins with the members, after the comma that
 * divides them from ok, and the last one ends before the closing brace. NULL: out of memory. */
void request_answer_parts(struct request *, struct request_parts *);

/* The same with a feed that is closed with the connection. NULL: out of memory. */
void request_answer_feed(struct request *, json_t *members, struct request_feed *);

#endif
