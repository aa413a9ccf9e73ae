/*
 * Who may run next: the turns of jails (lanes.h), and the bound on runs at once. Where there are
 * several jails none gets all places, so commands that take for ever only block their own jail.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include <stdbool.h>

#include "jail.h"
#include "lanes.h"

struct event_base;

/* Starts the run of an entry, which has left the queue. False: it can't be started now for want of
 * something that comes back (processes, memory): it goes back to the front and is tried again. */
typedef bool queue_start_cb(struct lane_entry *);

/* limit: runs at once, all jails together. -1: no memory. */
int queue_init(struct event_base *, unsigned limit, queue_start_cb *);

/* jail must stay held until the run has ended. The run may start, and even end, within the call. */
void queue_push(struct lane_entry *, struct jail_instance *);
void queue_remove(struct lane_entry *);

/* For each run that was started; jail as it was pushed with. */
void queue_run_ended(struct jail_instance *);

/* Nothing starts any more. */
void queue_stop(void);

unsigned queue_limit(void);
unsigned queue_waiting(void);

#endif
