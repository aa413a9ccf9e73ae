/*
 * What a run prints: kept, logged, bounded, and never in anyone's way.
 */
#include "config.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_file.h"
#include "fixture_inside.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "fixture_suites.h"
#include "fixture_wait.h"

#define TITLE	   "jaildaemon: T"
#define KEPT	   (64 * 1024)
#define LINE_BYTES 1024
#define LINES	   10240
#define BYTES	   (LINE_BYTES * LINES)

START_TEST(output_is_logged_line_by_line)
{
	struct jailfix *jail;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	(void)probe_add(jail, "{s:s,s:s}", "command",
			"echo first line; echo second line >&2; printf unended", "title", "T");
	inside_press(jail, TITLE);
	file_wait_text(place()->log, "first line");
	file_wait_text(place()->log, "second line");
	file_wait_text(place()->log, "unended");
}
END_TEST

/* What can't stand in a log or in JSON must not break either. */
START_TEST(output_may_be_any_bytes)
{
	struct jailfix *jail;
	json_t *answer, *output;
	struct outcome outcome;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	probe = probe_add(jail, "{s:s,s:s,s:s}", "command",
			  "printf 'a\\000b\\377\\300\\033[31mc\\n'; echo after", "title", "T",
			  "name", "noisy");
	inside_press(jail, TITLE);
	json_decref(probe_wait_last(probe));
	answer = probe_op("output", probe);
	output = ctl_member(answer, "output");
	ck_assert_ptr_nonnull(
	    memmem(json_string_value(output), json_string_length(output), "c\nafter\n", 8));
	json_decref(answer);
	daemon_client(&outcome, "-o", "noisy", NULL);
	ck_assert_msg(outcome.exit == 0, "%s", outcome.err);
	ck_assert_ptr_nonnull(memmem(outcome.out, outcome.out_length, "c\nafter\n", 8));
	outcome_free(&outcome);
	file_wait_text(place()->log, "after");
}
END_TEST

START_TEST(output_is_empty_before_the_first_run)
{
	struct outcome outcome;
	struct jailfix *jail;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	(void)probe_add(jail, "{s:s,s:s}", "command", "true", "name", "silent");
	daemon_client(&outcome, "-o", "silent", NULL);
	ck_assert_str_eq(outcome.out, "");
	outcome_free(&outcome);
}
END_TEST

/* A command that prints lines of 1 KiB, each with its number, and waits in the middle. */
static void
flood_command(char *command, size_t size)
{
	(void)snprintf(
	    command, size,
	    "i=0; while [ $i -lt %d ]; do i=$((i + 1)); printf '%%08d %%01014d\\n' $i 0; "
	    "[ $i -ne %d ] || { echo half > %s; read x < %s; }; done",
	    LINES, LINES / 2, place_at("half"), place_at("fifo"));
}

START_TEST(flood_is_counted_and_its_end_is_kept)
{
	const char *output, *newline;
	char command[1024], last_line[16];
	struct jailfix *jail;
	json_t *last, *answer;
	int probe, fifo;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	fifo = file_fifo(place_at("fifo"));
	flood_command(command, sizeof(command));
	probe = probe_add(jail, "{s:s,s:s}", "command", command, "title", "T");
	inside_press(jail, TITLE);
	file_wait_lines(place_at("half"), 1);
	ck_assert(ctl_alive());
	file_release(fifo, 1);
	ck_assert(ctl_alive()); /* while the second half pours in */
	last = probe_wait_last(probe);
	ck_assert_int_eq(ctl_int(last, "output_bytes"), BYTES);
	ck_assert_int_eq(ctl_int(last, "exit"), 0);
	json_decref(last);
	answer = probe_op("output", probe);
	output = ctl_string(answer, "output");
	ck_assert_uint_eq(strlen(output), KEPT);
	newline = strrchr(output, '\n');
	ck_assert_msg(newline != NULL && newline[1] == '\0', "the end is not the end");
	(void)snprintf(last_line, sizeof(last_line), "%08d ", LINES);
	ck_assert_int_eq(strncmp(newline - LINE_BYTES + 1, last_line, 9), 0);
	json_decref(answer);
}
END_TEST

/* The grandchild keeps the pipe; the run is over when the command is, and what came until then is
 * kept. */
START_TEST(grandchild_does_not_hold_the_run_up)
{
	struct jailfix *jail;
	char command[512];
	json_t *last, *answer;
	int probe, fifo;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	fifo = file_fifo(place_at("fifo"));
	(void)snprintf(command, sizeof(command),
		       "echo before; { read x < %s; echo late; echo woke >> %s; } & exit 5",
		       place_at("fifo"), place_at("ran"));
	probe =
	    probe_add(jail, "{s:s,s:s,s:s}", "command", command, "title", "T", "respawn", "after");
	inside_press(jail, TITLE);
	last = probe_wait_last(probe);
	ck_assert_int_eq(ctl_int(last, "exit"), 5);
	json_decref(last);
	probe_wait_state(probe, "armed");
	answer = probe_op("output", probe);
	ck_assert_str_eq(ctl_string(answer, "output"), "before\n");
	json_decref(answer);
	file_release(fifo, 1);
	ck_assert(ctl_alive());
}
END_TEST

START_TEST(closed_output_is_not_the_end_of_the_run)
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
		       "exec > /dev/null 2>&1; echo closed > %s; read x < %s; exit 9",
		       place_at("closed"), place_at("fifo"));
	probe = probe_add(jail, "{s:s,s:s}", "command", command, "title", "T");
	inside_press(jail, TITLE);
	file_wait_lines(place_at("closed"), 1);
	probe_sentinel(jail);
	ck_assert_str_eq(probe_state(probe), "running");
	file_release(fifo, 1);
	last = probe_wait_last(probe);
	ck_assert_int_eq(ctl_int(last, "exit"), 9);
	json_decref(last);
}
END_TEST

/* Whoever waits for the output of one run gets that of the last, not of all. */
START_TEST(output_is_that_of_the_last_run)
{
	struct jailfix *jail;
	json_t *answer;
	int probe, round;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	probe = probe_add(jail, "{s:s,s:s,s:s,s:i}", "command", "echo run $JAILDAEMON_RUN", "title",
			  "T", "respawn", "after", "cooldown", 0);
	for (round = 1; round <= 2; round++) {
		inside_press(jail, TITLE);
		probe_wait_count(probe, "runs", round);
		probe_wait_state(probe, "armed");
	}
	answer = probe_op("output", probe);
	ck_assert_str_eq(ctl_string(answer, "output"), "run 2\n");
	json_decref(answer);
}
END_TEST

struct open_files {
	pid_t daemon;
	int at_most;
};

/* A connection that we have closed may still be open on the other side for a moment. */
static bool
files_are_closed(void *arg)
{
	const struct open_files *files = arg;

	return (host_descriptors(files->daemon) <= files->at_most);
}

/* Descriptors of runs and probes that are over have been closed. */
START_TEST(runs_leave_no_descriptor_behind)
{
	struct jailfix *jail;
	struct open_files files;
	int round, probe;

	NEEDS_ROOT;
	jail = probe_jail();
	files.daemon = daemon_start();
	probe_sentinel(jail);
	probe = probe_add(jail, "{s:s,s:s,s:s,s:i}", "command", "echo x", "title", "T", "respawn",
			  "after", "cooldown", 0);
	files.at_most = host_descriptors(files.daemon);
	ck_assert_int_gt(files.at_most, 0);
	for (round = 1; round <= 10; round++) {
		inside_press(jail, TITLE);
		probe_wait_count(probe, "runs", round);
		probe_wait_state(probe, "armed");
	}
	ck_assert_msg(wait_until(files_are_closed, &files), "%d descriptors, and %d before",
		      host_descriptors(files.daemon), files.at_most);
}
END_TEST

Suite *
process_output(void)
{
	Suite *suite = suite_create("output");

	PLACE_CASE(suite, output_is_logged_line_by_line);
	PLACE_CASE(suite, output_may_be_any_bytes);
	PLACE_CASE(suite, output_is_empty_before_the_first_run);
	PLACE_CASE(suite, flood_is_counted_and_its_end_is_kept);
	PLACE_CASE(suite, grandchild_does_not_hold_the_run_up);
	PLACE_CASE(suite, closed_output_is_not_the_end_of_the_run);
	PLACE_CASE(suite, output_is_that_of_the_last_run);
	PLACE_CASE(suite, runs_leave_no_descriptor_behind);
	return (suite);
}
