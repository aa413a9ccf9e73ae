#include "config.h"

#include "run.h"

#include <sys/wait.h>

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job.h"
#include "keep.h"
#include "limit.h"
#include "queue.h"
#include "start.h"
#include "stats.h"
#include "tell.h"
#include "util.h"

/* What a shell says of a command that it can't execute. */
#define EXIT_NOT_FOUND	    127
#define EXIT_NOT_EXECUTABLE 126

#define PROGRAM_TOLD 253 /* bytes of a program's name, where it can't be executed */

struct probe_run {
	LIST_ENTRY(probe_run) link;
	struct probe *probe;
	struct jail_instance *jail; /* whose place in the queue it has; held */
	struct job *job;	    /* NULL: it is about to start, or could not be executed at all */
	bool cancelled;		    /* before it started */
	bool store_told;	    /* that it is about to start */
	uint64_t number;
	int64_t pressed_us; /* monotonic: when its trigger came */
};

static struct event_base *base;

static bool start_run(struct lane_entry *);
static job_done_cb job_done;
static job_said_cb job_said;

int
run_init(struct event_base *event_base, unsigned limit)
{
	base = event_base;
	return queue_init(base, limit, start_run);
}

static int64_t
most_at_once(const struct probe *probe)
{
	if (probe->def.respawn != RESPAWN_NOW)
		return 1;
	if (probe->def.max_runs > 0)
		return probe->def.max_runs;
	return limits()->max_runs > 0 ? limits()->max_runs : queue_limit();
}

static void
drop_entry_jail(struct probe *probe)
{
	jail_release(probe->entry_jail);
	probe->entry_jail = NULL;
}

/* While one run of a probe is on its way the next one waits: it would get the same number. tests/model/run.pml checks
 * that it isn't forgotten: change both. */
static void
push(struct probe *probe)
{
	if (probe->pending == 0 || probe->entry.lane != NULL || probe->starting ||
	    (int64_t)probe->active >= most_at_once(probe))
		return;
	queue_push(&probe->entry, probe->entry_jail);
}

void
run_request(struct probe *probe)
{
	/* After a reload more may go on than is allowed; the next press waits all the same. */
	if (probe->pending > 0 && (int64_t)probe->active + probe->pending > most_at_once(probe)) {
		probe->coalesced++;
		stats.coalesced++;
		tally_tell(probe, TALLY_COALESCED);
		return;
	}
	/* Of the jail that pressed, whatever becomes of it and the probe before the run starts. */
	if (probe->pending++ == 0)
		probe->entry_jail = jail_hold(probe->jail);
	probe->pressed_us += util_monotonic_us();
	push(probe);
	if (probe->pending > 0 && probe->def.respawn == RESPAWN_NO)
		keep_save(probe, NULL, NULL); /* it will not be there to be pressed again */
}

void
run_restore(struct probe *probe, struct jail_instance *jail, unsigned pending)
{
	probe->pending = pending;
	probe->pressed_us = util_monotonic_us() * pending; /* the time before was another daemon's */
	stats.triggers += pending;
	probe->entry_jail = jail_hold(jail);
	push(probe);
}

bool
run_save(const struct probe *probe, unsigned place, struct run_saved *saved)
{
	struct probe_run *run;

	LIST_FOREACH(run, &probe->active_runs, link) {
		if (run->job == NULL || place-- > 0)
			continue;
		saved->number = run->number;
		saved->jail = run->jail;
		job_save(run->job, &saved->job);
		return true;
	}
	return false;
}

int
run_resume(struct probe *probe, const struct run_saved *saved)
{
	struct probe_run *run = calloc(1, sizeof(*run));

	if (run == NULL)
		return -1;
	run->probe = probe;
	run->number = saved->number;
	run->job = job_resume(base, &saved->job, probe->tag, run->number, job_done, job_said, run);
	if (run->job == NULL) {
		free(run);
		return -1;
	}
	run->jail = jail_hold(saved->jail);
	queue_adopt(run->jail);
	probe->active++;
	LIST_INSERT_HEAD(&probe->active_runs, run, link);
	return 0;
}

void
run_drop_pending(struct probe *probe)
{
	if (probe->pending == 0)
		return;
	tell(TELL_TRIGGER_DROPPED, probe, TELL_NUMBER("count", probe->pending), TELL_END);
	stats.dropped += probe->pending;
	queue_remove(&probe->entry);
	drop_entry_jail(probe);
	probe->pressed_us = 0;
	probe->pending = 0;
}

void
run_kill_all(struct probe *probe)
{
	struct probe_run *run;

	LIST_FOREACH(run, &probe->active_runs, link)
		if (run->job != NULL)
			job_kill(run->job);
		else
			run->cancelled = true;
}

unsigned
run_waiting(const struct probe *probe)
{
	const struct probe_run *run;
	unsigned count = probe->pending;

	LIST_FOREACH(run, &probe->active_runs, link)
		count += run->number == 0;
	return count;
}

struct tail *
run_output(struct probe *probe)
{
	struct probe_run *run = LIST_FIRST(&probe->active_runs);

	return run == NULL || run->job == NULL ? NULL : job_output(run->job);
}

static void
log_result(const struct probe_run *run, const struct job_result *result)
{
	const char *how = "exit";
	int value = WEXITSTATUS(result->status);

	if (result->timed_out) {
		how = "timeout_signal";
		value = WIFSIGNALED(result->status) ? WTERMSIG(result->status) : 0;
	} else if (WIFSIGNALED(result->status)) {
		how = "signal";
		value = WTERMSIG(result->status);
	}
	tell(TELL_RUN_ENDED, run->probe, TELL_NUMBER("run", run->number), TELL_NUMBER(how, value),
	     TELL_NUMBER("ms", result->took_ms),
	     TELL_NUMBER("output_bytes", result->output.total), TELL_END);
}

static void
keep_result(struct probe *probe, struct job_result *result)
{
	probe->last = (struct probe_last){.any = true,
					  .started_ms = result->started_ms,
					  .finished_ms = result->finished_ms,
					  .status = result->status,
					  .timed_out = result->timed_out,
					  .output_bytes = result->output.total};
	tail_free(&probe->output);
	probe->output = result->output;
	memset(&result->output, 0, sizeof(result->output));
	tail_trim(&probe->output);
}

static void
finish_run(struct probe_run *run, struct job_result *result)
{
	struct probe *probe = run->probe;
	struct jail_instance *jail = run->jail;

	log_result(run, result);
	stats_count_end(result->status, result->timed_out);
	stats_observe(&stats.run, result->took_ms * 1000);
	keep_result(probe, result);
	probe->active--;
	LIST_REMOVE(run, link);
	free(run);
	push(probe);
	probe_run_ended(probe); /* may free the probe */
	queue_run_ended(jail);
	jail_release(jail);
}

static void
job_said(void *arg, const char *bytes, size_t length)
{
	const struct probe_run *run = arg;

	tell_output(run->probe, run->number, bytes, length);
}

static void
job_done(struct job *job, struct job_result *result, void *arg)
{
	(void)job;
	finish_run(arg, result);
}

/* A command that doesn't exist is a run with that result, as it would be through a shell. */
static void
finish_unexecutable(struct probe_run *run, const char *program, int error)
{
	struct job_result result = {.started_ms = util_wall_ms(), .finished_ms = util_wall_ms()};
	int code = error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
	char text[512], why[128];

	snprintf(text, sizeof(text), "jaildaemon: %.400s: %s\n", program, strerror(error));
	tail_append(&result.output, text, strlen(text));
	tell_output(run->probe, run->number, text, strlen(text));
	snprintf(why, sizeof(why), "it can't be executed: %s", strerror(error));
	tell(TELL_ERROR, run->probe, TELL_NUMBER("run", run->number),
	     TELL_BYTES("program", program, strnlen(program, PROGRAM_TOLD)), TELL_TEXT("why", why),
	     TELL_END);
	result.status = code << 8; /* as waitpid lays out an exit code, here and on every BSD */
	finish_run(run, &result);
	tail_free(&result.output);
}

/* One of the triggers that wait becomes a run. When each of several came is not kept, but only the sum: what
 * they have waited together is right. */
static struct probe_run *
take_pending(struct probe *probe)
{
	struct probe_run *run = calloc(1, sizeof(*run));

	if (run == NULL)
		return NULL;
	run->probe = probe;
	run->jail = jail_hold(probe->entry_jail);
	run->pressed_us = probe->pressed_us / probe->pending;
	probe->pressed_us -= run->pressed_us;
	if (--probe->pending == 0)
		drop_entry_jail(probe);
	probe->active++;
	LIST_INSERT_HEAD(&probe->active_runs, run, link);
	return run;
}

/* And back again. It goes to the lane of its jail, with whatever has come meanwhile, be it from another jail; unless that
 * is in a lane already. */
static void
give_back_pending(struct probe_run *run)
{
	struct probe *probe = run->probe;

	probe->pending++;
	if (probe->entry.lane == NULL) {
		drop_entry_jail(probe);
		probe->entry_jail = jail_hold(run->jail);
	}
	probe->pressed_us += run->pressed_us;
	probe->active--;
	LIST_REMOVE(run, link);
	jail_release(run->jail);
	free(run);
}

static void
tell_not_started(const struct probe *probe, int error)
{
	char why[128];

	snprintf(why, sizeof(why), "the command can't be started now: %s", strerror(error));
	tell(TELL_ERROR, probe, TELL_TEXT("why", why), TELL_END);
}

/* It waits again, as if it had not been taken. */
static void
put_back(struct probe_run *run)
{
	struct probe *probe = run->probe;
	struct jail_instance *jail = jail_hold(run->jail);
	bool was_told = run->store_told;

	give_back_pending(run);
	queue_put_back(&probe->entry, jail);
	if (was_told)
		keep_save(probe, NULL, NULL);
	jail_release(jail);
}

/* The run was removed before it started. */
static void
discard(struct probe_run *run)
{
	struct probe *probe = run->probe;
	struct jail_instance *jail = run->jail;

	stats.dropped++;
	tell(TELL_TRIGGER_DROPPED, probe, TELL_NUMBER("count", 1), TELL_END);
	probe->active--;
	LIST_REMOVE(run, link);
	free(run);
	probe_run_ended(probe); /* may free the probe */
	queue_run_ended(jail);
	jail_release(jail);
}

static void
started(void *arg, struct job *job, const char *program, int error)
{
	struct probe_run *run = arg;
	struct probe *probe = run->probe;

	probe->starting = false;
	if (error != 0 && util_is_shortage(error)) {
		tell_not_started(probe, error);
		if (run->cancelled)
			discard(run);
		else
			put_back(run);
		return;
	}
	run->job = job;
	if (run->cancelled && job != NULL)
		job_kill(job);
	run->number = ++probe->runs;
	stats.runs++;
	stats_observe(&stats.wait, util_monotonic_us() - run->pressed_us);
	probe_log_trigger(probe);
	tell(TELL_RUN_STARTED, probe, TELL_NUMBER("run", run->number), TELL_END);
	push(probe);
	probe_run_started(probe);
	if (job == NULL)
		finish_unexecutable(run, program, error);
}

static void
start_command_of(struct probe_run *run)
{
	const struct start start = {.probe = run->probe,
				    .jail = run->jail,
				    .run = run->probe->runs + 1,
				    .told = started,
				    .said = job_said,
				    .done = job_done,
				    .arg = run};

	run->probe->starting = true;
	start_command(base, &start);
}

/* A store that fails has been logged, and must not keep the jail from its command: what was promised
 * of a crash then can't be kept. */
static void
store_told(struct probe *probe, const struct error *e, void *arg)
{
	struct probe_run *run = arg;

	(void)probe;
	(void)e;
	run->store_told = true;
	if (run->cancelled)
		discard(run);
	else
		start_command_of(run);
}

/* First the store, then the command. tests/model/probe.pml checks this order: change both. */
static bool
start_run(struct lane_entry *entry)
{
	struct probe *probe = (struct probe *)((char *)entry - offsetof(struct probe, entry));
	struct probe_run *run = take_pending(probe);

	if (run == NULL)
		return false;
	if (!keep_before_start(probe))
		start_command_of(run);
	else if (probe->def.respawn == RESPAWN_NO)
		keep_start(probe, store_told, run);
	else
		keep_save(probe, store_told, run);
	return true;
}
