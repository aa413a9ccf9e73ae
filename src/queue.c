#include "config.h"

#include "queue.h"

#include <event2/event.h>

#include "timer.h"

/* After a start that failed for want of something. */
#define RETRY_MS 1000

static struct lanes runs;
static queue_start_cb *start_run;
static struct event *retry_timer;
static bool pumping, paused, resting;

/* A quarter of the places is kept for the other jails, where there are any. */
static unsigned
lane_limit(void)
{
	unsigned most = jail_count() > 1 ? runs.limit - runs.limit / 4 : runs.limit;

	return most > 0 ? most : 1;
}

static void
retry_later(void)
{
	resting = true;
	timer_set(retry_timer, RETRY_MS);
}

/* False: nothing more can start now. */
static bool
start_next(void)
{
	struct lane *lane;
	struct lane_entry *entry = lanes_take(&runs, lane_limit(), &lane);

	if (entry == NULL)
		return false;
	if (start_run(entry))
		return true;
	lanes_put_back(&runs, lane, entry);
	retry_later();
	return false;
}

/* Starting a run can push another one, or end at once: those calls find us at work already. tests/model/queue.pml
 * checks whose turn it is: change both. */
static void
pump(void)
{
	if (pumping || paused || resting)
		return;
	pumping = true;
	while (start_next() && !resting)
		;
	pumping = false;
}

static void
retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	resting = false;
	pump();
}

int
queue_init(struct event_base *base, unsigned limit, queue_start_cb *start)
{
	lanes_init(&runs, limit);
	start_run = start;
	retry_timer = evtimer_new(base, retry, NULL);
	return retry_timer == NULL ? -1 : 0;
}

void
queue_set_limit(unsigned limit)
{
	runs.limit = limit;
	pump();
}

void
queue_push(struct lane_entry *entry, struct jail_instance *jail)
{
	lanes_push(&runs, &jail->runs, entry);
	pump();
}

void
queue_remove(struct lane_entry *entry)
{
	lanes_remove(&runs, entry);
}

void
queue_put_back(struct lane_entry *entry, struct jail_instance *jail)
{
	if (entry->lane == NULL)
		lanes_put_back(&runs, &jail->runs, entry);
	else
		lanes_release(&runs, &jail->runs);
	retry_later();
}

void
queue_adopt(struct jail_instance *jail)
{
	lanes_occupy(&runs, &jail->runs);
}

void
queue_run_ended(struct jail_instance *jail)
{
	lanes_release(&runs, &jail->runs);
	resting = false; /* it has given back what was missing, perhaps */
	pump();
}

void
queue_pause(bool wanted)
{
	paused = wanted;
	pump();
}

unsigned
queue_limit(void)
{
	return runs.limit;
}

unsigned
queue_waiting(void)
{
	return runs.waiting;
}
