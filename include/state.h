/* What of the probes survives the daemon: a record each, in the state directory. */
#ifndef STATE_H
#define STATE_H

#include "error.h"
#include "probe.h"

/* The record of a probe as a text to be freed with free(). NULL: no memory. */
char *state_render(const struct probe *);

/* Brings back all that was kept in the store, which is open. Records that make no sense are set aside,
 * and those whose time is over dropped, each with a log line. spent is told of configured single shots
 * that have had their run. -1 with *e. */
int state_restore(void (*spent)(const struct definition *, uint64_t number), struct error *e);

/* Nothing need be remembered of a configured single shot that had its run. */
void state_forget(uint64_t number);

#endif
