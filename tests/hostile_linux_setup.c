/*
 * Attacks on a probe while it is being set up: it is stopped or killed, or its jail ends.
 */
#include "config.h"

#include <sys/syscall.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_daemon.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "fixture_wait.h"
#include "hostile.h"
#include "hostile_adds.h"
#include "hostile_host.h"
#include "hostile_linux.h"

#define ROUNDS	   30
#define MANY	   60
#define FEW	   8
#define BOUND_MS   9000 /* the daemon gives an attach 5 s */
#define PROMPT_MS  1500
#define GROWTH_KIB 1024
#define DESCRIPTORS 1024 /* more than the daemon has */

/* Hears the answers, and meanwhile asks for a ping again and again. */
static int
hear_within(struct ctl *ctl, int count, int *numbers, long long bound)
{
	long long before = wait_now(), slowest = 0, took;
	int armed;

	for (int i = 0; i < 20; i++) {
		took = hostile_ping_ms();
		slowest = took > slowest ? took : slowest;
	}
	armed = hostile_hear_adds(ctl, count, numbers);
	ck_assert_msg(wait_now() - before < bound, "the answers took %lld ms", wait_now() - before);
	ck_assert_msg(slowest < PROMPT_MS, "a ping took %lld ms", slowest);
	return (armed);
}

START_TEST(probe_stopped_during_set_up_is_given_up)
{
	struct jailfix *jail, *other;
	struct hostile_cost before;
	int armed = FEW, round;
	struct ambush *ambush;
	struct ctl ctl;
	pid_t daemon;

	NEEDS_JAIL(jail, false);
	other = probe_jail();
	daemon = daemon_start();
	(void)hostile_attach_many(jail, 10, true);
	probe_sentinel(other);
	hostile_note(daemon, &before);
	ambush = ambush_start(jail, SIGSTOP);
	hostile_open(&ctl);
	for (round = 0; round < ROUNDS && armed == FEW; round++) {
		hostile_say_adds(&ctl, jail, FEW);
		probe_sentinel(other);
		armed = hear_within(&ctl, FEW, NULL, BOUND_MS);
	}
	(void)ambush_stop(ambush);
	ck_assert_msg(armed < FEW, "no probe was stopped before it was ready");
	hostile_remove_all();
	ctl_close(&ctl);
	hostile_expect_no_target();
	ck_assert_int_eq(probe_listed(), 0);
	hostile_expect(daemon, &before, GROWTH_KIB);
	hostile_expect_no_run();
}
END_TEST

/* More of them than the daemon sets up at once. */
START_TEST(probes_stopped_during_set_up_hold_up_no_other_jail)
{
	struct jailfix *jail, *other;
	struct ambush *ambush;
	long long before, took;
	struct ctl ctl;

	NEEDS_JAIL(jail, false);
	other = probe_jail();
	(void)daemon_start();
	(void)hostile_attach_many(jail, 10, true);
	ambush = ambush_start(jail, SIGSTOP);
	hostile_open(&ctl);
	hostile_say_adds(&ctl, jail, MANY);
	before = wait_now();
	(void)probe_add(other, "{s:s}", "command", "true");
	took = wait_now() - before;
	(void)ambush_stop(ambush);
	ctl_close(&ctl);
	ck_assert_msg(took < PROMPT_MS, "the other jail's probe took %lld ms", took);
}
END_TEST

START_TEST(probe_killed_during_set_up_is_a_clear_refusal)
{
	struct jailfix *jail;
	struct ambush *ambush;
	json_t *answer;
	int round, refused = 0;

	NEEDS_JAIL(jail, false);
	(void)daemon_start();
	(void)hostile_attach_many(jail, 10, true);
	ambush = ambush_start(jail, SIGKILL);
	for (round = 0; round < 500 && refused < ROUNDS; round++) {
		answer = probe_ask(jail, "{s:s,s:s}", "command", hostile_command_text(), "title",
				   hostile_title());
		if (ctl_true(answer, "ok")) {
			json_decref(answer);
			continue;
		}
		ctl_refused(answer, "attach-failed", NULL);
		refused++;
	}
	(void)ambush_stop(ambush);
	ck_assert_msg(refused > 0, "no probe was killed before it was ready");
	hostile_remove_all();
	hostile_expect_no_target();
	hostile_expect_no_run();
	probe_sentinel(jail);
}
END_TEST

/* It ends a little later in each round. */
static void
end_during_adds(struct ctl *ctl, int round, bool stopped)
{
	const char *reason = NULL;
	struct jailfix *jail = hostile_jail(false, &reason);
	struct ambush *ambush = stopped ? ambush_start(jail, SIGSTOP) : NULL;
	int heard = stopped ? 0 : round % 10;

	hostile_say_adds(ctl, jail, 40);
	(void)hostile_hear_adds(ctl, heard, NULL);
	ck_assert_int_eq(kill((pid_t)jailfix_number(jail), SIGKILL), 0);
	if (ambush != NULL)
		(void)ambush_stop(ambush);
	jailfix_end(jail);
	(void)hear_within(ctl, 40 - heard, NULL, BOUND_MS);
}

START_TEST(jail_that_ends_during_set_up_leaves_nothing)
{
	struct hostile_cost before;
	struct jailfix *other;
	struct ctl ctl;
	pid_t daemon;
	int round;

	NEEDS_JAIL(other, false);
	daemon = daemon_start();
	hostile_open(&ctl);
	probe_warm_up(other);
	end_during_adds(&ctl, 0, false);
	hostile_note(daemon, &before);
	before.descriptors += 64; /* those that are remembered hold on to what their jail was */
	for (round = 1; round < ROUNDS; round++)
		end_during_adds(&ctl, round, round % 3 == 0);
	hostile_expect_no_target();
	ck_assert_int_eq(probe_listed(), 0);
	hostile_expect(daemon, &before, GROWTH_KIB);
	hostile_expect_no_run();
	probe_sentinel(other);
}
END_TEST

static bool
is_stopped(pid_t pid)
{
	char path[64], text[512] = "";
	const char *state;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	if ((file = fopen(path, "re")) == NULL)
		return (false);
	(void)fread(text, 1, sizeof(text) - 1, file);
	(void)fclose(file);
	state = strrchr(text, ')');
	return (state != NULL && state[1] == ' ' && state[2] == 'T');
}

/* Those on their way into a jail, or a few of them. */
struct newborn {
	pid_t pids[MANY];
	int count;
};

static bool
has_stopped(void *arg)
{
	struct newborn *newborn = arg;
	int stopped = 0;

	newborn->count = hostile_pids_titled(hostile_inside(), newborn->pids, MANY);
	for (int i = 0; i < newborn->count; i++)
		stopped += is_stopped(newborn->pids[i]);
	return (stopped > 0);
}

/* All that the daemon has, as a command has it that was just about to be executed when the daemon died. */
static void
hold_descriptors(pid_t daemon)
{
	int pidfd = (int)syscall(SYS_pidfd_open, daemon, 0), held = 0;

	ck_assert_int_ge(pidfd, 0);
	for (int fd = 0; fd < DESCRIPTORS; fd++)
		held += syscall(SYS_pidfd_getfd, pidfd, fd, 0) >= 0;
	ck_assert_int_gt(held, 0);
}

/* Those that were stopped before they asked for a signal at its death have to find out by themselves. */
START_TEST(daemon_that_dies_during_set_up_leaves_nothing)
{
	struct newborn newborn;
	struct ambush *ambush;
	struct jailfix *jail;
	struct ctl ctl;
	pid_t daemon;

	NEEDS_JAIL(jail, false);
	daemon = daemon_start();
	ambush = ambush_start(jail, SIGSTOP);
	hostile_open(&ctl);
	hostile_say_adds(&ctl, jail, MANY);
	ck_assert(wait_until(has_stopped, &newborn));
	hold_descriptors(daemon);
	ck_assert_int_eq(kill(daemon, SIGKILL), 0);
	(void)exec_wait(daemon);
	(void)ambush_stop(ambush);
	newborn.count = hostile_pids_titled(hostile_inside(), newborn.pids, MANY);
	(void)printf("NOTE: %d probes were stopped before the daemon died\n", newborn.count);
	for (int i = 0; i < newborn.count; i++)
		(void)kill(newborn.pids[i], SIGCONT);
	hostile_expect_no_target();
	ctl_close(&ctl);
}
END_TEST

Suite *
hostile_setup(void)
{
	Suite *suite = suite_create("setup");

	PLACE_CASE(suite, probe_stopped_during_set_up_is_given_up);
	PLACE_CASE(suite, probes_stopped_during_set_up_hold_up_no_other_jail);
	PLACE_CASE(suite, probe_killed_during_set_up_is_a_clear_refusal);
	PLACE_CASE(suite, jail_that_ends_during_set_up_leaves_nothing);
	PLACE_CASE(suite, daemon_that_dies_during_set_up_leaves_nothing);
	return (suite);
}
