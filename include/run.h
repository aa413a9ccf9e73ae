/*
 * Runs of a probe's command: from a trigger through the queue to a job and its result. A trigger is
 * never lost and never counted twice: triggers = runs + coalesced + pending, and those that are about to
 * start: of which the store is being told, or whose command is on its way (start.h).
 */
#ifndef RUN_H
#define RUN_H

#include <stdbool.h>

#include "job.h"
#include "probe.h"

/* limit: runs at once. -1: no memory. */
int run_init(struct event_base *, unsigned limit);

/* One more trigger: one more run, as soon as there is room; or, where more of this probe's runs
 * overlap than may, one that is waiting already stands for it too. */
void run_request(struct probe *);

/* Triggers of a former life in that jail, whose runs never started. */
void run_restore(struct probe *, struct jail_instance *, unsigned pending);

/* A run that goes on, for the daemon that comes after this one; place counts from 0. False: there are no
 * more. */
struct run_saved {
	uint64_t number;
	struct jail_instance *jail;
	struct job_saved job;
};
bool run_save(const struct probe *, unsigned place, struct run_saved *);

/* jail is held by the call. -1: no memory. */
int run_resume(struct probe *, const struct run_saved *);

/* Forgets the runs that have not started. */
void run_drop_pending(struct probe *);

/* TERM, later KILL, to all that go on. */
void run_kill_all(struct probe *);

/* Triggers whose run has not started, those included that are about to. */
unsigned run_waiting(const struct probe *);

/* Output of the latest run in progress; NULL: none is. */
struct tail *run_output(struct probe *);

/* Implemented by probe.c: what a run's start and end mean for the probe's life. */
void probe_run_started(struct probe *);
void probe_run_ended(struct probe *);
void probe_free_if_unused(struct probe *);
void probe_log_trigger(struct probe *);

#endif
