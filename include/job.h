/*
 * One run of a command: its process, its output pipe, its time limit. A job is over only when its
 * exit *and* the end of its output have been seen, in either order; a grandchild that keeps the pipe
 * open is given a short while after the exit.
 */
#ifndef JOB_H
#define JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "tail.h"

struct event_base;
struct job;

/* The PATH of every command, and where a command without a slash is looked for. */
#define JOB_PATH "/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"

struct job_spec {
	char *const *argv;
	char *const *env;
	int64_t timeout_ms; /* of the whole process group; 0: none */
	const char *tag;    /* for log lines; must outlive the job */
	uint64_t run;	    /* the run's number, likewise for log lines */
};

struct job_result {
	int64_t started_ms;  /* wall clock */
	int64_t finished_ms; /* when the process was reaped */
	int status;	     /* as waitpid gives it */
	bool timed_out;	     /* it was ended by its time limit */
	struct tail output;  /* the callback may take it over by clearing it here */
};

/* The job is freed when this returns. */
typedef void job_done_cb(struct job *, struct job_result *, void *arg);

/* spec is copied from; its strings are needed during the call only, but for the tag. NULL with errno: no process
 * was made. job_is_transient says whether trying again can help. */
struct job *job_start(struct event_base *, const struct job_spec *, job_done_cb *, void *arg);
bool job_is_transient(int error);

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
