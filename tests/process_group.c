/* The configuration file, and the control group that may look but not touch. */
#include "config.h"

#include <sys/stat.h>

#include <check.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_exec.h"
#include "fixture_file.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "fixture_suites.h"

#define GROUP	  4242u
#define OUTSIDER  4243u
#define SOME_USER 4244u

static char words[10][256];

/* A daemon of this place with a configuration of these words. */
static pid_t
start_configured(const char *text)
{
	char *argv[] = {words[0], words[1], words[2], words[3], words[4], words[5],
			words[6], words[7], words[8], words[9], NULL};
	struct launch launch = {.argv = argv};

	file_write(place_at("conf"), text);
	(void)snprintf(words[0], sizeof(words[0]), "%s", daemon_binary());
	(void)snprintf(words[1], sizeof(words[1]), "-F");
	(void)snprintf(words[2], sizeof(words[2]), "-C");
	(void)snprintf(words[3], sizeof(words[3]), "%s", place_at("conf"));
	(void)snprintf(words[4], sizeof(words[4]), "-f");
	(void)snprintf(words[5], sizeof(words[5]), "%s", place()->sock);
	(void)snprintf(words[6], sizeof(words[6]), "-p");
	(void)snprintf(words[7], sizeof(words[7]), "%s", place()->pidfile);
	(void)snprintf(words[8], sizeof(words[8]), "-S");
	(void)snprintf(words[9], sizeof(words[9]), "%s", place()->state);
	return (daemon_start_as(&launch));
}

/* What becomes of one request of a user in a group: 'y' it was done, 'd' denied, 'n' no connection. */
static char
ask_as(gid_t group, const char *request)
{
	int status;
	pid_t child = fork();

	ck_assert_int_ne(child, -1);
	if (child == 0) {
		struct ctl ctl = {0};
		char *answer;

		if (setgroups(0, NULL) != 0 || setgid(group) != 0 || setuid(SOME_USER) != 0)
			_exit('?');
		if (!ctl_try(&ctl, place()->sock))
			_exit('n');
		(void)ctl_say(&ctl, request);
		answer = ctl_line(&ctl);
		_exit(answer == NULL			      ? '0'
		      : strstr(answer, "\"ok\":true") != NULL ? 'y'
		      : strstr(answer, "\"denied\"") != NULL  ? 'd'
							      : 'o');
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return ((char)WEXITSTATUS(status));
}

START_TEST(control_group_may_look_and_nothing_else)
{
	static const char *const looks[] = {"{\"op\":\"ping\"}\n", "{\"op\":\"list\"}\n",
					    "{\"op\":\"get\",\"probe\":1}\n",
					    "{\"op\":\"output\",\"probe\":1}\n",
					    "{\"op\":\"status\"}\n"};
	static const char *const touches[] = {
	    "{\"op\":\"add\",\"jail\":1,\"command\":\"true\"}\n",
	    "{\"op\":\"remove\",\"probe\":1}\n", "{\"op\":\"trigger\",\"probe\":1}\n",
	    "{\"op\":\"stop\"}\n"};
	struct jailfix *jail;
	struct stat st;
	size_t i;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)start_configured("{\"control_group\": 4242}");
	ck_assert_int_eq(chmod(place()->dir, 0755), 0);
	(void)probe_add(jail, "{s:s}", "command", "true");
	ck_assert_int_eq(stat(place()->sock, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0660);
	ck_assert_uint_eq(st.st_gid, GROUP);
	for (i = 0; i < sizeof(looks) / sizeof(looks[0]); i++)
		ck_assert_msg(ask_as(GROUP, looks[i]) == 'y', "%s", looks[i]);
	for (i = 0; i < sizeof(touches) / sizeof(touches[0]); i++)
		ck_assert_msg(ask_as(GROUP, touches[i]) == 'd', "%s", touches[i]);
	ck_assert_int_eq(ask_as(OUTSIDER, looks[0]), 'n');
	ck_assert_int_eq(probe_listed(), 1);
	ck_assert_str_eq(probe_state(1), "armed");
}
END_TEST

/* In a process of the group: holds a connection open until the daemon cuts it off. A pipe tells when
 * it is there. */
static pid_t
look_on(void)
{
	int ends[2];
	char byte;
	pid_t child;

	ck_assert_int_eq(pipe(ends), 0);
	child = fork();
	ck_assert_int_ne(child, -1);
	if (child == 0) {
		struct ctl ctl = {0};
		char *answer;

		if (setgroups(0, NULL) != 0 || setgid(GROUP) != 0 || setuid(SOME_USER) != 0 ||
		    !ctl_try(&ctl, place()->sock) ||
		    !ctl_say(&ctl, "{\"op\":\"ping\",\"keep\":true}\n"))
			_exit(1);
		answer = ctl_line(&ctl);
		if (answer == NULL || write(ends[1], "x", 1) != 1)
			_exit(1);
		_exit(ctl_line(&ctl) == NULL ? 0 : 1);
	}
	close(ends[1]);
	ck_assert_int_eq(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	return (child);
}

/* With the configuration that is read again, members come and go; those that stay are left alone. */
START_TEST(control_group_may_change)
{
	struct stat st;
	pid_t looker;

	NEEDS_ROOT;
	(void)start_configured("{}");
	ck_assert_int_eq(chmod(place()->dir, 0755), 0);
	ck_assert_int_eq(ask_as(GROUP, "{\"op\":\"ping\"}\n"), 'n');
	file_write(place_at("conf"), "{\"control_group\": 4242}");
	json_decref(ctl_ask_ok("{\"op\":\"reload\"}"));
	ck_assert_int_eq(ask_as(GROUP, "{\"op\":\"ping\"}\n"), 'y');
	ck_assert_int_eq(ask_as(GROUP, "{\"op\":\"reload\"}\n"), 'd');
	looker = look_on();
	file_write(place_at("conf"), "{\"control_group\": 4242, \"runs\": 3}");
	json_decref(ctl_ask_ok("{\"op\":\"reload\"}"));
	ck_assert(!exec_gone(looker));
	file_write(place_at("conf"), "{\"control_group\": 4243}");
	json_decref(ctl_ask_ok("{\"op\":\"reload\"}"));
	ck_assert_int_eq(exec_wait(looker), 0);
	ck_assert_int_eq(ask_as(GROUP, "{\"op\":\"ping\"}\n"), 'n');
	ck_assert_int_eq(ask_as(OUTSIDER, "{\"op\":\"ping\"}\n"), 'y');
	file_write(place_at("conf"), "{}");
	json_decref(ctl_ask_ok("{\"op\":\"reload\"}"));
	ck_assert_int_eq(ask_as(OUTSIDER, "{\"op\":\"ping\"}\n"), 'n');
	ck_assert_int_eq(stat(place()->sock, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_uint_eq(st.st_gid, getegid());
}
END_TEST

/* Without one, the socket's mode lets nobody in. */
START_TEST(no_control_group_without_configuration)
{
	struct stat st;

	NEEDS_ROOT;
	(void)start_configured("{}");
	ck_assert_int_eq(chmod(place()->dir, 0755), 0);
	ck_assert_int_eq(stat(place()->sock, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(ask_as(GROUP, "{\"op\":\"ping\"}\n"), 'n');
}
END_TEST

START_TEST(bad_configuration_is_named)
{
	static const struct {
		const char *text, *mentions;
	} cases[] = {{"{\"control_group\":\n  }", "conf:2:"},
		     {"{\"controlgroup\": 1}", "controlgroup"},
		     {"{\"control_group\": true}", "control_group"},
		     {"{\"control_group\": \"no-such-group-here\"}", "no-such-group-here"},
		     {"{\"control_group\": 1, \"control_group\": 2}", "control_group"},
		     {"[]", "object"}};
	struct outcome outcome;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		file_write(place_at("conf"), cases[i].text);
		exec_words(&outcome, daemon_binary(), "-n", "-C", place_at("conf"), NULL);
		ck_assert_int_eq(outcome.exit, 1);
		ck_assert_msg(strstr(outcome.err, cases[i].mentions) != NULL, "%s: %s",
			      cases[i].text, outcome.err);
		outcome_free(&outcome);
	}
	file_write(place_at("conf"), "{\"control_group\": 0}");
	exec_words(&outcome, daemon_binary(), "-D", "-n", "-C", place_at("conf"), NULL);
	ck_assert_int_eq(outcome.exit, 0);
	outcome_free(&outcome);
	exec_words(&outcome, daemon_binary(), "-n", "-C", place_at("none"), NULL);
	ck_assert_int_eq(outcome.exit, 1);
	outcome_free(&outcome);
}
END_TEST

Suite *
process_group(void)
{
	Suite *suite = suite_create("group");

	PLACE_CASE(suite, control_group_may_look_and_nothing_else);
	PLACE_CASE(suite, control_group_may_change);
	PLACE_CASE(suite, no_control_group_without_configuration);
	PLACE_CASE(suite, bad_configuration_is_named);
	return (suite);
}
