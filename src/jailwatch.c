#include "config.h"

#include "jailwatch.h"

#include <event2/event.h>

static struct event_base *base;
static void (*jail_ended)(struct jail_instance *);

static void
became_readable(evutil_socket_t fd, short what, void *arg)
{
	struct jail_instance *jail = jail_hold(arg);

	(void)fd;
	(void)what;
	jail_ended(jail);
	jail_release(jail);
}

/* Not persistent: a jail ends once. Without memory for it the end is found out later, when a probe
 * can't be armed again. */
static void
opened(struct jail_instance *jail)
{
	if (jail->watch_fd < 0)
		return;
	jail->watch = event_new(base, jail->watch_fd, EV_READ, became_readable, jail);
	if (jail->watch != NULL)
		event_add(jail->watch, NULL);
}

/* Before the descriptor is closed: a child may still have it, and epoll would go on naming it. */
static void
closing(struct jail_instance *jail)
{
	if (jail->watch != NULL)
		event_free(jail->watch);
	jail->watch = NULL;
}

void
jailwatch_init(struct event_base *event_base, void (*ended)(struct jail_instance *))
{
	static const struct jail_hooks hooks = {.opened = opened, .closing = closing};

	base = event_base;
	jail_ended = ended;
	jail_set_hooks(&hooks);
}
