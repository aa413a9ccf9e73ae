/*
 * The run: what the command finds itself in, and how its end is told.
 */
#include "config.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_file.h"
#include "fixture_inside.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "fixture_suites.h"

#define TITLE "jaildaemon: T"

/* A run of a single-shot probe with this shell command, from the press to its end; what "last" says
 * of it. */
static json_t *
run_shell(struct jailfix *jail, const char *command, int *number)
{
	int probe = probe_add(jail, "{s:s,s:s}", "command", command, "title", "T");

	inside_press(jail, TITLE);
	if (number != NULL)
		*number = probe;
	return (probe_wait_last(probe));
}

/* A report's line must be there exactly once. */
static void
report_says(const char *format, const char *value)
{
	char line[512];

	(void)snprintf(line, sizeof(line), "%s%s", format, value);
	ck_assert_msg(file_count(place_at("report"), line) == 1, "not reported: %s in:\n%s", line,
		      file_text(place_at("report")));
}

static void
report_says_number(const char *format, long value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%ld", value);
	report_says(format, text);
}

/* The report of a run that this program makes, started as an array. */
static int
run_report(struct jailfix *jail)
{
	int probe = probe_add(jail, "{s:[sss],s:s,s:s,s:s}", "command", daemon_self(), "--report",
			      place_at("report"), "title", "REPORT", "name", "reporter", "respawn",
			      "after");

	inside_press(jail, "jaildaemon: REPORT");
	file_wait_exists(place_at("report"), true);
	return (probe);
}

/* Nothing is left but what every run has; the report of the daemon's surroundings. */
static void
report_is_clean(void)
{
	char *text = file_text(place_at("report")), *line, *rest = text;

	report_says("directory ", "/");
	report_says("session ", "own");
	report_says("group ", "own");
	report_says("terminal ", "none");
	report_says("input ", "null");
	report_says("uid ", "0 0");
	while ((line = strsep(&rest, "\n")) != NULL) {
		ck_assert_msg(strncmp(line, "signal ", 7) != 0, "%s", line);
		ck_assert_msg(strncmp(line, "descriptor ", 11) != 0 || atoi(line + 11) < 3, "%s",
			      line);
	}
	free(text);
	report_says("descriptor ", "0");
	report_says("descriptor ", "1");
	report_says("descriptor ", "2");
}

START_TEST(environment_is_made_from_nothing)
{
	struct jailfix *jail;
	int probe, names = 0;
	char *text, *line, *rest;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)setenv("LEAKED_VARIABLE", "leaked", 1);
	(void)daemon_start();
	probe = run_report(jail);
	report_says_number("environment JAILDAEMON_PROBE=", probe);
	report_says("environment JAILDAEMON_NAME=", "reporter");
	report_says("environment JAILDAEMON_JAIL=", probe_jid(jail));
	report_says("environment JAILDAEMON_JID=", probe_jid(jail));
	report_says("environment JAILDAEMON_TITLE=", "REPORT");
	report_says_number("environment JAILDAEMON_TRIGGERS=", 1);
	report_says_number("environment JAILDAEMON_RUN=", 1);
	rest = text = file_text(place_at("report"));
	while ((line = strsep(&rest, "\n")) != NULL)
		names += strncmp(line, "environment ", 12) == 0;
	ck_assert_msg(names == 8, "not these and PATH alone:\n%s", file_text(place_at("report")));
	ck_assert_ptr_nonnull(strstr(file_text(place_at("report")), "\nenvironment PATH=/"));
	free(text);
}
END_TEST

START_TEST(environment_counts_the_runs)
{
	struct jailfix *jail;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	probe = run_report(jail);
	probe_wait_state(probe, "armed");
	ck_assert_int_eq(unlink(place_at("report")), 0);
	inside_press(jail, "jaildaemon: REPORT");
	file_wait_exists(place_at("report"), true);
	report_says_number("environment JAILDAEMON_TRIGGERS=", 2);
	report_says_number("environment JAILDAEMON_RUN=", 2);
}
END_TEST

START_TEST(run_stands_on_clean_ground)
{
	struct jailfix *jail;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	(void)run_report(jail);
	report_is_clean();
}
END_TEST

/* The daemon itself was started with everything wrong: ignored and blocked signals, open
 * descriptors. */
START_TEST(run_is_clean_though_the_daemon_was_not)
{
	struct jailfix *jail;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start_as(&(struct launch){.ignoring = true, .leaks = true, .blocked = true});
	(void)run_report(jail);
	report_is_clean();
}
END_TEST

START_TEST(exit_code_is_kept)
{
	struct jailfix *jail;
	json_t *last;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	last = run_shell(jail, "exit 7", NULL);
	ck_assert_int_eq(ctl_int(last, "exit"), 7);
	ck_assert(json_is_null(ctl_member(last, "signal")));
	ck_assert(!json_is_true(ctl_member(last, "timeout")));
	ck_assert_int_eq(ctl_int(last, "output_bytes"), 0);
	ck_assert_int_ge(strcmp(ctl_string(last, "finished"), ctl_string(last, "started")), 0);
	json_decref(last);
	last = run_shell(jail, "exit 0", NULL);
	ck_assert_int_eq(ctl_int(last, "exit"), 0);
	json_decref(last);
}
END_TEST

START_TEST(signal_that_ended_the_run_is_kept)
{
	struct jailfix *jail;
	json_t *last;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	last = run_shell(jail, "kill -USR1 $$", NULL);
	ck_assert(json_is_null(ctl_member(last, "exit")));
	ck_assert(!json_is_null(ctl_member(last, "signal")));
	json_decref(last);
	/* A command that a HUP ends has not inherited an ignored one. */
	last = run_shell(jail, "kill -HUP $$; echo survived", NULL);
	ck_assert(json_is_null(ctl_member(last, "exit")));
	ck_assert(!json_is_null(ctl_member(last, "signal")));
	ck_assert_int_eq(ctl_int(last, "output_bytes"), 0);
	json_decref(last);
}
END_TEST

START_TEST(unknown_command_is_127_from_the_shell)
{
	struct jailfix *jail;
	json_t *last;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	last = run_shell(jail, "/no/such/command", NULL);
	ck_assert_int_eq(ctl_int(last, "exit"), 127);
	ck_assert_int_gt(ctl_int(last, "output_bytes"), 0);
	json_decref(last);
	probe_sentinel(jail);
}
END_TEST

/* An array that can't be executed: the run ends, says so somewhere a person looks, and the probe
 * comes back. */
START_TEST(unknown_program_in_an_array_is_told)
{
	struct jailfix *jail;
	json_t *last, *answer;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	probe = probe_add(jail, "{s:[ss],s:s,s:s}", "command", "/no/such/program", "argument",
			  "title", "T", "respawn", "after");
	inside_press(jail, TITLE);
	last = probe_wait_last(probe);
	ck_assert_int_eq(ctl_int(last, "exit"), 127);
	json_decref(last);
	answer = probe_op("output", probe);
	ck_assert_ptr_nonnull(strstr(ctl_string(answer, "output"), "/no/such/program"));
	json_decref(answer);
	file_wait_text(place()->log, "No such file or directory");
	probe_wait_state(probe, "armed");
	ck_assert_int_eq(inside_count(jail, TITLE, NULL), 1);
}
END_TEST

START_TEST(array_sees_no_shell)
{
	struct jailfix *jail;
	json_t *answer;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	probe = probe_add(jail, "{s:[sssss],s:s}", "command", "/bin/sh", "-c", "echo \"[$1]\"",
			  "sh", "$HOME `id` *; x > y", "title", "T");
	inside_press(jail, TITLE);
	json_decref(probe_wait_last(probe));
	answer = probe_op("output", probe);
	ck_assert_str_eq(ctl_string(answer, "output"), "[$HOME `id` *; x > y]\n");
	json_decref(answer);
}
END_TEST

START_TEST(shell_expands_a_string)
{
	struct jailfix *jail;
	json_t *answer;
	int probe = 0;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	json_decref(run_shell(jail, "x=`echo in`; echo $x-$((1 + 2))", &probe));
	answer = probe_op("output", probe);
	ck_assert_str_eq(ctl_string(answer, "output"), "in-3\n");
	ck_assert_int_eq(ctl_int(answer, "probe"), probe);
	json_decref(answer);
}
END_TEST

/* The whole process group is ended: the shell and what it started. */
START_TEST(timeout_ends_the_run)
{
	struct jailfix *jail;
	char command[512];
	json_t *last;
	int probe, fifo;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	fifo = file_fifo(place_at("fifo"));
	(void)snprintf(command, sizeof(command),
		       "(read x < %s; echo inner >> %s); echo outer >> %s", place_at("fifo"),
		       place_at("ran"), place_at("ran"));
	probe = probe_add(jail, "{s:s,s:s,s:i}", "command", command, "title", "T", "timeout", 1);
	inside_press(jail, TITLE);
	last = probe_wait_last(probe);
	ck_assert(json_is_true(ctl_member(last, "timeout")));
	json_decref(last);
	file_release(fifo, 1);
	probe_sentinel(jail);
	ck_assert_int_eq(file_lines(place_at("ran")), 0);
}
END_TEST

START_TEST(run_within_its_timeout_is_left_alone)
{
	struct jailfix *jail;
	json_t *last;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	probe = probe_add(jail, "{s:s,s:s,s:i}", "command", "exit 3", "title", "T", "timeout", 60);
	inside_press(jail, TITLE);
	last = probe_wait_last(probe);
	ck_assert_int_eq(ctl_int(last, "exit"), 3);
	ck_assert(!json_is_true(ctl_member(last, "timeout")));
	json_decref(last);
}
END_TEST

Suite *
process_run(void)
{
	Suite *suite = suite_create("run");

	PLACE_CASE(suite, environment_is_made_from_nothing);
	PLACE_CASE(suite, environment_counts_the_runs);
	PLACE_CASE(suite, run_stands_on_clean_ground);
	PLACE_CASE(suite, run_is_clean_though_the_daemon_was_not);
	PLACE_CASE(suite, exit_code_is_kept);
	PLACE_CASE(suite, signal_that_ended_the_run_is_kept);
	PLACE_CASE(suite, unknown_command_is_127_from_the_shell);
	PLACE_CASE(suite, unknown_program_in_an_array_is_told);
	PLACE_CASE(suite, array_sees_no_shell);
	PLACE_CASE(suite, shell_expands_a_string);
	PLACE_CASE(suite, timeout_ends_the_run);
	PLACE_CASE(suite, run_within_its_timeout_is_left_alone);
	return (suite);
}
