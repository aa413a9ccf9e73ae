/* Knowing at once that a jail has ended, where the system has a descriptor that says so. */
#ifndef JAILWATCH_H
#define JAILWATCH_H

#include "jail.h"

struct event_base;

/* ended is called once for each instance that ends while it is held; without such descriptors never.
 * Call it before the first jail_find. */
void jailwatch_init(struct event_base *, void (*ended)(struct jail_instance *));

#endif
