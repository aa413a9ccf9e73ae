/* Probes with real processes, in jails that the test plays, whose runs write their numbers. */
#include "config.h"

#include "unit_running.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"
#include "unit.h"
#include "util.h"

static const char *told_path; /* where each run writes who it is */
static const char *gate_path;

void
unit_running_begin(void)
{
	unit_life_begin();
	told_path = unit_path("told");
	gate_path = unit_path("gate");
}

struct definition
unit_running_define(enum respawn respawn, bool waits)
{
	char script[3 * PATH_MAX];
	int length;

	length = snprintf(script, sizeof(script), "echo $JAILDAEMON_PROBE $JAILDAEMON_RUN >>%s",
			  told_path);
	if (waits)
		snprintf(script + length, sizeof(script) - (size_t)length,
			 "; exec >/dev/null 2>&1; read x <%s", gate_path);
	return unit_life_define(script, respawn);
}

struct definition
unit_running_define_missing(enum respawn respawn)
{
	char program[] = "/nonexistent/command", *argv[] = {program, NULL};
	struct definition def = unit_life_define("", respawn);

	free(def.shell);
	def.shell = NULL;
	def.argv = util_copy_strings(argv);
	return def;
}

/* A line of each run, complete once it has ended; before the first one there is a newline, too. */
static const char *
told_runs(void)
{
	static char text[4096] = "\n";
	FILE *file = fopen(told_path, "r");
	size_t length = file == NULL ? 0 : fread(text + 1, 1, sizeof(text) - 2, file);

	text[1 + length] = '\0';
	if (file != NULL)
		fclose(file);
	return text;
}

void
unit_running_check_numbers(const struct probe *probe, uint64_t count)
{
	char line[64];

	for (uint64_t run = 1; run <= count; run++) {
		const char *text = told_runs(), *found;

		snprintf(line, sizeof(line), "\n%llu %llu\n", (unsigned long long)probe->number,
			 (unsigned long long)run);
		found = strstr(text, line);
		ck_assert_msg(found != NULL, "no run %s in:%s", line, text);
		ck_assert_msg(strstr(found + 1, line) == NULL, "run %s twice in:%s", line, text);
	}
}

void
unit_running_check_balance(const struct probe *probe)
{
	ck_assert_uint_eq(probe->triggers, probe->runs + probe->coalesced + run_waiting(probe));
	ck_assert_uint_le(probe->pending, run_waiting(probe));
}

bool
unit_running_has_none(void *arg)
{
	const struct probe *probe = arg;

	return probe->active == 0 && run_waiting(probe) == 0;
}
