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

/* A higher one starts waiting entries at once; with a lower one, runs that go on are left to end. */
void queue_set_limit(unsigned limit);

/* jail must stay held until the run has ended. The run may start, and even end, within the call. */
void queue_push(struct lane_entry *, struct jail_instance *);
void queue_remove(struct lane_entry *);

/* A run that was started can't be after all, for now: it is the next one of its jail again. Nothing if
 * the entry waits already, but for the place that it gives up. */
void queue_put_back(struct lane_entry *, struct jail_instance *);

/* A run that goes on already takes its place. */
void queue_adopt(struct jail_instance *);

/* For each run that was started; jail as it was pushed with. */
void queue_run_ended(struct jail_instance *);

/* While it is paused nothing starts. */
void queue_pause(bool);

unsigned queue_limit(void);
unsigned queue_waiting(void);

#endif
