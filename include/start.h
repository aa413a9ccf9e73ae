/*
 * From a run to its process. A command takes the kernel longer to start than us to have it started, so while many probes
 * are pressed at once a few commands are on their way to their exec at a time, beside us. At all other times a command
 * has executed when the call returns.
 */
#ifndef START_H
#define START_H

#include <stdbool.h>
#include <stdint.h>

#include "job.h"
#include "probe.h"

/* error: 0, or the errno with which program couldn't be executed; then job is NULL. */
typedef void start_told_cb(void *arg, struct job *, const char *program, int error);

/* The probe and the jail, and all that belongs to them, stay as they are until told is called. */
struct start {
	const struct probe *probe;
	const struct jail_instance *jail;
	uint64_t run;
	start_told_cb *told;
	job_said_cb *said;
	job_done_cb *done;
	void *arg; /* of all three */
};

/* told is called once, by this call or, if starts may overlap, by a later one: in the order of the starts, but that what
 * comes to no process is told at once. It may start others. */
void start_command(struct event_base *, const struct start *);

/* Starts may overlap until the opposite is said: when that returns, all have been told. The event loop doesn't run in
 * between. */
void start_overlap(bool);

#endif
