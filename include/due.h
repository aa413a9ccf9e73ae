/*
 * Moments of thousands: one timer of the event loop for all of them. A timer each would take three times the
 * memory, and could be wanting when it is needed.
 */
#ifndef DUE_H
#define DUE_H

#include <stdint.h>

#include "tree.h"

struct event_base;

/* A part of what it is for; zeroed: not set. */
struct due {
	RB_ENTRY(due) entry;
	int64_t at_us; /* monotonic; 0: not set */
};

/* Called once for each that was set, when it has come; it is not set any more then. */
typedef void due_cb(struct due *);

/* -1: no memory. */
int due_init(struct event_base *, due_cb *);

/* (Re)sets it to ms from now. */
void due_set(struct due *, int64_t ms);

/* Nothing if it isn't set. */
void due_clear(struct due *);

/* Those that are set, in the order of their times: the first at that time or later, and the one after. */
struct due *due_from(int64_t at_us);
struct due *due_next(struct due *);

#endif
