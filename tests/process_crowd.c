/*
 * Many probes that are pressed at once, in one jail and in several: each has its one run, and the
 * runs keep to their bound, their turns and their time.
 */
#include "config.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

#define CROWD	1000
#define WINDOW	50 /* requests on their way: fewer than the daemon takes of one client */
#define JAILS	3
#define BOUND	4
#define LINE	20 /* probes of each of several jails */
#define HANGING 20

static int
press_once(void *unused)
{
	(void)unused;
	(void)signal(SIGHUP, SIG_IGN);
	return (kill(-1, SIGHUP) == 0 ? 0 : 1);
}

static void
press_everyone(const struct jailfix *jail)
{
	char out[256];

	ck_assert_int_eq(inside_call(jail, INSIDE_ROOT, press_once, NULL, out, sizeof(out)), 0);
}

/* Adds them over one connection; a run says that it starts, waits until it is let
 * go, and says that it ends. Their numbers follow one
 * another. */
static int
crowd_add(const struct jailfix *jail, int count)
{
	static const char *const respawns[] = {"no", "after", "now"};
	int first = 0, said = 0, heard = 0;
	char request[512];
	json_t *answer;
	struct ctl ctl;

	ctl_open(&ctl);
	for (; heard < count; heard++) {
		for (; said < count && said - heard < WINDOW; said++) {
			(void)snprintf(
			    request, sizeof(request),
			    "{\"op\":\"add\",\"keep\":true,\"jail\":%ld,\"command\":\"echo "
			    "start $JAILDAEMON_PROBE >> %s; read line < %s; echo end "
			    "$JAILDAEMON_PROBE >> %s\",\"title\":\"T\",\"respawn\":\"%s\"}\n",
			    jailfix_number(jail), place_at("ran"), place_at("fifo"),
			    place_at("ran"), respawns[said % 3]);
			ck_assert(ctl_say(&ctl, request));
		}
		answer = ctl_answer(&ctl);
		ck_assert(ctl_true(answer, "ok"));
		if (heard == 0)
			first = (int)ctl_int(ctl_member(answer, "probe"), "probe");
		json_decref(answer);
	}
	ctl_close(&ctl);
	return (first);
}

/* What the runs have told: they write line by line, and a place is free only when its run has
 * ended, so the order of the lines is the order in time. */
struct census {
	int started[CROWD + 1], ended[CROWD + 1]; /* by number */
	int most;				  /* at once */
};

static void
take_census(struct census *census)
{
	char *text = file_text(place_at("ran")), *rest = text, *line;
	int number, now = 0;

	memset(census, 0, sizeof(*census));
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		bool starts = strncmp(line, "start ", 6) == 0;

		number = atoi(line + (starts ? 6 : 4));
		ck_assert_msg(number >= 1 && number <= CROWD, "%s", line);
		(starts ? census->started : census->ended)[number]++;
		now += starts ? 1 : -1;
		if (now > census->most)
			census->most = now;
	}
	free(text);
}

/* All of them have had their one run, never more than the bound at once. */
static void
expect_one_run_each(int fifo, int count, int bound)
{
	static struct census census;
	int number;

	file_wait_lines(place_at("ran"), bound);
	file_release(fifo, count);
	file_wait_lines(place_at("ran"), 2 * count);
	take_census(&census);
	for (number = 1; number <= count; number++)
		ck_assert_msg(census.started[number] == 1 && census.ended[number] == 1,
			      "probe %d was started %d times, and ended %d", number,
			      census.started[number], census.ended[number]);
	ck_assert_int_eq(census.most, bound);
}

struct roll {
	int count;
	json_int_t listed, armed, triggers, runs;
};

/* The single shots are gone; the others are armed again, with one trigger and one run each. */
static bool
call_roll(void *arg)
{
	struct roll *roll = arg;
	json_t *answer = ctl_ask_ok("{\"op\":\"list\"}"), *probe;
	size_t i;

	roll->listed = roll->armed = roll->triggers = roll->runs = 0;
	json_array_foreach(ctl_member(answer, "probes"), i, probe) {
		roll->listed++;
		roll->armed += strcmp(ctl_string(probe, "state"), "armed") == 0;
		roll->triggers += ctl_int(probe, "triggers");
		roll->runs += ctl_int(probe, "runs");
	}
	json_decref(answer);
	return (roll->listed == roll->count && roll->armed == roll->count);
}

static void
expect_all_but_single_shots(int count)
{
	struct roll roll = {.count = count};

	ck_assert_msg(wait_until(call_roll, &roll), "of %d probes %d are listed, %d armed", count,
		      (int)roll.listed, (int)roll.armed);
	ck_assert_int_eq(roll.triggers, count);
	ck_assert_int_eq(roll.runs, count);
}

START_TEST(thousand_pressed_at_once_run_once_each)
{
	struct jailfix *jail;
	int fifo;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	fifo = file_fifo(place_at("fifo"));
	ck_assert_int_eq(crowd_add(jail, CROWD), 1);
	press_everyone(jail);
	expect_one_run_each(fifo, CROWD, 16);
	expect_all_but_single_shots(CROWD - (CROWD + 2) / 3);
	ck_assert_int_eq(inside_count(jail, "jaildaemon: T", NULL), CROWD - (CROWD + 2) / 3);
}
END_TEST

START_TEST(three_jails_at_once_keep_to_the_bound)
{
	struct jailfix *jails[JAILS];
	int fifo, i;

	NEEDS_ROOT;
	config_write("conf", NULL, "{'runs': 4}");
	(void)config_start();
	fifo = file_fifo(place_at("fifo"));
	for (i = 0; i < JAILS; i++) {
		jails[i] = probe_jail();
		ck_assert_int_eq(crowd_add(jails[i], 3 * LINE), 1 + i * 3 * LINE);
	}
	for (i = 0; i < JAILS; i++)
		press_everyone(jails[i]);
	expect_one_run_each(fifo, JAILS * 3 * LINE, BOUND);
	expect_all_but_single_shots(JAILS * 2 * LINE);
}
END_TEST

/* ---- in turn ---- */

struct turn {
	int jail, probe, fifo;
};

/* Its run tells that it started, and ends when its fifo says so. */
static void
turn_add(struct turn *turn, const struct jailfix *jail, int which)
{
	static const char *const respawns[] = {"no", "after", "now"};
	char command[384], name[32];

	(void)snprintf(name, sizeof(name), "fifo.%d", which);
	turn->fifo = file_fifo(place_at(name));
	(void)snprintf(command, sizeof(command), "echo $JAILDAEMON_PROBE >> %s; read line < %s",
		       place_at("ran"), place_at(name));
	turn->probe = probe_add(jail, "{s:s,s:s,s:s}", "command", command, "title", "T", "respawn",
				respawns[which % 3]);
}

static void
turn_press(const struct turn *turn)
{
	ck_assert_int_eq(kill((pid_t)probe_int(turn->probe, "pid"), SIGHUP), 0);
	probe_wait_count(turn->probe, "triggers", 1);
}

/* The run that started as the Nth, counted from 0. */
static const struct turn *
turn_started(const struct turn *turns, int nth)
{
	char *text, *rest, *line = NULL;
	int i, probe;

	file_wait_lines(place_at("ran"), nth + 1);
	rest = text = file_text(place_at("ran"));
	for (i = 0; i <= nth; i++)
		line = strsep(&rest, "\n");
	probe = atoi(line);
	free(text);
	for (i = 0; i < JAILS * LINE; i++)
		if (turns[i].probe == probe)
			return (&turns[i]);
	ck_abort_msg("\"%d\" is none of them", probe);
}

/* The jails press one after another, the first one all that it has, in no order of their numbers:
 * the last one's first turn comes all the same before the first one's second. */
START_TEST(jails_take_turns_and_each_keeps_its_order)
{
	static struct turn turns[JAILS * LINE];
	int place, i, at_once = 0, next[JAILS] = {0};
	struct jailfix *jail = NULL;
	const struct turn *started;

	NEEDS_ROOT;
	config_write("conf", NULL, "{'runs': 4}");
	(void)config_start();
	for (i = 0; i < JAILS * LINE; i++) {
		if (i % LINE == 0)
			jail = probe_jail();
		turns[i].jail = i / LINE;
		turn_add(&turns[i], jail, i);
	}
	for (i = 0; i < JAILS * LINE; i++) {
		turn_press(&turns[i / LINE * LINE + i * 7 % LINE]);
		if (i < BOUND - 1 || i == LINE)
			file_wait_lines(place_at("ran"), ++at_once);
	}
	for (place = 0; place < JAILS * LINE; place++) {
		if (place >= BOUND)
			file_release(turn_started(turns, place - BOUND)->fifo, 1);
		started = turn_started(turns, place);
		ck_assert_int_eq(started - turns,
				 started->jail * LINE + next[started->jail]++ * 7 % LINE);
		/* A quarter of the places is kept from the first one; then they take turns. */
		if (place < BOUND - 1)
			ck_assert_int_eq(started->jail, 0);
		else if (place == BOUND - 1)
			ck_assert_int_eq(started->jail, 1);
		else if (place - BOUND < JAILS * (LINE - BOUND))
			ck_assert_int_eq(started->jail, (place - BOUND) % JAILS);
	}
}
END_TEST

/* ---- and none ends by itself ---- */

/* The leader stays in spite of TERM, and its child ignores it: both are ended by KILL, which frees
 * the place for the next one. */
START_TEST(storm_of_runs_that_hang_is_timed_out)
{
	int probes[HANGING], i, child;
	struct jailfix *jail;
	char command[512], *text, *rest, *line;
	json_t *last;

	NEEDS_ROOT;
	jail = probe_jail();
	config_write("conf", NULL, "{'runs': 4, 'timeout': 1, 'kill_delay': 0.2}");
	(void)config_start();
	(void)file_fifo(place_at("fifo"));
	(void)snprintf(command, sizeof(command),
		       "trap 'echo term >> %s' TERM; sh -c 'trap \"\" TERM; echo $$ >> %s; "
		       "read line < %s' & until read line < %s; do :; done",
		       place_at("terms"), place_at("children"), place_at("fifo"), place_at("fifo"));
	for (i = 0; i < HANGING; i++)
		probes[i] = probe_add(jail, "{s:s,s:s,s:s}", "command", command, "title", "T",
				      "respawn", i % 2 == 0 ? "after" : "now");
	press_everyone(jail);
	for (i = 0; i < HANGING; i++) {
		last = probe_wait_last(probes[i]);
		ck_assert(json_is_true(ctl_member(last, "timeout")));
		json_decref(last);
		probe_wait_state(probes[i], "armed");
		ck_assert_int_eq(probe_int(probes[i], "triggers"), 1);
		ck_assert_int_eq(probe_int(probes[i], "runs"), 1);
	}
	ck_assert_int_eq(file_count(place_at("terms"), "term"), HANGING);
	ck_assert_int_eq(file_lines(place_at("children")), HANGING);
	rest = text = file_text(place_at("children"));
	while ((line = strsep(&rest, "\n")) != NULL && (child = atoi(line)) > 0)
		exec_wait_gone(child);
	free(text);
}
END_TEST

Suite *
process_crowd(void)
{
	Suite *suite = suite_create("crowd");

	PLACE_CASE(suite, thousand_pressed_at_once_run_once_each);
	PLACE_CASE(suite, three_jails_at_once_keep_to_the_bound);
	PLACE_CASE(suite, jails_take_turns_and_each_keeps_its_order);
	PLACE_CASE(suite, storm_of_runs_that_hang_is_timed_out);
	return (suite);
}
