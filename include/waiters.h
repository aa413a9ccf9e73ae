/* Those who asked for a probe that is not armed yet. */
#ifndef WAITERS_H
#define WAITERS_H

#include "probe.h"

/* -1: no memory. */
int waiters_add(struct probe *, probe_added_cb *, void *arg);

/* Each is told once; e NULL: all is well. They may do anything, so let this be the last thing that
 * is done with the probe. */
void waiters_tell(struct probe *, const struct error *e);

#endif
