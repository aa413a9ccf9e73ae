#include "config.h"

#include "queue.h"

#include <event2/event.h>

#include <stdlib.h>

/* After a start that failed for want of something. */
#define RETRY_SECONDS 1

TAILQ_HEAD(entries, queue_entry);

/* One jail's entries. It exists while it has any, or runs going on. */
struct queue_lane {
	TAILQ_ENTRY(queue_lane) link; /* in lanes, while it has entries */
	struct entries entries;
	struct jail_instance *jail;
	unsigned running;
};

static TAILQ_HEAD(, queue_lane) lanes = TAILQ_HEAD_INITIALIZER(lanes);
static queue_start_cb *start_run;
static struct event *retry_timer;
static unsigned limit, running, waiting;
static bool pumping;

static void pump(void);

static void
retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	pump();
}

int
queue_init(struct event_base *base, unsigned new_limit, queue_start_cb *start)
{
	limit = new_limit;
	start_run = start;
	retry_timer = evtimer_new(base, retry, NULL);
	return retry_timer == NULL ? -1 : 0;
}

void
queue_finish(void)
{
	if (retry_timer != NULL)
		event_free(retry_timer);
	retry_timer = NULL;
}

/* Where there are other jails, a quarter of the places is kept for them: commands that take for ever
 * can then only block their own jail. */
static bool
lane_may_run(const struct queue_lane *lane)
{
	unsigned most = jail_count() > 1 ? limit - limit / 4 : limit;

	return lane->running < (most > 0 ? most : 1);
}

static struct queue_lane *
next_lane(void)
{
	struct queue_lane *lane;

	TAILQ_FOREACH(lane, &lanes, link)
		if (lane_may_run(lane))
			return lane;
	return NULL;
}

static void
free_if_idle(struct queue_lane *lane)
{
	if (lane->running > 0 || !TAILQ_EMPTY(&lane->entries))
		return;
	lane->jail->lane = NULL;
	free(lane);
}

static void
take_out(struct queue_lane *lane, struct queue_entry *entry)
{
	TAILQ_REMOVE(&lane->entries, entry, link);
	entry->lane = NULL;
	waiting--;
	TAILQ_REMOVE(&lanes, lane, link);
	if (!TAILQ_EMPTY(&lane->entries))
		TAILQ_INSERT_TAIL(&lanes, lane, link); /* its next turn comes after the others' */
}

static void
put_back(struct queue_lane *lane, struct queue_entry *entry)
{
	if (TAILQ_EMPTY(&lane->entries))
		TAILQ_INSERT_TAIL(&lanes, lane, link);
	TAILQ_INSERT_HEAD(&lane->entries, entry, link);
	entry->lane = lane;
	waiting++;
}

/* False: nothing more can start now. */
static bool
start_next(void)
{
	const struct timeval delay = {.tv_sec = RETRY_SECONDS};
	struct queue_lane *lane = running < limit ? next_lane() : NULL;
	struct queue_entry *entry;

	if (lane == NULL)
		return false;
	entry = TAILQ_FIRST(&lane->entries);
	take_out(lane, entry);
	lane->running++;
	running++;
	if (start_run(entry))
		return true;
	lane->running--;
	running--;
	put_back(lane, entry);
	evtimer_add(retry_timer, &delay);
	return false;
}

/* Starting a run can push another one, or end at once: those calls find us at work already. */
static void
pump(void)
{
	if (pumping)
		return;
	pumping = true;
	while (start_next())
		;
	pumping = false;
}

int
queue_push(struct queue_entry *entry, struct jail_instance *jail)
{
	struct queue_lane *lane = jail->lane;

	if (lane == NULL) {
		if ((lane = calloc(1, sizeof(*lane))) == NULL)
			return -1;
		TAILQ_INIT(&lane->entries);
		lane->jail = jail;
		jail->lane = lane;
	}
	if (TAILQ_EMPTY(&lane->entries))
		TAILQ_INSERT_TAIL(&lanes, lane, link);
	TAILQ_INSERT_TAIL(&lane->entries, entry, link);
	entry->lane = lane;
	waiting++;
	pump();
	return 0;
}

void
queue_remove(struct queue_entry *entry)
{
	struct queue_lane *lane = entry->lane;

	if (lane == NULL)
		return;
	take_out(lane, entry);
	free_if_idle(lane);
}

void
queue_run_ended(struct jail_instance *jail)
{
	struct queue_lane *lane = jail->lane;

	lane->running--;
	running--;
	free_if_idle(lane);
	pump();
}

unsigned
queue_limit(void)
{
	return limit;
}

unsigned
queue_running(void)
{
	return running;
}

unsigned
queue_waiting(void)
{
	return waiting;
}
