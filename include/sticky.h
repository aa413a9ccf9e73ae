/* Sticky probes whose jail is not there: they wait here until it is back. */
#ifndef STICKY_H
#define STICKY_H

#include "probe.h"

/* found is called with probe->jail filled in. -1: no memory. */
int sticky_init(struct event_base *, void (*found)(struct probe *));

void sticky_wait(struct probe *);
void sticky_forget(struct probe *);

#endif
