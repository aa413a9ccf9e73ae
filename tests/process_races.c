/*
 * Things that happen at the same time: nobody's probe is lost, doubled or left behind, and the
 * daemon lives.
 */
#include "config.h"

#include <check.h>
#include <errno.h>
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

#define ROUNDS 20
#define STORM  100

/* Says it without waiting for the answer. */
static void
say_add(struct ctl *ctl, const struct jailfix *jail, const char *rest)
{
	char request[256];

	(void)snprintf(request, sizeof(request), "{\"op\":\"add\",\"keep\":true,\"jail\":%ld,%s}\n",
		       jailfix_number(jail), rest);
	ck_assert(ctl_say(ctl, request));
}

/* The number of the probe that must have been added. */
static int
hear_added(struct ctl *ctl)
{
	json_t *answer = ctl_answer(ctl);
	char *text = json_dumps(answer, JSON_COMPACT);
	int probe;

	ck_assert_msg(ctl_true(answer, "ok"), "%s", text);
	probe = (int)ctl_int(ctl_member(answer, "probe"), "probe");
	json_decref(answer);
	free(text);
	return (probe);
}

/* The number of the probe that was added; 0 for a refusal. */
static int
hear_add(struct ctl *ctl)
{
	json_t *answer = ctl_answer(ctl);
	int probe = 0;

	if (ctl_true(answer, "ok"))
		probe = (int)ctl_int(ctl_member(answer, "probe"), "probe");
	json_decref(answer);
	return (probe);
}

START_TEST(same_add_twice_at_once)
{
	static const char same[] = "\"command\":\"true\",\"name\":\"n\",\"title\":\"T\"";
	struct jailfix *jail;
	struct ctl one, two;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	ctl_open(&one);
	ctl_open(&two);
	say_add(&one, jail, same);
	say_add(&two, jail, same);
	say_add(&one, jail, same);
	probe = hear_added(&one);
	ck_assert_int_eq(hear_added(&two), probe);
	ck_assert_int_eq(hear_added(&one), probe);
	ck_assert_int_eq(probe_listed(), 1);
	ck_assert_int_eq(inside_count(jail, "jaildaemon: T", NULL), 1);
}
END_TEST

START_TEST(other_add_of_a_name_at_once)
{
	struct jailfix *jail;
	struct ctl one, two;
	int round, first, second;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	for (round = 0; round < ROUNDS; round++) {
		ctl_open(&one);
		ctl_open(&two);
		say_add(&one, jail, "\"command\":\"true\",\"name\":\"n\",\"title\":\"T\"");
		say_add(&two, jail, "\"command\":\"false\",\"name\":\"n\",\"title\":\"T\"");
		first = hear_add(&one);
		second = hear_add(&two);
		ck_assert_msg((first == 0) != (second == 0), "%d and %d", first, second);
		ck_assert_int_eq(probe_listed(), 1);
		json_decref(probe_op("remove", first + second));
		ctl_close(&one);
		ctl_close(&two);
	}
	inside_wait_count(jail, "jaildaemon: T", 0);
}
END_TEST

/* All of them replace the one that is there, none of which is armed yet when the next one comes. */
START_TEST(many_replacements_at_once)
{
	struct jailfix *jail;
	char rest[128];
	struct ctl ctl;
	int round, i;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	for (round = 0; round < ROUNDS; round++) {
		ctl_open(&ctl);
		say_add(&ctl, jail,
			"\"command\":\"true\",\"name\":\"n\",\"title\":\"T\",\"replace\":true");
		(void)hear_added(&ctl);
		for (i = 0; i < 4; i++) {
			(void)snprintf(
			    rest, sizeof(rest),
			    "\"command\":\"exit %d\",\"name\":\"n\",\"title\":\"T\",\"replace\":true",
			    i);
			say_add(&ctl, jail, rest);
		}
		for (i = 0; i < 4; i++)
			(void)hear_add(&ctl);
		ctl_close(&ctl);
		ck_assert(ctl_alive());
	}
	ck_assert_int_eq(probe_listed(), 1);
	inside_wait_count(jail, "jaildaemon: T", 1);
}
END_TEST

/* The one that is to be replaced goes away while its successor is on its way into the jail. */
START_TEST(replaced_probe_is_removed_meanwhile)
{
	struct jailfix *jail;
	struct ctl one, two;
	char request[64];
	int round, old;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	for (round = 0; round < ROUNDS; round++) {
		ctl_open(&one);
		ctl_open(&two);
		say_add(&one, jail, "\"command\":\"true\",\"name\":\"n\",\"title\":\"OLD\"");
		old = hear_added(&one);
		(void)snprintf(request, sizeof(request), "{\"op\":\"remove\",\"probe\":%d}\n", old);
		say_add(&one, jail,
			"\"command\":\"false\",\"name\":\"n\",\"title\":\"NEW\",\"replace\":true");
		ck_assert(ctl_say(&two, request));
		json_decref(ctl_answer(&two));
		(void)hear_added(&one);
		ck_assert_int_eq(probe_listed(), 1);
		json_decref(ctl_ask_ok("{\"op\":\"remove\",\"probe\":\"n\"}"));
		ck_assert_int_eq(probe_listed(), 0);
		ctl_close(&one);
		ctl_close(&two);
	}
	inside_wait_count(jail, "jaildaemon: OLD", 0);
	inside_wait_count(jail, "jaildaemon: NEW", 0);
}
END_TEST

/* The one that is to be replaced is pressed, and so ends by itself, while its successor is on its
 * way. */
START_TEST(replaced_probe_is_pressed_meanwhile)
{
	struct jailfix *jail;
	struct ctl one;
	char command[128];
	int round;
	pid_t inside;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	(void)snprintf(command, sizeof(command),
		       "\"command\":\"echo run >> %s\",\"name\":\"n\",\"title\":\"OLD\"",
		       place_at("ran"));
	for (round = 1; round <= ROUNDS; round++) {
		ctl_open(&one);
		say_add(&one, jail, command);
		(void)hear_added(&one);
		inside = inside_find(jail, "jaildaemon: OLD");
		say_add(&one, jail,
			"\"command\":\"true\",\"name\":\"n\",\"title\":\"NEW\",\"replace\":true");
		(void)inside_signal(jail, INSIDE_ROOT, inside, SIGHUP);
		(void)hear_added(&one);
		ctl_close(&one);
		inside_wait_count(jail, "jaildaemon: NEW", 1);
		json_decref(ctl_ask_ok("{\"op\":\"remove\",\"probe\":\"n\"}"));
		inside_wait_count(jail, "jaildaemon: OLD", 0);
	}
	ck_assert_int_eq(probe_listed(), 0);
	probe_sentinel(jail);
	ck_assert_int_le(file_lines(place_at("ran")), ROUNDS);
}
END_TEST

START_TEST(replacement_that_cannot_attach_changes_nothing)
{
	const char *reason = NULL;
	struct jailfix *jail;
	int probe;

	NEEDS_ROOT;
	jail = jailfix_start(place()->dir, JAILFIX_USERNS, &reason);
	SKIP_UNLESS(jail != NULL, reason);
	(void)daemon_start();
	probe = probe_add(jail, "{s:s,s:s,s:s}", "command", "true", "name", "n", "title", "OLD");
	ctl_refused(probe_ask(jail, "{s:s,s:s,s:i,s:b}", "command", "false", "name", "n", "uid",
			      (int)jailfix_unmapped_uid(jail), "replace", 1),
		    "attach-failed", NULL);
	ck_assert_int_eq(probe_listed(), 1);
	ck_assert_int_eq(inside_count(jail, "jaildaemon: OLD", NULL), 1);
	ck_assert_str_eq(probe_state(probe), "armed");
	/* It still has its name. */
	json_decref(ctl_ask_ok("{\"op\":\"remove\",\"probe\":\"n\"}"));
	ck_assert_int_eq(probe_listed(), 0);
}
END_TEST

START_TEST(jail_ends_during_adds)
{
	struct jailfix *jail, *other;
	struct ctl ctl;
	int round, i;

	NEEDS_ROOT;
	other = probe_jail();
	(void)daemon_start();
	for (round = 0; round < ROUNDS; round++) {
		jail = probe_jail();
		ctl_open(&ctl);
		for (i = 0; i < 10; i++)
			say_add(&ctl, jail, "\"command\":\"true\",\"respawn\":\"after\"");
		jailfix_end(jail);
		for (i = 0; i < 10; i++)
			(void)hear_add(&ctl);
		ctl_close(&ctl);
	}
	probe_sentinel(other);
	ck_assert_int_eq(probe_listed(), 0);
}
END_TEST

START_TEST(stop_during_adds)
{
	struct jailfix *jail;
	struct ctl ctl, stop;
	pid_t daemon;
	char *line;
	int i;

	NEEDS_ROOT;
	jail = probe_jail();
	daemon = daemon_start();
	ctl_open(&ctl);
	ctl_open(&stop);
	for (i = 0; i < 40; i++)
		say_add(&ctl, jail, "\"command\":\"true\",\"title\":\"T\"");
	ck_assert(ctl_say(&stop, "{\"op\":\"stop\"}\n"));
	json_decref(ctl_answer(&stop));
	for (i = 0; (line = ctl_line(&ctl)) != NULL; i++)
		free(line);
	ck_assert_int_le(i, 40);
	ck_assert_int_eq(exec_wait(daemon), 0);
	ck_assert_int_eq(inside_count(jail, "jaildaemon: T", NULL), 0);
	ctl_close(&ctl);
	ctl_close(&stop);
}
END_TEST

static int
hup_everyone(void *unused)
{
	(void)unused;
	(void)signal(SIGHUP, SIG_IGN);
	return (kill(-1, SIGHUP) == 0 ? 0 : errno);
}

/* While one probe is armed again the others die: none may be taken for one whose jail has ended. */
START_TEST(storm_disarms_nobody)
{
	struct jailfix *jail;
	int probes[STORM], round, i;
	char out[128];

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	for (i = 0; i < STORM; i++)
		probes[i] = probe_add(jail, "{s:s,s:s,s:s,s:i}", "command", "true", "title", "T",
				      "respawn", i % 2 == 0 ? "now" : "after", "cooldown", 0);
	for (round = 1; round <= 5; round++) {
		ck_assert_int_eq(
		    inside_call(jail, INSIDE_ROOT, hup_everyone, NULL, out, sizeof(out)), 0);
		for (i = 0; i < STORM; i++)
			probe_wait_count(probes[i], "triggers", round);
		for (i = 0; i < STORM; i++)
			probe_wait_state(probes[i], "armed");
	}
	ck_assert_int_eq(probe_listed(), STORM);
	for (i = 0; i < STORM; i++)
		probe_wait_count(probes[i], "runs", 5);
	ck_assert_int_eq(inside_count(jail, "jaildaemon: T", NULL), STORM);
}
END_TEST

Suite *
process_races(void)
{
	Suite *suite = suite_create("races");

	PLACE_CASE(suite, same_add_twice_at_once);
	PLACE_CASE(suite, other_add_of_a_name_at_once);
	PLACE_CASE(suite, many_replacements_at_once);
	PLACE_CASE(suite, replaced_probe_is_removed_meanwhile);
	PLACE_CASE(suite, replaced_probe_is_pressed_meanwhile);
	PLACE_CASE(suite, replacement_that_cannot_attach_changes_nothing);
	PLACE_CASE(suite, jail_ends_during_adds);
	PLACE_CASE(suite, stop_during_adds);
	PLACE_CASE(suite, storm_disarms_nobody);
	return (suite);
}
