/*
 * Who may run next. Runs at once are bounded; jails take turns, and within one jail it is first
 * come, first served. Where there are several jails none gets all places, however much it floods.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include <stdbool.h>
#include <sys/queue.h>

#include "jail.h"

struct event_base;
struct queue_lane;

/* One waiting run; embedded in whatever waits. */
struct queue_entry {
	TAILQ_ENTRY(queue_entry) link;
	struct queue_lane *lane; /* NULL: not waiting */
};

/* Starts the run of an entry, which has left the queue. False: it can't be started now for want of
 * something that comes back (processes, memory): it goes back to the front and is tried again. */
typedef bool queue_start_cb(struct queue_entry *);

/* limit: runs at once, all jails together. -1: no memory. */
int queue_init(struct event_base *, unsigned limit, queue_start_cb *);
void queue_finish(void);

/* jail must stay held until the run has ended. -1: no memory. The run may start within the call. */
int queue_push(struct queue_entry *, struct jail_instance *);
void queue_remove(struct queue_entry *);

/* For each run that was started; jail as it was pushed with. */
void queue_run_ended(struct jail_instance *);

unsigned queue_limit(void);
unsigned queue_running(void);
unsigned queue_waiting(void);

#endif
