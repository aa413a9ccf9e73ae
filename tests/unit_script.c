/* Scripts that run as jobs: what the tests of jobs share. */
#include "config.h"

#include "unit_script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "spawn.h"
#include "unit.h"

static char gate_variable[512], path_variable[] = "PATH=/bin:/usr/bin";

void
unit_script_begin(void)
{
	ck_assert_int_eq(spawn_init(), 0);
	unit_reap_children();
	log_open(true);
}

void
unit_script_done(struct job *job, struct job_result *result, void *arg)
{
	struct unit_outcome *outcome = arg;
	const char *bytes = tail_linear(&result->output);

	(void)job;
	outcome->done++;
	outcome->status = result->status;
	outcome->timed_out = result->timed_out;
	outcome->total = result->output.total;
	memcpy(outcome->output, bytes, result->output.used);
	outcome->output[result->output.used] = '\0';
	ck_assert_int_ge(result->finished_ms, result->started_ms);
}

struct job *
unit_script_start(const char *script, int64_t timeout_ms, struct unit_outcome *outcome)
{
	char sh[] = "/bin/sh", dash_c[] = "-c", *text = strdup(script);
	char *argv[] = {sh, dash_c, text, NULL};
	char *env[] = {path_variable, gate_variable, NULL};
	struct job_spec spec = {
	    .argv = argv, .env = env, .timeout_ms = timeout_ms, .tag = "t", .run = 1};
	struct job *job;

	ck_assert_ptr_nonnull(text);
	*outcome = (struct unit_outcome){0};
	job = job_start(unit_base(), &spec, unit_script_done, outcome);
	ck_assert_msg(job != NULL, "%s", strerror(errno));
	free(text);
	return job;
}

int
unit_script_gate(void)
{
	int gate = unit_gate("gate");

	snprintf(gate_variable, sizeof(gate_variable), "GATE=%s", unit_path("gate"));
	return gate;
}

static bool
is_done(void *arg)
{
	const struct unit_outcome *outcome = arg;

	return outcome->done > 0;
}

void
unit_script_wait(struct unit_outcome *outcome)
{
	unit_wait(is_done, outcome, "the end of the job");
	ck_assert_uint_eq(outcome->done, 1);
}

void
unit_script_check(const struct unit_outcome *outcome, int status, const char *output)
{
	ck_assert_int_eq(outcome->status, status);
	ck_assert_str_eq(outcome->output, output);
	ck_assert_uint_eq(outcome->total, strlen(output));
	ck_assert(!outcome->timed_out);
}
