/*
 * Sticky probes whose jail is not there: they wait here until it is back. It is looked for when the
 * system tells of something new (runtimewatch.h), when somebody says that it is there, and every
 * few seconds; one look serves all that wait for the same name.
 */
#ifndef STICKY_H
#define STICKY_H

#include "probe.h"

/* found is called with probe->jail filled in. -1: no memory. */
int sticky_init(struct event_base *, void (*found)(struct probe *));

void sticky_wait(struct probe *);
void sticky_forget(struct probe *);

/* Looks for the jail of this name now, and soon again if it isn't there yet: how many probes waited
 * for it and are on their way to be armed. */
unsigned sticky_check(const struct jail_ref *);

#endif
