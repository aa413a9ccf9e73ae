#include "config.h"

#include "run.h"

#include <sys/wait.h>

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job.h"
#include "limits_default.h"
#include "log.h"
#include "queue.h"
#include "util.h"

/* What a shell says of a command that it can't execute. */
#define EXIT_NOT_FOUND	    127
#define EXIT_NOT_EXECUTABLE 126

struct probe_run {
	LIST_ENTRY(probe_run) link;
	struct probe *probe;
	struct jail_instance *jail; /* whose place in the queue it has; held */
	struct job *job;	    /* NULL: it could not be executed at all */
	uint64_t number;
};

static struct event_base *base;

static bool start_run(struct lane_entry *);

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
	return probe->def.max_runs > 0 ? probe->def.max_runs : queue_limit();
}

static void
drop_entry_jail(struct probe *probe)
{
	jail_release(probe->entry_jail);
	probe->entry_jail = NULL;
}

static void
push(struct probe *probe)
{
	if (probe->pending == 0 || probe->entry.lane != NULL ||
	    (int64_t)probe->active >= most_at_once(probe))
		return;
	queue_push(&probe->entry, probe->entry_jail);
}

void
run_request(struct probe *probe)
{
	if ((int64_t)(probe->active + probe->pending) > most_at_once(probe)) {
		probe->coalesced++;
		log_info("event=coalesced %s coalesced=%llu", probe->tag,
			 (unsigned long long)probe->coalesced);
		return;
	}
	/* Of the jail that pressed, whatever becomes of it and the probe before the run starts. */
	if (probe->pending++ == 0)
		probe->entry_jail = jail_hold(probe->jail);
	push(probe);
}

void
run_drop_pending(struct probe *probe)
{
	if (probe->pending == 0)
		return;
	log_warn("event=trigger-dropped %s count=%u", probe->tag, probe->pending);
	queue_remove(&probe->entry);
	drop_entry_jail(probe);
	probe->pending = 0;
}

void
run_kill_all(struct probe *probe)
{
	struct probe_run *run;

	LIST_FOREACH(run, &probe->active_runs, link)
		job_kill(run->job);
}

struct tail *
run_output(struct probe *probe)
{
	struct probe_run *run = LIST_FIRST(&probe->active_runs);

	return run == NULL ? NULL : job_output(run->job);
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
	log_info("event=run-ended %s run=%llu %s=%d ms=%lld output_bytes=%llu", run->probe->tag,
		 (unsigned long long)run->number, how, value,
		 (long long)(result->finished_ms - result->started_ms),
		 (unsigned long long)result->output.total);
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
	char text[512], quoted[256];

	snprintf(text, sizeof(text), "jaildaemon: %.400s: %s\n", program, strerror(error));
	tail_append(&result.output, text, strlen(text));
	log_warn("event=error %s run=%llu program=%s why=\"it can't be executed: %s\"", run->probe->tag,
		 (unsigned long long)run->number,
		 log_quote(quoted, sizeof(quoted), program, strlen(program)), strerror(error));
	result.status = code << 8; /* as waitpid lays out an exit code, here and on every BSD */
	finish_run(run, &result);
	tail_free(&result.output);
}

#define VARIABLE_SIZE (ATTACH_TITLE_SIZE + 64)

/* All of it host-made; nothing is inherited from whoever started the daemon. */
struct environment {
	char text[8][VARIABLE_SIZE];
	char *list[9];
};

static void
fill_environment(struct environment *env, const struct probe_run *run)
{
	const struct probe *probe = run->probe;
	const struct definition *def = &probe->def;
	char number[24];

	snprintf(number, sizeof(number), "%lld", (long long)def->jail.number);
	snprintf(env->text[0], VARIABLE_SIZE, "PATH=" JOB_PATH);
	snprintf(env->text[1], VARIABLE_SIZE, "JAILDAEMON_PROBE=%llu",
		 (unsigned long long)probe->number);
	snprintf(env->text[2], VARIABLE_SIZE, "JAILDAEMON_NAME=%s", def->name ? def->name : "");
	snprintf(env->text[3], VARIABLE_SIZE, "JAILDAEMON_JAIL=%s",
		 def->jail.number != 0 ? number : def->jail.name);
	snprintf(env->text[4], VARIABLE_SIZE, "JAILDAEMON_JID=%d", (int)run->jail->jid);
	snprintf(env->text[5], VARIABLE_SIZE, "JAILDAEMON_TITLE=%s", def->title ? def->title : "");
	snprintf(env->text[6], VARIABLE_SIZE, "JAILDAEMON_TRIGGERS=%llu",
		 (unsigned long long)probe->triggers);
	snprintf(env->text[7], VARIABLE_SIZE, "JAILDAEMON_RUN=%llu",
		 (unsigned long long)run->number);
	for (size_t i = 0; i < UTIL_COUNT(env->text); i++)
		env->list[i] = env->text[i];
	env->list[UTIL_COUNT(env->text)] = NULL;
}

static struct job *
execute(struct probe_run *run, const char **program)
{
	struct probe *probe = run->probe;
	char shell[] = "/bin/sh", dash_c[] = "-c";
	char *shell_argv[] = {shell, dash_c, probe->def.shell, NULL};
	char *const *argv = probe->def.shell != NULL ? shell_argv : probe->def.argv;
	struct environment env;
	struct job_spec spec = {.argv = argv,
				.env = env.list,
				.timeout_ms = probe->def.timeout_ms,
				.tag = probe->tag,
				.run = run->number};

	fill_environment(&env, run);
	*program = probe->def.shell != NULL ? "/bin/sh" : probe->def.argv[0];
	return job_start(base, &spec, job_done, run);
}

static bool
start_run(struct lane_entry *entry)
{
	struct probe *probe = (struct probe *)((char *)entry - offsetof(struct probe, entry));
	struct probe_run *run = malloc(sizeof(*run));
	const char *program;
	int error;

	if (run == NULL)
		return false;
	*run = (struct probe_run){
	    .probe = probe, .jail = probe->entry_jail, .number = probe->runs + 1};
	run->job = execute(run, &program);
	error = errno;
	if (run->job == NULL && job_is_transient(error)) {
		log_warn("event=error %s why=\"the command can't be started now: %s\"", probe->tag,
			 strerror(error));
		free(run);
		return false;
	}
	jail_hold(run->jail);
	if (--probe->pending == 0)
		drop_entry_jail(probe);
	probe->active++;
	probe->runs++;
	LIST_INSERT_HEAD(&probe->active_runs, run, link);
	probe_log_trigger(probe);
	log_info("event=run-started %s run=%llu", probe->tag, (unsigned long long)run->number);
	push(probe);
	probe_run_started(probe);
	if (run->job == NULL)
		finish_unexecutable(run, program, error);
	return true;
}
