#include "config.h"

#include "reaper.h"

#include <sys/wait.h>

#include <event2/event.h>
#include <stdbool.h>

#include "child.h"
#include "timer.h"
#include "util.h"

/* To the walk over all children: long enough for some more to end meanwhile. */
#define WALK_MS 1

/* A walk is followed by a rest of so many times its length: those that were not named are few, unless there
 * are many at once, and then one walk finds them all. */
#define REST_TIMES 49

/* Of one turn of the event loop, so that a thousand ends at once don't keep all others waiting. */
#define TURN_MS 5

/* More at once are not reaped by name: when many have ended, a walk comes across each of them sooner. */
#define NAMED_MAX 16

static struct event *ended_event, *walk_timer;
static int64_t rest_until_us;

/* False: there may be more, but others are to have their turn. */
static bool
reap_until(int64_t deadline_us)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		child_exited(pid, status);
		if (util_monotonic_us() > deadline_us)
			return false;
	}
	return true;
}

void
reaper_reap_all(void)
{
	while (!reap_until(INT64_MAX))
		;
}

static void
walk(evutil_socket_t fd, short what, void *arg)
{
	int64_t began = util_monotonic_us(), ended;
	bool complete = reap_until(began + TURN_MS * 1000);

	(void)fd;
	(void)what;
	(void)arg;
	ended = util_monotonic_us();
	rest_until_us = ended + (ended - began) * REST_TIMES;
	if (!complete)
		timer_set(walk_timer, 0);
}

static void
walk_soon(void)
{
	int64_t rest_ms = (rest_until_us - util_monotonic_us()) / 1000;

	if (!evtimer_pending(walk_timer, NULL))
		timer_set(walk_timer, rest_ms > WALK_MS ? rest_ms : WALK_MS);
}

static void
children_ended(evutil_socket_t fd, short what, void *arg)
{
	unsigned named = 0;
	pid_t pid;
	int status;

	(void)what;
	(void)arg;
	while ((pid = reaper_os_next(fd)) != 0)
		if (++named <= NAMED_MAX && waitpid(pid, &status, WNOHANG) == pid)
			child_exited(pid, status);
	if (named > NAMED_MAX)
		timer_set(walk_timer, 0);
	else
		walk_soon();
}

int
reaper_start(struct event_base *base)
{
	int fd = reaper_os_open();

	if (fd < 0)
		return -1;
	ended_event = event_new(base, fd, EV_READ | EV_PERSIST, children_ended, NULL);
	walk_timer = evtimer_new(base, walk, NULL);
	if (ended_event == NULL || walk_timer == NULL)
		return -1;
	return event_add(ended_event, NULL);
}
