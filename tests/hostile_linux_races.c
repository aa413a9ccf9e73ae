/*
 * Attackers in the jail that spin on every new pid, from its first moment on, against 2,000
 * attaches.
 */
#include "config.h"

#include <sys/wait.h>

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_daemon.h"
#include "fixture_exec.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "fixture_wait.h"
#include "hostile.h"
#include "hostile_adds.h"
#include "hostile_host.h"
#include "hostile_linux.h"

#define ATTACHES   2000
#define ATTACKERS  2
#define WINDOW	   6	/* how far behind the newest pid an attacker looks */
#define GROWTH_KIB 1024 /* of the daemon's memory, at most */

struct race {
	atomic_int ready, go, stop;
	atomic_ulong seen;  /* looks at a process */
	atomic_ulong early; /* of which it was not confined yet */
	atomic_ulong killed;
	unsigned long opened[ATTACKERS][DOORS_MAX];
	atomic_uint next;
	struct attacker attacker;
	pid_t pids[ATTACKERS];
};

/* It has the launcher's filter, and not yet its own. */
static bool
is_early(pid_t pid)
{
	return (linux_filters(pid) == 1);
}

static void
attack_process(struct race *race, unsigned me, pid_t pid)
{
	static size_t first;

	if (kill(pid, 0) != 0 && errno == ESRCH)
		return;
	race->seen++;
	door_try_all(pid, first++, race->opened[me]);
	if (first % 4 == 0 && is_early(pid))
		race->early++;
}

/* Waits for the start: from then on every new pid is the daemon's doing. */
static pid_t
first_of_the_race(struct race *race)
{
	race->ready++;
	while (!race->go)
		(void)sched_yield();
	return (attacker_last_pid());
}

static int
spin_body(void *arg)
{
	struct race *race = arg;
	unsigned me = race->next++;
	pid_t floor = first_of_the_race(race), last, pid;

	while (!race->stop) {
		last = attacker_last_pid();
		for (pid = last + 1; pid > last - WINDOW && pid > floor; pid--)
			attack_process(race, me, pid);
	}
	return (0);
}

/* Ends every new process as early as it can, in turn by different signals. */
static int
kill_body(void *arg)
{
	static const int signals[] = {SIGKILL, SIGTERM, SIGSEGV, SIGKILL, SIGUSR1};
	struct race *race = arg;
	pid_t floor = first_of_the_race(race), last, pid;
	unsigned turn = 0;

	while (!race->stop) {
		last = attacker_last_pid();
		for (pid = last + 1; pid > last - WINDOW && pid > floor; pid--)
			if (kill(pid, signals[turn % 5]) == 0 && ++turn != 0)
				race->killed++;
	}
	return (0);
}

static struct race *
race_prepare(const struct jailfix *jail, enum rights rights, int (*body)(void *))
{
	struct race *race = attacker_shared(sizeof(*race));

	race->attacker = (struct attacker){jail, rights, 0, body, race};
	return (race);
}

static bool
race_is_ready(void *arg)
{
	struct race *race = arg;

	return (race->ready == ATTACKERS);
}

static void
race_start(struct race *race)
{
	int i;

	for (i = 0; i < ATTACKERS; i++)
		race->pids[i] = attacker_start(&race->attacker);
	ck_assert(wait_until(race_is_ready, race));
	race->go = 1;
}

static void
race_stop(struct race *race)
{
	int i;

	race->stop = 1;
	for (i = 0; i < ATTACKERS; i++)
		ck_assert_int_eq(exec_wait(race->pids[i]), 0);
}

static void
race_expect_shut(struct race *race)
{
	int i;

	for (i = 0; i < ATTACKERS; i++)
		door_expect_shut(race->opened[i]);
	(void)printf("NOTE: %lu looks at a probe, %lu before it was confined\n",
		     (unsigned long)race->seen, (unsigned long)race->early);
	ck_assert_msg(race->seen > ATTACHES / 4, "the attackers saw too little: %lu",
		      (unsigned long)race->seen);
	ck_assert_msg(race->early > 0, "the attackers never saw a probe before it was ready");
}

/* The whole race, and what must be as before when it is over. */
static void
race_run(const struct jailfix *jail, enum rights rights)
{
	struct race *race = race_prepare(jail, rights, spin_body);
	pid_t daemon = daemon_start();
	struct hostile_cost before;

	(void)hostile_attach_many(jail, 100, true);
	hostile_expect_no_target();
	hostile_note(daemon, &before);
	race_start(race);
	ck_assert_int_eq(hostile_attach_many(jail, ATTACHES, true), ATTACHES);
	race_stop(race);
	race_expect_shut(race);
	ck_assert_int_eq(probe_listed(), 0);
	hostile_expect_no_target();
	hostile_expect(daemon, &before, GROWTH_KIB);
	hostile_expect_no_run();
	probe_sentinel(jail);
}

START_TEST(two_thousand_attaches_open_no_door_to_the_jail_root)
{
	struct jailfix *jail;

	NEEDS_JAIL(jail, false);
	race_run(jail, RIGHTS_USUAL);
}
END_TEST

START_TEST(two_thousand_attaches_open_no_door_to_the_root_of_a_user_namespace)
{
	struct jailfix *jail;

	NEEDS_JAIL(jail, true);
	race_run(jail, RIGHTS_ALL);
}
END_TEST

/* A probe that has ended is remembered for a while, and with it which jail it was in. */
static void
end_one(const struct jailfix *jail)
{
	int probe = hostile_target(jail);

	ck_assert_int_eq(kill((pid_t)probe_int(probe, "pid"), SIGKILL), 0);
	probe_wait_state(probe, "gone");
}

/* Each of the attaches is answered, killed or not; afterwards nothing is left of any of them. */
START_TEST(two_thousand_killed_attaches_leave_nothing)
{
	struct hostile_cost before;
	struct jailfix *jail;
	struct race *race;
	pid_t daemon;
	int armed;

	NEEDS_JAIL(jail, false);
	race = race_prepare(jail, RIGHTS_USUAL, kill_body);
	daemon = daemon_start();
	(void)hostile_attach_many(jail, 100, true);
	end_one(jail);
	hostile_expect_no_target();
	hostile_note(daemon, &before);
	race_start(race);
	armed = hostile_attach_many(jail, ATTACHES, false);
	race_stop(race);
	(void)printf("NOTE: %lu kills, %d of %d armed all the same\n", (unsigned long)race->killed,
		     armed, ATTACHES);
	ck_assert_uint_gt(race->killed, ATTACHES / 10);
	ck_assert_int_eq(probe_listed(), 0);
	hostile_expect_no_target();
	hostile_expect(daemon, &before, GROWTH_KIB);
	hostile_expect_no_run();
	probe_sentinel(jail);
}
END_TEST

Suite *
hostile_races(void)
{
	Suite *suite = suite_create("races");

	PLACE_CASE(suite, two_thousand_attaches_open_no_door_to_the_jail_root);
	PLACE_CASE(suite, two_thousand_attaches_open_no_door_to_the_root_of_a_user_namespace);
	PLACE_CASE(suite, two_thousand_killed_attaches_leave_nothing);
	return (suite);
}
