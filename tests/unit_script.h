/* Scripts that run as jobs, and what came of them. */
#ifndef UNIT_SCRIPT_H
#define UNIT_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

#include "job.h"

/* Without a configuration. */
#define UNIT_TAIL_LIMIT 65536

struct unit_outcome {
	unsigned done;
	int status;
	bool timed_out;
	uint64_t total;
	char output[UNIT_TAIL_LIMIT + 1];
};

/* Jobs can be started, and children are reaped. */
void unit_script_begin(void);

/* A script for the shell; the gate's path is in $GATE. */
struct job *unit_script_start(const char *script, int64_t timeout_ms, struct unit_outcome *);

/* As unit_gate, for the scripts that are started from now on. */
int unit_script_gate(void);

/* For job_start; arg: a struct unit_outcome. */
void unit_script_done(struct job *, struct job_result *, void *arg);

/* Turns the event loop until the job has ended. */
void unit_script_wait(struct unit_outcome *);

/* That it ended so, within its time, and that this is all that it wrote. */
void unit_script_check(const struct unit_outcome *, int status, const char *output);

#endif
