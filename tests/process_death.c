/*
 * A probe's death in all the ways that are no press of the button, and the end of its jail.
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

#define TITLE "jaildaemon: T"

static const int deadly[] = {SIGKILL, SIGTERM, SIGSEGV, SIGINT, SIGABRT};

static const char *
appending(void)
{
	static char command[256];

	(void)snprintf(command, sizeof(command), "echo run >> %s", place_at("ran"));
	return (command);
}

START_TEST(killed_single_shot_is_gone_without_a_run)
{
	struct jailfix *jail;
	size_t i;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	for (i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++) {
		probe = probe_add(jail, "{s:s,s:s}", "command", appending(), "title", "T");
		ck_assert_int_eq(
		    inside_signal(jail, INSIDE_ROOT, inside_find(jail, TITLE), deadly[i]), 0);
		probe_wait_state(probe, "gone");
		ck_assert_int_eq(probe_int(probe, "triggers"), 0);
		ck_assert_int_eq(probe_int(probe, "runs"), 0);
	}
	ck_assert_int_eq(probe_listed(), 0);
	probe_sentinel(jail);
	ck_assert_int_eq(file_lines(place_at("ran")), 0);
}
END_TEST

struct respawn {
	int probe;
	pid_t before;
};

static bool
is_back(void *arg)
{
	const struct respawn *respawn = arg;
	json_t *object = probe_get(respawn->probe), *pid = json_object_get(object, "pid");
	bool back = strcmp(ctl_string(object, "state"), "armed") == 0 &&
		    json_integer_value(pid) != respawn->before;

	json_decref(object);
	return (back);
}

START_TEST(killed_respawning_probe_comes_back)
{
	struct respawn respawn;
	struct jailfix *jail;
	size_t i;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	respawn.probe = probe_add(jail, "{s:s,s:s,s:s}", "command", appending(), "title", "T",
				  "respawn", "after");
	for (i = 0; i < 3; i++) {
		respawn.before = (pid_t)probe_int(respawn.probe, "pid");
		ck_assert_int_eq(
		    inside_signal(jail, INSIDE_ROOT, inside_find(jail, TITLE), deadly[i]), 0);
		ck_assert(wait_until(is_back, &respawn));
	}
	ck_assert_int_eq(probe_int(respawn.probe, "triggers"), 0);
	probe_sentinel(jail);
	ck_assert_int_eq(file_lines(place_at("ran")), 0);
	inside_press(jail, TITLE);
	file_wait_lines(place_at("ran"), 1);
}
END_TEST

START_TEST(killed_now_probe_comes_back)
{
	struct respawn respawn;
	struct jailfix *jail;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	respawn.probe = probe_add(jail, "{s:s,s:s,s:s}", "command", appending(), "title", "T",
				  "respawn", "now");
	respawn.before = (pid_t)probe_int(respawn.probe, "pid");
	ck_assert_int_eq(inside_signal(jail, INSIDE_ROOT, inside_find(jail, TITLE), SIGKILL), 0);
	ck_assert(wait_until(is_back, &respawn));
	ck_assert_int_eq(file_lines(place_at("ran")), 0);
}
END_TEST

/* Signals that a waiting process may get without meaning anything by it. */
START_TEST(harmless_signals_do_nothing)
{
	static const int harmless[] = {SIGCHLD, SIGWINCH, SIGURG, SIGCONT};
	struct jailfix *jail;
	size_t i;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	probe = probe_add(jail, "{s:s,s:s}", "command", appending(), "title", "T");
	for (i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		ck_assert_int_eq(
		    inside_signal(jail, INSIDE_ROOT, inside_find(jail, TITLE), harmless[i]), 0);
	probe_sentinel(jail);
	ck_assert_str_eq(probe_state(probe), "armed");
	ck_assert_int_eq(file_lines(place_at("ran")), 0);
}
END_TEST

START_TEST(jail_that_ends_takes_its_probes_along)
{
	struct jailfix *jail, *other;
	int single, after, now;

	NEEDS_ROOT;
	jail = probe_jail();
	other = probe_jail();
	(void)daemon_start();
	single = probe_add(jail, "{s:s}", "command", appending());
	after = probe_add(jail, "{s:s,s:s}", "command", appending(), "respawn", "after");
	now = probe_add(jail, "{s:s,s:s}", "command", appending(), "respawn", "now");
	jailfix_end(jail);
	probe_wait_state(single, "gone");
	probe_wait_state(after, "gone");
	probe_wait_state(now, "gone");
	ck_assert_int_eq(probe_listed(), 0);
	probe_sentinel(other);
	ck_assert_int_eq(file_lines(place_at("ran")), 0);
}
END_TEST

/* The run shuts the jail down, like a reboot does; a probe that wanted to come back has nowhere to
 * go. */
START_TEST(jail_that_ends_during_the_run)
{
	struct jailfix *jail, *other;
	char command[256];
	int probe, fifo;

	NEEDS_ROOT;
	jail = probe_jail();
	other = probe_jail();
	(void)daemon_start();
	fifo = file_fifo(place_at("fifo"));
	(void)snprintf(command, sizeof(command), "echo start >> %s; read x < %s", place_at("ran"),
		       place_at("fifo"));
	probe =
	    probe_add(jail, "{s:s,s:s,s:s}", "command", command, "title", "T", "respawn", "after");
	inside_press(jail, TITLE);
	file_wait_lines(place_at("ran"), 1);
	jailfix_end(jail);
	ck_assert_str_eq(probe_state(probe), "running");
	file_release(fifo, 1);
	probe_wait_state(probe, "gone");
	ck_assert_int_eq(probe_listed(), 0);
	probe_sentinel(other);
}
END_TEST

START_TEST(daemon_killed_ends_the_probes)
{
	struct jailfix *jail;
	int probes[3], i;
	pid_t pids[3], daemon;

	NEEDS_ROOT;
	jail = probe_jail();
	daemon = daemon_start();
	probes[0] = probe_add(jail, "{s:s,s:s}", "command", appending(), "title", "T");
	probes[1] = probe_add(jail, "{s:s,s:s,s:i,s:i}", "command", appending(), "title", "T",
			      "uid", 501, "gid", 501);
	probes[2] = probe_add(jail, "{s:s,s:s,s:s}", "command", appending(), "title", "T",
			      "respawn", "now");
	for (i = 0; i < 3; i++)
		pids[i] = (pid_t)probe_int(probes[i], "pid");
	ck_assert_int_eq(kill(daemon, SIGKILL), 0);
	(void)exec_wait(daemon);
	for (i = 0; i < 3; i++)
		exec_wait_gone(pids[i]);
	ck_assert_int_eq(inside_count(jail, TITLE, NULL), 0);
	ck_assert_int_eq(file_lines(place_at("ran")), 0);
}
END_TEST

START_TEST(daemon_stopped_leaves_a_run_to_finish)
{
	struct jailfix *jail;
	char command[512];
	pid_t daemon;
	int fifo;

	NEEDS_ROOT;
	jail = probe_jail();
	daemon = daemon_start();
	fifo = file_fifo(place_at("fifo"));
	(void)snprintf(command, sizeof(command),
		       "echo start >> %s; read x < %s; echo said; echo end >> %s", place_at("ran"),
		       place_at("fifo"), place_at("ran"));
	(void)probe_add(jail, "{s:s,s:s}", "command", command, "title", "T");
	inside_press(jail, TITLE);
	file_wait_count(place_at("ran"), "start", 1);
	daemon_end(daemon, SIGTERM);
	ck_assert_int_eq(file_count(place_at("ran"), "end"), 0);
	file_release(fifo, 1);
	file_wait_count(place_at("ran"), "end", 1);
}
END_TEST

Suite *
process_death(void)
{
	Suite *suite = suite_create("death");

	PLACE_CASE(suite, killed_single_shot_is_gone_without_a_run);
	PLACE_CASE(suite, killed_respawning_probe_comes_back);
	PLACE_CASE(suite, killed_now_probe_comes_back);
	PLACE_CASE(suite, harmless_signals_do_nothing);
	PLACE_CASE(suite, jail_that_ends_takes_its_probes_along);
	PLACE_CASE(suite, jail_that_ends_during_the_run);
	PLACE_CASE(suite, daemon_killed_ends_the_probes);
	PLACE_CASE(suite, daemon_stopped_leaves_a_run_to_finish);
	return (suite);
}
