/*
 * Which jail is meant: numbers and names, and above all what is no jail.
 */
#include "config.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_file.h"
#include "fixture_inside.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "fixture_suites.h"

#define REFUSED 1
#define TITLE	"jaildaemon: T"

static const char *
appending(void)
{
	static char command[256];

	(void)snprintf(command, sizeof(command), "echo run >> %s", place_at("ran"));
	return (command);
}

/* By the protocol and by the command line; nothing is left behind by either. */
static void
refuse_number(long number, const char *mentions)
{
	char request[512], text[24];

	(void)snprintf(text, sizeof(text), "%ld", number);
	(void)snprintf(request, sizeof(request), "{\"op\":\"add\",\"jail\":%s,\"command\":\"%s\"}",
		       text, appending());
	ctl_ask_refused(request, "no-such-jail", mentions != NULL ? mentions : text);
	daemon_refuses(REFUSED, text, "-c", appending(), "-j", text, NULL);
	ck_assert_int_eq(probe_listed(), 0);
}

START_TEST(host_itself_is_no_jail)
{
	pid_t daemon;

	NEEDS_ROOT;
	SKIP_UNLESS(jailfix_numbers_are_pids(),
		    "a number is a jid here, and no process of the host has one");
	daemon = daemon_start();
	refuse_number(1, NULL);
	refuse_number(getpid(), "host");
	refuse_number(getppid(), "host");
	refuse_number(daemon, "host");
	ck_assert_int_eq(file_lines(place_at("ran")), 0);
}
END_TEST

START_TEST(numbers_that_nobody_has)
{
	NEEDS_ROOT;
	(void)daemon_start();
	refuse_number(999999999, NULL);
	refuse_number(2147483647, NULL);
}
END_TEST

START_TEST(numbers_must_be_numbers_or_names)
{
	struct outcome outcome;

	NEEDS_ROOT;
	(void)daemon_start();
	daemon_client(&outcome, "-c", "true", "-j", "no-jail-is-called-so", NULL);
	ck_assert_int_eq(outcome.exit, REFUSED);
	ck_assert_ptr_nonnull(strstr(outcome.err, "no-jail-is-called-so"));
	outcome_free(&outcome);
	daemon_client(&outcome, "-c", "true", "-j", "", NULL);
	ck_assert_int_ne(outcome.exit, 0);
	outcome_free(&outcome);
	daemon_client(&outcome, "-c", "true", "-j", "-1", NULL);
	ck_assert_int_ne(outcome.exit, 0);
	outcome_free(&outcome);
	ck_assert_int_eq(probe_listed(), 0);
}
END_TEST

START_TEST(any_process_of_the_jail_stands_for_it)
{
	struct jailfix *jail;
	char request[128];
	json_t *answer;
	long member;

	NEEDS_ROOT;
	jail = probe_jail();
	member = jailfix_member(jail);
	SKIP_UNLESS(member != -1, "a number is a jid here");
	(void)daemon_start();
	(void)snprintf(request, sizeof(request),
		       "{\"op\":\"add\",\"jail\":%ld,\"command\":\"true\",\"title\":\"T\"}",
		       member);
	answer = ctl_ask_ok(request);
	ck_assert_int_eq(ctl_int(ctl_member(answer, "probe"), "jid"), jailfix_number(jail));
	json_decref(answer);
	ck_assert_int_eq(inside_count(jail, TITLE, NULL), 1);
	/* The process that was named may go; the jail is still there, and so is the probe. */
	ck_assert_int_eq(kill((pid_t)member, SIGKILL), 0);
	inside_press(jail, TITLE);
}
END_TEST

START_TEST(names_of_jails)
{
	struct jailfix *jail;
	struct outcome outcome;
	const char *name;

	NEEDS_ROOT;
	jail = probe_jail();
	name = jailfix_name(jail);
	SKIP_UNLESS(name != NULL, "a jail without a runtime has no name here");
	(void)daemon_start();
	daemon_client(&outcome, "-c", appending(), "-j", name, "-t", "T", NULL);
	ck_assert_msg(outcome.exit == 0, "%s", outcome.err);
	outcome_free(&outcome);
	inside_press(jail, TITLE);
	file_wait_lines(place_at("ran"), 1);
}
END_TEST

START_TEST(jail_that_has_ended_is_no_jail)
{
	struct jailfix *jail;
	long number;

	NEEDS_ROOT;
	jail = probe_jail();
	number = jailfix_number(jail);
	(void)daemon_start();
	json_decref(probe_op("remove", probe_add(jail, "{s:s}", "command", "true")));
	jailfix_end(jail);
	refuse_number(number, NULL);
}
END_TEST

/* An init that its parent has not waited for is still in the process table, but its jail is gone.
 */
START_TEST(dead_init_is_no_jail)
{
	struct jailfix *jail;
	long number;

	NEEDS_ROOT;
	SKIP_UNLESS(jailfix_numbers_are_pids(), "a jail has no init here");
	jail = probe_jail();
	number = jailfix_number(jail);
	(void)daemon_start();
	ck_assert_int_eq(kill((pid_t)number, SIGKILL), 0);
	exec_wait_gone((pid_t)number);
	refuse_number(number, NULL);
}
END_TEST

Suite *
process_names(void)
{
	Suite *suite = suite_create("names");

	PLACE_CASE(suite, host_itself_is_no_jail);
	PLACE_CASE(suite, numbers_that_nobody_has);
	PLACE_CASE(suite, numbers_must_be_numbers_or_names);
	PLACE_CASE(suite, any_process_of_the_jail_stands_for_it);
	PLACE_CASE(suite, names_of_jails);
	PLACE_CASE(suite, jail_that_has_ended_is_no_jail);
	PLACE_CASE(suite, dead_init_is_no_jail);
	return (suite);
}
