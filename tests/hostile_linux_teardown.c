/*
 * A probe that is dead and not reaped keeps the init of its container from being gone, and with it
 * whoever waits for the container's end. So the daemon reaps at once whatever else it has to do:
 * many containers end at the same time, under the heaviest load, while the daemon stands still, and
 * over its upgrade. JAILDAEMON_TEARDOWN tells how many, up to CONTAINERS_MAX.
 */
#include "config.h"

#include <sys/wait.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "fixture_wait.h"
#include "hostile.h"
#include "hostile_adds.h"
#include "hostile_host.h"
#include "hostile_linux.h"

#define CONTAINERS     30
#define CONTAINERS_MAX 200
#define EACH	       3    /* probes in each container */
#define BALLAST	       8    /* more for each, elsewhere, which only make the lists long */
#define BATCH	       50   /* requests at once */
#define LISTS	       8    /* at once */
#define OPEN	       4096 /* descriptors: the test has some of each container */

/* Containers that are to end, and how long each took; -1: it is not gone yet. */
struct ending {
	struct jailfix *jails[CONTAINERS_MAX];
	long long took[CONTAINERS_MAX]; /* ms */
	long long began;
	int count, gone;
};

/* ---- the load ---- */

static int
storm_body(void *unused)
{
	(void)unused;
	(void)signal(SIGHUP, SIG_IGN);
	for (;;) {
		(void)kill(-1, SIGHUP);
		(void)poll(NULL, 0, 1);
	}
	return (0);
}

/* Presses all that there is in a jail, again and again, where the button is there again at once. */
static void
start_storm(void)
{
	static const char *const respawns[] = {"now", "after"};
	struct attacker attacker = {.rights = RIGHTS_USUAL, .body = storm_body};
	int i;

	attacker.jail = probe_jail();
	for (i = 0; i < 2 * BATCH; i++)
		(void)probe_add(attacker.jail, "{s:[s],s:s,s:i}", "command", "true", "respawn",
				respawns[i % 2], "cooldown", 0);
	(void)attacker_start(&attacker);
}

static void
ask_for_lists(const struct jailfix *unused)
{
	struct ctl ctl;
	int i;

	(void)unused;
	hostile_open(&ctl);
	for (;;) {
		for (i = 0; i < LISTS; i++)
			ck_assert(ctl_say(&ctl, "{\"op\":\"list\"}\n"));
		for (i = 0; i < LISTS; i++)
			free(ctl_line(&ctl));
	}
}

static void
add_and_remove(const struct jailfix *jail)
{
	for (;;)
		(void)hostile_attach_many(jail, BATCH, false);
}

/* A client that goes on until the test is over. */
static void
start_client(void (*body)(const struct jailfix *), const struct jailfix *jail)
{
	pid_t pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		body(jail);
		_exit(1);
	}
}

static void
add_many(const struct jailfix *jail, int count)
{
	struct ctl ctl;

	hostile_open(&ctl);
	for (; count > 0; count -= BATCH) {
		hostile_say_adds(&ctl, jail, BATCH);
		ck_assert_int_eq(hostile_hear_adds(&ctl, BATCH, NULL), BATCH);
	}
	ctl_close(&ctl);
}

static void
start_load(int ballast)
{
	struct jailfix *jail = probe_jail();

	add_many(jail, ballast);
	start_storm();
	start_client(ask_for_lists, NULL);
	start_client(add_and_remove, jail);
}

/* ---- the containers ---- */

static int
containers_wanted(void)
{
	const char *text = getenv("JAILDAEMON_TEARDOWN");
	long wanted = text != NULL ? strtol(text, NULL, 10) : CONTAINERS;

	ck_assert_int_ge(wanted, 1);
	ck_assert_int_le(wanted, CONTAINERS_MAX);
	return ((int)wanted);
}

static void
make_containers(struct ending *ending)
{
	int i, probe;

	ending->gone = 0;
	ending->count = containers_wanted();
	for (i = 0; i < ending->count; i++) {
		ending->jails[i] = probe_jail();
		ending->took[i] = -1;
		for (probe = 0; probe < EACH; probe++)
			(void)hostile_target(ending->jails[i]);
	}
}

static void
end_containers(struct ending *ending)
{
	int i;

	ending->began = wait_now();
	for (i = 0; i < ending->count; i++)
		ck_assert_int_eq(kill((pid_t)jailfix_number(ending->jails[i]), SIGKILL), 0);
}

/* Which are gone by now; whether all are. */
static bool
all_are_gone(void *arg)
{
	struct ending *ending = arg;
	int i;

	for (i = 0; i < ending->count; i++) {
		pid_t init = (pid_t)jailfix_number(ending->jails[i]);

		if (ending->took[i] >= 0 || waitpid(init, NULL, WNOHANG) != init)
			continue;
		ending->took[i] = wait_now() - ending->began;
		ending->gone++;
	}
	return (ending->gone == ending->count);
}

static int
compare_times(const void *a, const void *b)
{
	const long long *one = a, *other = b;

	return ((*one > *other) - (*one < *other));
}

static void
note_times(struct ending *ending, const char *when, int pings)
{
	qsort(ending->took, (size_t)ending->count, sizeof(ending->took[0]), compare_times);
	(void)printf("NOTE: %d containers %s: half gone in %lld ms, all in %lld ms, %d pings\n",
		     ending->count, when, ending->took[ending->count / 2],
		     ending->took[ending->count - 1], pings);
}

/* Whoever asks the daemon something meanwhile is answered, and does not keep it from reaping. */
static void
expect_gone(struct ending *ending, const char *when)
{
	int pings = 0;

	while (!all_are_gone(ending)) {
		ck_assert_msg(wait_now() - ending->began < WAIT_PATIENCE_MS,
			      "only %d of %d containers %s are gone", ending->gone, ending->count,
			      when);
		ck_assert(ctl_alive());
		pings++;
	}
	note_times(ending, when, pings);
}

#define NEEDS_DESCRIPTORS SKIP_UNLESS(hostile_can_open(OPEN), "so many descriptors may not be opened here")

/* ---- the tests ---- */

START_TEST(containers_end_under_load)
{
	struct ending ending;

	NEEDS_ROOT;
	NEEDS_DESCRIPTORS;
	(void)daemon_start();
	make_containers(&ending);
	start_load(ending.count * BALLAST);
	end_containers(&ending);
	expect_gone(&ending, "under load");
	hostile_expect_no_run();
}
END_TEST

static bool
probes_are_dead(void *unused)
{
	(void)unused;
	return (hostile_titled(hostile_inside()) == 0);
}

/* So that what is measured is measured at all: with nobody to reap their probes, not one of them is
 * gone. */
START_TEST(containers_wait_for_a_daemon_that_is_stopped)
{
	struct ending ending;
	pid_t daemon;

	NEEDS_ROOT;
	NEEDS_DESCRIPTORS;
	daemon = daemon_start();
	make_containers(&ending);
	ck_assert_int_eq(kill(daemon, SIGSTOP), 0);
	end_containers(&ending);
	ck_assert(wait_until(probes_are_dead, NULL));
	(void)all_are_gone(&ending);
	ck_assert_int_eq(ending.gone, 0);
	ending.began = wait_now();
	ck_assert_int_eq(kill(daemon, SIGCONT), 0);
	expect_gone(&ending, "of a daemon that stood still");
	hostile_expect_no_run();
}
END_TEST

START_TEST(containers_end_during_an_upgrade)
{
	struct ending ending;
	json_t *answer;
	struct ctl ctl;

	NEEDS_ROOT;
	NEEDS_DESCRIPTORS;
	(void)daemon_start();
	make_containers(&ending);
	start_load(ending.count * BALLAST);
	hostile_open(&ctl);
	ck_assert(ctl_say(&ctl, "{\"op\":\"upgrade\"}\n"));
	end_containers(&ending);
	expect_gone(&ending, "during an upgrade");
	answer = ctl_answer(&ctl);
	ck_assert(ctl_true(answer, "ok"));
	json_decref(answer);
	ctl_close(&ctl);
	hostile_expect_no_run();
}
END_TEST

Suite *
hostile_teardown(void)
{
	Suite *suite = suite_create("teardown");

	PLACE_CASE(suite, containers_end_under_load);
	PLACE_CASE(suite, containers_wait_for_a_daemon_that_is_stopped);
	PLACE_CASE(suite, containers_end_during_an_upgrade);
	return (suite);
}
