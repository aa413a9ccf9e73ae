/*
 * Crash after crash: a client adds, replaces, removes and presses without pause, the daemon is
 * killed at any moment or over any call, and the next one must have what the last one had promised.
 */
#include "config.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "crash.h"
#include "crash_model.h"
#include "fixture_ctl.h"
#include "fixture_exec.h"
#include "fixture_inside.h"
#include "fixture_probe.h"
#include "fixture_wait.h"

#define CYCLES	  500
#define STEPS_MAX 6
#define CROWD	  5 /* buttons; with more than that they are rather removed */
#define NAMES	  4
#define PAUSE_MS  3
#define ARMED	  500

/* What one cycle asks for, in this order. */
struct step {
	enum model_op op;
	struct button *button;
};

struct cycle {
	struct step asked[STEPS_MAX]; /* those that are answered */
	unsigned count, answers;
	struct ctl ctl;
};

static unsigned
dice(unsigned sides)
{
	return ((unsigned)random() % sides);
}

/* From the environment, to see a failure again. */
static void
sow(void)
{
	const char *given = getenv("JAILDAEMON_CRASH_SEED");
	unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10)
				      : (unsigned)time(NULL) ^ (unsigned)getpid() << 8;

	srandom(seed);
	(void)printf("NOTE: JAILDAEMON_CRASH_SEED=%u\n", seed);
	(void)fflush(stdout);
}

/* ---- one step ---- */

static struct step
choose(void)
{
	static const char *const respawns[] = {"no", "no", "after", "now"};
	struct step step = {MODEL_ADD, NULL};
	unsigned side = dice(100), name = dice(2) == 0 ? dice(NAMES) + 1 : 0;

	if (side < 45 && model_count() < CROWD)
		step.button = model_create(name, respawns[dice(4)]);
	else if ((step.button = model_pick()) != NULL)
		step.op = side < 50   ? MODEL_REMOVE
			  : side < 80 ? MODEL_TRIGGER
			  : side < 95 ? MODEL_HUP
				      : MODEL_ADD_AGAIN;
	/* Only what has a name can be asked for again. */
	if (step.op == MODEL_ADD_AGAIN &&
	    (step.button->name == 0 || step.button->state != BUTTON_THERE))
		step.op = MODEL_TRIGGER;
	return (step);
}

/* It may have gone, or never have been armed in this daemon's short life. */
static void
press(const struct jailfix *jail, const struct button *button)
{
	char title[48];
	pid_t inside;

	(void)snprintf(title, sizeof(title), "jaildaemon: %s", model_title(button));
	if (inside_count(jail, title, &inside) == 1)
		(void)inside_signal(jail, INSIDE_ROOT, inside, SIGHUP);
}

static void
take_step(struct cycle *cycle, const struct jailfix *jail)
{
	struct step step = choose();
	json_t *request;
	char *text;

	if (step.button == NULL)
		return;
	request = model_request(step.op, step.button, jail);
	if (request == NULL) {
		press(jail, step.button);
		return;
	}
	text = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	(void)(ctl_say(&cycle->ctl, text) && ctl_say(&cycle->ctl, "\n")); /* it may be dead */
	free(text);
	cycle->asked[cycle->count++] = step;
}

/* False: the daemon has died over it. */
static bool
hear_answer(struct cycle *cycle)
{
	const struct step *step = &cycle->asked[cycle->answers];
	char *line = ctl_line(&cycle->ctl);
	json_t *answer;

	if (line == NULL)
		return (false);
	ck_assert_ptr_nonnull(answer = json_loads(line, 0, NULL));
	model_answered(step->op, step->button, answer);
	json_decref(answer);
	free(line);
	cycle->answers++;
	return (true);
}

/* ---- one cycle ---- */

/* A call at random over which the daemon is to die, if it comes so far. */
static const char *
random_plan(void)
{
	static const char *const names[] = {
	    "openat",	      "write_file",   "fsync",	      "renameat",     "unlinkat",
	    "close_file",     "store_commit", "store_commit", "reaped",       "spawn_begin",
	    "request_answer_text", "keep_save",    "keep_start",   "keep_drop",    "store_reserve"};
	static char plan[64];

	(void)snprintf(plan, sizeof(plan), "%s@%u=kill%s",
		       names[dice(sizeof(names) / sizeof(names[0]))], dice(6) + 1,
		       dice(2) == 0 ? "" : "-after");
	return (plan);
}

/* With a faulty daemon, now and then one that may die over its start. */
static pid_t
next_daemon(enum crash_binary binary)
{
	pid_t daemon;

	if (binary == CRASH_FAULTY && dice(3) == 0) {
		crash_plan_start(random_plan());
		daemon = crash_start_doomed();
		crash_plan_start("");
		if (daemon != -1)
			crash_kill(daemon);
	}
	return (crash_start(binary));
}

static void
settle(void)
{
	json_t *answer = crash_ask_ok(json_pack("{s:s}", "op", "list"));

	model_settle(json_object_get(answer, "probes"));
	json_decref(answer);
	model_check_runs();
}

static void
one_cycle(enum crash_binary binary, const struct jailfix *jail)
{
	pid_t daemon = next_daemon(binary);
	struct cycle cycle = {.count = 0};
	unsigned steps = dice(STEPS_MAX) + 1;

	settle();
	if (binary == CRASH_FAULTY)
		crash_plan(random_plan());
	ck_assert(ctl_try(&cycle.ctl, place()->sock));
	while (steps-- > 0)
		take_step(&cycle, jail);
	/* The moment of death is what is random here; nothing is waited for. */
	if (binary == CRASH_PLAIN || cycle.count == 0)
		(void)poll(NULL, 0, (int)dice(PAUSE_MS));
	else
		while (cycle.answers < cycle.count && hear_answer(&cycle))
			continue;
	if (!crash_is_killed(daemon))
		crash_kill(daemon);
	while (cycle.answers < cycle.count && hear_answer(&cycle))
		continue;
	ctl_close(&cycle.ctl);
}

START_TEST(every_crash_leaves_what_was_promised)
{
	struct jailfix *jail;
	unsigned cycles;
	bool faulty = crash_has_faulty();

	NEEDS_ROOT;
	sow();
	jail = probe_jail();
	for (cycles = 0; cycles < CYCLES; cycles++)
		one_cycle(faulty && dice(2) == 0 ? CRASH_FAULTY : CRASH_PLAIN, jail);
	ck_assert_uint_eq(cycles, 500);
	(void)crash_start(CRASH_PLAIN);
	settle();
	probe_sentinel(jail);
}
END_TEST

/* ---- many at once ---- */

static bool
are_gone(void *arg)
{
	const pid_t *pid = arg;

	for (; *pid != 0; pid++)
		if (!exec_gone(*pid))
			return (false);
	return (true);
}

START_TEST(probes_die_with_their_daemon)
{
	static pid_t pids[ARMED + 1];
	struct jailfix *jail;
	pid_t daemon;
	int i;

	NEEDS_ROOT;
	jail = probe_jail();
	daemon = crash_start(CRASH_PLAIN);
	for (i = 0; i < ARMED; i++)
		pids[i] = (pid_t)probe_int(
		    probe_add(jail, "{s:s,s:s}", "command", "true", "title", "T"), "pid");
	ck_assert_int_eq(inside_count(jail, "jaildaemon: T", NULL), ARMED);
	crash_kill(daemon);
	ck_assert(wait_until(are_gone, pids));
	ck_assert_int_eq(inside_count(jail, "jaildaemon: T", NULL), 0);
	(void)crash_start(CRASH_PLAIN);
	ck_assert_int_eq(probe_listed(), ARMED);
	inside_wait_count(jail, "jaildaemon: T", ARMED);
}
END_TEST

Suite *
crash_cycles(void)
{
	Suite *suite = suite_create("cycles");

	PLACE_CASE(suite, every_crash_leaves_what_was_promised);
	PLACE_CASE(suite, probes_die_with_their_daemon);
	return (suite);
}
