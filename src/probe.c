#include "config.h"

#include "probe.h"

#include <sys/wait.h>

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "jailwatch.h"
#include "keep.h"
#include "limit.h"
#include "log.h"
#include "probe_life.h"
#include "rate.h"
#include "registry.h"
#include "run.h"
#include "sticky.h"
#include "title.h"
#include "timer.h"
#include "util.h"
#include "waiters.h"

static struct event_base *base;
static bool stopping;

static void start(struct probe *);
static void rearm(struct probe *);
static void jail_ended(struct jail_instance *);

int
probe_init(struct event_base *event_base)
{
	base = event_base;
	arm_init(base);
	jailwatch_init(base, jail_ended);
	if (sticky_init(base, start) != 0)
		return -1;
	return run_init(base, limits()->runs);
}

/* ---- the end ---- */

static void
free_probe(struct probe *probe)
{
	registry_forget(probe);
	if (probe->timer != NULL)
		event_free(probe->timer);
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
	evtimer_del(probe->timer);
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
	jail_release(probe->jail);
	probe->jail = NULL;
	probe->gone = true;
	log_info("event=removed %s why=\"%s\"", probe->tag, why);
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
	probe->held--;
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
	for (probe = registry_first(); probe != NULL; probe = registry_after(probe->number)) {
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
	log_info("event=triggered %s triggers=%llu", probe->tag,
		 (unsigned long long)probe->triggers);
}

void
probe_pressed(struct probe *probe)
{
	probe_hold(probe);
	probe->presence = PRESENCE_NONE;
	probe->pid = 0;
	probe->failures = 0;
	probe->triggers++;
	if (!paced_by_starts(probe))
		rate_charge(&probe->rate, &probe->def);
	run_request(probe);
	if (!paced_by_starts(probe))
		rearm(probe);
	probe_log_trigger(probe);
	probe_release(probe);
}

/* ---- into the jail, and back into it ---- */

/* Somebody may have pressed it just now, and a HUP is never lost, not even to a probe on its way out:
 * it gets its run. */
static void
accept_unreaped_trigger(struct probe *probe)
{
	siginfo_t info = {0};

	if (probe->pid <= 0 ||
	    waitid(P_PID, (id_t)probe->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
	    info.si_pid != probe->pid || info.si_code != CLD_EXITED ||
	    info.si_status != PROBE_EXIT_TRIGGERED)
		return;
	child_forget(probe->pid);
	probe_pressed(probe);
}

/* Whoever has the name by now: several may be on their way to replace the same probe, and that one
 * may be gone already. The last to be armed keeps it. */
static void
take_over_name(struct probe *probe)
{
	struct probe *old;
	struct error e;

	error_set(&e, ERR_ATTACH_FAILED, "another probe has taken its place");
	if (!probe->replaces)
		return;
	probe->replaces = false;
	if ((old = registry_by_name(probe->def.name)) != NULL) {
		accept_unreaped_trigger(old);
		probe_end(old, "another one has taken its place", &e);
		probe_free_if_unused(old);
	}
	registry_take_name(probe);
}

static void
first_kept(struct probe *probe, const struct error *e, void *arg)
{
	(void)arg;
	probe->saving = false;
	probe->kept = true; /* a part of it may be, even if not for certain */
	if (probe->gone)
		return;
	if (e != NULL) {
		probe_end(probe, "it could not be saved", e);
		return;
	}
	take_over_name(probe);
	waiters_tell(probe, NULL);
}

/* It is there, armed or waiting for its jail: once that is certain to survive the daemon, it has its
 * name, and whoever asked for it is told. */
static void
settle(struct probe *probe)
{
	if (probe->gone || probe->kept || probe->saving)
		return;
	if (probe->def.respawn == RESPAWN_NO && probe->triggers > 0) {
		first_kept(probe, NULL, NULL); /* it has had its one press: nothing is to come back */
		return;
	}
	probe->saving = true;
	keep_save(probe, first_kept, NULL);
}

static void
lose_jail(struct probe *probe)
{
	if (!probe->def.sticky) {
		end_by_itself(probe, "its jail has ended");
		return;
	}
	evtimer_del(probe->timer);
	jail_release(probe->jail);
	probe->jail = NULL;
	probe->presence = PRESENCE_WAITING;
	probe->failures = 0;
	log_info("event=jail-gone %s", probe->tag);
	sticky_wait(probe);
	settle(probe);
}

/* Those that are armed, or on their way, are told by the end of their process. */
static void
jail_ended(struct jail_instance *jail)
{
	struct probe *probe;
	uint64_t number;

	for (probe = registry_first(); probe != NULL; probe = registry_after(number)) {
		number = probe->number;
		if (probe->jail != jail || probe->arm != NULL)
			continue;
		if (probe->presence == PRESENCE_STARTING || probe->presence == PRESENCE_COOLING)
			lose_jail(probe);
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
	timer_set(probe->timer, delay < limits()->rearm_delay_max_ms ? delay : limits()->rearm_delay_max_ms);
}

static void
log_death(const struct probe *probe, pid_t pid, int status)
{
	if (WIFSIGNALED(status))
		log_warn("event=probe-killed %s pid=%d signal=%d", probe->tag, (int)pid,
			 WTERMSIG(status));
	else
		log_warn("event=probe-ended %s pid=%d exit=%d", probe->tag, (int)pid,
			 WEXITSTATUS(status));
}

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
		log_warn("event=attach-failed %s why=\"%s\"", probe->tag, e->text);
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
	probe->presence = PRESENCE_ARMED;
	probe->pid = pid;
	probe->armed_at = util_monotonic_ms();
	log_info("event=armed %s pid=%d jid=%d", probe->tag, (int)pid, (int)probe->jail->jid);
	probe_hold(probe);
	child_add(pid, probe_exited, probe);
	settle(probe);
	probe_release(probe);
}

static void
start(struct probe *probe)
{
	struct attach_params params = {.title = probe->title};

	if (stopping)
		return;
	if (!jail_alive(probe->jail)) {
		lose_jail(probe);
		return;
	}
	params.uid = probe->def.uid == DEFINITION_UNSET ? 0 : (uid_t)probe->def.uid;
	params.gid = probe->def.gid == DEFINITION_UNSET ? 0 : (gid_t)probe->def.gid;
	title_compose(probe);
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
	timer_set(probe->timer, delay);
	log_info("event=throttled %s for_ms=%lld", probe->tag, (long long)delay);
}

static void
timer_expired(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	start(arg);
}

/* ---- for probe_add.c ---- */

struct probe *
probe_create(struct definition *def, struct jail_instance *jail, uint64_t number, struct error *e)
{
	struct probe *probe;

	if (number == 0 && keep_number(registry_next_number(), e) != 0)
		return NULL;
	probe = calloc(1, sizeof(*probe));
	if (probe == NULL || (probe->timer = evtimer_new(base, timer_expired, probe)) == NULL) {
		free(probe);
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
	log_info("event=probe-added %s", probe->tag);
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
	probe->kept_pending = pending;
	log_info("event=probe-restored %s", probe->tag);
	probe_hold(probe);
	if (pending > 0)
		run_restore(probe, probe->jail, pending);
	if (!probe->gone && probe->jail == NULL)
		lose_jail(probe);
	else if (!probe->gone && (pending == 0 || !paced_by_starts(probe)))
		start(probe);
	probe_release(probe);
}

/* Where it stood when the daemon before this one let go of it. */
void
probe_go_on(struct probe *probe)
{
	if (probe->gone)
		return;
	if (probe->presence == PRESENCE_ARMED)
		child_add(probe->pid, probe_exited, probe);
	else if (probe->presence == PRESENCE_WAITING)
		sticky_wait(probe);
	else if (probe->presence == PRESENCE_COOLING)
		rearm(probe);
	else if (probe->presence == PRESENCE_STARTING && probe->failures > 0)
		try_later(probe);
	else if (probe->presence == PRESENCE_STARTING)
		start(probe);
}
