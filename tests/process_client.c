/*
 * The client's modes, each against a daemon with a jail.
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

#define REFUSED 1

/* The command of most tests: a line more in the place's file. */
static const char *
appending(const char *name)
{
	static char command[256];

	(void)snprintf(command, sizeof(command), "echo run >> %s", place_at(name));
	return (command);
}

static void
client_ok(struct outcome *outcome)
{
	ck_assert_msg(outcome->exit == 0, "exit code %d: %s%s", outcome->exit, outcome->out,
		      outcome->err);
	ck_assert_str_eq(outcome->err, "");
}

/* The number that -c printed, and nothing but the number. */
static int
client_number(struct outcome *outcome)
{
	char expected[32];
	int probe;

	client_ok(outcome);
	probe = atoi(outcome->out);
	ck_assert_int_gt(probe, 0);
	(void)snprintf(expected, sizeof(expected), "%d\n", probe);
	ck_assert_str_eq(outcome->out, expected);
	outcome_free(outcome);
	return (probe);
}

static json_t *
client_json(struct outcome *outcome)
{
	json_error_t error;
	json_t *value;

	client_ok(outcome);
	value = json_loads(outcome->out, JSON_REJECT_DUPLICATES, &error);
	ck_assert_msg(value != NULL, "%s: %s", error.text, outcome->out);
	outcome_free(outcome);
	return (value);
}

START_TEST(command_prints_the_number_once_armed)
{
	struct outcome outcome;
	struct jailfix *jail;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	daemon_client(&outcome, "-c", appending("ran"), "-j", probe_jid(jail), "-t", "ONE", NULL);
	probe = client_number(&outcome);
	ck_assert_str_eq(probe_state(probe), "armed");
	inside_press(jail, "jaildaemon: ONE");
	file_wait_lines(place_at("ran"), 1);
}
END_TEST

START_TEST(numbers_are_never_used_again)
{
	struct outcome outcome;
	struct jailfix *jail;
	int first, second;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	daemon_client(&outcome, "-c", "true", "-j", probe_jid(jail), NULL);
	first = client_number(&outcome);
	json_decref(probe_op("remove", first));
	daemon_client(&outcome, "-c", "true", "-j", probe_jid(jail), NULL);
	second = client_number(&outcome);
	ck_assert_int_gt(second, first);
}
END_TEST

START_TEST(default_title_has_the_number)
{
	struct outcome outcome;
	struct jailfix *jail;
	char title[64];

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	daemon_client(&outcome, "-c", "echo the-command-is-secret", "-j", probe_jid(jail), NULL);
	(void)snprintf(title, sizeof(title), "jaildaemon: probe %d", client_number(&outcome));
	(void)inside_find(jail, title);
	ck_assert(!inside_mentions(jail, "the-command-is-secret"));
}
END_TEST

START_TEST(title_may_have_blanks)
{
	struct outcome outcome;
	struct jailfix *jail;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	daemon_client(&outcome, "-j", probe_jid(jail), "-c", appending("ran"), "-t",
		      "route config update", "-r", NULL);
	(void)client_number(&outcome);
	inside_press(jail, "jaildaemon: route config update");
	file_wait_lines(place_at("ran"), 1);
	inside_wait_count(jail, "jaildaemon: route config update", 1);
}
END_TEST

START_TEST(respawn_options_reach_the_daemon)
{
	struct outcome outcome;
	struct jailfix *jail;
	json_t *object;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	daemon_client(&outcome, "-c", "true", "-j", probe_jid(jail), NULL);
	object = probe_get(client_number(&outcome));
	ck_assert_str_eq(ctl_string(object, "respawn"), "no");
	daemon_client(&outcome, "-c", "true", "-j", probe_jid(jail), "-r", NULL);
	object = probe_get(client_number(&outcome));
	ck_assert_str_eq(ctl_string(object, "respawn"), "after");
	daemon_client(&outcome, "-R", "-c", "true", "-j", probe_jid(jail), NULL);
	object = probe_get(client_number(&outcome));
	ck_assert_str_eq(ctl_string(object, "respawn"), "now");
}
END_TEST

START_TEST(user_and_group_options_reach_the_daemon)
{
	struct outcome outcome;
	struct jailfix *jail;
	json_t *object;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	daemon_client(&outcome, "-c", "true", "-j", probe_jid(jail), "-u", "501", "-g", "502", "-N",
		      "guarded", NULL);
	object = probe_get(client_number(&outcome));
	ck_assert_int_eq(ctl_int(object, "uid"), 501);
	ck_assert_int_eq(ctl_int(object, "gid"), 502);
	ck_assert_str_eq(ctl_string(object, "name"), "guarded");
	daemon_client(&outcome, "-c", "true", "-j", probe_jid(jail), "-u", "root", NULL);
	object = probe_get(client_number(&outcome));
	ck_assert_int_eq(ctl_int(object, "uid"), 0);
}
END_TEST

START_TEST(refusals_are_told_on_standard_error)
{
	struct outcome outcome;

	NEEDS_ROOT;
	(void)daemon_start();
	daemon_client(&outcome, "-c", "true", "-j", "999999999", NULL);
	ck_assert_int_eq(outcome.exit, REFUSED);
	ck_assert_str_eq(outcome.out, "");
	ck_assert_ptr_nonnull(strstr(outcome.err, "999999999"));
	outcome_free(&outcome);
	daemon_refuses(REFUSED, "4711", "-k", "4711", NULL);
	daemon_refuses(REFUSED, "4711", "-x", "4711", NULL);
	daemon_refuses(REFUSED, "4711", "-o", "4711", NULL);
	daemon_refuses(REFUSED, "nobody-has-this", "-k", "nobody-has-this", NULL);
}
END_TEST

START_TEST(list_is_a_table)
{
	struct outcome outcome;
	struct jailfix *jail;
	char number[16];

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	daemon_client(&outcome, "-l", NULL);
	client_ok(&outcome);
	outcome_free(&outcome);
	(void)snprintf(number, sizeof(number), "%d",
		       probe_add(jail, "{s:s,s:s}", "command", "true", "title", "IN_THE_TABLE"));
	daemon_client(&outcome, "-l", NULL);
	client_ok(&outcome);
	ck_assert_ptr_nonnull(strstr(outcome.out, "IN_THE_TABLE"));
	ck_assert_ptr_nonnull(strstr(outcome.out, number));
	ck_assert_ptr_nonnull(strstr(outcome.out, probe_jid(jail)));
	ck_assert_ptr_nonnull(strstr(outcome.out, "armed"));
	outcome_free(&outcome);
}
END_TEST

/* The JSON of a list is an array, or an object that holds it. */
static json_t *
client_probes(struct outcome *outcome)
{
	json_t *value = client_json(outcome);

	return (json_is_array(value) ? value : ctl_member(value, "probes"));
}

START_TEST(list_is_json_too)
{
	struct outcome outcome;
	struct jailfix *jail;
	json_t *probes;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	(void)probe_add(jail, "{s:s,s:s}", "command", "true", "title", "FIRST");
	(void)probe_add(jail, "{s:s,s:s}", "command", "true", "title", "SECOND");
	daemon_client(&outcome, "-l", "--json", NULL);
	probes = client_probes(&outcome);
	ck_assert_uint_eq(json_array_size(probes), 2);
	ck_assert_str_eq(ctl_string(json_array_get(probes, 0), "title"), "FIRST");
	ck_assert_str_eq(ctl_string(json_array_get(probes, 1), "title"), "SECOND");
}
END_TEST

START_TEST(list_narrows_to_a_jail)
{
	struct jailfix *jail, *other;
	struct outcome outcome;
	json_t *probes;

	NEEDS_ROOT;
	jail = probe_jail();
	other = probe_jail();
	(void)daemon_start();
	(void)probe_add(jail, "{s:s,s:s}", "command", "true", "title", "HERE");
	(void)probe_add(other, "{s:s,s:s}", "command", "true", "title", "THERE");
	daemon_client(&outcome, "--list", "--json", "-j", probe_jid(other), NULL);
	probes = client_probes(&outcome);
	ck_assert_uint_eq(json_array_size(probes), 1);
	ck_assert_str_eq(ctl_string(json_array_get(probes, 0), "title"), "THERE");
	daemon_client(&outcome, "-l", "-j", probe_jid(jail), NULL);
	client_ok(&outcome);
	ck_assert_ptr_nonnull(strstr(outcome.out, "HERE"));
	ck_assert_ptr_null(strstr(outcome.out, "THERE"));
	outcome_free(&outcome);
}
END_TEST

START_TEST(status_tells_version_and_pid)
{
	struct outcome outcome, version;
	json_t *status;
	char number[16];
	pid_t daemon;

	NEEDS_ROOT;
	daemon = daemon_start();
	(void)snprintf(number, sizeof(number), "%d", (int)daemon);
	daemon_client(&outcome, "-s", NULL);
	client_ok(&outcome);
	ck_assert_ptr_nonnull(strstr(outcome.out, number));
	outcome_free(&outcome);
	daemon_client(&outcome, "--status", "--json", NULL);
	status = client_json(&outcome);
	if (json_object_get(status, "status") != NULL)
		status = json_object_get(status, "status");
	ck_assert_int_eq(ctl_int(status, "pid"), daemon);
	exec_words(&version, daemon_binary(), "-V", NULL);
	ck_assert_ptr_nonnull(strstr(version.out, ctl_string(status, "version")));
	outcome_free(&version);
}
END_TEST

START_TEST(remove_takes_numbers_and_names)
{
	struct outcome outcome;
	struct jailfix *jail;
	char number[16];

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	(void)snprintf(number, sizeof(number), "%d",
		       probe_add(jail, "{s:s,s:s}", "command", "true", "title", "ONE"));
	(void)probe_add(jail, "{s:s,s:s,s:s}", "command", "true", "title", "TWO", "name", "second");
	daemon_client(&outcome, "-k", number, NULL);
	client_ok(&outcome);
	outcome_free(&outcome);
	inside_wait_count(jail, "jaildaemon: ONE", 0);
	ck_assert_int_eq(inside_count(jail, "jaildaemon: TWO", NULL), 1);
	daemon_client(&outcome, "--remove", "second", NULL);
	client_ok(&outcome);
	outcome_free(&outcome);
	inside_wait_count(jail, "jaildaemon: TWO", 0);
	ck_assert_int_eq(probe_listed(), 0);
	daemon_refuses(REFUSED, number, "-k", number, NULL);
}
END_TEST

START_TEST(trigger_does_what_a_hup_does)
{
	struct outcome outcome;
	struct jailfix *jail;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	probe = probe_add(jail, "{s:s,s:s,s:s}", "command", appending("ran"), "name", "button",
			  "respawn", "after");
	daemon_client(&outcome, "-x", "button", NULL);
	client_ok(&outcome);
	outcome_free(&outcome);
	file_wait_lines(place_at("ran"), 1);
	probe_wait_state(probe, "armed");
	ck_assert_int_eq(probe_int(probe, "triggers"), 1);
	daemon_client(&outcome, "--trigger", "button", NULL);
	client_ok(&outcome);
	outcome_free(&outcome);
	file_wait_lines(place_at("ran"), 2);
}
END_TEST

START_TEST(output_prints_what_the_run_printed)
{
	struct outcome outcome;
	struct jailfix *jail;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	probe = probe_add(jail, "{s:s,s:s,s:s}", "command", "echo to out; echo to err >&2", "name",
			  "talker", "title", "T");
	inside_press(jail, "jaildaemon: T");
	json_decref(probe_wait_last(probe));
	daemon_client(&outcome, "-o", "talker", NULL);
	client_ok(&outcome);
	ck_assert_ptr_nonnull(strstr(outcome.out, "to out\n"));
	ck_assert_ptr_nonnull(strstr(outcome.out, "to err\n"));
	outcome_free(&outcome);
}
END_TEST

START_TEST(replace_option_takes_the_place)
{
	struct outcome outcome;
	struct jailfix *jail;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	daemon_client(&outcome, "-c", "true", "-j", probe_jid(jail), "-N", "named", "-t", "OLD",
		      NULL);
	(void)client_number(&outcome);
	daemon_refuses(REFUSED, "named", "-c", "false", "-j", probe_jid(jail), "-N", "named", "-t",
		       "NEW", NULL);
	ck_assert_int_eq(inside_count(jail, "jaildaemon: NEW", NULL), 0);
	daemon_client(&outcome, "-c", "false", "-j", probe_jid(jail), "-N", "named", "-t", "NEW",
		      "--replace", NULL);
	(void)client_number(&outcome);
	inside_wait_count(jail, "jaildaemon: OLD", 0);
	ck_assert_int_eq(inside_count(jail, "jaildaemon: NEW", NULL), 1);
	ck_assert_int_eq(probe_listed(), 1);
}
END_TEST

START_TEST(stop_ends_the_daemon_in_order)
{
	struct outcome outcome;
	struct jailfix *jail;
	pid_t daemon;

	NEEDS_ROOT;
	jail = probe_jail();
	daemon = daemon_start();
	(void)probe_add(jail, "{s:s,s:s}", "command", "true", "title", "T");
	daemon_client(&outcome, "--stop", NULL);
	client_ok(&outcome);
	outcome_free(&outcome);
	ck_assert_int_eq(exec_wait(daemon), 0);
	ck_assert(!file_exists(place()->sock));
	ck_assert(!file_exists(place()->pidfile));
	ck_assert_int_eq(inside_count(jail, "jaildaemon: T", NULL), 0);
}
END_TEST

/* The original: -p is ignored in utility mode. */
START_TEST(pidfile_is_ignored_by_the_client)
{
	struct outcome outcome;

	NEEDS_ROOT;
	(void)daemon_start();
	daemon_client(&outcome, "-l", "-p", place_at("other.pid"), NULL);
	client_ok(&outcome);
	outcome_free(&outcome);
	ck_assert(!file_exists(place_at("other.pid")));
}
END_TEST

Suite *
process_client(void)
{
	Suite *suite = suite_create("client");

	PLACE_CASE(suite, command_prints_the_number_once_armed);
	PLACE_CASE(suite, numbers_are_never_used_again);
	PLACE_CASE(suite, default_title_has_the_number);
	PLACE_CASE(suite, title_may_have_blanks);
	PLACE_CASE(suite, respawn_options_reach_the_daemon);
	PLACE_CASE(suite, user_and_group_options_reach_the_daemon);
	PLACE_CASE(suite, refusals_are_told_on_standard_error);
	PLACE_CASE(suite, list_is_a_table);
	PLACE_CASE(suite, list_is_json_too);
	PLACE_CASE(suite, list_narrows_to_a_jail);
	PLACE_CASE(suite, status_tells_version_and_pid);
	PLACE_CASE(suite, remove_takes_numbers_and_names);
	PLACE_CASE(suite, trigger_does_what_a_hup_does);
	PLACE_CASE(suite, output_prints_what_the_run_printed);
	PLACE_CASE(suite, replace_option_takes_the_place);
	PLACE_CASE(suite, stop_ends_the_daemon_in_order);
	PLACE_CASE(suite, pidfile_is_ignored_by_the_client);
	return (suite);
}
