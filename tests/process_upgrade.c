/* An upgrade in place: every probe and run is in the new daemon what it was in the old one. */
#include "config.h"

#include "process_upgrade.h"

#include <check.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_config.h"
#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_file.h"
#include "fixture_inside.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "fixture_suites.h"
#include "fixture_wait.h"

#define TITLE	"jaildaemon: T"
#define KILLS	4 /* after so many the next try is more than a second away */
#define STATUS	7
#define ENDINGS 12

/* A command that says half a line, waits to be let go, and ends with STATUS. */
#define HELD "echo start >> %s/starts; printf begun; read x < %s/fifo; echo ' and ended'; exit 7"

static const char *
held(void)
{
	static char command[512];

	(void)snprintf(command, sizeof(command), HELD, place()->dir, place()->dir);
	return (command);
}

static json_t *
listed(void)
{
	return (ctl_ask_ok("{\"op\":\"list\"}"));
}

/* Upgrades; whatever the daemon says of its probes must be the same before and after. */
static void
upgrade_unnoticed(void)
{
	json_t *before = listed(), *after;
	char *one, *other;

	upgrade_now();
	after = listed();
	one = json_dumps(before, JSON_COMPACT);
	other = json_dumps(after, JSON_COMPACT);
	ck_assert_str_eq(one, other);
	free(one);
	free(other);
	json_decref(before);
	json_decref(after);
}

static void
check_output(int probe, const char *text)
{
	json_t *answer = probe_op("output", probe);

	ck_assert_str_eq(ctl_string(answer, "output"), text);
	json_decref(answer);
}

static void
check_last(int probe, const char *member, int value)
{
	json_t *last = probe_wait_last(probe);

	ck_assert_int_eq(ctl_int(last, member), value);
	json_decref(last);
}

START_TEST(an_armed_probe_stays_armed)
{
	struct jailfix *jail;
	pid_t daemon;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	daemon = daemon_start();
	probe = probe_add(jail, "{s:s,s:s,s:s,s:s}", "command", "echo done", "title", "T", "name",
			  "kept", "respawn", "after");
	inside_press(jail, TITLE);
	probe_wait_count(probe, "runs", 1);
	probe_wait_state(probe, "armed");
	upgrade_unnoticed();
	upgrade_unnoticed();
	check_output(probe, "done\n");
	inside_press(jail, TITLE);
	probe_wait_count(probe, "runs", 2);
	probe_wait_state(probe, "armed");
	ck_assert_int_eq(probe_add(jail, "{s:s}", "command", "true"), probe + 1);
	daemon_end(daemon, SIGTERM);
}
END_TEST

START_TEST(a_run_goes_on)
{
	struct jailfix *jail;
	int probe, fifo;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	fifo = file_fifo(place_at("fifo"));
	probe = probe_add(jail, "{s:s,s:s,s:s}", "command", held(), "title", "T", "respawn", "after");
	inside_press(jail, TITLE);
	file_wait_lines(place_at("starts"), 1);
	upgrade_unnoticed();
	upgrade_unnoticed();
	ck_assert_str_eq(probe_state(probe), "running");
	check_output(probe, "begun");
	file_release(fifo, 1);
	check_last(probe, "exit", STATUS);
	check_output(probe, "begun and ended\n");
	file_wait_text(place()->log, "line=\"begun and ended\"");
	probe_wait_state(probe, "armed");
	ck_assert_int_eq(probe_int(probe, "runs"), 1);
	ck_assert_int_eq(file_lines(place_at("starts")), 1);
}
END_TEST

START_TEST(a_single_shot_goes_on)
{
	struct jailfix *jail;
	int probe, fifo;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	fifo = file_fifo(place_at("fifo"));
	probe = probe_add(jail, "{s:s,s:s}", "command", held(), "title", "T");
	inside_press(jail, TITLE);
	file_wait_lines(place_at("starts"), 1);
	upgrade_unnoticed();
	file_release(fifo, 1);
	probe_wait_state(probe, "gone");
	upgrade_unnoticed();
	ck_assert_str_eq(probe_state(probe), "gone");
	check_output(probe, "begun and ended\n");
	check_last(probe, "exit", STATUS);
	ck_assert_int_eq(inside_count(jail, TITLE, NULL), 0);
	ck_assert_int_eq(file_lines(place_at("starts")), 1);
}
END_TEST

START_TEST(a_queued_trigger_keeps_its_place)
{
	struct jailfix *jail;
	int first, second, fifo;

	NEEDS_ROOT;
	jail = probe_jail();
	config_write("conf", NULL, "{'runs': 1}");
	(void)config_start();
	fifo = file_fifo(place_at("fifo"));
	first = probe_add(jail, "{s:s,s:s,s:s}", "command", held(), "title", "T", "respawn", "after");
	second = probe_add(jail, "{s:s,s:s}", "command", held(), "title", "U");
	inside_press(jail, TITLE);
	file_wait_lines(place_at("starts"), 1);
	inside_press(jail, "jaildaemon: U");
	probe_wait_state(second, "queued");
	upgrade_unnoticed();
	ck_assert_str_eq(probe_state(second), "queued");
	ck_assert_int_eq(file_lines(place_at("starts")), 1);
	file_release(fifo, 1);
	check_last(first, "exit", STATUS);
	file_wait_lines(place_at("starts"), 2);
	file_release(fifo, 1);
	probe_wait_state(second, "gone");
	ck_assert_int_eq(probe_int(second, "runs"), 1);
}
END_TEST

/* Two of its runs may overlap: a third press waits, a fourth is counted with it. */
START_TEST(overlapping_runs_stay_as_many)
{
	struct jailfix *jail;
	int probe, fifo, i;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	fifo = file_fifo(place_at("fifo"));
	probe = probe_add(jail, "{s:s,s:s,s:s,s:i,s:i}", "command", held(), "title", "T", "respawn",
			  "now", "max_runs", 2, "cooldown", 0);
	for (i = 1; i <= 4; i++) {
		inside_wait_count(jail, TITLE, 1);
		inside_press(jail, TITLE);
		probe_wait_count(probe, "triggers", i);
		probe_wait_state(probe, "armed");
	}
	file_wait_lines(place_at("starts"), 2);
	upgrade_unnoticed();
	probe_sentinel(jail);
	ck_assert_int_eq(file_lines(place_at("starts")), 2);
	file_release(fifo, 1);
	file_wait_lines(place_at("starts"), 3);
	file_release(fifo, 2);
	probe_wait_count(probe, "runs", 3);
	ck_assert_int_eq(probe_int(probe, "triggers"), 4);
	ck_assert_int_eq(probe_int(probe, "coalesced"), 1);
	check_last(probe, "exit", STATUS);
}
END_TEST

START_TEST(a_cooldown_still_holds)
{
	struct jailfix *jail;
	long long began;
	int slow, quick;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	slow = probe_add(jail, "{s:s,s:s,s:s,s:i}", "command", "true", "title", "T", "respawn", "after",
			 "cooldown", 3600);
	quick = probe_add(jail, "{s:s,s:s,s:s,s:i}", "command", "true", "title", "U", "respawn",
			  "after", "cooldown", 2);
	inside_press(jail, TITLE);
	probe_wait_state(slow, "cooling");
	began = wait_now();
	inside_press(jail, "jaildaemon: U");
	probe_wait_state(quick, "cooling");
	upgrade_unnoticed();
	probe_wait_state(quick, "armed");
	ck_assert_int_ge(wait_now() - began, 2000);
	ck_assert_str_eq(probe_state(slow), "cooling");
}
END_TEST

START_TEST(a_waiting_probe_waits)
{
	json_t *answer;
	int probe;

	NEEDS_ROOT;
	(void)daemon_start();
	answer = ctl_ask_ok("{\"op\":\"add\",\"jail\":\"jdtest-never-there\",\"command\":\"true\","
			    "\"sticky\":true}");
	probe = (int)ctl_int(ctl_member(answer, "probe"), "probe");
	json_decref(answer);
	upgrade_unnoticed();
	ck_assert_str_eq(probe_state(probe), "waiting");
	json_decref(probe_op("remove", probe));
	probe_expect_none(probe);
}
END_TEST

/* Somebody in the jail ends it again and again. */
START_TEST(a_probe_that_is_tried_later_is)
{
	struct jailfix *jail;
	int probe, i;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	probe = probe_add(jail, "{s:s,s:s,s:s}", "command", "true", "title", "T", "respawn", "after");
	for (i = 0; i < KILLS; i++) {
		probe_wait_state(probe, "armed");
		ck_assert_int_eq(kill((pid_t)probe_int(probe, "pid"), SIGKILL), 0);
		probe_wait_state(probe, "starting");
	}
	upgrade_unnoticed();
	ck_assert_str_eq(probe_state(probe), "starting");
	probe_wait_state(probe, "armed");
	inside_press(jail, TITLE);
	probe_wait_count(probe, "runs", 1);
}
END_TEST

START_TEST(a_removed_probe_has_its_run)
{
	struct jailfix *jail;
	int probe, fifo;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	fifo = file_fifo(place_at("fifo"));
	probe = probe_add(jail, "{s:s,s:s}", "command", held(), "title", "T");
	inside_press(jail, TITLE);
	file_wait_lines(place_at("starts"), 1);
	json_decref(probe_op("remove", probe));
	upgrade_unnoticed();
	probe_expect_none(probe);
	file_release(fifo, 1);
	file_wait_text(place()->log, "line=\"begun and ended\"");
	file_wait_text(place()->log, "exit=7");
}
END_TEST

/* It was told to end, and doesn't. */
START_TEST(what_has_timed_out_is_still_killed)
{
	struct jailfix *jail;
	char command[256];
	json_t *last;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	(void)snprintf(command, sizeof(command),
		       "trap '' TERM; echo up > %s; while :; do sleep 1; done", place_at("up"));
	probe = probe_add(jail, "{s:s,s:s,s:f}", "command", command, "title", "T", "timeout", 0.5);
	inside_press(jail, TITLE);
	file_wait_lines(place_at("up"), 1);
	file_wait_text(place()->log, "event=run-timeout");
	upgrade_unnoticed();
	last = probe_wait_last(probe);
	ck_assert(json_is_true(ctl_member(last, "timeout")));
	json_decref(last);
	file_wait_text(place()->log, "timeout_signal=9");
}
END_TEST

START_TEST(a_time_limit_still_holds)
{
	struct jailfix *jail;
	char command[256];
	json_t *last;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	(void)snprintf(command, sizeof(command), "echo up > %s; exec sleep 1000", place_at("up"));
	probe = probe_add(jail, "{s:s,s:s,s:i}", "command", command, "title", "T", "timeout", 2);
	inside_press(jail, TITLE);
	file_wait_lines(place_at("up"), 1);
	upgrade_unnoticed();
	ck_assert_str_eq(probe_state(probe), "running");
	last = probe_wait_last(probe);
	ck_assert(json_is_true(ctl_member(last, "timeout")));
	json_decref(last);
}
END_TEST

/* Its command has exited, and left somebody behind who holds the pipe. */
START_TEST(a_held_pipe_is_given_up)
{
	struct jailfix *jail;
	char command[256];
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	(void)snprintf(command, sizeof(command), "sleep 1000 & echo left > %s; echo said; exit 7",
		       place_at("left"));
	probe = probe_add(jail, "{s:s,s:s}", "command", command, "title", "T");
	inside_press(jail, TITLE);
	file_wait_lines(place_at("left"), 1);
	upgrade_now();
	check_last(probe, "exit", STATUS);
	check_output(probe, "said\n");
}
END_TEST

/* The run may end before, while, or after the daemon is exchanged. */
START_TEST(no_end_is_missed)
{
	struct jailfix *jail;
	int probe, fifo, i;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	fifo = file_fifo(place_at("fifo"));
	for (i = 0; i < ENDINGS; i++) {
		struct ctl ctl;

		probe = probe_add(jail, "{s:s,s:s}", "command", held(), "title", "T");
		inside_press(jail, TITLE);
		file_wait_lines(place_at("starts"), i + 1);
		ctl_open(&ctl);
		(void)ctl_say(&ctl, "{\"op\":\"upgrade\"}\n");
		(void)usleep((useconds_t)i * 2000); /* any moment is a good one */
		file_release(fifo, 1);
		json_decref(ctl_answer(&ctl));
		ctl_close(&ctl);
		check_last(probe, "exit", STATUS);
		check_output(probe, "begun and ended\n");
	}
}
END_TEST

/* A configured single shot that was pressed is not armed again. */
START_TEST(what_was_spent_stays_spent)
{
	struct jailfix *jail;
	struct outcome outcome;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	config_write("conf", NULL, "{}");
	config_write("jaildaemon.d/shot.json", jail, "{'jail': %, 'command': 'true', 'title': 'T'}");
	(void)config_start();
	probe = config_wait_armed("shot");
	inside_press(jail, TITLE);
	probe_wait_state(probe, "gone");
	upgrade_unnoticed();
	upgrade_unnoticed();
	ck_assert_int_eq(probe_listed(), 0);
	ck_assert_int_eq(inside_count(jail, TITLE, NULL), 0);
	daemon_client(&outcome, "--reload", NULL);
	ck_assert_str_eq(outcome.out, "added 0, changed 0, removed 0, unchanged 1, failed 0\n");
	outcome_free(&outcome);
}
END_TEST

Suite *
process_upgrade(void)
{
	Suite *suite = suite_create("upgrade");

	PLACE_CASE(suite, an_armed_probe_stays_armed);
	PLACE_CASE(suite, a_run_goes_on);
	PLACE_CASE(suite, a_single_shot_goes_on);
	PLACE_CASE(suite, a_queued_trigger_keeps_its_place);
	PLACE_CASE(suite, overlapping_runs_stay_as_many);
	PLACE_CASE(suite, a_cooldown_still_holds);
	PLACE_CASE(suite, a_waiting_probe_waits);
	PLACE_CASE(suite, a_probe_that_is_tried_later_is);
	PLACE_CASE(suite, a_removed_probe_has_its_run);
	PLACE_CASE(suite, what_has_timed_out_is_still_killed);
	PLACE_CASE(suite, a_time_limit_still_holds);
	PLACE_CASE(suite, a_held_pipe_is_given_up);
	PLACE_CASE(suite, no_end_is_missed);
	PLACE_CASE(suite, what_was_spent_stays_spent);
	return (suite);
}
