/*
 * A jail that presses without end: all presses are accounted for, nobody is disarmed, and its
 * neighbour is served.
 */
#include "config.h"

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_exec.h"
#include "fixture_file.h"
#include "fixture_inside.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "fixture_suites.h"
#include "fixture_wait.h"

#define PRESSES 5 /* of the neighbour, at least, while the storm goes on */

/* Who storms in a jail; it goes on until nobody holds the other end of the pipe. */
struct storm {
	pid_t pid;
	int ends[2];
};

struct stormed {
	int probe;
	const char *effect; /* a line for each run */
	const char *member; /* of the probe: the storm goes on until it has reached the value */
	int value;
};

static int
press_on(void *arg)
{
	struct storm *storm = arg;
	struct pollfd other = {.fd = storm->ends[0], .events = POLLIN};

	(void)signal(SIGHUP, SIG_IGN);
	while (poll(&other, 1, 0) == 0)
		(void)kill(-1, SIGHUP); /* or nobody is there to be pressed just now */
	return (0);
}

/* Goes into the jail and presses there, beside whatever the test does. */
static void
storm_start(struct storm *storm, const struct jailfix *jail)
{
	char out[256];

	ck_assert_int_eq(pipe2(storm->ends, O_CLOEXEC), 0);
	storm->pid = fork();
	ck_assert_int_ne(storm->pid, -1);
	if (storm->pid == 0) {
		(void)close(storm->ends[1]);
		_exit(inside_call(jail, INSIDE_ROOT, press_on, storm, out, sizeof(out)));
	}
	(void)close(storm->ends[0]);
}

static void
storm_end(struct storm *storm)
{
	(void)close(storm->ends[1]);
	ck_assert_int_eq(exec_wait(storm->pid), 0);
}

static void
stormed_add(struct stormed *stormed, const struct jailfix *jail, const char *respawn,
	    const char *limits)
{
	char request[512];
	json_t *answer;

	(void)snprintf(request, sizeof(request),
		       "{\"op\":\"add\",\"jail\":%ld,\"command\":\"echo run >> %s\","
		       "\"respawn\":\"%s\"%s}",
		       jailfix_number(jail), stormed->effect, respawn, limits);
	answer = ctl_ask_ok(request);
	stormed->probe = (int)ctl_int(ctl_member(answer, "probe"), "probe");
	json_decref(answer);
}

static bool
is_settled(void *arg)
{
	const struct stormed *stormed = arg;
	json_t *object = probe_get(stormed->probe);
	json_int_t runs = ctl_int(object, "runs");
	bool settled = strcmp(ctl_string(object, "state"), "armed") == 0 &&
		       ctl_int(object, "triggers") == runs + ctl_int(object, "coalesced") &&
		       file_lines(stormed->effect) == runs;

	json_decref(object);
	return (settled);
}

/* Every press has its run or is told as coalesced, every run was one, and it is armed once more. */
static void
expect_settled(struct stormed *stormed)
{
	ck_assert_msg(wait_until(is_settled, stormed),
		      "probe %d: %d triggers, %d runs, %d coalesced, %d lines", stormed->probe,
		      (int)probe_int(stormed->probe, "triggers"),
		      (int)probe_int(stormed->probe, "runs"),
		      (int)probe_int(stormed->probe, "coalesced"), file_lines(stormed->effect));
}

static void
await_storm(const struct stormed *stormed)
{
	probe_wait_count(stormed->probe, stormed->member, stormed->value);
}

/* Each press has its run before the next one comes. */
static void
press_beside(const struct stormed *neighbour)
{
	int presses;

	for (presses = 1; presses <= PRESSES; presses++) {
		probe_wait_state(neighbour->probe, "armed");
		ck_assert_int_eq(kill((pid_t)probe_int(neighbour->probe, "pid"), SIGHUP), 0);
		probe_wait_count(neighbour->probe, "runs", presses);
		ck_assert_int_eq(probe_int(neighbour->probe, "triggers"), presses);
	}
}

/* A jail with a probe of either kind storms, until each has been what it is to be; another jail is
 * served meanwhile. How long that took, in milliseconds. */
static long long
storm_at_two(const char *limits, struct stormed *after, struct stormed *now)
{
	struct jailfix *jail = probe_jail(), *other = probe_jail();
	struct stormed neighbour = {.effect = place_at("neighbour")};
	struct storm storm;
	long long began;

	(void)daemon_start();
	stormed_add(after, jail, "after", limits);
	stormed_add(now, jail, "now", limits);
	stormed_add(&neighbour, other, "after", ",\"cooldown\":0");
	began = wait_now();
	storm_start(&storm, jail);
	press_beside(&neighbour);
	await_storm(after);
	await_storm(now);
	storm_end(&storm);
	expect_settled(after);
	expect_settled(now);
	expect_settled(&neighbour);
	ck_assert_int_eq(probe_int(neighbour.probe, "coalesced"), 0);
	return (wait_now() - began);
}

START_TEST(loop_at_the_default_rate_is_throttled)
{
	struct stormed after = {.effect = place_at("after"), .member = "throttled", .value = 2};
	struct stormed now = {.effect = place_at("now"), .member = "throttled", .value = 2};
	long long most;

	NEEDS_ROOT;
	/* The burst, and then one in a second; the last of them may be about to begin. */
	most = 10 + storm_at_two("", &after, &now) / 1000 + 1;
	ck_assert_int_gt(probe_int(after.probe, "triggers"), 10);
	ck_assert_int_le(probe_int(after.probe, "triggers"), most);
	ck_assert_int_gt(probe_int(now.probe, "triggers"), 10);
	ck_assert_int_le(probe_int(now.probe, "triggers"), most);
}
END_TEST

START_TEST(loop_with_a_cooldown_is_throttled)
{
	struct stormed after = {.effect = place_at("after"), .member = "throttled", .value = 4};
	struct stormed now = {.effect = place_at("now"), .member = "throttled", .value = 4};
	long long most;

	NEEDS_ROOT;
	most = storm_at_two(",\"cooldown\":0.25", &after, &now) / 250 + 2;
	ck_assert_int_ge(probe_int(after.probe, "runs"), 4);
	ck_assert_int_le(probe_int(after.probe, "runs"), most);
	ck_assert_int_ge(probe_int(now.probe, "runs"), 4);
	ck_assert_int_le(probe_int(now.probe, "runs"), most);
}
END_TEST

START_TEST(loop_without_a_limit_is_counted)
{
	struct stormed after = {.effect = place_at("after"), .member = "runs", .value = 100};
	struct stormed now = {.effect = place_at("now"), .member = "runs", .value = 100};

	NEEDS_ROOT;
	(void)storm_at_two(",\"cooldown\":0", &after, &now);
	ck_assert_int_eq(probe_int(after.probe, "coalesced"), 0);
	ck_assert_int_eq(probe_int(after.probe, "throttled"), 0);
	ck_assert_int_eq(probe_int(now.probe, "throttled"), 0);
}
END_TEST

/* As many runs as may overlap hang, and one more stands for all presses that came meanwhile. */
static void
storm_at_hanging(int max_runs)
{
	struct stormed stormed = {.effect = place_at("ran"), .member = "coalesced", .value = 50};
	struct jailfix *jail = probe_jail();
	struct storm storm;
	char command[256];
	int fifo;

	(void)daemon_start();
	fifo = file_fifo(place_at("fifo"));
	(void)snprintf(command, sizeof(command), "read line < %s; echo run >> %s", place_at("fifo"),
		       stormed.effect);
	stormed.probe = probe_add(jail, "{s:s,s:s,s:s,s:i,s:i}", "command", command, "title", "T",
				  "respawn", "now", "cooldown", 0, "max_runs", max_runs);
	storm_start(&storm, jail);
	await_storm(&stormed);
	storm_end(&storm);
	/* It may have been pressed on its way into the jail: that is seen once it is there. */
	probe_wait_state(stormed.probe, "armed");
	probe_sentinel(jail);
	probe_wait_state(stormed.probe, "armed");
	ck_assert_int_eq(probe_int(stormed.probe, "runs"), max_runs);
	ck_assert_int_eq(file_lines(stormed.effect), 0);
	file_release(fifo, max_runs + 1);
	expect_settled(&stormed);
	ck_assert_int_eq(probe_int(stormed.probe, "runs"), max_runs + 1);
}

START_TEST(loop_past_one_run_is_coalesced)
{
	NEEDS_ROOT;
	storm_at_hanging(1);
}
END_TEST

START_TEST(loop_past_three_runs_is_coalesced)
{
	NEEDS_ROOT;
	storm_at_hanging(3);
}
END_TEST

Suite *
process_storm(void)
{
	Suite *suite = suite_create("storm");

	PLACE_CASE(suite, loop_at_the_default_rate_is_throttled);
	PLACE_CASE(suite, loop_with_a_cooldown_is_throttled);
	PLACE_CASE(suite, loop_without_a_limit_is_counted);
	PLACE_CASE(suite, loop_past_one_run_is_coalesced);
	PLACE_CASE(suite, loop_past_three_runs_is_coalesced);
	return (suite);
}
