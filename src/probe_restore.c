/* A probe's next life in another daemon: brought back from its record, or handed over as it is. */
#include "config.h"

#include <string.h>

#include "child.h"
#include "probe.h"
#include "probe_life.h"
#include "registry.h"
#include "run.h"
#include "stats.h"
#include "tell.h"

static int
find_jail_again(const struct definition *def, const struct probe_saved *saved,
		struct jail_instance **jail, struct error *e)
{
	*jail = def->sticky ? jail_find(&def->jail, e) : jail_find_same(&saved->jail, e);
	if (*jail == NULL && !(def->sticky && e->code == ERR_NO_SUCH_JAIL))
		return -1;
	return 0;
}

static void
fill_in(struct probe *probe, const struct probe_saved *saved)
{
	probe->created_ms = saved->created_ms;
	probe->configured = saved->configured;
	probe->triggers = probe->logged_triggers = probe->kept_triggers = saved->triggers;
	probe->runs = saved->runs;
	probe->coalesced = saved->coalesced;
	probe->throttled = saved->throttled;
	tally_skip(probe);
	probe->last = saved->last;
	probe->kept_last_ms = saved->last.finished_ms;
	probe->kept_started = saved->given_back;
	probe->kept_pending = saved->pending; /* also of those that are dropped: the record tells of them */
}

int
probe_restore(struct definition *def, const struct probe_saved *saved, struct error *e)
{
	const struct probe *newer = def->name == NULL ? NULL : registry_by_name(def->name);
	unsigned pending = saved->pending;
	struct jail_instance *jail = NULL;
	struct probe *probe = NULL;

	if (newer != NULL)
		error_set(e, ERR_EXISTS, "probe %llu has taken its place",
			  (unsigned long long)newer->number);
	else if (find_jail_again(def, saved, &jail, e) == 0 &&
		 (probe = probe_create(def, jail, saved->number, e)) == NULL)
		jail_release(jail);
	if (probe == NULL)
		return -1;
	fill_in(probe, saved);
	registry_take_name(probe);
	if (pending > 0 && (jail == NULL || !jail_is(jail, &saved->jail))) {
		tell(TELL_TRIGGER_DROPPED, probe, TELL_NUMBER("count", pending),
		     TELL_TEXT("why", "its jail has ended"), TELL_END);
		stats.triggers += pending;
		stats.dropped += pending;
		pending = 0;
	}
	probe_begin_again(probe, pending);
	return 0;
}

/* The next try begins anew, and counts the last one that failed once more. */
static unsigned
failures_before_try(const struct probe *probe)
{
	return probe->failures - (probe->presence == PRESENCE_STARTING && probe->failures > 0);
}

void
probe_save(struct probe *probe, struct probe_moment *moment)
{
	*moment = (struct probe_moment){.presence = probe->presence,
					.pid = probe->pid,
					.gone = probe->gone,
					.remembered = probe->remembered,
					.kept = probe->kept,
					.dropped = probe->dropped,
					.kept_started = probe->kept_started,
					.kept_pending = probe->kept_pending,
					.kept_triggers = probe->kept_triggers,
					.kept_last_ms = probe->kept_last_ms,
					.logged_triggers = probe->logged_triggers,
					.failures = failures_before_try(probe),
					.armed_at = probe->armed_at,
					.rate_due = probe->rate.due,
					.jail = probe->jail,
					.entry_jail = probe->entry_jail,
					.output = tail_linear(&probe->output),
					.output_length = probe->output.used,
					.output_total = probe->output.total};
}

static void
fill_in_moment(struct probe *probe, const struct probe_moment *moment)
{
	probe->presence = moment->presence;
	probe->pid = moment->pid;
	probe->gone = moment->gone;
	probe->kept = moment->kept;
	probe->dropped = moment->dropped;
	probe->kept_started = moment->kept_started;
	probe->kept_pending = moment->kept_pending;
	probe->kept_triggers = moment->kept_triggers;
	probe->kept_last_ms = moment->kept_last_ms;
	probe->logged_triggers = moment->logged_triggers;
	probe->failures = moment->failures;
	probe->armed_at = moment->armed_at;
	probe->rate.due = moment->rate_due;
	tail_append(&probe->output, moment->output, moment->output_length);
	probe->output.total = moment->output_total;
}

struct probe *
probe_resume(struct definition *def, const struct probe_saved *saved, const struct probe_moment *moment)
{
	struct probe *probe = NULL;
	struct error e;

	if (child_reserve() == 0) /* for its process */
		probe = probe_create(def, moment->jail, saved->number, &e);
	definition_clear(def);
	if (probe == NULL)
		return NULL;
	fill_in(probe, saved);
	fill_in_moment(probe, moment);
	if (moment->jail != NULL)
		jail_hold(moment->jail);
	if (!moment->gone)
		registry_take_name(probe);
	else
		registry_remove(probe);
	if (moment->remembered)
		registry_remember(probe);
	return probe;
}
