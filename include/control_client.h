/* One connection, for the files of the control's room alone: control.c and control_….c. */
#ifndef CONTROL_CLIENT_H
#define CONTROL_CLIENT_H

#include <stdbool.h>
#include <sys/queue.h>

struct bufferevent;
struct evbuffer;
struct event;
struct request;

/* One request that was taken, until its answer is written; in the order in which they came. */
struct slot {
	TAILQ_ENTRY(slot) link;
	struct client *client; /* NULL: it went away */
	struct evbuffer *answer; /* NULL: not answered yet */
};

struct client {
	LIST_ENTRY(client) link;
	struct bufferevent *stream;
	struct event *timer;	/* silence, or the linger after the last answer */
	struct event *proceed;	/* takes up the input again, from the event loop */
	TAILQ_HEAD(, slot) slots;
	unsigned outstanding;
	struct request *held; /* parsed, but must wait for the answers to those before it */
	bool reading;	      /* the stream takes in more input */
	bool looks_only;      /* it is of the control group, and not root */
	bool taking;	      /* take_input is at work */
	bool asked;	      /* it has sent a request */
	bool keep;
	bool discarding; /* the rest of a line that was too long */
	bool at_end;	 /* it has closed its side, or we ended it */
	bool failed;	 /* nothing can be written any more */
};

extern LIST_HEAD(client_list, client) control_all;

/* Takes over the descriptor on success. NULL: no memory. It reads nothing yet. */
struct client *control_create_client(int fd);

#endif
