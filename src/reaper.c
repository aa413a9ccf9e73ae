#include "config.h"

#include "reaper.h"

#include <sys/wait.h>

#include <event2/event.h>
#include <stdbool.h>

#include "child.h"
#include "ending.h"
#include "timer.h"
#include "util.h"

/* To the walk over all children: long enough for some more to end meanwhile. */
#define WALK_MS 1

/* A walk that came to its end is followed by a rest of so many times the time that it took the kernel: those
 * that were not named are few, unless there are many at once, and then one walk finds them all. */
#define REST_TIMES 49
#define REST_MAX_US 50000 /* it was not the kernel who took longer */

/* A walk that takes so long for one child has come past thousands that live. Where one has ended behind them
 * others have too: then each child is looked at by its number, which costs the same however many there are. */
#define SLOW_US 200

/* Of one turn of the event loop, so that a thousand ends at once don't keep all others waiting. */
#define TURN_US 500

/* Between two such turns while somebody asks, who is answered at once then: an end is soon enough. */
#define PAUSE_MS 2

/* Whoever has asked within so long is about to ask again. */
#define ASKED_MS 10

/* More in one turn are not reaped by name: when many have ended, a walk comes across each of them sooner. */
#define NAMED_MAX 16

static struct event *ended_event, *walk_timer;
static int64_t rest_until_us, asked_us;
static reaper_turn_cb *on_turn;
static bool sweeping;
static size_t swept; /* places of child.h that were looked at */

void
reaper_make_room(void)
{
	asked_us = util_monotonic_us();
}

void
reaper_reap_all(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		child_exited(pid, status);
}

/* The turn is over and there may be more: the others have theirs before it goes on. */
static void
go_on(void)
{
	bool asked = util_monotonic_us() - asked_us < ASKED_MS * INT64_C(1000);

	timer_set(walk_timer, asked ? PAUSE_MS : 0);
}

static void
begin_sweep(void)
{
	sweeping = true;
	swept = 0;
}

/* Whoever moves up to a place that became empty is looked at there. */
static void
sweep_on(int64_t until_us)
{
	while (swept < child_places() && util_monotonic_us() < until_us) {
		pid_t pid = child_at(swept);

		if (pid == 0 || !child_reap(pid))
			swept++;
	}
	sweeping = swept < child_places();
}

static int64_t
rest_after(int64_t took_us)
{
	return took_us * REST_TIMES < REST_MAX_US ? took_us * REST_TIMES : REST_MAX_US;
}

/* False: there are no more. */
static bool
walk_on(int64_t until_us)
{
	int64_t began, found;
	int status;
	pid_t pid;

	do {
		began = util_monotonic_us();
		pid = waitpid(-1, &status, WNOHANG);
		found = util_monotonic_us();
		if (pid <= 0) {
			rest_until_us = found + rest_after(found - began);
			return false;
		}
		child_exited(pid, status);
		if (found - began > SLOW_US) {
			begin_sweep();
			return true;
		}
	} while (util_monotonic_us() < until_us);
	return true;
}

static void
turn(bool begins)
{
	if (on_turn != NULL)
		on_turn(begins);
}

static void
walk(evutil_socket_t fd, short what, void *arg)
{
	int64_t until_us = util_monotonic_us() + TURN_US;
	bool left_over = true;

	(void)fd;
	(void)what;
	(void)arg;
	turn(true);
	if (sweeping)
		sweep_on(until_us);
	else
		left_over = walk_on(until_us);
	turn(false);
	if (left_over)
		go_on();
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

	(void)what;
	(void)arg;
	turn(true);
	while ((pid = reaper_os_next(fd)) != 0) {
		if (++named > NAMED_MAX || util_monotonic_us() > until_us)
			left_over = true;
		else
			child_reap(pid);
	}
	ending_reap();
	turn(false);
	if (left_over)
		go_on();
	else
		walk_soon();
}

int
reaper_start(struct event_base *base, reaper_turn_cb *told)
{
	int fd = reaper_os_open();

	on_turn = told;
	if (fd < 0)
		return -1;
	ended_event = event_new(base, fd, EV_READ | EV_PERSIST, children_ended, NULL);
	walk_timer = evtimer_new(base, walk, NULL);
	if (ended_event == NULL || walk_timer == NULL)
		return -1;
	return event_add(ended_event, NULL);
}
