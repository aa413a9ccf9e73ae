/*
 * What holds a busy jail back: cooldown, overlapping runs, runs at once; and what a definition asks
 * for beside it.
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
#include "fixture_wait.h"

#define TITLE	     "jaildaemon: T"
#define RUNS_AT_ONCE 16
#define PROBES	     20

static const char *
held_up(void)
{
	static char command[512];

	(void)snprintf(command, sizeof(command), "echo start >> %s; read line < %s; echo end >> %s",
		       place_at("ran"), place_at("fifo"), place_at("ran"));
	return (command);
}

START_TEST(cooldown_keeps_the_probe_away)
{
	struct jailfix *jail;
	long long pressed;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	probe = probe_add(jail, "{s:s,s:s,s:s,s:i}", "command", "true", "title", "T", "respawn",
			  "after", "cooldown", 1);
	pressed = wait_now();
	inside_press(jail, TITLE);
	probe_wait_state(probe, "cooling");
	ck_assert_int_eq(inside_count(jail, TITLE, NULL), 0);
	probe_wait_state(probe, "armed");
	ck_assert_int_ge(wait_now() - pressed, 1000);
	ck_assert_int_eq(inside_count(jail, TITLE, NULL), 1);
	ck_assert_int_eq(probe_int(probe, "runs"), 1);
}
END_TEST

START_TEST(cooldown_of_zero_lifts_the_limit)
{
	struct jailfix *jail;
	int probe, round;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	probe = probe_add(jail, "{s:s,s:s,s:s,s:i}", "command", "true", "title", "T", "respawn",
			  "now", "cooldown", 0);
	for (round = 1; round <= 30; round++) {
		json_decref(probe_op("trigger", probe));
		probe_wait_count(probe, "triggers", round);
		do
			ck_assert_str_ne(probe_state(probe), "cooling");
		while (strcmp(probe_state(probe), "armed") != 0);
	}
}
END_TEST

/* A burst is let through, and then only one a second: the probe is never lost over it. */
START_TEST(burst_is_throttled_and_comes_back)
{
	struct jailfix *jail;
	long long deadline = wait_now() + WAIT_PATIENCE_MS;
	char request[64];
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	probe = probe_add(jail, "{s:s,s:s,s:s}", "command", "true", "title", "T", "respawn", "now");
	(void)snprintf(request, sizeof(request), "{\"op\":\"trigger\",\"probe\":%d}", probe);
	while (strcmp(probe_state(probe), "cooling") != 0 && wait_left(deadline) > 0)
		json_decref(ctl_ask(request)); /* refused while it is not armed */
	ck_assert_str_eq(probe_state(probe), "cooling");
	ck_assert_int_ge(probe_int(probe, "triggers"), 10);
	ck_assert_int_eq(inside_count(jail, TITLE, NULL), 0);
	probe_wait_state(probe, "armed");
	ck_assert_int_eq(inside_count(jail, TITLE, NULL), 1);
}
END_TEST

/* One run goes on, and two presses come: that makes one more run when there is room. */
START_TEST(presses_past_max_runs_are_one_run)
{
	struct jailfix *jail;
	int probe, fifo, round;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	fifo = file_fifo(place_at("fifo"));
	probe = probe_add(jail, "{s:s,s:s,s:s,s:i,s:i}", "command", held_up(), "title", "T",
			  "respawn", "now", "cooldown", 0, "max_runs", 1);
	for (round = 1; round <= 3; round++) {
		inside_wait_count(jail, TITLE, 1);
		inside_press(jail, TITLE);
		probe_wait_count(probe, "triggers", round);
	}
	file_wait_count(place_at("ran"), "start", 1);
	probe_sentinel(jail);
	ck_assert_int_eq(file_count(place_at("ran"), "start"), 1);
	file_release(fifo, 1);
	file_wait_count(place_at("ran"), "start", 2);
	file_release(fifo, 1);
	file_wait_count(place_at("ran"), "end", 2);
	probe_sentinel(jail);
	ck_assert_int_eq(file_count(place_at("ran"), "start"), 2);
	ck_assert_int_eq(probe_int(probe, "triggers"), 3);
	ck_assert_int_eq(probe_int(probe, "runs"), 2);
}
END_TEST

static int
hup_everyone(void *unused)
{
	(void)unused;
	(void)signal(SIGHUP, SIG_IGN);
	return (kill(-1, SIGHUP) == 0 ? 0 : errno);
}

static int
count_state(const int *probes, const char *state)
{
	int i, count = 0;

	for (i = 0; i < PROBES; i++)
		count += strcmp(probe_state(probes[i]), state) == 0;
	return (count);
}

START_TEST(runs_at_once_are_bounded)
{
	int probes[PROBES], fifo, i, running;
	struct jailfix *jail;
	char out[128];

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	fifo = file_fifo(place_at("fifo"));
	for (i = 0; i < PROBES; i++)
		probes[i] = probe_add(jail, "{s:s}", "command", held_up());
	ck_assert_int_eq(inside_call(jail, INSIDE_ROOT, hup_everyone, NULL, out, sizeof(out)), 0);
	for (i = 0; i < PROBES; i++)
		probe_wait_count(probes[i], "triggers", 1);
	running = count_state(probes, "running");
	ck_assert(running > 0 && running <= RUNS_AT_ONCE);
	ck_assert_int_eq(count_state(probes, "queued"), PROBES - running);
	file_wait_count(place_at("ran"), "start", running);
	ck_assert_int_eq(file_count(place_at("ran"), "start"), running);
	file_release(fifo, PROBES);
	file_wait_count(place_at("ran"), "end", PROBES);
	for (i = 0; i < PROBES; i++)
		probe_wait_state(probes[i], "gone");
}
END_TEST

/* A jail that fills all places does not keep another from its turn: that one comes before the rest
 * of the queue. */
START_TEST(queue_is_shared_between_jails)
{
	struct jailfix *jail, *other;
	char command[256], out[128];
	int fifo, i;

	NEEDS_ROOT;
	jail = probe_jail();
	other = probe_jail();
	(void)daemon_start();
	fifo = file_fifo(place_at("fifo"));
	for (i = 0; i < 3 * RUNS_AT_ONCE; i++)
		(void)probe_add(jail, "{s:s}", "command", held_up());
	ck_assert_int_eq(inside_call(jail, INSIDE_ROOT, hup_everyone, NULL, out, sizeof(out)), 0);
	file_wait_count(place_at("ran"), "start", 1);
	(void)snprintf(command, sizeof(command), "echo other >> %s", place_at("ran"));
	(void)probe_add(other, "{s:s,s:s}", "command", command, "title", "T");
	inside_press(other, TITLE);
	/* It has its turn at the latest when all those that run now have ended. */
	file_release(fifo, RUNS_AT_ONCE);
	file_wait_count(place_at("ran"), "other", 1);
	ck_assert_int_lt(file_count(place_at("ran"), "end"), 3 * RUNS_AT_ONCE);
	file_release(fifo, 2 * RUNS_AT_ONCE);
	file_wait_count(place_at("ran"), "end", 3 * RUNS_AT_ONCE);
}
END_TEST

START_TEST(status_is_shown_in_the_title)
{
	struct jailfix *jail;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	probe = probe_add(jail, "{s:s,s:s,s:s,s:b}", "command", "exit 42", "title", "T", "respawn",
			  "after", "show_status", 1);
	inside_press(jail, TITLE);
	probe_wait_count(probe, "runs", 1);
	probe_wait_state(probe, "armed");
	ck_assert(inside_mentions(jail, TITLE));
	ck_assert(inside_mentions(jail, "42"));
	ck_assert_int_eq(inside_count(jail, TITLE, NULL), 0);
}
END_TEST

START_TEST(sticky_probe_waits_for_its_jail)
{
	json_t *answer, *object;

	NEEDS_ROOT;
	(void)daemon_start();
	answer = ctl_ask_ok(
	    "{\"op\":\"add\",\"jail\":\"not-there-yet\",\"command\":\"true\",\"sticky\":true,\"name\":\"s\"}");
	object = ctl_member(answer, "probe");
	ck_assert_str_eq(ctl_string(object, "state"), "waiting");
	ck_assert(json_is_null(ctl_member(object, "pid")));
	ck_assert(json_is_null(ctl_member(object, "jid")));
	ck_assert(ctl_true(object, "sticky"));
	json_decref(answer);
	ck_assert_int_eq(probe_listed(), 1);
	json_decref(ctl_ask_ok("{\"op\":\"remove\",\"probe\":\"s\"}"));
	ck_assert_int_eq(probe_listed(), 0);
}
END_TEST

Suite *
process_limits(void)
{
	Suite *suite = suite_create("limits");

	PLACE_CASE(suite, cooldown_keeps_the_probe_away);
	PLACE_CASE(suite, cooldown_of_zero_lifts_the_limit);
	PLACE_CASE(suite, burst_is_throttled_and_comes_back);
	PLACE_CASE(suite, presses_past_max_runs_are_one_run);
	PLACE_CASE(suite, runs_at_once_are_bounded);
	PLACE_CASE(suite, queue_is_shared_between_jails);
	PLACE_CASE(suite, status_is_shown_in_the_title);
	PLACE_CASE(suite, sticky_probe_waits_for_its_jail);
	return (suite);
}
