/* One connection, for the files of the control's room alone: control.c and control_….c. */
#ifndef CONTROL_CLIENT_H
#define CONTROL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "request.h"

struct bufferevent;
struct evbuffer;
struct event;

/* One request that was taken, until its answer is written; in the order in which they came. */
struct slot {
	TAILQ_ENTRY(slot) link;
	struct client *client; /* NULL: it went away */
	struct evbuffer *answer; /* NULL: not answered yet */
	struct request_parts *parts; /* the answer is made when its turn has come; NULL: it isn't such a one */
};

struct client {
	LIST_ENTRY(client) link;
	struct bufferevent *stream;
	struct evbuffer *ready; /* to be sent after all that the stream still has */
	struct event *timer;	/* silence, or the linger after the last answer */
	struct event *proceed;	/* takes up the input again, from the event loop */
	TAILQ_HEAD(, slot) slots;
	unsigned outstanding;
	struct request *held; /* parsed, but must wait for the answers to those before it */
	struct request_feed *feed; /* lines that follow its answers; NULL: none */
	bool reading;	      /* the stream takes in more input */
	bool looks_only;      /* it is of the control group, and not root */
	bool taking;	      /* take_input is at work */
	bool asked;	      /* it has sent a request */
	bool keep;
	bool alone;	 /* the last request that was taken lets no other overlap it */
	bool discarding; /* the rest of a line that was too long */
	bool at_end;	 /* it has closed its side, or we ended it */
	bool failed;	 /* nothing can be written any more */
};

extern LIST_HEAD(client_list, client) control_all;

/* Takes over the descriptor on success. NULL: no memory. It reads nothing yet. */
struct client *control_create_client(int fd);

/* The rest is in control_feed.c. */

/* Bytes that it has not read yet. */
size_t control_backlog(const struct client *);

/* Whether one that follows has read so much that more lines may be drawn for it. */
bool control_has_feed_room(const struct client *);

/* control_answer.c: whether it has read so much that more may be made for it. */
bool control_has_room(const struct client *);

/* Nothing was asked that is not answered and sent. */
bool control_is_idle(const struct client *);

/* See control_pause. */
bool control_is_paused(void);

/* control_answer.c: makes answers ready, as far as they are there in order. */
void control_write_answers(struct client *);

/* Sends what is ready, at once as far as the socket takes it. */
void control_flush(struct client *);

void control_drop_slots(struct client *);

/* A request_reply_cb, and a request_parts_cb; arg: a slot. */
void control_answered(void *arg, const char *text, size_t length);
void control_answered_in_parts(void *arg, struct request_parts *);

/* A request_follow_cb; arg: a slot. */
bool control_follow(void *arg, struct request_feed *);

/* The same for one of which it is known that it follows nothing yet. */
void control_give_feed(struct client *, struct request_feed *);

/* Gives it as many of its lines as it may have unread. */
void control_draw(struct client *);

/* Whether it can be freed. */
bool control_is_done(const struct client *);

#endif
