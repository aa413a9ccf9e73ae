/*
 * -D: the caller returns when the socket answers, and what goes on stands on its own feet.
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

#define TITLE "jaildaemon: T"

/* Starts it and returns its pid; that it returns at all shows that nobody kept our pipes. */
static pid_t
detach_as(struct launch *launch, const char *sock, const char *pidfile, const char *state)
{
	char *argv[] = {(char *)(uintptr_t)daemon_binary(),
			(char *)(uintptr_t) "-D",
			(char *)(uintptr_t) "-f",
			(char *)(uintptr_t)sock,
			(char *)(uintptr_t) "-p",
			(char *)(uintptr_t)pidfile,
			(char *)(uintptr_t) "-S",
			(char *)(uintptr_t)state,
			NULL};
	struct outcome outcome;

	launch->argv = argv;
	exec_run(&outcome, launch);
	ck_assert_msg(outcome.exit == 0, "exit code %d: %s", outcome.exit, outcome.err);
	ck_assert_str_eq(outcome.out, "");
	ck_assert_str_eq(outcome.err, "");
	outcome_free(&outcome);
	ck_assert(ctl_alive()); /* at once, without waiting */
	return (daemon_pidfile());
}

static pid_t
detach(void)
{
	struct launch launch = {.argv = NULL};

	return (detach_as(&launch, place()->sock, place()->pidfile, place()->state));
}

static void
press_works(void)
{
	struct jailfix *jail = probe_jail();
	char command[256];

	(void)snprintf(command, sizeof(command), "echo run >> %s", place_at("ran"));
	(void)probe_add(jail, "{s:s,s:s}", "command", command, "title", "T");
	inside_press(jail, TITLE);
	file_wait_lines(place_at("ran"), 1);
}

START_TEST(detached_daemon_answers_at_once)
{
	json_t *answer;
	pid_t daemon;

	NEEDS_ROOT;
	daemon = detach();
	answer = ctl_ask_ok("{\"op\":\"status\"}");
	ck_assert_int_eq(ctl_int(ctl_member(answer, "status"), "pid"), daemon);
	json_decref(answer);
	press_works();
	daemon_end(daemon, SIGTERM);
}
END_TEST

START_TEST(detached_daemon_has_left_our_session)
{
	pid_t daemon;

	NEEDS_ROOT;
	daemon = detach();
	ck_assert_int_ne(getsid(daemon), getsid(0));
	ck_assert_int_ne(getpgid(daemon), getpgrp());
}
END_TEST

START_TEST(detached_daemon_starts_from_nothing)
{
	static char *const empty[] = {NULL};
	struct launch launch = {
	    .env = empty, .closed_stdio = true, .ignoring = true, .blocked = true};
	pid_t daemon;

	NEEDS_ROOT;
	daemon = detach_as(&launch, place()->sock, place()->pidfile, place()->state);
	press_works();
	daemon_end(daemon, SIGTERM);
}
END_TEST

/* Paths are those of the caller's directory, also when the daemon has left it and takes its files
 * away. */
START_TEST(relative_paths_are_the_callers)
{
	struct launch launch = {.argv = NULL};
	pid_t daemon;

	NEEDS_ROOT;
	ck_assert_int_eq(chdir(place()->dir), 0);
	daemon = detach_as(&launch, "s", "pid", "state");
	ck_assert(file_exists(place()->sock));
	ck_assert(file_exists(place()->state));
	daemon_end(daemon, SIGTERM);
}
END_TEST

START_TEST(long_options_start_it_too)
{
	struct outcome outcome;

	NEEDS_ROOT;
	exec_words(&outcome, daemon_binary(), "--daemon", "--pidfile", place()->pidfile, "-f",
		   place()->sock, "--state", place()->state, NULL);
	ck_assert_msg(outcome.exit == 0, "%s", outcome.err);
	outcome_free(&outcome);
	ck_assert(ctl_alive());
	daemon_end(daemon_pidfile(), SIGTERM);
}
END_TEST

START_TEST(stop_ends_a_detached_daemon)
{
	struct outcome outcome;
	pid_t daemon;

	NEEDS_ROOT;
	daemon = detach();
	daemon_client(&outcome, "--stop", NULL);
	ck_assert_msg(outcome.exit == 0, "%s", outcome.err);
	outcome_free(&outcome);
	exec_wait_gone(daemon);
	ck_assert(!file_exists(place()->sock));
	ck_assert(!file_exists(place()->pidfile));
	(void)detach(); /* and all is free for the next */
}
END_TEST

Suite *
process_detached(void)
{
	Suite *suite = suite_create("detached");

	PLACE_CASE(suite, detached_daemon_answers_at_once);
	PLACE_CASE(suite, detached_daemon_has_left_our_session);
	PLACE_CASE(suite, detached_daemon_starts_from_nothing);
	PLACE_CASE(suite, relative_paths_are_the_callers);
	PLACE_CASE(suite, long_options_start_it_too);
	PLACE_CASE(suite, stop_ends_a_detached_daemon);
	return (suite);
}
