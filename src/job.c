#include "config.h"

#include "job.h"

#include <sys/queue.h>

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "ending.h"
#include "limit.h"
#include "linelog.h"
#include "log.h"
#include "spawn.h"
#include "timer.h"
#include "util.h"

#define GROUP_LOOK_MS  50   /* between two looks at a group without its leader */
#define LEADER_LOOK_MS 500  /* in a draining process, between two looks at the command */

struct job {
	LIST_ENTRY(job) entry;
	struct ending ending;
	pid_t pid;
	int output_fd; /* -1: its end was seen, or given up */
	bool exited;
	bool terminating; /* TERM was sent: the timer means KILL from now on */
	bool group_gone; /* nothing is left to send signals to */
	struct event output_event;
	struct event limit_timer; /* the time limit, then TERM → KILL */
	int64_t limit_due;	  /* monotonic ms; 0: it isn't set */
	struct event drain_timer;
	struct event group_timer; /* looks whether the group that was told to end is empty */
	struct job_result result;
	struct linelog log;
	char begun[UTIL_CHARACTER_MAX]; /* what came of a character that is not whole yet */
	size_t begun_length;
	job_said_cb *said;
	job_done_cb *done;
	void *arg;
};

static LIST_HEAD(, job) jobs = LIST_HEAD_INITIALIZER(jobs);
static unsigned count;

/* Set in a draining process only. */
static void (*on_idle)(void *);
static void *on_idle_arg;

static void
free_job(struct job *job)
{
	ending_forget(&job->ending);
	evtimer_del(&job->limit_timer);
	evtimer_del(&job->drain_timer);
	evtimer_del(&job->group_timer);
	tail_free(&job->result.output);
	LIST_REMOVE(job, entry);
	count--;
	free(job);
}

static void
finish_if_over(struct job *job)
{
	if (!job->exited || job->output_fd >= 0)
		return;
	/* A group that outlived its leader still has its TERM → KILL to come. */
	if (job->terminating && !job->group_gone)
		return;
	linelog_finish(&job->log);
	if (job->done != NULL)
		job->done(job, &job->result, job->arg);
	free_job(job);
	if (on_idle != NULL && count == 0)
		on_idle(on_idle_arg);
}

static void
say(struct job *job, const char *bytes, size_t length)
{
	if (job->said != NULL && length > 0)
		job->said(job->arg, bytes, length);
}

/* buffer: what is kept of a character that was begun, and then what was read. */
static void
take_output(struct job *job, const char *buffer, size_t got)
{
	size_t length = job->begun_length + got, whole = util_whole_characters(buffer, length);

	tail_append(&job->result.output, buffer + job->begun_length, got);
	linelog_append(&job->log, buffer + job->begun_length, got);
	say(job, buffer, whole);
	job->begun_length = length - whole;
	memcpy(job->begun, buffer + whole, job->begun_length);
}

static void
close_output(struct job *job)
{
	say(job, job->begun, job->begun_length);
	event_del(&job->output_event);
	util_close(&job->output_fd);
}

/* One read a turn of the event loop, so that a command that floods delays nobody. */
static void
output_ready(evutil_socket_t fd, short what, void *arg)
{
	static char buffer[UTIL_CHARACTER_MAX + 65536];
	struct job *job = arg;
	ssize_t got = read(fd, buffer + job->begun_length, sizeof(buffer) - UTIL_CHARACTER_MAX);

	(void)what;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got > 0) {
		memcpy(buffer, job->begun, job->begun_length);
		take_output(job, buffer, (size_t)got);
		return;
	}
	close_output(job);
	if (job->exited)
		finish_if_over(job);
	else
		ending_note(&job->ending, job->pid); /* a process closes its files just before it is a zombie */
}

static void
drain_expired(evutil_socket_t fd, short what, void *arg)
{
	struct job *job = arg;

	(void)fd;
	(void)what;
	if (job->output_fd >= 0) {
		log_info("event=run-output-abandoned %s run=%llu", job->log.tag,
			 (unsigned long long)job->log.run);
		close_output(job);
	}
	finish_if_over(job);
}

static void
set_limit(struct job *job, int64_t ms)
{
	job->limit_due = util_monotonic_ms() + ms;
	timer_set(&job->limit_timer, ms);
}

static void
signal_group(struct job *job, int signo)
{
	if (kill(-job->pid, signo) != 0 && errno == ESRCH)
		job->group_gone = true;
}

static void
limit_expired(evutil_socket_t fd, short what, void *arg)
{
	struct job *job = arg;
	const int64_t left = job->limit_due - util_monotonic_ms();

	(void)fd;
	(void)what;
	if (left > 0) { /* nobody is killed before the time */
		timer_set(&job->limit_timer, left);
		return;
	}
	if (!job->terminating) {
		job->result.timed_out = true;
		log_warn("event=run-timeout %s run=%llu pid=%d", job->log.tag,
			 (unsigned long long)job->log.run, (int)job->pid);
		job_kill(job);
		return;
	}
	signal_group(job, SIGKILL);
	job->group_gone = true;
	finish_if_over(job);
}

/* Its leader has gone. A dead member that its own parent has not reaped yet still counts, so this is
 * looked at again; once the group is empty no signal is sent to its number any more. */
static void
look_at_group(evutil_socket_t fd, short what, void *arg)
{
	struct job *job = arg;

	(void)fd;
	(void)what;
	if (kill(-job->pid, 0) != 0)
		job->group_gone = true;
	if (job->group_gone || !job->terminating) {
		job->limit_due = 0;
		evtimer_del(&job->limit_timer);
	} else {
		timer_set(&job->group_timer, GROUP_LOOK_MS);
	}
	finish_if_over(job);
}

static void
process_exited(pid_t pid, int status, void *arg)
{
	struct job *job = arg;

	ending_forget(&job->ending);
	job->exited = true;
	job->result.status = status;
	job->result.finished_ms = util_wall_ms();
	job->result.took_ms = util_monotonic_ms() - job->result.began_ms;
	(void)pid;
	if (job->output_fd >= 0)
		timer_set(&job->drain_timer, limits()->drain_delay_ms);
	look_at_group(-1, 0, job);
}

void
job_kill(struct job *job)
{
	if (job->terminating)
		return;
	job->terminating = true;
	signal_group(job, SIGTERM);
	set_limit(job, limits()->kill_delay_ms);
	if (job->exited)
		timer_set(&job->group_timer, GROUP_LOOK_MS);
}

struct tail *
job_output(struct job *job)
{
	return &job->result.output;
}

unsigned
job_count(void)
{
	return count;
}

/* A command without a slash is looked for in JOB_PATH, as a shell would. */
static const char *
find_program(const char *name, char path[PATH_MAX])
{
	const char *directory = JOB_PATH;

	if (strchr(name, '/') != NULL)
		return name;
	while (*directory != '\0') {
		size_t length = strcspn(directory, ":");

		snprintf(path, PATH_MAX, "%.*s/%s", (int)length, directory, name);
		if (access(path, X_OK) == 0)
			return path;
		directory += length + (directory[length] == ':');
	}
	errno = ENOENT;
	return NULL;
}

/* Before there is a process: one whose output nobody reads would never come to its end. */
static int
listen_to(struct event_base *base, struct job *job)
{
	event_assign(&job->output_event, base, job->output_fd, EV_READ | EV_PERSIST, output_ready, job);
	if (job->output_fd < 0 || event_add(&job->output_event, NULL) == 0)
		return 0;
	errno = ENOMEM;
	return -1;
}

static int
begin_command(struct event_base *base, struct job *job, const struct job_spec *spec, struct job_launch *launch)
{
	struct spawn spawn = {.argv = spec->argv,
			      .env = spec->env,
			      .inherited_fd = spec->inherits ? spec->inherited_fd : SPAWN_NO_FD};
	int ends[2], failed;

	spawn.path = spec->path != NULL ? spec->path : find_program(spec->argv[0], launch->path);
	if (spawn.path == NULL || util_pipe(ends) != 0)
		return -1;
	spawn.output_fd = ends[1];
	job->output_fd = ends[0];
	job->pid = listen_to(base, job) != 0 ? -1 : spawn_begin(&launch->spawning, &spawn);
	failed = errno;
	close(ends[1]);
	if (job->pid < 0) {
		event_del(&job->output_event);
		util_close(&job->output_fd);
	}
	errno = failed;
	return job->pid < 0 ? -1 : 0;
}

static void
watch(struct event_base *base, struct job *job, const char *tag, uint64_t run)
{
	job->log.tag = tag;
	job->log.run = run;
	evtimer_assign(&job->limit_timer, base, limit_expired, job);
	evtimer_assign(&job->drain_timer, base, drain_expired, job);
	evtimer_assign(&job->group_timer, base, look_at_group, job);
	LIST_INSERT_HEAD(&jobs, job, entry);
	count++;
}

struct job *
job_begin(struct event_base *base, const struct job_spec *spec, struct job_launch *launch, job_done_cb *done,
	  void *arg)
{
	struct job *job;

	if (child_reserve() != 0 || (job = calloc(1, sizeof(*job))) == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	job->result.started_ms = util_wall_ms();
	job->result.began_ms = util_monotonic_ms();
	if (begin_command(base, job, spec, launch) != 0) {
		int failed = errno;

		free(job);
		errno = failed;
		return NULL;
	}
	job->said = spec->said;
	job->done = done;
	job->arg = arg;
	watch(base, job, spec->tag, spec->run);
	if (spec->timeout_ms > 0)
		set_limit(job, spec->timeout_ms);
	child_add(job->pid, process_exited, job);
	return job;
}

/* Of a command that never executed anything. */
static void
discard(struct job *job)
{
	if (!job->exited)
		child_collect(job->pid);
	event_del(&job->output_event);
	util_close(&job->output_fd);
	free_job(job);
}

int
job_begun(struct job *job, struct job_launch *launch)
{
	int failed = spawn_end(&launch->spawning);

	if (failed != 0)
		discard(job);
	return failed;
}

struct job *
job_start(struct event_base *base, const struct job_spec *spec, job_done_cb *done, void *arg)
{
	static struct job_launch launch;
	struct job *job = job_begin(base, spec, &launch, done, arg);
	int failed;

	if (job == NULL || (failed = job_begun(job, &launch)) == 0)
		return job;
	errno = failed;
	return NULL;
}

void
job_save(struct job *job, struct job_saved *saved)
{
	*saved = (struct job_saved){.pid = job->pid,
				    .output_fd = job->output_fd,
				    .exited = job->exited,
				    .terminating = job->terminating,
				    .group_gone = job->group_gone,
				    .timed_out = job->result.timed_out,
				    .status = job->result.status,
				    .started_ms = job->result.started_ms,
				    .finished_ms = job->result.finished_ms,
				    .began_ms = job->result.began_ms,
				    .took_ms = job->result.took_ms,
				    .limit_due = job->limit_due,
				    .output = tail_linear(&job->result.output),
				    .output_length = job->result.output.used,
				    .output_total = job->result.output.total,
				    .line = job->log.line,
				    .line_length = job->log.used,
				    .line_seen = job->log.seen,
				    .begun = job->begun,
				    .begun_length = job->begun_length};
}

/* What of its end was seen goes on being looked for: the rest of the output, the rest of the group. */
static void
go_on(struct job *job, int64_t limit_due)
{
	int64_t left = limit_due - util_monotonic_ms();

	if (limit_due != 0)
		set_limit(job, left > 0 ? left : 0);
	if (!job->exited)
		child_add(job->pid, process_exited, job);
	else if (job->output_fd >= 0)
		timer_set(&job->drain_timer, limits()->drain_delay_ms);
	if (job->exited)
		timer_set(&job->group_timer, 0);
}

struct job *
job_resume(struct event_base *base, const struct job_saved *saved, const char *tag, uint64_t run,
	   job_done_cb *done, job_said_cb *said, void *arg)
{
	struct job *job;

	if (child_reserve() != 0 || (job = calloc(1, sizeof(*job))) == NULL)
		return NULL;
	job->output_fd = saved->output_fd;
	if (listen_to(base, job) != 0) {
		free(job);
		return NULL;
	}
	job->pid = saved->pid;
	job->exited = saved->exited;
	job->terminating = saved->terminating;
	job->group_gone = saved->group_gone;
	job->result.timed_out = saved->timed_out;
	job->result.status = saved->status;
	job->result.started_ms = saved->started_ms;
	job->result.finished_ms = saved->finished_ms;
	job->result.began_ms = saved->began_ms;
	job->result.took_ms = saved->took_ms;
	tail_append(&job->result.output, saved->output, saved->output_length);
	job->result.output.total = saved->output_total;
	job->log.used = saved->line_length < sizeof(job->log.line) ? saved->line_length : 0;
	memcpy(job->log.line, saved->line, job->log.used);
	job->log.seen = saved->line_seen;
	job->begun_length = saved->begun_length < sizeof(job->begun) ? saved->begun_length : 0;
	memcpy(job->begun, saved->begun, job->begun_length);
	job->said = said;
	job->done = done;
	job->arg = arg;
	watch(base, job, tag, run);
	go_on(job, saved->limit_due);
	return job;
}

/* Nobody tells a draining process of an exit; it looks from time to time. */
static void
look_at_leader(evutil_socket_t fd, short what, void *arg)
{
	struct job *job = arg;

	(void)fd;
	(void)what;
	if (kill(job->pid, 0) == 0)
		timer_set(&job->group_timer, LEADER_LOOK_MS);
	else
		timer_set(&job->drain_timer, limits()->drain_delay_ms);
}

void
job_drain_all(void (*idle)(void *), void *arg)
{
	struct job *job, *next;

	on_idle = idle;
	on_idle_arg = arg;
	if (count == 0)
		idle(arg);
	for (job = LIST_FIRST(&jobs); job != NULL; job = next) {
		next = LIST_NEXT(job, entry);
		evtimer_del(&job->limit_timer);
		evtimer_del(&job->drain_timer);
		evtimer_del(&job->group_timer);
		job->said = NULL;
		job->done = NULL;
		job->exited = true;
		job->group_gone = true;
		evtimer_assign(&job->group_timer, event_get_base(&job->output_event), look_at_leader, job);
		timer_set(&job->group_timer, LEADER_LOOK_MS);
		finish_if_over(job);
	}
}
