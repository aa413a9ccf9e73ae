/*
 * Sticky probes: the jail ends, or ends itself by its own button, and when it is back the button is
 * there again.
 */
#include "config.h"

#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture_bundle.h"
#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_file.h"
#include "fixture_inside.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "fixture_suites.h"
#include "fixture_wait.h"
#include "jailfix_names.h"
#include "runtimewatch.h"

#define TITLE "jaildaemon: AGAIN"

/* The jail's name: no other test has it, and a sweep knows the jail by it. */
static const char *
jail_name(void)
{
	static char name[64];
	char *dot;

	(void)snprintf(name, sizeof(name), "%s_again", strrchr(place()->dir, '/') + 1);
	while ((dot = strchr(name, '.')) != NULL)
		*dot = '_';
	return (name);
}

static struct jailfix *
named_jail(void)
{
	struct jailfix *jail = probe_jail();

	jailfix_call(jail, jail_name());
	return (jail);
}

/* A sticky probe for the jail of this name, there or not; its number. */
static int
sticky_probe(const char *name, const char *command, const char *respawn)
{
	json_t *answer = ctl_ask_json(json_pack("{s:s,s:s,s:s,s:s,s:s,s:b}", "op", "add", "jail",
						name, "command", command, "title", "AGAIN",
						"respawn", respawn, "sticky", 1));
	int probe;

	ck_assert(ctl_true(answer, "ok"));
	probe = (int)ctl_int(ctl_member(answer, "probe"), "probe");
	json_decref(answer);
	return (probe);
}

struct arming {
	int probe;
	long jid;
};

static bool
is_armed_in(void *arg)
{
	const struct arming *arming = arg;
	json_t *object = probe_get(arming->probe);
	bool armed = strcmp(ctl_string(object, "state"), "armed") == 0 &&
		     json_integer_value(json_object_get(object, "jid")) == arming->jid;

	json_decref(object);
	return (armed);
}

static void
wait_armed_in(int probe, const struct jailfix *jail)
{
	struct arming arming = {.probe = probe, .jid = jailfix_number(jail)};

	ck_assert_msg(wait_until(is_armed_in, &arming), "probe %d is %s and never came to %ld",
		      probe, probe_state(probe), arming.jid);
}

START_TEST(comes_back_with_its_jail)
{
	struct jailfix *jail;
	char command[256];
	int probe, round;

	NEEDS_ROOT;
	jailfix_names_begin();
	(void)daemon_start();
	(void)snprintf(command, sizeof(command), "echo run >> %s", place_at("ran"));
	probe = sticky_probe(jail_name(), command, "after");
	ck_assert_str_eq(probe_state(probe), "waiting");
	for (round = 1; round <= 3; round++) {
		jail = named_jail();
		wait_armed_in(probe, jail);
		inside_press(jail, TITLE);
		file_wait_lines(place_at("ran"), round);
		wait_armed_in(probe, jail);
		jailfix_end(jail);
		probe_wait_state(probe, "waiting");
	}
	ck_assert_int_eq(probe_int(probe, "triggers"), 3);
	ck_assert_int_eq(file_lines(place_at("ran")), 3);
}
END_TEST

/* What a jail's start script says when the jail is there; once it has said it nothing waits any
 * more. */
START_TEST(check_jail_makes_it_immediate)
{
	struct outcome outcome;
	struct jailfix *jail;
	int probe, round;

	NEEDS_ROOT;
	jailfix_names_begin();
	(void)daemon_start();
	probe = sticky_probe(jail_name(), "true", "after");
	for (round = 1; round <= 3; round++) {
		daemon_client(&outcome, "--check-jail", jail_name(), NULL);
		ck_assert_int_eq(outcome.exit, 0);
		ck_assert_str_eq(outcome.out, "0\n");
		outcome_free(&outcome);
		ck_assert_str_eq(probe_state(probe), "waiting");
		jail = named_jail();
		daemon_client(&outcome, "--check-jail", jail_name(), NULL);
		ck_assert_int_eq(outcome.exit, 0);
		ck_assert_str_ne(probe_state(probe), "waiting");
		outcome_free(&outcome);
		wait_armed_in(probe, jail);
		jailfix_end(jail);
		probe_wait_state(probe, "waiting");
	}
}
END_TEST

START_TEST(check_takes_a_name)
{
	NEEDS_ROOT;
	(void)daemon_start();
	ctl_ask_refused("{\"op\":\"check\"}", "bad-request", "jail");
	ctl_ask_refused("{\"op\":\"check\",\"jail\":\"\"}", "bad-request", "jail");
	ctl_ask_refused("{\"op\":\"check\",\"jail\":7}", "bad-request", "jail");
	ctl_ask_refused("{\"op\":\"check\",\"jail\":\"a\",\"probe\":1}", "bad-request", "probe");
	json_decref(ctl_ask_ok("{\"op\":\"check\",\"jail\":\"/../*\"}"));
}
END_TEST

/* The command takes its time; what was pressed in the old jail is armed in the new one. */
static void
restart_during_run(const char *respawn)
{
	struct jailfix *jail, *next;
	char command[256];
	int probe, fifo;

	jailfix_names_begin();
	fifo = file_fifo(place_at("gate"));
	(void)snprintf(command, sizeof(command), "echo run >> %s; read x < %s", place_at("ran"),
		       place_at("gate"));
	jail = named_jail();
	(void)daemon_start();
	probe = sticky_probe(jail_name(), command, respawn);
	wait_armed_in(probe, jail);
	inside_press(jail, TITLE);
	file_wait_lines(place_at("ran"), 1);
	jailfix_end(jail);
	next = named_jail();
	if (strcmp(respawn, "after") == 0)
		ck_assert_str_eq(probe_state(probe), "running");
	else
		wait_armed_in(probe, next); /* while the command goes on */
	file_release(fifo, 1);
	wait_armed_in(probe, next);
	inside_press(next, TITLE);
	file_wait_lines(place_at("ran"), 2);
	file_release(fifo, 1);
	wait_armed_in(probe, next);
	ck_assert_int_eq(probe_int(probe, "triggers"), 2);
	ck_assert_int_eq(probe_int(probe, "runs"), 2);
}

START_TEST(jail_restarts_while_the_command_runs)
{
	NEEDS_ROOT;
	restart_during_run("after");
}
END_TEST

START_TEST(jail_restarts_while_overlapping_commands_run)
{
	NEEDS_ROOT;
	restart_during_run("now");
}
END_TEST

/* Each runtime's own files, with the prefix and without. */
START_TEST(runtimes_are_told_apart)
{
	static const char *const names[] = {"machined:jd-a", "runc:jd-b", "containerd:jd-c",
					    "crun:jd-d"};
	struct jailfix *jails[4];
	int with[4], without[4];
	size_t i;

	NEEDS_ROOT;
	SKIP_UNLESS(jailfix_numbers_are_pids(), "jails have names of their own here");
	jailfix_names_begin();
	(void)daemon_start();
	for (i = 0; i < 4; i++) {
		with[i] = sticky_probe(names[i], "true", "no");
		without[i] = sticky_probe(strchr(names[i], ':') + 1, "true", "no");
		jails[i] = probe_jail();
	}
	for (i = 0; i < 4; i++)
		jailfix_call(jails[i], names[i]);
	for (i = 0; i < 4; i++) {
		wait_armed_in(with[i], jails[i]);
		wait_armed_in(without[i], jails[i]);
	}
	ctl_ask_refused("{\"op\":\"add\",\"jail\":\"crun:jd-b\",\"command\":\"true\"}",
			"no-such-jail", "crun:jd-b");
}
END_TEST

static bool
speaks_up(void *arg)
{
	struct pollfd wait = {.fd = *(const int *)arg, .events = POLLIN};

	return (poll(&wait, 1, 0) == 1);
}

/* Others may start containers meanwhile, in another test. */
static bool
is_quiet(void *arg)
{
	runtimewatch_renew(*(const int *)arg);
	return (!speaks_up(arg));
}

START_TEST(system_tells_of_new_jails)
{
	int fd;

	NEEDS_ROOT;
	jailfix_names_begin();
	fd = runtimewatch_open();
	SKIP_UNLESS(fd >= 0, "this system tells nobody of new jails");
	ck_assert(wait_until(is_quiet, &fd));
	(void)named_jail(); /* its directory was not there */
	ck_assert(wait_until(speaks_up, &fd));
	ck_assert(wait_until(is_quiet, &fd));
	jailfix_call(probe_jail(), "jd-another");
	ck_assert(wait_until(speaks_up, &fd));
}
END_TEST

/* ---- a real container ---- */

/* A script that (re)starts the container, for us and for its own button. */
static const char *
restart_script(void)
{
	static char command[128];
	char script[1024];

	bundle_describe();
	(void)snprintf(script, sizeof(script),
		       "runc delete -f %s\n"
		       "runc run -d -b '%s' --pid-file '%s' %s </dev/null >'%s' 2>&1 || exit 1\n"
		       "echo restarted >> '%s'\n",
		       bundle_name(), place()->dir, place_at("init"), bundle_name(),
		       place_at("runc.log"), place_at("restarts"));
	file_write(place_at("restart"), script);
	(void)snprintf(command, sizeof(command), "runc delete -f %s 2>/dev/null", bundle_name());
	place_afterwards(command);
	(void)snprintf(command, sizeof(command), "sh '%s'", place_at("restart"));
	return (command);
}

/* Why there can be no container here; null: there is one. */
static const char *
container_missing(void)
{
	static char reason[256];
	const char *why = NULL;
	struct outcome outcome;
	char *text;

	if (place_tool("runc") == NULL)
		return ("no runc here");
	if (host_in_chroot())
		return ("in a chroot runc exec stands in the real root");
	if (place_tool("pkill") == NULL)
		return ("no pkill here");
	if (bundle_root(&why) == NULL)
		return (why);
	exec_words(&outcome, "/bin/sh", "-c", restart_script(), NULL);
	text = file_text(place_at("runc.log"));
	(void)snprintf(reason, sizeof(reason), "runc does not start a container here: %.180s",
		       text);
	reason[strcspn(reason, "\n")] = '\0';
	why = outcome.exit == 0 ? NULL : reason;
	outcome_free(&outcome);
	free(text);
	return (why);
}

static long
container_init(void)
{
	char *text = file_text(place_at("init"));
	long init = strtol(text, NULL, 10);

	free(text);
	ck_assert_int_gt(init, 0);
	return (init);
}

static void
container_wait_armed(int probe)
{
	struct arming arming = {.probe = probe, .jid = container_init()};
	struct outcome outcome;

	ck_assert_msg(wait_until(is_armed_in, &arming), "probe %d is %s", probe,
		      probe_state(probe));
	exec_words(&outcome, "runc", "exec", bundle_name(), "/bin/ps", "-o", "args", NULL);
	ck_assert_msg(strstr(outcome.out, TITLE) != NULL, "%s%s", outcome.out, outcome.err);
	outcome_free(&outcome);
}

START_TEST(container_restarts_itself)
{
	const char *reason;
	struct outcome outcome;
	long before;
	int probe, round;

	NEEDS_ROOT;
	reason = container_missing();
	SKIP_UNLESS(reason == NULL, reason);
	(void)daemon_start();
	probe = sticky_probe(bundle_name(), restart_script(), "after");
	container_wait_armed(probe);
	for (round = 1; round <= 3; round++) {
		before = container_init();
		exec_words(&outcome, "runc", "exec", bundle_name(), "/usr/bin/pkill", "-HUP", "-f",
			   "AGAIN", NULL);
		outcome_free(&outcome);
		file_wait_lines(place_at("restarts"), round + 1);
		ck_assert_int_ne(container_init(), before);
		container_wait_armed(probe);
		ck_assert_int_eq(probe_int(probe, "triggers"), round);
	}
	ck_assert_int_eq(probe_int(probe, "runs"), 3);
}
END_TEST

/* Nothing but runc's own init is in it before it is started. */
START_TEST(container_that_is_not_started_is_not_there)
{
	struct outcome outcome;
	const char *reason;
	char command[512];
	int probe;

	NEEDS_ROOT;
	reason = container_missing();
	SKIP_UNLESS(reason == NULL, reason);
	(void)daemon_start();
	(void)snprintf(command, sizeof(command),
		       "runc delete -f %s && "
		       "runc create -b '%s' --pid-file '%s' %s </dev/null >'%s' 2>&1",
		       bundle_name(), place()->dir, place_at("init"), bundle_name(),
		       place_at("runc.log"));
	exec_words(&outcome, "/bin/sh", "-c", command, NULL);
	ck_assert_int_eq(outcome.exit, 0);
	outcome_free(&outcome);
	probe = sticky_probe(bundle_name(), "true", "after");
	daemon_client(&outcome, "--check-jail", bundle_name(), NULL);
	ck_assert_str_eq(outcome.out, "0\n");
	outcome_free(&outcome);
	ck_assert_str_eq(probe_state(probe), "waiting");
	exec_words(&outcome, "runc", "start", bundle_name(), NULL);
	ck_assert_int_eq(outcome.exit, 0);
	outcome_free(&outcome);
	container_wait_armed(probe);
}
END_TEST

Suite *
process_sticky(void)
{
	Suite *suite = suite_create("sticky");

	PLACE_CASE(suite, comes_back_with_its_jail);
	PLACE_CASE(suite, check_jail_makes_it_immediate);
	PLACE_CASE(suite, check_takes_a_name);
	PLACE_CASE(suite, jail_restarts_while_the_command_runs);
	PLACE_CASE(suite, jail_restarts_while_overlapping_commands_run);
	PLACE_CASE(suite, runtimes_are_told_apart);
	PLACE_CASE(suite, system_tells_of_new_jails);
	PLACE_CASE(suite, container_restarts_itself);
	PLACE_CASE(suite, container_that_is_not_started_is_not_there);
	return (suite);
}
