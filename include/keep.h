/*
 * Keeping probes: whatever of them must survive the daemon goes through here to the store. Changes of
 * one turn of the event loop share their synchronization, and whoever waits for one is told when it is
 * durable. Where nothing is to be kept, everybody is told at once, from within the call.
 */
#ifndef KEEP_H
#define KEEP_H

#include "error.h"
#include "probe.h"

/* e NULL: it is durable. The probe may have ended meanwhile, but it is still there. */
typedef void keep_done_cb(struct probe *, const struct error *e, void *arg);

/* Probes are kept from now on (before, and without this, nothing is). render: the text of a probe's
 * record, to be freed with free(); NULL: no memory. -1: no memory. */
int keep_init(struct event_base *, char *(*render)(const struct probe *));

/* Each change is as the probe is now. done may be NULL. */
void keep_save(struct probe *, keep_done_cb *done, void *arg);
void keep_start(struct probe *, keep_done_cb *done, void *arg); /* its one run is about to start */
void keep_drop(struct probe *, keep_done_cb *done, void *arg);	/* later saves of it do nothing */
void keep_wait(struct probe *, keep_done_cb *done, void *arg);	/* for all that was asked before */

/* Whether a run of this probe needs a word to the store before it starts. */
bool keep_before_start(const struct probe *);

/* Makes sure that the number can be given to a probe, and never again to another one. -1 with *e. */
int keep_number(uint64_t number, struct error *e);

/* Whether a change is on its way: what is true by now may not be after a crash. It is over, in this turn of the
 * event loop, before whatever is activated now. */
bool keep_is_waiting(void);

/* Makes everything durable that is on its way, and tells who waits. False: nothing was. */
bool keep_flush(void);

/* For the daemon's end: saves what has changed since, and the numbers given. Nothing is kept any more
 * after it. */
void keep_finish(void);

#endif
