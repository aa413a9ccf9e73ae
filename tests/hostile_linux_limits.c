/*
 * A jail that has used up what it may have: processes, memory. An attach there succeeds or is a
 * clear refusal, in bounded time, and costs nobody else anything.
 */
#include "config.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_exec.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "fixture_wait.h"
#include "hostile.h"
#include "hostile_adds.h"
#include "hostile_host.h"
#include "hostile_linux.h"

#define BOUND_MS   9000
#define GROWTH_KIB 1024
#define ADDS	   5
#define PAGE	   4096
#define EATEN	   (16 << 20)
#define LIMIT	   "4194304"

struct greedy {
	atomic_int full, stop;
};

/* Some adds, their answers, and nothing left of them. */
static void
expect_bounded(const struct jailfix *jail)
{
	long long before = wait_now();
	int numbers[ADDS], armed;
	struct ctl ctl;

	hostile_open(&ctl);
	hostile_say_adds(&ctl, jail, ADDS);
	ck_assert(ctl_alive());
	armed = hostile_hear_adds(&ctl, ADDS, numbers);
	ck_assert_int_lt(wait_now() - before, BOUND_MS);
	(void)printf("NOTE: %d of %d armed in a jail that is full\n", armed, ADDS);
	hostile_remove(&ctl, numbers, armed);
	ctl_close(&ctl);
	ck_assert_int_eq(probe_listed(), 0);
}

/* The limit is gone: all is well, and nothing is left. */
static void
expect_recovery(const struct jailfix *jail, pid_t daemon, const struct hostile_cost *before)
{
	hostile_expect_no_target();
	ck_assert_int_eq(hostile_attach_many(jail, ADDS, true), ADDS);
	hostile_expect(daemon, before, GROWTH_KIB);
	hostile_expect_no_run();
	probe_sentinel(jail);
}

START_TEST(full_pids_cgroup_is_survived)
{
	struct hostile_cost before;
	struct jailfix *jail;
	const char *group;
	pid_t daemon;

	NEEDS_JAIL(jail, false);
	SKIP_UNLESS((group = group_make("pids", jail)) != NULL, "no pids cgroup here");
	daemon = daemon_start();
	(void)hostile_attach_many(jail, ADDS, true);
	hostile_note(daemon, &before);
	ck_assert(group_set(group, "pids.max", "1"));
	expect_bounded(jail);
	ck_assert(group_set(group, "pids.max", "max"));
	expect_recovery(jail, daemon, &before);
}
END_TEST

/* Since Linux 6.14 each pid namespace has a limit of its own; before, this would change the
 * host's. */
static bool
has_own_pid_max(void)
{
	struct utsname names;
	int major = 0, minor = 0;

	(void)uname(&names);
	(void)sscanf(names.release, "%d.%d", &major, &minor);
	return (major > 6 || (major == 6 && minor >= 14));
}

static int
crowd_body(void *arg)
{
	struct greedy *greedy = arg;
	int fd = open("/proc/sys/kernel/pid_max", O_WRONLY | O_CLOEXEC);

	if (fd == -1 || write(fd, "301", 3) != 3)
		return (1);
	while (!greedy->stop) {
		pid_t pid = fork();

		if (pid == 0)
			for (;;)
				(void)pause();
		if (pid == -1)
			greedy->full = 1;
	}
	(void)kill(-1, SIGKILL);
	while (wait(NULL) > 0)
		;
	return (pwrite(fd, "32768", 5, 0) == 5 ? 0 : 1);
}

static bool
is_full(void *arg)
{
	struct greedy *greedy = arg;

	return (greedy->full != 0);
}

START_TEST(full_pid_namespace_is_a_clear_refusal)
{
	struct greedy *greedy = attacker_shared(sizeof(*greedy));
	struct attacker attacker = {NULL, RIGHTS_ALL, 0, crowd_body, greedy};
	struct hostile_cost before;
	pid_t daemon, crowd;

	SKIP_UNLESS(has_own_pid_max(), "pid namespaces have no limit of their own");
	NEEDS_JAIL(attacker.jail, false);
	daemon = daemon_start();
	(void)hostile_attach_many(attacker.jail, ADDS, true);
	hostile_note(daemon, &before);
	crowd = attacker_start(&attacker);
	ck_assert(wait_until(is_full, greedy));
	ctl_refused(probe_ask(attacker.jail, "{s:s}", "command", "true"), "attach-failed",
		    "limit of processes");
	greedy->stop = 1;
	ck_assert_int_eq(exec_wait(crowd), 0);
	expect_recovery(attacker.jail, daemon, &before);
}
END_TEST

static int
eat_body(void *arg)
{
	struct greedy *greedy = arg;
	char *memory =
	    mmap(NULL, EATEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t i;

	if (memory == MAP_FAILED)
		return (1);
	while (greedy->stop == 0)
		(void)usleep(1000); /* until it has been put into the group */
	for (i = 0; i < EATEN; i += PAGE) {
		memory[i] = 1;
		greedy->full++;
	}
	return (0);
}

struct eating {
	struct greedy *greedy;
	int before;
	long long since;
};

/* It has touched pages, and for a while no more: the kernel makes it wait. */
static bool
is_stuck(void *arg)
{
	struct eating *eating = arg;
	int now = eating->greedy->full;

	if (now != eating->before || now < 100) {
		eating->before = now;
		eating->since = wait_now();
	}
	return (wait_now() - eating->since > 200);
}

/* With the killer off, who wants more memory than there is waits: so does a probe on its way in. */
START_TEST(exhausted_memory_cgroup_is_survived)
{
	struct eating eating = {.greedy = attacker_shared(sizeof(struct greedy))};
	struct attacker attacker = {NULL, RIGHTS_USUAL, 0, eat_body, eating.greedy};
	struct hostile_cost before;
	const char *group;
	pid_t daemon, eater;
	char text[24];

	NEEDS_JAIL(attacker.jail, false);
	SKIP_UNLESS((group = group_make("memory", attacker.jail)) != NULL, "no memory cgroup here");
	daemon = daemon_start();
	(void)hostile_attach_many(attacker.jail, ADDS, true);
	hostile_note(daemon, &before);
	SKIP_UNLESS(group_set(group, "memory.limit_in_bytes", LIMIT) &&
			group_set(group, "memory.oom_control", "1"),
		    "no memory cgroup of v1 here");
	eater = attacker_start(&attacker);
	(void)snprintf(text, sizeof(text), "%d", (int)eater);
	ck_assert(group_set(group, "cgroup.procs", text));
	eating.greedy->stop = 1;
	ck_assert(wait_until(is_stuck, &eating));
	expect_bounded(attacker.jail);
	ck_assert_int_eq(kill(eater, SIGKILL), 0);
	(void)exec_wait(eater);
	expect_recovery(attacker.jail, daemon, &before);
}
END_TEST

/* RLIMIT_NPROC counts the host's processes of an uid, and a probe has one of the jail's choice. */
START_TEST(process_limit_of_the_uid_is_survived)
{
	const struct rlimit one = {1, 1};
	struct hostile_cost before;
	struct jailfix *jail;
	json_t *answer;
	pid_t daemon;

	NEEDS_JAIL(jail, false);
	ck_assert_int_eq(setrlimit(RLIMIT_NPROC, &one), 0);
	daemon = daemon_start();
	(void)hostile_attach_many(jail, ADDS, true);
	hostile_note(daemon, &before);
	for (int i = 0; i < ADDS; i++) {
		answer = probe_ask(jail, "{s:s,s:i}", "command", "true", "uid", 501);
		if (ctl_true(answer, "ok"))
			json_decref(answer);
		else
			ctl_refused(answer, "attach-failed", "limit of processes");
	}
	hostile_remove_all();
	expect_recovery(jail, daemon, &before);
}
END_TEST

Suite *
hostile_limits(void)
{
	Suite *suite = suite_create("limits");

	PLACE_CASE(suite, full_pids_cgroup_is_survived);
	PLACE_CASE(suite, full_pid_namespace_is_a_clear_refusal);
	PLACE_CASE(suite, exhausted_memory_cgroup_is_survived);
	PLACE_CASE(suite, process_limit_of_the_uid_is_survived);
	return (suite);
}
