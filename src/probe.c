#include "config.h"

#include "probe.h"

#include <sys/wait.h>

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "jailwatch.h"
#include "keep.h"
#include "limit.h"
#include "probe_life.h"
#include "rate.h"
#include "registry.h"
#include "run.h"
#include "stats.h"
#include "sticky.h"
#include "tell.h"
#include "title.h"
#include "util.h"
#include "waiters.h"

static bool stopping;

static void start(struct probe *);
static void rearm(struct probe *);
static void jail_ended(struct jail_instance *);
static void due_came(struct due *);

int
probe_init(struct event_base *base)
{
	arm_init(base);
	jailwatch_init(base, jail_ended);
	if (due_init(base, due_came) != 0 || sticky_init(base, start) != 0 || tally_init(base) != 0)
		return -1;
	return run_init(base, limits()->runs);
}

/* ---- the end ---- */

static void
free_probe(struct probe *probe)
{
	registry_forget(probe);
	tally_end(probe);
	due_clear(&probe->due);
	tail_free(&probe->output);
	definition_clear(&probe->def);
	jail_release(probe->jail);
	free(probe->tag);
	free(probe);
}

/* An ended probe stays as long as a run of it goes on, or somebody may ask about it. */
void
probe_free_if_unused(struct probe *probe)
{
	if (probe->gone && probe->active == 0 && probe->pending == 0 &&
	    probe->held == 0 && !probe->remembered)
		free_probe(probe);
}

void
probe_disarm(struct probe *probe)
{
	if (probe->presence == PRESENCE_WAITING)
		sticky_forget(probe);
	if (probe->arm != NULL)
		arm_cancel(probe->arm);
	probe->arm = NULL;
	due_clear(&probe->due);
	if (probe->pid > 0) {
		kill(probe->pid, SIGKILL);
		child_forget(probe->pid);
	}
	probe->pid = 0;
	probe->presence = PRESENCE_NONE;
}

/* The file that configured it would bring back a single shot that has had its run; its record tells that
 * it is spent, until the file says something else. */
static bool
record_outlives(const struct probe *probe)
{
	return probe->configured && probe->kept_started;
}

void
probe_end(struct probe *probe, const char *why, const struct error *e)
{
	probe_disarm(probe);
	registry_remove(probe);
	probe->gone = true;
	tally_end(probe);
	tell(TELL_REMOVED, probe, TELL_NUMBER("triggers", probe->triggers),
	     TELL_NUMBER("runs", probe->runs), TELL_TEXT("why", why), TELL_END);
	jail_release(probe->jail);
	probe->jail = NULL;
	if ((probe->kept || probe->saving) && !probe->dropped && !record_outlives(probe))
		keep_drop(probe, NULL, NULL);
	waiters_tell(probe, e);
}

/* A probe that was armed once and ends by itself can be asked about for a while. */
static void
end_by_itself(struct probe *probe, const char *why)
{
	struct probe *oldest;
	struct error e;

	error_set(&e, ERR_ATTACH_FAILED, "the probe has ended: %s", why);
	probe_end(probe, why, &e);
	if (probe->armed_at == 0) {
		probe_free_if_unused(probe);
		return;
	}
	oldest = registry_remember(probe);
	if (oldest != NULL)
		probe_free_if_unused(oldest);
}

void
probe_hold(struct probe *probe)
{
	probe->held++;
}

void
probe_release(struct probe *probe)
{
	probe->held--; /* NOLINT(Wanalyzer-use-after-free): what is held is not freed */
	probe_free_if_unused(probe);
}

void
probe_stop_all(void)
{
	struct probe *probe;
	struct error e;

	stopping = true;
	queue_pause(true);
	error_set(&e, ERR_STOPPING, "the daemon is stopping");
	/* Also of one that another has replaced: it may have a trigger waiting. */
	for (probe = registry_every(NULL); probe != NULL; probe = registry_every(probe)) {
		probe_disarm(probe);
		run_drop_pending(probe);
		waiters_tell(probe, &e);
	}
}

/* ---- how often ---- */

/* With a cooldown it is the starts of the command that are spaced, so an overlapping probe is armed
 * again from the start of its run; without one, presses are counted as they come. */
static bool
paced_by_starts(const struct probe *probe)
{
	return probe->def.respawn != RESPAWN_NOW || probe->def.cooldown_ms > 0;
}

/* ---- runs, told by run.c ---- */

void
probe_run_started(struct probe *probe)
{
	if (!paced_by_starts(probe))
		return;
	rate_charge(&probe->rate, &probe->def);
	if (probe->def.respawn == RESPAWN_NOW && !probe->gone)
		rearm(probe);
}

void
probe_run_ended(struct probe *probe)
{
	if (probe->gone) {
		probe_free_if_unused(probe);
		return;
	}
	if (probe->active > 0 || probe->pending > 0 || probe->def.respawn == RESPAWN_NOW)
		return;
	if (probe->def.respawn == RESPAWN_NO)
		end_by_itself(probe, "its one run has ended");
	else
		rearm(probe);
}

/* The command starts before anything is written to the log; whoever logs first says it. */
void
probe_log_trigger(struct probe *probe)
{
	if (probe->logged_triggers == probe->triggers)
		return;
	probe->logged_triggers = probe->triggers;
	tell(TELL_TRIGGERED, probe, TELL_NUMBER("triggers", probe->triggers), TELL_END);
}

void
probe_pressed(struct probe *probe)
{
	probe_hold(probe);
	probe->presence = PRESENCE_NONE;
	probe->pid = 0;
	probe->failures = 0;
	probe->triggers++;
	stats.triggers++;
	if (!paced_by_starts(probe))
		rate_charge(&probe->rate, &probe->def);
	run_request(probe);
	if (!paced_by_starts(probe))
		rearm(probe);
	probe_log_trigger(probe);
	probe_release(probe);
}

/* ---- into the jail, and back into it ---- */

static void
lose_jail(struct probe *probe)
{
	if (!probe->def.sticky) {
		end_by_itself(probe, "its jail has ended");
		return;
	}
	due_clear(&probe->due);
	jail_release(probe->jail);
	probe->jail = NULL;
	probe->presence = PRESENCE_WAITING;
	probe->failures = 0;
	tell(TELL_JAIL_GONE, probe, TELL_END);
	sticky_wait(probe);
	probe_settle(probe);
}

static struct probe *
whose(struct due *due)
{
	return (struct probe *)((char *)due - offsetof(struct probe, due));
}

/* Those that are armed, or on their way, are told by the end of their process; those that wait to be armed are
 * in the order of their times. Whoever is told of a lost one may end others. */
static void
jail_ended(struct jail_instance *jail) /* cppcheck-suppress constParameter ; a callback's type is given */
{
	struct due *due = due_from(0);

	while (due != NULL) {
		struct probe *probe = whose(due);
		int64_t at_us = due->at_us;

		if (probe->jail != jail) {
			due = due_next(due);
			continue;
		}
		lose_jail(probe);
		due = due_from(at_us);
	}
}

/* A probe that can't be armed again: the jail is ending, or full, or its root kills probes. It is
 * tried ever more slowly as long as the jail is there. */
static void
try_later(struct probe *probe)
{
	int64_t delay = limits()->rearm_delay_ms << (probe->failures < 16 ? probe->failures : 16);

	probe->failures++;
	probe->presence = PRESENCE_STARTING;
	due_set(&probe->due, delay < limits()->rearm_delay_max_ms ? delay : limits()->rearm_delay_max_ms);
}

static void
log_death(const struct probe *probe, pid_t pid, int status)
{
	if (WIFSIGNALED(status))
		tell(TELL_PROBE_KILLED, probe, TELL_NUMBER("pid", pid),
		     TELL_NUMBER("signal", WTERMSIG(status)), TELL_END);
	else
		tell(TELL_PROBE_ENDED, probe, TELL_NUMBER("pid", pid),
		     TELL_NUMBER("exit", WEXITSTATUS(status)), TELL_END);
}

/* tests/model/probe.pml checks what follows, in which order, until it is armed again: change both. */
static void
probe_exited(pid_t pid, int status, void *arg)
{
	struct probe *probe = arg;

	probe->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == PROBE_EXIT_TRIGGERED) {
		probe_pressed(probe);
		return;
	}
	probe->presence = PRESENCE_NONE;
	log_death(probe, pid, status);
	if (util_monotonic_ms() - probe->armed_at > limits()->rearm_steady_ms)
		probe->failures = 0;
	if (!jail_alive(probe->jail))
		lose_jail(probe);
	else if (probe->def.respawn == RESPAWN_NO && !probe->def.sticky)
		end_by_itself(probe, "its process was ended");
	else
		try_later(probe);
}

static void
armed(void *arg, pid_t pid, const struct error *e)
{
	struct probe *probe = arg;

	probe->arm = NULL;
	if (pid <= 0) {
		stats.attaches_failed++;
		tell(TELL_ATTACH_FAILED, probe, TELL_TEXT("why", e->text), TELL_END);
		if (!probe->kept && !probe->saving) {
			probe_end(probe, "it could not be armed", e);
			probe_free_if_unused(probe);
		} else if (!jail_alive(probe->jail)) {
			lose_jail(probe);
		} else {
			try_later(probe);
		}
		return;
	}
	stats.attaches_ok++;
	probe->presence = PRESENCE_ARMED;
	probe->pid = pid;
	probe->armed_at = util_monotonic_ms();
	tell(TELL_ARMED, probe, TELL_NUMBER("pid", pid), TELL_NUMBER("jid", probe->jail->jid), TELL_END);
	probe_hold(probe);
	child_add(pid, probe_exited, probe);
	probe_settle(probe);
	probe_release(probe);
}

static void
start(struct probe *probe)
{
	char title[ATTACH_TITLE_SIZE];
	struct attach_params params = {.title = title, .tag = probe->tag};

	if (stopping)
		return;
	if (!jail_alive(probe->jail)) {
		lose_jail(probe);
		return;
	}
	params.uid = probe->def.uid == DEFINITION_UNSET ? 0 : (uid_t)probe->def.uid;
	params.gid = probe->def.gid == DEFINITION_UNSET ? 0 : (gid_t)probe->def.gid;
	title_compose(probe, title);
	probe->presence = PRESENCE_STARTING;
	probe->arm = arm_begin(probe->jail, &params, armed, probe);
	if (probe->arm == NULL)
		try_later(probe);
}

static void
rearm(struct probe *probe)
{
	int64_t delay = rate_delay(&probe->rate, &probe->def);

	if (delay <= 0) {
		start(probe);
		return;
	}
	probe->presence = PRESENCE_COOLING;
	probe->throttled++;
	stats.throttled++;
	due_set(&probe->due, delay);
	tally_tell(probe, TALLY_THROTTLED);
}

static void
due_came(struct due *due)
{
	start(whose(due));
}

/* ---- for probe_add.c ---- */

struct probe *
probe_create(struct definition *def, struct jail_instance *jail, uint64_t number, struct error *e)
{
	struct probe *probe;

	if (number == 0 && keep_number(registry_next_number(), e) != 0)
		return NULL;
	probe = calloc(1, sizeof(*probe));
	if (probe == NULL) {
		error_no_memory(e);
		return NULL;
	}
	probe->def = *def;
	definition_init(def);
	probe->number = number;
	probe->created_ms = util_wall_ms();
	LIST_INIT(&probe->active_runs);
	SLIST_INIT(&probe->waiters);
	registry_insert(probe);
	if ((probe->tag = title_make_tag(probe)) == NULL) {
		registry_remove(probe);
		free_probe(probe);
		error_no_memory(e);
		return NULL;
	}
	probe->jail = jail;
	return probe;
}

void
probe_begin(struct probe *probe)
{
	tell(TELL_PROBE_ADDED, probe, TELL_END);
	if (probe->jail == NULL)
		lose_jail(probe);
	else
		start(probe);
}

/* Its run, of which it is still owed some, comes first; an overlapping probe is armed beside it. */
void
probe_begin_again(struct probe *probe, unsigned pending)
{
	probe->kept = true;
	tell(TELL_PROBE_RESTORED, probe, TELL_END);
	probe_hold(probe);
	if (pending > 0)
		run_restore(probe, probe->jail, pending);
	if (!probe->gone && probe->jail == NULL)
		lose_jail(probe);
	else if (!probe->gone && (pending == 0 || !paced_by_starts(probe)))
		start(probe);
	probe_release(probe); /* NOLINT(clang-analyzer-unix.Malloc): what is held is not freed */
}

/* The throttling was counted when it began. */
static void
cool(struct probe *probe)
{
	int64_t delay = rate_delay(&probe->rate, &probe->def);

	due_set(&probe->due, delay > 0 ? delay : 0);
}

/* Where it stood when the daemon before this one let go of it. */
void
probe_go_on(struct probe *probe)
{
	if (probe->presence == PRESENCE_ARMED)
		child_add(probe->pid, probe_exited, probe);
	else if (probe->presence == PRESENCE_WAITING)
		sticky_wait(probe);
	else if (probe->presence == PRESENCE_COOLING)
		cool(probe);
	else if (probe->presence == PRESENCE_STARTING && probe->failures > 0)
		try_later(probe);
	else if (probe->presence == PRESENCE_STARTING)
		start(probe);
}
