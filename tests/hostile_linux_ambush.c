#include "config.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

#include "fixture_exec.h"
#include "fixture_wait.h"
#include "hostile_linux.h"

#define WINDOW 6 /* how far behind the newest pid it looks */

#define AMBUSHERS 2

struct ambush {
	atomic_int ready, go, stop;
	atomic_ulong sent;
	int sig;
	pid_t pids[AMBUSHERS];
};

static int
ambush_body(void *arg)
{
	struct ambush *ambush = arg;
	pid_t floor, last, pid;

	ambush->ready++;
	while (!ambush->go)
		(void)sched_yield();
	floor = attacker_last_pid(); /* from here on it is not one of us */
	while (!ambush->stop) {
		last = attacker_last_pid();
		for (pid = last + 1; pid > last - WINDOW && pid > floor; pid--)
			if (kill(pid, ambush->sig) == 0)
				ambush->sent++;
	}
	return (0);
}

static bool
is_ready(void *arg)
{
	struct ambush *ambush = arg;

	return (ambush->ready == AMBUSHERS);
}

struct ambush *
ambush_start(const struct jailfix *jail, int sig)
{
	struct ambush *ambush = attacker_shared(sizeof(*ambush));
	struct attacker attacker = {jail, RIGHTS_USUAL, 0, ambush_body, ambush};
	int i;

	ambush->sig = sig;
	for (i = 0; i < AMBUSHERS; i++)
		ambush->pids[i] = attacker_start(&attacker);
	ck_assert(wait_until(is_ready, ambush));
	ambush->go = 1;
	return (ambush);
}

unsigned long
ambush_stop(struct ambush *ambush)
{
	int i;

	ambush->stop = 1;
	for (i = 0; i < AMBUSHERS; i++)
		(void)exec_wait(ambush->pids[i]); /* the jail may have ended, and they with it */
	return (ambush->sent);
}
