/*
 * The daemon dies at each point that tests/fault.c names, while it does each thing that changes
 * what is kept. Whatever it had answered holds in the next daemon; what it hadn't may have happened
 * or not, but not by halves.
 */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "crash.h"
#include "fixture_file.h"
#include "fixture_inside.h"
#include "fixture_probe.h"
#include "fixture_wait.h"

enum act { ADD, REMOVE, TRIGGER, PRESS, PRESS_RESPAWNING, ACTS };

#define BIT(act) (1u << (act))

static const struct {
	const char *plan;
	unsigned acts; /* those that lead there */
	bool cold;     /* before any number was reserved */
} points[] = {
    {"write_file@1=kill", BIT(ADD), false},
    {"fsync@1=kill", BIT(ADD) | BIT(REMOVE) | BIT(TRIGGER) | BIT(PRESS), false},
    {"renameat@1=kill", BIT(ADD) | BIT(TRIGGER) | BIT(PRESS), false},
    {"renameat@1=kill-after", BIT(ADD) | BIT(TRIGGER) | BIT(PRESS), false},
    {"fsync@2=kill", BIT(ADD), false},
    {"store_commit@1=kill", BIT(ADD) | BIT(REMOVE) | BIT(TRIGGER) | BIT(PRESS), false},
    {"store_commit@1=kill-after", BIT(ADD) | BIT(REMOVE) | BIT(TRIGGER) | BIT(PRESS), false},
    {"request_answer_text@1=kill", BIT(ADD) | BIT(REMOVE) | BIT(TRIGGER), false},
    {"reaped@1=kill", BIT(PRESS) | BIT(PRESS_RESPAWNING), false},
    {"keep_save@1=kill", BIT(ADD), false},
    {"keep_start@1=kill", BIT(TRIGGER) | BIT(PRESS), false},
    {"keep_drop@1=kill", BIT(REMOVE), false},
    {"spawn_begin@1=kill", BIT(TRIGGER) | BIT(PRESS) | BIT(PRESS_RESPAWNING), false},
    {"spawn_begin@1=kill-after", BIT(TRIGGER) | BIT(PRESS) | BIT(PRESS_RESPAWNING), false},
    {"spawn_end@1=kill-after", BIT(TRIGGER) | BIT(PRESS) | BIT(PRESS_RESPAWNING), false},
    {"unlinkat@1=kill", BIT(REMOVE), false},
    {"unlinkat@1=kill-after", BIT(REMOVE), false},
    {"store_reserve@1=kill", BIT(ADD), true},
    {"fsync@1=kill", BIT(ADD), true},
    {"renameat@1=kill", BIT(ADD), true},
    {"fsync@2=kill", BIT(ADD), true},
    {"store_reserve@1=kill-after", BIT(ADD), true},
};

#define POINTS (sizeof(points) / sizeof(points[0]))

/* The one that something is done to; each has a title of its own. */
struct subject {
	char title[32];
	json_int_t number; /* 0: nobody was told */
	bool answered;
};

static json_t *
add_request(const struct jailfix *jail, const char *title, const char *respawn)
{
	char command[256];

	(void)snprintf(command, sizeof(command), "echo %s >> %s", title, place_at("ran"));
	return (json_pack("{s:s,s:i,s:s,s:s,s:s,s:i}", "op", "add", "jail",
			  (int)jailfix_number(jail), "command", command, "title", title, "respawn",
			  respawn, "cooldown", 0));
}

static json_int_t
number_of(const json_t *answer)
{
	return (json_integer_value(json_object_get(json_object_get(answer, "probe"), "probe")));
}

static json_int_t
add(const struct jailfix *jail, const char *title, const char *respawn)
{
	json_t *answer = crash_ask_ok(add_request(jail, title, respawn));
	json_int_t number = number_of(answer);

	json_decref(answer);
	return (number);
}

static json_t *
op_request(const char *op, json_int_t number)
{
	return (json_pack("{s:s,s:I}", "op", op, "probe", number));
}

static void
press(const struct jailfix *jail, const char *title)
{
	char full[64];

	(void)snprintf(full, sizeof(full), "jaildaemon: %s", title);
	inside_wait_count(jail, full, 1);
	inside_press(jail, full);
}

static void
act_on(enum act act, const struct jailfix *jail, struct subject *subject)
{
	json_t *answer = NULL;

	if (act == ADD)
		answer = crash_ask(add_request(jail, subject->title, "no"));
	else if (act == REMOVE || act == TRIGGER)
		answer =
		    crash_ask(op_request(act == REMOVE ? "remove" : "trigger", subject->number));
	else
		press(jail, subject->title);
	subject->answered = crash_is_ok(answer);
	if (act == ADD)
		subject->number = number_of(answer);
	json_decref(answer);
}

/* ---- until the daemon is dead ---- */

static bool
is_dead(void *arg)
{
	return (crash_is_killed(*(pid_t *)arg));
}

static void
die_at(size_t point, enum act act, const struct jailfix *jail, struct subject *subject)
{
	pid_t daemon = crash_start(CRASH_FAULTY);
	json_int_t warm;

	if (act != ADD)
		subject->number =
		    add(jail, subject->title, act == PRESS_RESPAWNING ? "after" : "no");
	if (!points[point].cold && act == ADD) {
		warm = add(jail, "warm", "no");
		json_decref(crash_ask_ok(op_request("remove", warm)));
	}
	crash_plan(points[point].plan);
	act_on(act, jail, subject);
	ck_assert_msg(wait_until(is_dead, &daemon), "%s was never reached", points[point].plan);
}

/* ---- afterwards ---- */

static bool
is_listed(const char *title)
{
	json_t *probe = crash_listed("title", title);

	json_decref(probe);
	return (probe != NULL);
}

/* An answer holds; and a command that was started before it runs in any case. */
static void
check_answered(enum act act, const struct subject *subject)
{
	json_t *probe = crash_listed("title", subject->title);

	if (act == ADD) {
		ck_assert_ptr_nonnull(probe);
		ck_assert_int_eq(json_integer_value(json_object_get(probe, "probe")),
				 subject->number);
	} else if (act == REMOVE)
		ck_assert_ptr_null(probe);
	else if (act == TRIGGER)
		file_wait_count(place_at("ran"), subject->title, 1);
	json_decref(probe);
}

/* Whatever is there of it works, and a single shot does once at most in all. */
static void
check_presses(enum act act, const struct jailfix *jail, const struct subject *subject)
{
	bool there = is_listed(subject->title);
	int most = act == PRESS_RESPAWNING ? 2 : 1;

	if (there && file_count(place_at("ran"), subject->title) == 0) {
		press(jail, subject->title);
		file_wait_count(place_at("ran"), subject->title, 1);
	}
	probe_sentinel(jail);
	ck_assert_int_le(file_count(place_at("ran"), subject->title), most);
	if (act == PRESS_RESPAWNING)
		ck_assert(there);
}

static void
one_point(size_t point, enum act act, const struct jailfix *jail, json_int_t bystander)
{
	struct subject subject = {.number = 0};
	json_t *probe;
	pid_t daemon;

	(void)snprintf(subject.title, sizeof(subject.title), "S%zu", point);
	die_at(point, act, jail, &subject);
	daemon = crash_start(CRASH_PLAIN);
	probe = crash_listed("title", "bystander");
	ck_assert_ptr_nonnull(probe);
	ck_assert_int_eq(json_integer_value(json_object_get(probe, "probe")), bystander);
	json_decref(probe);
	ck_assert_msg(!is_listed("removed"), "%s: brought back what was removed",
		      points[point].plan);
	if (subject.answered)
		check_answered(act, &subject);
	check_presses(act, jail, &subject);
	crash_kill(daemon);
}

static void
every_point(enum act act)
{
	struct jailfix *jail = probe_jail();
	pid_t daemon = crash_start(CRASH_PLAIN);
	json_int_t bystander = add(jail, "bystander", "no"), removed = add(jail, "removed", "no");
	size_t point;

	json_decref(crash_ask_ok(op_request("remove", removed)));
	crash_kill(daemon);
	for (point = 0; point < POINTS; point++)
		if ((points[point].acts & BIT(act)) != 0)
			one_point(point, act, jail, bystander);
	ck_assert_int_eq(file_count(place_at("ran"), "bystander"), 0);
	ck_assert_int_eq(file_count(place_at("ran"), "removed"), 0);
}

START_TEST(dies_while_adding)
{
	NEEDS_ROOT;
	NEEDS_FAULTY;
	every_point(ADD);
}
END_TEST

START_TEST(dies_while_removing)
{
	NEEDS_ROOT;
	NEEDS_FAULTY;
	every_point(REMOVE);
}
END_TEST

START_TEST(dies_while_triggering)
{
	NEEDS_ROOT;
	NEEDS_FAULTY;
	every_point(TRIGGER);
}
END_TEST

START_TEST(dies_over_a_hup)
{
	NEEDS_ROOT;
	NEEDS_FAULTY;
	every_point(PRESS);
}
END_TEST

START_TEST(dies_over_a_hup_to_a_respawning_probe)
{
	NEEDS_ROOT;
	NEEDS_FAULTY;
	every_point(PRESS_RESPAWNING);
}
END_TEST

Suite *
crash_points(void)
{
	Suite *suite = suite_create("points");

	PLACE_CASE(suite, dies_while_adding);
	PLACE_CASE(suite, dies_while_removing);
	PLACE_CASE(suite, dies_while_triggering);
	PLACE_CASE(suite, dies_over_a_hup);
	PLACE_CASE(suite, dies_over_a_hup_to_a_respawning_probe);
	return (suite);
}
