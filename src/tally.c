#include "config.h"

#include "tally.h"

#include <event2/event.h>
#include <string.h>

#include "probe.h"
#include "rate.h"
#include "tell.h"
#include "timer.h"
#include "util.h"

/* Those of which something was told within the last second, the oldest first. */
static TAILQ_HEAD(, tally) recent = TAILQ_HEAD_INITIALIZER(recent);
static struct event *timer;

static uint64_t
counted(const struct tally *tally)
{
	const struct probe *probe = tally->probe;

	return tally == &probe->tallies[TALLY_THROTTLED] ? probe->throttled : probe->coalesced;
}

static void
tell_rest(struct tally *tally)
{
	struct probe *probe = tally->probe;
	uint64_t count = counted(tally) - tally->told;
	int64_t delay;

	tally->told += count;
	if (tally == &probe->tallies[TALLY_COALESCED]) {
		tell(TELL_COALESCED, probe, TELL_NUMBER("count", count),
		     TELL_NUMBER("coalesced", probe->coalesced), TELL_END);
		return;
	}
	delay = rate_delay(&probe->rate, &probe->def);
	tell(TELL_THROTTLED, probe, TELL_NUMBER("count", count),
	     TELL_NUMBER("throttled", probe->throttled), TELL_NUMBER("for_ms", delay > 0 ? delay : 0),
	     TELL_END);
}

static void
forget(struct tally *tally)
{
	TAILQ_REMOVE(&recent, tally, link);
	tally->due = 0;
}

static void
tell_and_wait(struct tally *tally, int64_t now)
{
	tell_rest(tally);
	tally->due = now + TALLY_MS;
	TAILQ_INSERT_TAIL(&recent, tally, link);
}

static void
second_is_over(evutil_socket_t fd, short what, void *arg)
{
	int64_t now = util_monotonic_ms();
	struct tally *tally;

	(void)fd;
	(void)what;
	(void)arg;
	while ((tally = TAILQ_FIRST(&recent)) != NULL && tally->due <= now) {
		forget(tally);
		if (tally->told < counted(tally))
			tell_and_wait(tally, now);
	}
	if (tally != NULL)
		timer_set(timer, tally->due - now);
}

int
tally_init(struct event_base *base)
{
	timer = evtimer_new(base, second_is_over, NULL);
	return timer == NULL ? -1 : 0;
}

void
tally_tell(struct probe *probe, enum tally_kind kind)
{
	struct tally *tally = &probe->tallies[kind];

	tally->probe = probe;
	if (tally->due != 0)
		return;
	if (TAILQ_EMPTY(&recent))
		timer_set(timer, TALLY_MS);
	tell_and_wait(tally, util_monotonic_ms());
}

void
tally_skip(struct probe *probe)
{
	probe->tallies[TALLY_THROTTLED].told = probe->throttled;
	probe->tallies[TALLY_COALESCED].told = probe->coalesced;
}

static void
end_one(struct tally *tally)
{
	forget(tally);
	if (tally->told < counted(tally))
		tell_rest(tally);
}

void
tally_end(struct probe *probe)
{
	for (int kind = 0; kind < TALLIES; kind++)
		if (probe->tallies[kind].due != 0)
			end_one(&probe->tallies[kind]);
}

void
tally_finish(void)
{
	while (!TAILQ_EMPTY(&recent))
		end_one(TAILQ_FIRST(&recent));
}
