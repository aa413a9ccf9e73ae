#include "config.h"

#include "waiters.h"

#include <stdlib.h>

struct probe_waiter {
	SLIST_ENTRY(probe_waiter) link;
	probe_added_cb *added;
	void *arg;
};

int
waiters_add(struct probe *probe, probe_added_cb *added, void *arg)
{
	struct probe_waiter *waiter = malloc(sizeof(*waiter));

	if (waiter == NULL)
		return -1;
	waiter->added = added;
	waiter->arg = arg;
	SLIST_INSERT_HEAD(&probe->waiters, waiter, link);
	return 0;
}

/* The list is taken off first: what a callback does may end the probe. */
void
waiters_tell(struct probe *probe, const struct error *e)
{
	struct probe_waiter *waiter = SLIST_FIRST(&probe->waiters), *next;

	SLIST_INIT(&probe->waiters);
	for (; waiter != NULL; waiter = next) {
		next = SLIST_NEXT(waiter, link);
		waiter->added(waiter->arg, e == NULL ? probe : NULL, e);
		free(waiter);
	}
}
