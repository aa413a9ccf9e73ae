/* What the daemon tells of itself. */
#include "config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_exec.h"
#include "fixture_file.h"
#include "fixture_inside.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "fixture_suites.h"

#define TITLE "jaildaemon: T"

/* ---- counts ---- */

static json_t *
status_now(void)
{
	json_t *answer = ctl_ask_ok("{\"op\":\"status\"}"), *status;

	status = json_incref(ctl_member(answer, "status"));
	json_decref(answer);
	return (status);
}

static json_int_t
count_of(const char *member)
{
	json_t *status = status_now();
	json_int_t value = ctl_int(status, member);

	json_decref(status);
	return (value);
}

static void
expect(const char *member, json_int_t value)
{
	ck_assert_msg(count_of(member) == value, "%s: %d and not %d", member, (int)count_of(member),
		      (int)value);
}

static void
expect_sums(void)
{
	json_t *status = status_now();
	json_int_t ended = ctl_int(status, "runs_ok") + ctl_int(status, "runs_failed") +
			   ctl_int(status, "runs_signal") + ctl_int(status, "runs_timeout");

	ck_assert_int_eq(ctl_int(status, "triggers"), ctl_int(status, "runs") +
							  ctl_int(status, "coalesced") +
							  ctl_int(status, "triggers_dropped") +
							  ctl_int(status, "triggers_waiting"));
	ck_assert_int_eq(ctl_int(status, "runs"), ended + ctl_int(status, "runs_in_progress"));
	ck_assert_int_eq(ctl_int(ctl_member(status, "wait_seconds"), "count"),
			 ctl_int(status, "runs"));
	ck_assert_int_eq(ctl_int(ctl_member(status, "run_seconds"), "count"), ended);
	json_decref(status);
}

/* One single shot: added, pressed and over. */
static void
press_once(const struct jailfix *jail, const char *command)
{
	int probe =
	    probe_add(jail, "{s:s,s:s,s:f}", "command", command, "title", "T", "timeout", 1.0);

	inside_press(jail, TITLE);
	probe_wait_state(probe, "gone");
	expect_sums();
}

/* A run that goes on, one that waits, and two presses for which that one stands: the probe stays
 * so. */
static int
press_too_often(const struct jailfix *jail)
{
	char command[256];
	int probe, round;

	(void)snprintf(command, sizeof(command), "read line < %s", place_at("fifo"));
	probe = probe_add(jail, "{s:s,s:s,s:s,s:i,s:i}", "command", command, "title", "T",
			  "respawn", "now", "cooldown", 0, "max_runs", 1);
	for (round = 1; round <= 4; round++) {
		inside_wait_count(jail, TITLE, 1);
		inside_press(jail, TITLE);
		probe_wait_count(probe, "triggers", round);
		expect_sums();
	}
	return (probe);
}

START_TEST(counts_add_up)
{
	struct jailfix *jail;
	int probe, fifo;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	fifo = file_fifo(place_at("fifo"));
	press_once(jail, "true");
	press_once(jail, "exit 3");
	press_once(jail, "kill -9 $$");
	press_once(jail, "exec tail -f /dev/null");
	probe = press_too_often(jail);
	expect("triggers", 8);
	expect("runs", 5);
	expect("coalesced", 2);
	expect("triggers_waiting", 1);
	file_release(fifo, 2);
	probe_wait_count(probe, "runs", 2);
	probe_wait_state(probe, "armed");
	json_decref(probe_op("remove", probe));
	probe = probe_add(jail, "{s:s,s:s,s:s,s:i}", "command", "true", "title", "T", "respawn",
			  "after", "cooldown", 1000);
	inside_press(jail, TITLE);
	probe_wait_state(probe, "cooling");
	expect_sums();
	expect("triggers_waiting", 0);
	expect("throttled", 1);
	expect("runs_failed", 1);
	expect("runs_signal", 1);
	expect("runs_timeout", 1);
	expect("attaches_ok", 4 + 5 + 1);
	expect("attaches_failed", 0);
	ck_assert_int_gt(count_of("clients_ever"), 10);
	ck_assert_int_gt(count_of("memory"), 100000);
}
END_TEST

START_TEST(removed_probes_drop_their_triggers)
{
	struct jailfix *jail;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	(void)file_fifo(place_at("fifo"));
	probe = press_too_often(jail);
	json_decref(probe_op("remove", probe));
	expect("triggers_dropped", 1);
	expect_sums();
}
END_TEST

START_TEST(failed_attaches_are_counted)
{
	const char *reason = NULL;
	struct jailfix *jail;

	NEEDS_ROOT;
	jail = jailfix_start(place()->dir, JAILFIX_USERNS, &reason);
	SKIP_UNLESS(jail != NULL, reason);
	(void)daemon_start();
	ctl_refused(
	    probe_ask(jail, "{s:s,s:i}", "command", "true", "uid", (int)jailfix_unmapped_uid(jail)),
	    "attach-failed", NULL);
	expect("attaches_failed", 1);
	expect("attaches_ok", 0);
}
END_TEST

START_TEST(saves_are_counted)
{
	struct jailfix *jail;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	(void)probe_add(jail, "{s:s}", "command", "true");
	expect("save_groups", 1);
	expect("save_changes", 1);
	expect("save_errors", 0);
}
END_TEST

START_TEST(counts_go_on_after_an_upgrade)
{
	struct outcome outcome;
	struct jailfix *jail;
	double waited;
	json_t *status;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	(void)file_fifo(place_at("fifo"));
	press_once(jail, "exit 3");
	(void)press_too_often(jail);
	status = status_now();
	waited = json_real_value(ctl_member(ctl_member(status, "wait_seconds"), "sum"));
	json_decref(status);
	daemon_client(&outcome, "--upgrade", NULL);
	ck_assert_msg(outcome.exit == 0, "%s", outcome.err);
	outcome_free(&outcome);
	expect_sums();
	expect("triggers", 5);
	expect("runs", 2);
	expect("coalesced", 2);
	expect("triggers_waiting", 1);
	expect("runs_failed", 1);
	status = status_now();
	ck_assert_double_eq(json_real_value(ctl_member(ctl_member(status, "wait_seconds"), "sum")),
			    waited);
	json_decref(status);
}
END_TEST

/* ---- metrics ---- */

static char *
metrics(void)
{
	struct outcome outcome;

	daemon_client(&outcome, "-s", "--metrics", NULL);
	ck_assert_msg(outcome.exit == 0, "%s", outcome.err);
	free(outcome.err);
	return (outcome.out);
}

static void
expect_line(const char *text, const char *line)
{
	char whole[256];

	(void)snprintf(whole, sizeof(whole), "\n%s\n", line);
	ck_assert_msg(strstr(text, whole) != NULL, "no line \"%s\" in:\n%.4000s", line, text);
}

START_TEST(metrics_tell_the_counts)
{
	struct jailfix *jail;
	char *text;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	(void)file_fifo(place_at("fifo"));
	press_once(jail, "exit 3");
	probe = press_too_often(jail);
	probe_wait_state(probe, "armed");
	(void)probe_add(jail, "{s:s,s:s}", "command", "true", "name", "known");
	text = metrics();
	expect_line(text, "jaildaemon_triggers_total 5");
	expect_line(text, "jaildaemon_triggers_waiting 1");
	expect_line(text, "jaildaemon_coalesced_total 2");
	expect_line(text, "jaildaemon_runs_started_total 2");
	expect_line(text, "jaildaemon_runs_total{result=\"failed\"} 1");
	expect_line(text, "jaildaemon_runs_total{result=\"ok\"} 0");
	expect_line(text, "jaildaemon_run_seconds_count 1");
	expect_line(text, "jaildaemon_wait_seconds_bucket{le=\"+Inf\"} 2");
	expect_line(text, "jaildaemon_probes{state=\"armed\"} 2");
	ck_assert_ptr_nonnull(strstr(text, "\njaildaemon_probe_armed{name=\"known\",jail=\""));
	free(text);
}
END_TEST

START_TEST(promtool_accepts_the_metrics)
{
	char *const argv[] = {(char *)(uintptr_t) "promtool", (char *)(uintptr_t) "check",
			      (char *)(uintptr_t) "metrics", NULL};
	struct launch launch = {.argv = argv};
	struct outcome outcome;
	struct jailfix *jail;
	char *text;

	NEEDS_ROOT;
	SKIP_UNLESS(place_tool("promtool") != NULL, "no promtool here");
	jail = probe_jail();
	(void)daemon_start();
	press_once(jail, "true");
	(void)probe_add(jail, "{s:s,s:s,s:s}", "command", "true", "title", "T", "name", "known");
	inside_press(jail, TITLE);
	(void)probe_add(jail, "{s:s,s:s,s:s}", "command", "true", "name", "other", "respawn",
			"after");
	text = metrics();
	launch.input = text;
	exec_run(&outcome, &launch);
	ck_assert_msg(outcome.exit == 0, "%s%s\n%s", outcome.out, outcome.err, text);
	ck_assert_str_eq(outcome.err, "");
	ck_assert_str_eq(outcome.out, "");
	outcome_free(&outcome);
	free(text);
}
END_TEST

/* However many have names, the series are bounded. */
START_TEST(metrics_of_probes_are_bounded)
{
	const char *place = NULL;
	struct jailfix *jail;
	char *text, name[16];
	int i, count = 0;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	for (i = 0; i < 203; i++) {
		(void)snprintf(name, sizeof(name), "n%d", i);
		(void)probe_add(jail, "{s:s,s:s}", "command", "true", "name", name);
	}
	text = metrics();
	for (place = text; (place = strstr(place, "\njaildaemon_probe_armed{")) != NULL; place++)
		count++;
	ck_assert_int_eq(count, 200);
	expect_line(text, "jaildaemon_probes_without_metrics 3");
	free(text);
}
END_TEST

START_TEST(status_is_for_people)
{
	struct outcome outcome;
	struct jailfix *jail;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	press_once(jail, "exit 3");
	daemon_client(&outcome, "-s", NULL);
	ck_assert_int_eq(outcome.exit, 0);
	ck_assert_ptr_nonnull(
	    strstr(outcome.out, "\ntriggers   1 in all, 0 waiting, 0 coalesced, 0 dropped\n"));
	ck_assert_ptr_nonnull(strstr(outcome.out, "1 failed"));
	outcome_free(&outcome);
}
END_TEST

Suite *
process_status(void)
{
	Suite *suite = suite_create("status");

	PLACE_CASE(suite, counts_add_up);
	PLACE_CASE(suite, removed_probes_drop_their_triggers);
	PLACE_CASE(suite, failed_attaches_are_counted);
	PLACE_CASE(suite, saves_are_counted);
	PLACE_CASE(suite, counts_go_on_after_an_upgrade);
	PLACE_CASE(suite, metrics_tell_the_counts);
	PLACE_CASE(suite, promtool_accepts_the_metrics);
	PLACE_CASE(suite, metrics_of_probes_are_bounded);
	PLACE_CASE(suite, status_is_for_people);
	return (suite);
}
