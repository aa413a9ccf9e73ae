#include "config.h"

#include "sticky.h"

#include <event2/event.h>

#include "limits_default.h"
#include "log.h"

static TAILQ_HEAD(waiting_list, probe) waiting = TAILQ_HEAD_INITIALIZER(waiting);
static struct event *look_timer;
static void (*jail_found)(struct probe *);

static void
look_again_later(void)
{
	const struct timeval delay = {.tv_sec = LIMIT_LOOK_MS / 1000};

	if (!TAILQ_EMPTY(&waiting) && !evtimer_pending(look_timer, NULL))
		evtimer_add(look_timer, &delay);
}

static void
look_for(struct probe *probe)
{
	struct error e;

	TAILQ_REMOVE(&waiting, probe, link);
	probe->jail = jail_find(&probe->def.jail, &e);
	if (probe->jail == NULL) {
		TAILQ_INSERT_TAIL(&waiting, probe, link);
		return;
	}
	log_info("event=jail-back %s jid=%d", probe->tag, (int)probe->jail->jid);
	jail_found(probe);
}

static void
look(evutil_socket_t fd, short what, void *arg)
{
	struct probe *last = TAILQ_LAST(&waiting, waiting_list), *probe = NULL;

	(void)fd;
	(void)what;
	(void)arg;
	while (probe != last && (probe = TAILQ_FIRST(&waiting)) != NULL)
		look_for(probe);
	look_again_later();
}

int
sticky_init(struct event_base *base, void (*found)(struct probe *))
{
	jail_found = found;
	look_timer = evtimer_new(base, look, NULL);
	return look_timer == NULL ? -1 : 0;
}

void
sticky_wait(struct probe *probe)
{
	TAILQ_INSERT_TAIL(&waiting, probe, link);
	look_again_later();
}

void
sticky_forget(struct probe *probe)
{
	TAILQ_REMOVE(&waiting, probe, link);
}
