#include "config.h"

#include "due.h"

#include <event2/event.h>

#include "timer.h"
#include "util.h"

/* By time; of two at the same, by their places in memory. */
static int
compare(const struct due *a, const struct due *b)
{
	if (a->at_us != b->at_us)
		return a->at_us < b->at_us ? -1 : 1;
	return ((uintptr_t)a > (uintptr_t)b) - ((uintptr_t)a < (uintptr_t)b);
}

RB_HEAD(dues, due);
RB_GENERATE_STATIC(dues, due, entry, compare)

static struct dues dues = RB_INITIALIZER(&dues);
static struct event *timer;
static due_cb *has_come;

/* The first one decides. A timer that is set for one that was cleared since finds nothing to do. */
static void
wait_for_first(void)
{
	const struct due *first = RB_MIN(dues, &dues);
	int64_t left_us;

	if (first == NULL)
		return;
	left_us = first->at_us - util_monotonic_us();
	timer_set(timer, left_us > 0 ? (left_us + 999) / 1000 : 0);
}

/* Those that are set meanwhile have their turn in the next round. */
static void
expired(evutil_socket_t fd, short what, void *arg)
{
	const int64_t now_us = util_monotonic_us();
	struct due *first;

	(void)fd;
	(void)what;
	(void)arg;
	while ((first = RB_MIN(dues, &dues)) != NULL && first->at_us <= now_us) {
		due_clear(first);
		has_come(first);
	}
	wait_for_first();
}

int
due_init(struct event_base *base, due_cb *callback)
{
	has_come = callback;
	timer = evtimer_new(base, expired, NULL);
	return timer == NULL ? -1 : 0;
}

void
due_set(struct due *due, int64_t ms)
{
	due_clear(due);
	due->at_us = util_monotonic_us() + ms * 1000;
	RB_INSERT(dues, &dues, due);
	if (RB_MIN(dues, &dues) == due)
		wait_for_first();
}

void
due_clear(struct due *due)
{
	if (due->at_us != 0)
		RB_REMOVE(dues, &dues, due);
	due->at_us = 0;
}

/* Wherever the key lies, all of that moment come after one of the moment before. */
struct due *
due_from(int64_t at_us)
{
	struct due key = {.at_us = at_us - 1};

	return RB_NFIND(dues, &dues, &key);
}

struct due *
due_next(struct due *due)
{
	return RB_NEXT(dues, &dues, due);
}
