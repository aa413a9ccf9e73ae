/*
 * Children of which something tells that they are about to exit: when any child has ended it is likely to be one
 * of them, and to look at a few by their numbers is cheaper than to find one among thousands.
 */
#ifndef ENDING_H
#define ENDING_H

#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

/* A part of what the child is for; zeroed: not noted. */
struct ending {
	TAILQ_ENTRY(ending) link;
	pid_t pid;
	int64_t since_ms; /* monotonic; 0: not noted */
};

/* Reaps it at once if it has exited, and it is for a moment among those whom ending_reap looks at if not. */
void ending_note(struct ending *, pid_t);

/* Before its memory goes. Nothing if it isn't noted. */
void ending_forget(struct ending *);

/* Reaps those that have exited. */
void ending_reap(void);

#endif
