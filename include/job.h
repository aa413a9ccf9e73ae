/*
 * One run of a command: its process, its output pipe, its time limit. A job is over only when its
 * exit *and* the end of its output have been seen, in either order; a grandchild that keeps the pipe
 * open is given a short while after the exit.
 */
#ifndef JOB_H
#define JOB_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "spawn.h"
#include "tail.h"

struct event_base;
struct job;

/* The PATH of every command, and where a command without a slash is looked for. */
#define JOB_PATH "/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"

/* Something was written: at the end of each piece there is the end of a character. */
typedef void job_said_cb(void *arg, const char *bytes, size_t length);

struct job_spec {
	char *const *argv;
	const char *path; /* what to execute; NULL: argv[0], looked for in JOB_PATH */
	char *const *env;
	int64_t timeout_ms; /* of the whole process group; 0: none */
	const char *tag;    /* for log lines; must outlive the job */
	uint64_t run;	    /* the run's number, likewise for log lines */
	job_said_cb *said;  /* with the arg of job_done_cb; NULL: nobody wants to know */
	bool inherits;	    /* inherited_fd becomes descriptor 3 of the process */
	int inherited_fd;
};

struct job_result {
	int64_t started_ms;  /* wall clock */
	int64_t finished_ms; /* when the process was reaped */
	int64_t began_ms;    /* the start again, of a clock that nobody sets */
	int64_t took_ms;     /* until the process was reaped, of that clock */
	int status;	     /* as waitpid gives it */
	bool timed_out;	     /* it was ended by its time limit */
	struct tail output;  /* the callback may take it over by clearing it here */
};

/* The job is freed when this returns. */
typedef void job_done_cb(struct job *, struct job_result *, void *arg);

/* What a job needs until its command has executed. */
struct job_launch {
	struct spawning spawning;
	char path[PATH_MAX]; /* of a program that had to be looked for */
};

/* The process is on its way to its exec, and the event loop must not run before job_begun was asked. Until then the
 * launch belongs to the job, and what spec leads to stays as it is; of spec itself nothing is needed any more. NULL
 * with errno: no process was made. */
struct job *job_begin(struct event_base *, const struct job_spec *, struct job_launch *, job_done_cb *, void *arg);

/* Waits until it has executed. 0; or the errno with which it couldn't: then the job is gone, and done isn't called. */
int job_begun(struct job *, struct job_launch *);

/* Both. spec's strings are needed during the call only, but for the tag. NULL with errno: there is no process;
 * util_is_shortage says whether trying again can help. */
struct job *job_start(struct event_base *, const struct job_spec *, job_done_cb *, void *arg);

/* A job as it is, for the daemon that comes after this one: the same process, with its pipe. */
struct job_saved {
	pid_t pid;
	int output_fd; /* -1: its end was seen */
	bool exited;
	bool terminating;
	bool group_gone;
	bool timed_out;
	int status;
	int64_t started_ms;
	int64_t finished_ms;
	int64_t began_ms;
	int64_t took_ms;
	int64_t limit_due; /* of a clock that goes on; 0: no limit is set */
	const char *output;
	size_t output_length;
	uint64_t output_total;
	const char *line; /* begun, not logged yet */
	size_t line_length;
	uint64_t line_seen;
	const char *begun; /* of a character, not said yet */
	size_t begun_length;
};

/* The bytes are the job's, valid until the event loop runs again. */
void job_save(struct job *, struct job_saved *);

/* The process must be our child, or have exited. The bytes are copied. NULL: no memory. */
struct job *job_resume(struct event_base *, const struct job_saved *, const char *tag, uint64_t run,
		       job_done_cb *, job_said_cb *, void *arg);

/* TERM to the process group, KILL 5 s later. */
void job_kill(struct job *);

/* Its output up to now; valid until the event loop runs again. */
struct tail *job_output(struct job *);

/* Jobs that have not ended. */
unsigned job_count(void);

/*
 * For a process forked off the daemon when it stops: what is left of every job is its output, which
 * is read to its end. The processes themselves are nobody's children any more. idle is called when
 * the last pipe has closed (at once if there is none).
 */
void job_drain_all(void (*idle)(void *), void *arg);

#endif
