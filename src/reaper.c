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

/* A walk that came to its end is followed by a rest of so many times the time that it took the kernel: those
 * that were not named are few, unless there are many at once, and then one walk finds them all. */
#define REST_TIMES 49

/* Of one turn of the event loop, so that a thousand ends at once don't keep all others waiting. */
#define TURN_US 500

/* Between two such turns: an end is soon enough, and whoever asks the daemon something is answered at once. */
#define PAUSE_MS 2

/* More in one turn are not reaped by name: when many have ended, a walk comes across each of them sooner. */
#define NAMED_MAX 16

static struct event *ended_event, *walk_timer;
static int64_t rest_until_us;

void
reaper_reap_all(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		child_exited(pid, status);
}

/* When the turn is over and there may be more, the others have theirs before it goes on. */
static void
walk(evutil_socket_t fd, short what, void *arg)
{
	int64_t began = util_monotonic_us(), now = began, asked;
	int status;
	pid_t pid;

	(void)fd;
	(void)what;
	(void)arg;
	do {
		asked = now;
		pid = waitpid(-1, &status, WNOHANG);
		now = util_monotonic_us();
		if (pid <= 0) {
			rest_until_us = now + (now - asked) * REST_TIMES;
			return;
		}
		child_exited(pid, status);
		now = util_monotonic_us();
	} while (now - began < TURN_US);
	timer_set(walk_timer, PAUSE_MS);
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
	int64_t until_us = util_monotonic_us() + TURN_US;
	bool left_over = false;
	unsigned named = 0;
	pid_t pid;
	int status;

	(void)what;
	(void)arg;
	while ((pid = reaper_os_next(fd)) != 0) {
		if (++named > NAMED_MAX || util_monotonic_us() > until_us)
			left_over = true;
		else if (waitpid(pid, &status, WNOHANG) == pid)
			child_exited(pid, status);
	}
	if (left_over)
		timer_set(walk_timer, PAUSE_MS);
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
