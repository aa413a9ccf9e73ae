/*
 * A probe's life while all goes well: one HUP, one run, and what each way of respawning makes of
 * it.
 */
#include "config.h"

#include <check.h>
#include <errno.h>
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

#define TITLE "jaildaemon: T"

/* Appends a line, then reads one from the fifo, then appends another. */
static const char *
held_up(void)
{
	static char command[512];

	(void)snprintf(command, sizeof(command), "echo start >> %s; read line < %s; echo end >> %s",
		       place_at("ran"), place_at("fifo"), place_at("ran"));
	return (command);
}

static const char *
appending(void)
{
	static char command[256];

	(void)snprintf(command, sizeof(command), "echo run >> %s", place_at("ran"));
	return (command);
}

START_TEST(single_shot_runs_once_and_is_gone)
{
	struct jailfix *jail;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	probe = probe_add(jail, "{s:s,s:s}", "command", appending(), "title", "T");
	inside_press(jail, TITLE);
	probe_wait_state(probe, "gone");
	file_wait_lines(place_at("ran"), 1);
	ck_assert_int_eq(inside_count(jail, TITLE, NULL), 0);
	ck_assert_int_eq(probe_listed(), 0);
	ck_assert_int_eq(probe_int(probe, "triggers"), 1);
	ck_assert_int_eq(probe_int(probe, "runs"), 1);
	probe_sentinel(jail);
	ck_assert_int_eq(file_lines(place_at("ran")), 1);
}
END_TEST

START_TEST(single_shot_is_gone_only_after_its_run)
{
	struct jailfix *jail;
	int probe, fifo;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	fifo = file_fifo(place_at("fifo"));
	probe = probe_add(jail, "{s:s,s:s}", "command", held_up(), "title", "T");
	inside_press(jail, TITLE);
	file_wait_count(place_at("ran"), "start", 1);
	ck_assert_str_eq(probe_state(probe), "running");
	ck_assert_int_eq(inside_count(jail, TITLE, NULL), 0);
	file_release(fifo, 1);
	probe_wait_state(probe, "gone");
	ck_assert_int_eq(file_count(place_at("ran"), "end"), 1);
}
END_TEST

START_TEST(respawn_after_comes_back_after_the_run)
{
	struct jailfix *jail;
	int probe, fifo, round;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	fifo = file_fifo(place_at("fifo"));
	probe = probe_add(jail, "{s:s,s:s,s:s,s:i}", "command", held_up(), "title", "T", "respawn",
			  "after", "cooldown", 0);
	for (round = 1; round <= 3; round++) {
		inside_press(jail, TITLE);
		file_wait_count(place_at("ran"), "start", round);
		ck_assert_str_eq(probe_state(probe), "running");
		ck_assert_int_eq(inside_count(jail, TITLE, NULL), 0);
		file_release(fifo, 1);
		probe_wait_state(probe, "armed");
		ck_assert_int_eq(file_count(place_at("ran"), "end"), round);
		ck_assert_int_eq(probe_int(probe, "runs"), round);
		ck_assert_int_eq(probe_int(probe, "triggers"), round);
	}
	ck_assert_int_eq(probe_listed(), 1);
}
END_TEST

START_TEST(respawn_now_lets_runs_overlap)
{
	struct jailfix *jail;
	int probe, fifo, round;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	fifo = file_fifo(place_at("fifo"));
	probe = probe_add(jail, "{s:s,s:s,s:s,s:i}", "command", held_up(), "title", "T", "respawn",
			  "now", "cooldown", 0);
	for (round = 1; round <= 3; round++) {
		inside_wait_count(jail, TITLE, 1);
		inside_press(jail, TITLE);
		file_wait_count(place_at("ran"), "start", round);
	}
	ck_assert_int_eq(file_count(place_at("ran"), "end"), 0);
	probe_wait_state(probe, "armed");
	file_release(fifo, 3);
	file_wait_count(place_at("ran"), "end", 3);
	ck_assert_int_eq(probe_int(probe, "triggers"), 3);
	probe_wait_count(probe, "runs", 3);
}
END_TEST

START_TEST(respawned_probe_is_another_process)
{
	struct jailfix *jail;
	pid_t first;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	probe = probe_add(jail, "{s:s,s:s,s:s}", "command", appending(), "title", "T", "respawn",
			  "after");
	first = (pid_t)probe_int(probe, "pid");
	inside_press(jail, TITLE);
	file_wait_lines(place_at("ran"), 1);
	probe_wait_state(probe, "armed");
	ck_assert_int_ne(probe_int(probe, "pid"), first);
	ck_assert(exec_gone(first));
}
END_TEST

/* The signal waits while the process is stopped, and two of them are one. */
START_TEST(two_hups_to_one_probe_are_one_run)
{
	struct jailfix *jail;
	pid_t inside;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	probe = probe_add(jail, "{s:s,s:s,s:s}", "command", appending(), "title", "T", "respawn",
			  "after");
	inside = inside_find(jail, TITLE);
	ck_assert_int_eq(inside_signal(jail, INSIDE_ROOT, inside, SIGSTOP), 0);
	ck_assert_int_eq(inside_signal(jail, INSIDE_ROOT, inside, SIGHUP), 0);
	ck_assert_int_eq(inside_signal(jail, INSIDE_ROOT, inside, SIGHUP), 0);
	probe_sentinel(jail);
	ck_assert_int_eq(file_lines(place_at("ran")), 0);
	ck_assert_int_eq(inside_signal(jail, INSIDE_ROOT, inside, SIGCONT), 0);
	file_wait_lines(place_at("ran"), 1);
	probe_wait_state(probe, "armed");
	probe_sentinel(jail);
	ck_assert_int_eq(probe_int(probe, "triggers"), 1);
	ck_assert_int_eq(file_lines(place_at("ran")), 1);
}
END_TEST

START_TEST(only_the_pressed_probe_runs)
{
	struct jailfix *jail, *other;

	NEEDS_ROOT;
	jail = probe_jail();
	other = probe_jail();
	(void)daemon_start();
	(void)probe_add(jail, "{s:s,s:s}", "command", appending(), "title", "T");
	(void)probe_add(other, "{s:[sss],s:s}", "command", "/bin/sh", "-c", "true", "title", "T");
	inside_press(other, TITLE);
	probe_sentinel(other);
	probe_sentinel(jail);
	ck_assert_int_eq(file_lines(place_at("ran")), 0);
	ck_assert_int_eq(inside_count(jail, TITLE, NULL), 1);
	ck_assert_int_eq(inside_count(other, TITLE, NULL), 0);
}
END_TEST

static int
hup_everyone(void *unused)
{
	(void)unused;
	(void)signal(SIGHUP, SIG_IGN);
	return (kill(-1, SIGHUP) == 0 ? 0 : errno);
}

START_TEST(hup_to_everyone_is_an_ordinary_event)
{
	int probes[20], i;
	struct jailfix *jail;
	char out[128];

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	for (i = 0; i < 20; i++)
		probes[i] =
		    probe_add(jail, "{s:s,s:s}", "command", appending(), "respawn", "after");
	ck_assert_int_eq(inside_call(jail, INSIDE_ROOT, hup_everyone, NULL, out, sizeof(out)), 0);
	file_wait_lines(place_at("ran"), 20);
	for (i = 0; i < 20; i++) {
		probe_wait_state(probes[i], "armed");
		ck_assert_int_eq(probe_int(probes[i], "triggers"), 1);
		ck_assert_int_eq(probe_int(probes[i], "runs"), 1);
	}
	probe_sentinel(jail);
	ck_assert_int_eq(file_lines(place_at("ran")), 20);
}
END_TEST

START_TEST(remove_takes_an_armed_probe_away)
{
	struct jailfix *jail;
	json_t *answer;
	int probe;
	pid_t pid;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	probe = probe_add(jail, "{s:s,s:s,s:s}", "command", appending(), "title", "T", "respawn",
			  "after");
	pid = (pid_t)probe_int(probe, "pid");
	answer = probe_op("remove", probe);
	ck_assert_str_eq(ctl_string(ctl_member(answer, "probe"), "state"), "gone");
	json_decref(answer);
	exec_wait_gone(pid);
	ck_assert_int_eq(inside_count(jail, TITLE, NULL), 0);
	probe_expect_none(probe);
	probe_sentinel(jail);
	ck_assert_int_eq(file_lines(place_at("ran")), 0);
}
END_TEST

START_TEST(remove_leaves_a_run_to_finish)
{
	struct jailfix *jail;
	int probe, fifo;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	fifo = file_fifo(place_at("fifo"));
	probe = probe_add(jail, "{s:s,s:s,s:s}", "command", held_up(), "title", "T", "respawn",
			  "after");
	inside_press(jail, TITLE);
	file_wait_count(place_at("ran"), "start", 1);
	json_decref(probe_op("remove", probe));
	ck_assert_int_eq(probe_listed(), 0);
	file_release(fifo, 1);
	file_wait_count(place_at("ran"), "end", 1);
	probe_sentinel(jail);
	ck_assert_int_eq(inside_count(jail, TITLE, NULL), 0);
	probe_expect_none(probe);
}
END_TEST

START_TEST(remove_with_kill_ends_the_run)
{
	struct outcome outcome;
	struct jailfix *jail;
	char command[512];
	int probe, fifo;
	pid_t run;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	fifo = file_fifo(place_at("fifo"));
	(void)snprintf(command, sizeof(command), "echo $$ > %s; read line < %s; echo end >> %s",
		       place_at("pid.run"), place_at("fifo"), place_at("ran"));
	probe =
	    probe_add(jail, "{s:s,s:s,s:s}", "command", command, "title", "T", "name", "long-run");
	inside_press(jail, TITLE);
	file_wait_lines(place_at("pid.run"), 1);
	run = (pid_t)atoi(file_text(place_at("pid.run")));
	daemon_client(&outcome, "-k", "long-run", "--kill", NULL);
	ck_assert_msg(outcome.exit == 0, "%s", outcome.err);
	outcome_free(&outcome);
	exec_wait_gone(run);
	file_release(fifo, 1);
	probe_sentinel(jail);
	ck_assert_int_eq(file_lines(place_at("ran")), 0);
	probe_expect_none(probe);
}
END_TEST

Suite *
process_life(void)
{
	Suite *suite = suite_create("life");

	PLACE_CASE(suite, single_shot_runs_once_and_is_gone);
	PLACE_CASE(suite, single_shot_is_gone_only_after_its_run);
	PLACE_CASE(suite, respawn_after_comes_back_after_the_run);
	PLACE_CASE(suite, respawn_now_lets_runs_overlap);
	PLACE_CASE(suite, respawned_probe_is_another_process);
	PLACE_CASE(suite, two_hups_to_one_probe_are_one_run);
	PLACE_CASE(suite, only_the_pressed_probe_runs);
	PLACE_CASE(suite, hup_to_everyone_is_an_ordinary_event);
	PLACE_CASE(suite, remove_takes_an_armed_probe_away);
	PLACE_CASE(suite, remove_leaves_a_run_to_finish);
	PLACE_CASE(suite, remove_with_kill_ends_the_run);
	return (suite);
}
