/* Probes that the configuration defines, and reading it again. */
#include "config.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_config.h"
#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_exec.h"
#include "fixture_file.h"
#include "fixture_inside.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "fixture_suites.h"
#include "fixture_wait.h"

/* Reads the configuration again by the client, which prints this. */
static void
reload(const char *counts)
{
	struct outcome outcome;

	daemon_client(&outcome, "--reload", NULL);
	ck_assert_msg(outcome.exit == 0, "%s", outcome.err);
	ck_assert_str_eq(outcome.out, counts);
	outcome_free(&outcome);
}

/* A jail, a daemon, and three probes in a directory. */
static struct jailfix *
begin(pid_t *daemon)
{
	struct jailfix *jail = probe_jail();

	config_write("conf", NULL, "{}");
	config_write("jaildaemon.d/same.json", jail,
		     "{'jail': %, 'command': 'true', 'title': 'SAME', 'respawn': 'after'}");
	config_write("jaildaemon.d/two.json", jail,
		     "[{'name': 'changed', 'jail': %, 'command': 'true', 'title': 'OLD'},"
		     " {'name': 'gone', 'jail': %, 'command': 'true', 'title': 'GONE'}]");
	*daemon = config_start();
	(void)config_wait_armed("same");
	(void)config_wait_armed("changed");
	(void)config_wait_armed("gone");
	return (jail);
}

static void
change(const struct jailfix *jail)
{
	config_write("jaildaemon.d/two.json", jail,
		     "[{'name': 'changed', 'jail': %, 'command': 'true', 'title': 'NEW'}]");
	config_write("jaildaemon.d/added.json", jail,
		     "{'jail': %, 'command': 'true', 'title': 'ADDED'}");
}

START_TEST(configured_probes_are_armed_at_the_start)
{
	struct jailfix *jail;
	pid_t daemon;
	int probe;

	NEEDS_ROOT;
	jail = begin(&daemon);
	ck_assert_int_eq(probe_listed(), 3);
	probe = config_probe("same");
	inside_press(jail, "jaildaemon: SAME");
	probe_wait_count(probe, "runs", 1);
	probe_wait_state(probe, "armed");
	daemon_end(daemon, SIGTERM);
}
END_TEST

static void
check_difference(const struct jailfix *jail, int same, json_int_t pid, int changed)
{
	ck_assert_int_eq(config_probe("same"), same);
	ck_assert_int_eq(probe_int(same, "pid"), pid);
	ck_assert_int_ne(config_wait_armed("changed"), changed);
	ck_assert_int_eq(config_probe("gone"), 0);
	(void)config_wait_armed("added");
	ck_assert_int_eq(probe_listed(), 3);
	inside_wait_count(jail, "jaildaemon: OLD", 0);
	inside_wait_count(jail, "jaildaemon: GONE", 0);
	inside_wait_count(jail, "jaildaemon: SAME", 1);
	inside_wait_count(jail, "jaildaemon: NEW", 1);
	inside_wait_count(jail, "jaildaemon: ADDED", 1);
}

START_TEST(reload_does_the_difference_only)
{
	struct jailfix *jail;
	int same, changed;
	json_int_t pid;
	pid_t daemon;

	NEEDS_ROOT;
	jail = begin(&daemon);
	same = config_probe("same");
	pid = probe_int(same, "pid");
	changed = config_probe("changed");
	change(jail);
	reload("added 1, changed 1, removed 1, unchanged 1, failed 0\n");
	check_difference(jail, same, pid, changed);
	reload("added 0, changed 0, removed 0, unchanged 3, failed 0\n");
}
END_TEST

START_TEST(hangup_does_the_same)
{
	struct jailfix *jail;
	int same, changed;
	json_int_t pid;
	pid_t daemon;

	NEEDS_ROOT;
	jail = begin(&daemon);
	same = config_probe("same");
	pid = probe_int(same, "pid");
	changed = config_probe("changed");
	change(jail);
	ck_assert_int_eq(kill(daemon, SIGHUP), 0);
	file_wait_text(place()->log,
		       "event=configured added=1 changed=1 removed=1 unchanged=1 failed=0\n");
	check_difference(jail, same, pid, changed);
}
END_TEST

START_TEST(probes_added_by_hand_stay)
{
	struct jailfix *jail;
	pid_t daemon;
	int probe;

	NEEDS_ROOT;
	jail = begin(&daemon);
	probe = probe_add(jail, "{s:s,s:s}", "command", "true", "name", "hand");
	config_remove("jaildaemon.d/two.json");
	config_remove("jaildaemon.d/same.json");
	reload("added 0, changed 0, removed 3, unchanged 0, failed 0\n");
	ck_assert_int_eq(probe_listed(), 1);
	ck_assert_str_eq(probe_state(probe), "armed");
}
END_TEST

START_TEST(a_bad_file_changes_nothing)
{
	struct jailfix *jail;
	pid_t daemon;
	int same, changed, gone;

	NEEDS_ROOT;
	jail = begin(&daemon);
	same = config_probe("same");
	changed = config_probe("changed");
	gone = config_probe("gone");
	change(jail);
	config_write("conf", NULL, "{'probes': 1}");
	config_write("jaildaemon.d/zz.json", jail,
		     "{'jail': %,\n  'command': 'true',\n  'cooldown': 'x'}");
	daemon_refuses(1, "jaildaemon.d/zz.json:3:3: \"cooldown\" must be", "--reload", NULL);
	ctl_ask_refused("{\"op\":\"reload\"}", "bad-request", "zz.json:3:3:");
	ck_assert_int_eq(kill(daemon, SIGHUP), 0);
	file_wait_text(place()->log, "event=reload-failed why=\"");
	ck_assert_int_eq(config_probe("same"), same);
	ck_assert_int_eq(config_probe("changed"), changed);
	ck_assert_int_eq(config_probe("gone"), gone);
	ck_assert_int_eq(probe_listed(), 3);
	(void)probe_add(jail, "{s:s}", "command", "true"); /* the limit is no other one either */
	config_remove("jaildaemon.d/zz.json");
	config_write("conf", NULL, "{}");
	reload("added 1, changed 1, removed 1, unchanged 1, failed 0\n");
}
END_TEST

START_TEST(a_bad_file_is_no_start)
{
	struct outcome outcome;

	NEEDS_ROOT;
	config_write("conf", NULL, "{}");
	config_write("jaildaemon.d/a.json", NULL, "{'jail': 1,\n 'command': 7}");
	exec_words(&outcome, daemon_binary(), "-D", "-C", place_at("conf"), "-f", place()->sock,
		   "-p", place()->pidfile, NULL);
	ck_assert_int_eq(outcome.exit, 1);
	ck_assert_ptr_nonnull(strstr(outcome.err, "jaildaemon.d/a.json:2:2: \"command\" must be"));
	outcome_free(&outcome);
}
END_TEST

/* A jail that is not there fails its own probe, and no other. */
START_TEST(one_that_fails_is_told_and_tried_again)
{
	struct jailfix *jail;
	pid_t daemon;

	NEEDS_ROOT;
	jail = begin(&daemon);
	config_write("jaildaemon.d/lost.json", NULL,
		     "{'jail': 'there-is-no-such-jail', 'command': 'true'}");
	reload("added 0, changed 0, removed 0, unchanged 3, failed 1\n");
	file_wait_text(place()->log, "event=configured-probe-failed name=\"lost\"");
	reload("added 0, changed 0, removed 0, unchanged 3, failed 1\n");
	config_write("jaildaemon.d/lost.json", jail, "{'jail': %, 'command': 'true'}");
	reload("added 0, changed 1, removed 0, unchanged 3, failed 0\n");
	(void)config_wait_armed("lost");
}
END_TEST

/* A single shot that was pressed has had its run, and a reload does not load it again. */
START_TEST(single_shots_stay_shot)
{
	struct jailfix *jail;
	pid_t daemon;
	int probe;

	NEEDS_ROOT;
	jail = begin(&daemon);
	probe = config_probe("gone");
	inside_press(jail, "jaildaemon: GONE");
	probe_wait_state(probe, "gone");
	reload("added 0, changed 0, removed 0, unchanged 3, failed 0\n");
	ck_assert_int_eq(inside_count(jail, "jaildaemon: GONE", NULL), 0);
	ck_assert_int_eq(kill((pid_t)probe_int(config_probe("changed"), "pid"), SIGKILL), 0);
	probe_wait_state(config_probe("changed"), "gone");
	reload("added 1, changed 0, removed 0, unchanged 2, failed 0\n");
	(void)config_wait_armed("changed");
}
END_TEST

/* Saved probes and single shots that have had their run are known again. */
START_TEST(a_restart_does_the_difference_only)
{
	struct jailfix *jail;
	pid_t daemon;
	int same, changed, shot;

	NEEDS_ROOT;
	jail = begin(&daemon);
	same = config_probe("same");
	changed = config_probe("changed");
	shot = config_probe("gone");
	inside_press(jail, "jaildaemon: GONE");
	probe_wait_state(shot, "gone");
	daemon_end(daemon, SIGTERM);
	config_write("jaildaemon.d/two.json", jail,
		     "[{'name': 'changed', 'jail': %, 'command': 'true', 'title': 'NEW'},"
		     " {'name': 'gone', 'jail': %, 'command': 'true', 'title': 'GONE'}]");
	daemon = config_start();
	file_wait_text(place()->log,
		       "event=configured added=0 changed=1 removed=0 unchanged=2 failed=0\n");
	ck_assert_int_eq(config_wait_armed("same"), same);
	ck_assert_int_ne(config_wait_armed("changed"), changed);
	ck_assert_int_eq(inside_count(jail, "jaildaemon: GONE", NULL), 0);
	daemon_end(daemon, SIGTERM);
	config_remove("jaildaemon.d/two.json");
	(void)config_start();
	file_wait_text(place()->log,
		       "event=configured added=0 changed=0 removed=1 unchanged=1 failed=0\n");
	ck_assert_int_eq(config_wait_armed("same"), same);
	ck_assert_int_eq(probe_listed(), 1);
}
END_TEST

START_TEST(check_tells_all_that_is_wrong)
{
	struct outcome outcome;

	config_write("conf", NULL, "{\n'runs': 0}");
	config_write("jaildaemon.d/a.json", NULL, "{'jail': 1}");
	config_write("jaildaemon.d/b.json", NULL, "{'jail': 1");
	exec_words(&outcome, daemon_binary(), "-n", "-C", place_at("conf"), NULL);
	ck_assert_int_eq(outcome.exit, 1);
	ck_assert_str_eq(outcome.out, "");
	ck_assert_ptr_nonnull(strstr(outcome.err, "conf:2:1: \"runs\" must be from 1 to 10000\n"));
	ck_assert_ptr_nonnull(
	    strstr(outcome.err, "a.json:1:1: the member \"command\" is missing\n"));
	ck_assert_ptr_nonnull(strstr(outcome.err, "b.json:1:"));
	outcome_free(&outcome);
	config_write("conf", NULL, "{'runs': 1}");
	config_write("jaildaemon.d/a.json", NULL, "{'jail': 1, 'command': 'true'}");
	config_remove("jaildaemon.d/b.json");
	exec_words(&outcome, daemon_binary(), "-n", "-C", place_at("conf"), NULL);
	ck_assert_int_eq(outcome.exit, 0);
	ck_assert_str_eq(outcome.out, "");
	ck_assert_str_eq(outcome.err, "");
	outcome_free(&outcome);
}
END_TEST

/* ---- limits ---- */

static int
add_held_up(const struct jailfix *jail, const char *title)
{
	char command[256];

	(void)snprintf(command, sizeof(command), "read line < %s", place_at("fifo"));
	return (probe_add(jail, "{s:s,s:s,s:s}", "command", command, "title", title, "respawn",
			  "after"));
}

START_TEST(runs_at_once_may_change)
{
	struct jailfix *jail;
	int fifo, one, two;

	NEEDS_ROOT;
	jail = probe_jail();
	fifo = file_fifo(place_at("fifo"));
	config_write("conf", NULL, "{'runs': 1}");
	(void)config_start();
	one = add_held_up(jail, "ONE");
	two = add_held_up(jail, "TWO");
	json_decref(probe_op("trigger", one));
	probe_wait_state(one, "running");
	json_decref(probe_op("trigger", two));
	probe_wait_state(two, "queued");
	config_write("conf", NULL, "{'runs': 2}");
	reload("added 0, changed 0, removed 0, unchanged 0, failed 0\n");
	probe_wait_state(two, "running");
	config_write("conf", NULL, "{'runs': 1}");
	reload("added 0, changed 0, removed 0, unchanged 0, failed 0\n");
	ck_assert_str_eq(probe_state(one), "running");
	ck_assert_str_eq(probe_state(two), "running");
	file_release(fifo, 2);
	probe_wait_state(one, "armed");
	probe_wait_state(two, "armed");
}
END_TEST

START_TEST(number_of_probes)
{
	struct jailfix *jail;

	NEEDS_ROOT;
	jail = probe_jail();
	config_write("conf", NULL, "{'probes': 1}");
	(void)config_start();
	(void)probe_add(jail, "{s:s}", "command", "true");
	probe_add_refused(jail, "limit", "1 probes", "{s:s}", "command", "true");
	config_write("conf", NULL, "{'probes': 2}");
	reload("added 0, changed 0, removed 0, unchanged 0, failed 0\n");
	(void)probe_add(jail, "{s:s}", "command", "true");
}
END_TEST

START_TEST(log_level)
{
	struct jailfix *jail;
	char *before, *after;

	NEEDS_ROOT;
	jail = probe_jail();
	config_write("conf", NULL, "{}");
	(void)config_start();
	config_write("conf", NULL, "{'log_level': 'warning', 'log_facility': 'local3'}");
	reload("added 0, changed 0, removed 0, unchanged 0, failed 0\n");
	before = file_text(place()->log);
	(void)probe_add(jail, "{s:s}", "command", "true");
	after = file_text(place()->log);
	ck_assert_str_eq(before, after);
	config_write("conf", NULL, "{'log_level': 'loud'}");
	daemon_refuses(1, "conf:1:2: the log has no level \"loud\"", "--reload", NULL);
	config_write("conf", NULL, "{'log_level': 'info', 'log_facility': 'kern'}");
	daemon_refuses(1, "conf:1:23: the log has no facility \"kern\"", "--reload", NULL);
	config_write("conf", NULL, "{'log_level': 'info'}");
	reload("added 0, changed 0, removed 0, unchanged 0, failed 0\n");
	(void)probe_add(jail, "{s:s,s:s}", "command", "true", "name", "told");
	file_wait_text(place()->log, "name=\"told\"");
	free(before);
	free(after);
}
END_TEST

START_TEST(default_timeout_and_output)
{
	struct jailfix *jail;
	json_t *last, *answer;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	config_write("conf", NULL, "{'timeout': 0.2, 'output': 3}");
	(void)config_start();
	probe = probe_add(jail, "{s:s}", "command", "echo abcdef; exec sleep 60");
	json_decref(probe_op("trigger", probe));
	last = probe_wait_last(probe);
	ck_assert(ctl_true(last, "timeout"));
	json_decref(last);
	answer = probe_op("output", probe);
	ck_assert_str_eq(ctl_string(answer, "output"), "ef\n");
	json_decref(answer);
	probe = probe_add(jail, "{s:s,s:i}", "command", "sleep 0.5", "timeout", 0);
	json_decref(probe_op("trigger", probe));
	last = probe_wait_last(probe);
	ck_assert_int_eq(ctl_int(last, "exit"), 0);
	json_decref(last);
}
END_TEST

/* Until a connection of ours is let in: those that watched the daemon start are still on their way.
 */
static bool
is_let_in(void *arg)
{
	struct ctl *ctl = arg;
	bool ok;
	char *line;

	ctl_open(ctl);
	(void)ctl_say(ctl, "{\"op\":\"ping\",\"keep\":true}\n");
	line = ctl_line(ctl);
	ok = line != NULL && strstr(line, "\"ok\":true") != NULL;
	free(line);
	if (!ok)
		ctl_close(ctl);
	return (ok);
}

START_TEST(number_of_clients)
{
	struct ctl clients[4];
	json_t *answer, *status;
	size_t i;

	NEEDS_ROOT;
	config_write("conf", NULL, "{'clients': 4}");
	(void)config_start();
	for (i = 0; i < sizeof(clients) / sizeof(clients[0]); i++)
		ck_assert(wait_until(is_let_in, &clients[i]));
	ctl_ask_refused("{\"op\":\"ping\"}", "limit", "4 clients");
	ck_assert(ctl_say(&clients[0], "{\"op\":\"status\"}\n"));
	answer = ctl_answer(&clients[0]);
	status = ctl_member(answer, "status");
	ck_assert_int_eq(ctl_int(status, "clients"), 4);
	ck_assert_int_ge(ctl_int(status, "clients_refused"), 1);
	json_decref(answer);
	for (i = 0; i < sizeof(clients) / sizeof(clients[0]); i++)
		ctl_close(&clients[i]);
}
END_TEST

Suite *
process_config(void)
{
	Suite *suite = suite_create("config");

	PLACE_CASE(suite, configured_probes_are_armed_at_the_start);
	PLACE_CASE(suite, reload_does_the_difference_only);
	PLACE_CASE(suite, hangup_does_the_same);
	PLACE_CASE(suite, probes_added_by_hand_stay);
	PLACE_CASE(suite, a_bad_file_changes_nothing);
	PLACE_CASE(suite, a_bad_file_is_no_start);
	PLACE_CASE(suite, one_that_fails_is_told_and_tried_again);
	PLACE_CASE(suite, single_shots_stay_shot);
	PLACE_CASE(suite, a_restart_does_the_difference_only);
	PLACE_CASE(suite, check_tells_all_that_is_wrong);
	PLACE_CASE(suite, runs_at_once_may_change);
	PLACE_CASE(suite, number_of_probes);
	PLACE_CASE(suite, log_level);
	PLACE_CASE(suite, default_timeout_and_output);
	PLACE_CASE(suite, number_of_clients);
	return (suite);
}
