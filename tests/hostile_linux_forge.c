/*
 * A container with the host's right to trace can take the report pipe from a newborn probe, and
 * write into it whatever it likes. The daemon must not believe it anything about others.
 */
#include "config.h"

#include <sys/syscall.h>

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attach_wire.h"
#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_exec.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "fixture_wait.h"
#include "hostile.h"
#include "hostile_adds.h"
#include "hostile_linux.h"

#define BATCH	4
#define BATCHES 150
#define ENOUGH	20 /* newborns */
#define WINDOW	4

struct forger {
	atomic_int ready, go, stop;
	atomic_int stolen, neighbours; /* newborns; channels of others that they had */
	pid_t victims[3];
	size_t odd; /* 0, or the bytes of a report that is cut short */
};

static void
tell_lies(const struct forger *forger, int report)
{
	static const enum attach_stage told[] = {ATTACH_PID, ATTACH_HELPER, ATTACH_READY};
	struct attach_report line;
	size_t i, j;

	for (i = 0; i < 3; i++)
		for (j = 0; j < 3; j++) {
			line.stage = (uint32_t)told[j];
			line.value = (int32_t)forger->victims[i];
			(void)write(report, &line, sizeof(line));
		}
}

static bool
steal_one(const struct forger *forger, int pidfd, int place)
{
	int report = (int)syscall(SYS_pidfd_getfd, pidfd, place, 0);

	if (report == -1)
		return (false);
	if (forger->odd > 0)
		(void)write(report, "\0\0\0\0\0\0\0", forger->odd);
	else
		tell_lies(forger, report);
	(void)close(report);
	return (true);
}

/* Its own channel, and those of the probes that are made after it, which a newborn has until it closes
 * them. */
static void
steal(struct forger *forger, pid_t pid)
{
	static pid_t last;
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), place;

	if (pidfd == -1)
		return;
	for (place = 0; place < ATTACH_PARTY_MAX; place++) {
		if (!steal_one(forger, pidfd, ATTACH_INHERITED_FD + place))
			continue;
		forger->stolen += pid != last;
		forger->neighbours += place > 0;
		last = pid;
	}
	(void)close(pidfd);
}

static int
forge_body(void *arg)
{
	struct forger *forger = arg;
	pid_t floor, last, pid;

	(void)signal(SIGPIPE, SIG_IGN);
	forger->ready = 1;
	while (!forger->go)
		(void)sched_yield();
	floor = attacker_last_pid();
	while (!forger->stop) {
		last = attacker_last_pid();
		for (pid = last + 1; pid > last - WINDOW && pid > floor; pid--)
			steal(forger, pid);
	}
	return (0);
}

static bool
is_ready(void *arg)
{
	struct forger *forger = arg;

	return (forger->ready != 0);
}

/* Until enough reports were forged; all that was armed is removed again. */
static void
attach_against(struct forger *forger, const struct jailfix *jail)
{
	int numbers[BATCH], armed, batch;
	struct ctl ctl;

	hostile_open(&ctl);
	for (batch = 0; batch < BATCHES && forger->stolen < ENOUGH; batch++) {
		hostile_say_adds(&ctl, jail, BATCH);
		armed = hostile_hear_adds(&ctl, BATCH, numbers);
		hostile_remove(&ctl, numbers, armed);
	}
	ctl_close(&ctl);
}

static pid_t
bystander(void)
{
	pid_t pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid == 0)
		for (;;)
			(void)pause();
	return (pid);
}

static void
forge_against(size_t odd)
{
	struct forger *forger = attacker_shared(sizeof(*forger));
	struct attacker attacker = {probe_jail(), RIGHTS_PTRACE, 0, forge_body, forger};
	struct jailfix *other = probe_jail();
	pid_t daemon = daemon_start(), body;
	int probe;

	(void)hostile_attach_many(attacker.jail, 10, true);
	probe = probe_add(other, "{s:s,s:s}", "command", hostile_command_text(), "title", "OTHER");
	forger->victims[0] = bystander();
	forger->victims[1] = (pid_t)probe_int(probe, "pid");
	forger->victims[2] = daemon;
	forger->odd = odd;
	body = attacker_start(&attacker);
	ck_assert(wait_until(is_ready, forger));
	forger->go = 1;
	attach_against(forger, attacker.jail);
	forger->stop = 1;
	ck_assert_int_eq(exec_wait(body), 0);
	(void)printf("NOTE: %d newborns robbed of %d channels that are not theirs\n",
		     (int)forger->stolen, (int)forger->neighbours);
	ck_assert_msg(!exec_gone(forger->victims[0]), "a process of the host was killed");
	ck_assert_str_eq(probe_state(probe), "armed");
	ck_assert_int_eq(probe_int(probe, "pid"), forger->victims[1]);
	ck_assert_int_eq(probe_listed(), 1);
	hostile_expect_no_target();
	hostile_expect_no_run();
	probe_sentinel(other);
}

START_TEST(forged_report_harms_no_other_process)
{
	NEEDS_ROOT;
	forge_against(0);
}
END_TEST

START_TEST(report_that_is_cut_short_harms_nobody)
{
	NEEDS_ROOT;
	forge_against(3);
}
END_TEST

Suite *
hostile_forge(void)
{
	Suite *suite = suite_create("forge");

	PLACE_CASE(suite, forged_report_harms_no_other_process);
	PLACE_CASE(suite, report_that_is_cut_short_harms_nobody);
	return (suite);
}
