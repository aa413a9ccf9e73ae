/* What is asked of a probe from outside of its life: how it is; to go, and to be pressed from the host,
 * which are answered when they are certain to survive the daemon. */
#include "config.h"

#include <stdlib.h>

#include "keep.h"
#include "probe.h"
#include "probe_life.h"
#include "run.h"

static void
remove_now(struct probe *probe, bool kill_runs)
{
	struct error e;

	if (kill_runs)
		run_kill_all(probe);
	run_drop_pending(probe);
	error_set(&e, ERR_ATTACH_FAILED, "the probe was removed before it was armed");
	probe_end(probe, "asked for", &e);
}

struct removal {
	probe_done_cb *done;
	void *arg;
	bool kill_runs;
};

/* A part of the record may have gone after all. */
static void
keep_again(struct probe *probe)
{
	probe->dropped = false;
	if (!probe->gone)
		keep_save(probe, NULL, NULL);
}

/* First the record, then the probe: if it can't be removed for good it must not look as if. */
static void
record_dropped(struct probe *probe, const struct error *e, void *arg)
{
	struct removal *removal = arg;

	if (e != NULL)
		keep_again(probe);
	else if (!probe->gone)
		remove_now(probe, removal->kill_runs);
	removal->done(removal->arg, probe, e);
	free(removal);
}

void
probe_remove(struct probe *probe, bool kill_runs, probe_done_cb *done, void *arg)
{
	struct removal *removal = malloc(sizeof(*removal));
	struct error e;

	probe_hold(probe);
	if (removal == NULL) {
		error_no_memory(&e);
		done(arg, probe, &e);
	} else {
		*removal = (struct removal){.done = done, .arg = arg, .kill_runs = kill_runs};
		keep_drop(probe, record_dropped, removal);
	}
	probe_release(probe);
}

struct press {
	probe_done_cb *done;
	void *arg;
};

static void
press_kept(struct probe *probe, const struct error *e, void *arg)
{
	struct press *press = arg;

	press->done(press->arg, probe, e);
	free(press);
}

/* A run that has started can't be lost any more; one that waits is, unless the store knows of it. */
static void
keep_press(struct probe *probe, struct press *press)
{
	if (probe->pending > 0)
		keep_save(probe, press_kept, press);
	else if (probe->def.respawn == RESPAWN_NO)
		keep_wait(probe, press_kept, press);
	else
		press_kept(probe, NULL, press);
}

int
probe_trigger(struct probe *probe, struct error *e, probe_done_cb *done, void *arg)
{
	struct press *press;

	if (probe->presence != PRESENCE_ARMED)
		return error_set(e, ERR_BAD_REQUEST, "probe %llu is not armed now",
				 (unsigned long long)probe->number);
	if ((press = malloc(sizeof(*press))) == NULL)
		return error_no_memory(e);
	*press = (struct press){.done = done, .arg = arg};
	probe_hold(probe);
	/* This life of the probe is used up, whatever its process does from here on. */
	probe_disarm(probe);
	probe_pressed(probe);
	keep_press(probe, press);
	probe_release(probe);
	return 0;
}

void
probe_forget(struct probe *probe)
{
	remove_now(probe, false);
	probe_free_if_unused(probe);
}

enum probe_state
probe_state(const struct probe *probe)
{
	if (probe->gone)
		return PROBE_GONE;
	if (probe->presence == PRESENCE_ARMED)
		return PROBE_ARMED;
	if (probe->presence == PRESENCE_STARTING)
		return PROBE_STARTING;
	if (probe->active > 0)
		return PROBE_RUNNING;
	if (probe->pending > 0)
		return PROBE_QUEUED;
	return probe->presence == PRESENCE_COOLING ? PROBE_COOLING : PROBE_WAITING;
}

struct tail *
probe_output(struct probe *probe)
{
	struct tail *current = run_output(probe);

	return probe->last.any || current == NULL ? &probe->output : current;
}
