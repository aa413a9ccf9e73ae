/* What the files of the server's room, server.c and takeover.c, share with each other alone. */
#ifndef SERVER_PARTS_H
#define SERVER_PARTS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "handover.h"

struct event_base;

/* The daemon. Paths are absolute. */
struct server {
	struct event_base *base;
	bool foreground;
	int64_t started_ms; /* wall clock */
	int64_t began_ms;   /* the same, of a clock that nobody sets */
	char socket[PATH_MAX];
	char pidfile[PATH_MAX];
	char state[PATH_MAX];  /* "": nothing is kept */
	char config[PATH_MAX]; /* "": the default one */
};

extern struct server server;

/* What a daemon needs wherever its socket and its probes come from: event loop, signals (still
 * blocked, if they were), rooms. */
int server_start_loop(char *const *argv, struct error *);

/* The store is open: what happens from now on is kept there. */
int server_keep(struct error *);

/* Until the end: the exit status. */
int server_serve(void);

#endif
