/*
 * Signals by the thousand, and processes that stand still: the daemon, its launcher, a probe. No
 * press is lost and none is counted twice.
 */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_exec.h"
#include "fixture_file.h"
#include "fixture_inside.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "fixture_wait.h"
#include "starve.h"

#define TITLE  "jaildaemon: T"
#define PROBES 2000

/* Of all probes together. */
struct totals {
	json_int_t armed, triggers, runs;
};

static struct totals
totals(void)
{
	json_t *answer = ctl_ask_ok("{\"op\":\"status\"}"), *status = ctl_member(answer, "status");
	struct totals now = {
	    .armed = ctl_int(ctl_member(status, "states"), "armed"),
	    .triggers = ctl_int(status, "triggers"),
	    .runs = ctl_int(status, "runs"),
	};

	json_decref(answer);
	return (now);
}

static bool
are_armed_after(void *arg)
{
	const json_int_t *runs = arg;
	struct totals now = totals();

	return (now.armed == PROBES && now.runs >= *runs);
}

/* Waits until all are armed, and there have been so many runs; then there are no more. */
static void
wait_armed_after(json_int_t runs)
{
	bool came = wait_until(are_armed_after, &runs);
	struct totals now = totals();

	ck_assert_msg(came && now.runs == runs && now.triggers == runs,
		      "%d armed, %d triggers, %d runs", (int)now.armed, (int)now.triggers,
		      (int)now.runs);
}

/* Over one connection, as fast as it goes. */
static void
add_many(const struct jailfix *jail, const char *respawn)
{
	char request[256];
	struct ctl ctl;
	json_t *answer;
	int i;

	(void)snprintf(request, sizeof(request),
		       "{\"op\":\"add\",\"jail\":%ld,\"command\":\"true\",\"respawn\":\"%s\","
		       "\"keep\":true}\n",
		       jailfix_number(jail), respawn);
	ctl_open(&ctl);
	for (i = 0; i < PROBES; i++) {
		ck_assert(ctl_say(&ctl, request));
		answer = ctl_answer(&ctl);
		ck_assert(json_is_true(json_object_get(answer, "ok")));
		json_decref(answer);
	}
	ctl_close(&ctl);
}

/* As the jail's root. What runs itself is spared by kill(2). */
static int
signal_everyone(void *sig)
{
	return (kill(-1, *(int *)sig) == 0 ? 0 : errno);
}

static void
signal_all(const struct jailfix *jail, int sig)
{
	char out[128];

	ck_assert_int_eq(inside_call(jail, INSIDE_ROOT, signal_everyone, &sig, out, sizeof(out)),
			 0);
}

/* All at once, while the daemon stands still: that is one signal to it in the end. */
static void
signal_all_while_stopped(const struct jailfix *jail, pid_t daemon, int sig)
{
	ck_assert_int_eq(kill(daemon, SIGSTOP), 0);
	signal_all(jail, sig);
	ck_assert_int_eq(kill(daemon, SIGCONT), 0);
}

/* Those that are ended run nothing, those that are pressed run once, and all are back. */
START_TEST(ends_of_thousands_at_once)
{
	struct jailfix *jail;
	int children;
	pid_t daemon;

	NEEDS_ROOT;
	jail = probe_jail();
	daemon = daemon_start();
	add_many(jail, "after");
	children = host_children(daemon);
	signal_all_while_stopped(jail, daemon, SIGTERM);
	file_wait_lines(place()->log, 3 * PROBES); /* added, armed, killed */
	wait_armed_after(0);
	signal_all_while_stopped(jail, daemon, SIGHUP);
	wait_armed_after(PROBES);
	ck_assert_int_eq(host_children(daemon), children);
	daemon_end(daemon, SIGTERM);
}
END_TEST

static int
appender(const struct jailfix *jail)
{
	char command[256];

	(void)snprintf(command, sizeof(command), "echo run >> %s", place_at("ran"));
	return (
	    probe_add(jail, "{s:s,s:s,s:s}", "command", command, "title", "T", "respawn", "after"));
}

/* Whoever asks a daemon that stands still waits, and so does a press. */
START_TEST(daemon_stands_still)
{
	struct jailfix *jail;
	struct ctl ctl;
	json_t *answer;
	pid_t daemon;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	daemon = daemon_start();
	probe = appender(jail);
	ck_assert_int_eq(kill(daemon, SIGSTOP), 0);
	inside_press(jail, TITLE);
	ctl_open(&ctl);
	ck_assert(ctl_say(&ctl, "{\"op\":\"ping\"}\n"));
	inside_wait_count(jail, TITLE, 0);
	ck_assert(!file_exists(place_at("ran")));
	ck_assert_int_eq(kill(daemon, SIGCONT), 0);
	answer = ctl_answer(&ctl);
	ck_assert(json_is_true(json_object_get(answer, "ok")));
	json_decref(answer);
	ctl_close(&ctl);
	file_wait_count(place_at("ran"), "run", 1);
	probe_wait_state(probe, "armed");
	probe_sentinel(jail);
	ck_assert_int_eq(file_count(place_at("ran"), "run"), 1);
	daemon_end(daemon, SIGTERM);
}
END_TEST

/* Its process, which stands still from now on, as who is inside knows it. */
static pid_t
stand_still(const struct jailfix *jail)
{
	pid_t inside = inside_find(jail, TITLE);

	ck_assert_int_eq(inside_signal(jail, INSIDE_ROOT, inside, SIGSTOP), 0);
	return (inside);
}

/* A probe that stands still is pressed as often as one likes, and once when it goes on. */
START_TEST(probe_stands_still)
{
	struct jailfix *jail;
	pid_t daemon, inside;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	daemon = daemon_start();
	probe = appender(jail);
	inside = stand_still(jail);
	inside_press(jail, TITLE);
	inside_press(jail, TITLE);
	probe_sentinel(jail);
	ck_assert_int_eq(probe_int(probe, "triggers"), 0);
	ck_assert_int_eq(inside_signal(jail, INSIDE_ROOT, inside, SIGCONT), 0);
	file_wait_count(place_at("ran"), "run", 1);
	probe_wait_state(probe, "armed");
	ck_assert_int_eq(probe_int(probe, "triggers"), 1);
	daemon_end(daemon, SIGTERM);
}
END_TEST

/* Killed as it stands, its press is gone with it: nothing runs, and another probe takes its place.
 */
START_TEST(probe_dies_as_it_stands)
{
	struct jailfix *jail;
	pid_t daemon, inside;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	daemon = daemon_start();
	probe = appender(jail);
	inside = stand_still(jail);
	inside_press(jail, TITLE);
	ck_assert_int_eq(inside_signal(jail, INSIDE_ROOT, inside, SIGKILL), 0);
	file_wait_text(place()->log, "event=probe-killed");
	probe_wait_state(probe, "armed");
	ck_assert_int_eq(probe_int(probe, "triggers"), 0);
	inside_press(jail, TITLE);
	file_wait_count(place_at("ran"), "run", 1);
	daemon_end(daemon, SIGTERM);
}
END_TEST

/* Nobody waits for it longer than is bearable, and nothing is left of the attempt. */
START_TEST(launcher_stands_still)
{
	struct jailfix *jail;
	pid_t daemon, launcher;
	int children, probe;

	NEEDS_ROOT;
	jail = probe_jail();
	daemon = daemon_start();
	probe = appender(jail);
	children = host_children(daemon);
	launcher = starve_launcher(daemon);
	ck_assert_int_eq(kill(launcher, SIGSTOP), 0);
	probe_add_refused(jail, "attach-failed", "not ready", "{s:s}", "command", "true");
	inside_press(jail, TITLE);
	file_wait_count(place_at("ran"), "run", 1);
	ck_assert_int_eq(kill(launcher, SIGCONT), 0);
	probe_wait_state(probe, "armed");
	probe_sentinel(jail);
	ck_assert_int_eq(host_children(daemon), children);
	daemon_end(daemon, SIGTERM);
}
END_TEST

Suite *
starve_signals(void)
{
	Suite *suite = suite_create("signals");

	PLACE_CASE(suite, ends_of_thousands_at_once);
	PLACE_CASE(suite, daemon_stands_still);
	PLACE_CASE(suite, probe_stands_still);
	PLACE_CASE(suite, probe_dies_as_it_stands);
	PLACE_CASE(suite, launcher_stands_still);
	return (suite);
}
