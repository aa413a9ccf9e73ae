/* From the reports of an attach to the certainty that a probe is there, or will not be. */
#include "config.h"

#include "arm.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "unit.h"

#define MANY 40

struct outcome {
	unsigned done;
	pid_t pid;
	struct error error;
	unsigned exited;
	int status;
};

static struct jail_instance *jail;
static const struct attach_params params = {.uid = 80, .gid = 81, .title = "T"};

static struct jail_instance *
find_jail(const char *name, pid_t jid)
{
	struct jail_ref ref = {.number = jid};
	struct jail_instance *found;
	struct error e;

	unit_jail_begin(name, jid);
	found = jail_find(&ref, &e);
	ck_assert_ptr_nonnull(found);
	return found;
}

static void
begin(void)
{
	unit_reap_children();
	arm_init(unit_base());
	jail = find_jail("www", 4711);
}

static void
process_exited(pid_t pid, int status, void *arg)
{
	struct outcome *outcome = arg;

	ck_assert_int_eq(pid, outcome->pid);
	outcome->exited++;
	outcome->status = status;
}

/* As a probe would, it registers the process at once. */
static void
done(void *arg, pid_t pid, const struct error *e)
{
	struct outcome *outcome = arg;

	outcome->done++;
	outcome->pid = pid;
	if (pid > 0)
		child_add(pid, process_exited, outcome);
	else
		outcome->error = *e;
}

static struct arm *
start(struct outcome *outcome)
{
	struct arm *arm;

	*outcome = (struct outcome){0};
	arm = arm_begin(jail, &params, done, outcome);
	ck_assert_ptr_nonnull(arm);
	ck_assert_uint_eq(outcome->done, 0);
	return arm;
}

static struct arm *
begin_one(struct outcome *outcome)
{
	struct arm *arm;

	begin();
	arm = start(outcome);
	unit_attach_wait(1);
	return arm;
}

/* Nothing is left of it: no hold on the jail but the test's own, no process. */
static void
check_clean(void)
{
	ck_assert_uint_eq(jail->references, 1);
	jail_release(jail);
	ck_assert_uint_eq(jail_count(), 0);
	ck_assert_uint_eq(child_dying(), 0);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}

static void
check_failed(const struct outcome *outcome, const char *text)
{
	ck_assert_uint_eq(outcome->done, 1);
	ck_assert_int_eq(outcome->pid, 0);
	ck_assert_int_eq(outcome->error.code, ERR_ATTACH_FAILED);
	ck_assert_str_eq(outcome->error.text, text);
}

START_TEST(armed)
{
	struct outcome outcome;
	pid_t pid = unit_probe_process();

	begin_one(&outcome);
	ck_assert_str_eq(unit_attach_title(0), "T");
	unit_attach_check_ids(0, 80, 81);
	unit_attach_report(0, ATTACH_PID, pid);
	unit_settle();
	unit_attach_report(0, ATTACH_READY, 0);
	unit_settle();
	ck_assert_uint_eq(outcome.done, 0); /* its pipe is still open */
	unit_attach_end(0);
	ck_assert_uint_eq(outcome.done, 1);
	ck_assert_int_eq(outcome.pid, pid);
	kill(pid, SIGHUP);
	unit_wait_reaped(1);
	ck_assert_uint_eq(outcome.exited, 1);
	ck_assert_int_eq(WEXITSTATUS(outcome.status), PROBE_EXIT_TRIGGERED);
	check_clean();
}
END_TEST

/* The process that makes the probe is known by itself, and nobody's concern once it has. */
START_TEST(armed_by_a_helper)
{
	struct outcome outcome;
	pid_t helper = unit_probe_process(), pid = unit_probe_process();

	begin_one(&outcome);
	unit_attach_report(0, ATTACH_HELPER, helper);
	unit_settle();
	kill(helper, SIGKILL);
	unit_wait_reaped(1);
	unit_attach_succeed(0, pid);
	ck_assert_int_eq(outcome.pid, pid);
	kill(pid, SIGKILL);
	unit_wait_reaped(2);
	ck_assert_uint_eq(outcome.exited, 1);
	check_clean();
}
END_TEST

/* A pid that is no child of ours, or that somebody has already, is not believed: it would be killed
 * here. */
START_TEST(pids_that_are_not_ours)
{
	struct outcome outcome = {0}, others = {0};

	begin();
	others.pid = unit_probe_process();
	ck_assert_int_eq(child_reserve(), 0);
	child_add(others.pid, process_exited, &others);
	start(&outcome);
	unit_attach_wait(1);
	unit_attach_report(0, ATTACH_PID, getpid());
	unit_attach_report(0, ATTACH_PID, getppid());
	unit_attach_report(0, ATTACH_PID, others.pid);
	unit_attach_report(0, ATTACH_PID, -1);
	unit_attach_report(0, ATTACH_HELPER, 0);
	unit_attach_fail(0);
	ck_assert_uint_eq(others.exited, 0);
	kill(others.pid, SIGHUP);
	unit_wait_reaped(1);
	ck_assert_int_eq(WEXITSTATUS(others.status), PROBE_EXIT_TRIGGERED);
	check_clean();
}
END_TEST

/* The process that makes it, and the probe itself, report in any order. */
START_TEST(armed_and_then_the_pid)
{
	struct outcome outcome;
	pid_t pid = unit_probe_process();

	begin_one(&outcome);
	unit_attach_report(0, ATTACH_READY, 0);
	unit_settle();
	unit_attach_report(0, ATTACH_PID, pid);
	unit_attach_end(0);
	ck_assert_int_eq(outcome.pid, pid);
	kill(pid, SIGKILL);
	unit_wait_reaped(1);
	ck_assert_int_eq(outcome.status, SIGKILL);
	check_clean();
}
END_TEST

/* A HUP that comes the moment it is armed is no less a HUP. */
START_TEST(pressed_before_its_pid_came)
{
	struct outcome outcome;
	pid_t pid = unit_probe_process();

	begin_one(&outcome);
	unit_attach_report(0, ATTACH_READY, 0);
	kill(pid, SIGHUP);
	unit_wait_reaped(1);
	unit_attach_report(0, ATTACH_PID, pid);
	unit_attach_end(0);
	ck_assert_int_eq(outcome.pid, pid);
	ck_assert_uint_eq(outcome.exited, 1);
	ck_assert_int_eq(WEXITSTATUS(outcome.status), PROBE_EXIT_TRIGGERED);
	check_clean();
}
END_TEST

START_TEST(pressed_between_pid_and_end)
{
	struct outcome outcome;
	pid_t pid = unit_probe_process();

	begin_one(&outcome);
	unit_attach_report(0, ATTACH_PID, pid);
	unit_attach_report(0, ATTACH_READY, 0);
	unit_settle();
	kill(pid, SIGHUP);
	unit_wait_reaped(1);
	ck_assert_uint_eq(outcome.done, 0);
	unit_attach_end(0);
	ck_assert_int_eq(outcome.pid, pid);
	ck_assert_uint_eq(outcome.exited, 1);
	check_clean();
}
END_TEST

static bool
is_reaped(void *arg)
{
	return kill(*(pid_t *)arg, 0) == -1 && errno == ESRCH;
}

/* With the process that was to make the probe, and without. */
START_TEST(fails_without_a_probe)
{
	struct outcome outcome;
	pid_t helper = unit_probe_process();

	begin_one(&outcome);
	if (_i == 1)
		unit_attach_report(0, ATTACH_HELPER, helper);
	else
		kill(helper, SIGKILL); /* it is nobody's */
	unit_attach_fail(0);
	unit_wait(is_reaped, &helper, "the end of a process");
	check_failed(&outcome, UNIT_ATTACH_FAILED);
	check_clean();
}
END_TEST

START_TEST(fails_with_a_process)
{
	struct outcome outcome;

	begin_one(&outcome);
	unit_attach_report(0, ATTACH_PID, unit_probe_process());
	unit_attach_report(0, ATTACH_FAIL_CONFINE, EPERM);
	unit_attach_report(0, ATTACH_FAIL_EXEC, ENOENT); /* the first one counts */
	unit_attach_end(0);
	check_failed(&outcome, "the probe could not confine itself: Operation not permitted");
	unit_wait_reaped(1);
	check_clean();
}
END_TEST

/* A failure after it said that it is ready is a failure. */
START_TEST(fails_after_all)
{
	struct outcome outcome;

	begin_one(&outcome);
	unit_attach_report(0, ATTACH_PID, unit_probe_process());
	unit_attach_report(0, ATTACH_READY, 0);
	unit_attach_fail(0);
	check_failed(&outcome, UNIT_ATTACH_FAILED);
	unit_wait_reaped(1);
	check_clean();
}
END_TEST

START_TEST(ends_without_a_word)
{
	struct outcome outcome;

	begin_one(&outcome);
	unit_attach_report(0, ATTACH_PID, unit_probe_process());
	unit_attach_end(0);
	check_failed(&outcome, "the probe ended while it was being set up");
	unit_wait_reaped(1);
	check_clean();
}
END_TEST

/* By a signal of somebody's who was quick, or of one who found its number where another process had been. */
static void
signal_newborn(int signo, const char *why)
{
	struct outcome outcome;
	pid_t pid = unit_probe_process();

	begin_one(&outcome);
	unit_attach_report(0, ATTACH_PID, pid);
	unit_settle();
	kill(pid, signo);
	unit_wait_reaped(1);
	unit_attach_end(0);
	check_failed(&outcome, why);
	check_clean();
}

START_TEST(killed_while_being_set_up)
{
	signal_newborn(SIGTERM, "the probe was ended by signal 15 while it was being set up");
}
END_TEST

START_TEST(pressed_while_being_set_up)
{
	signal_newborn(SIGHUP, "the probe was pressed while it was being set up");
}
END_TEST

START_TEST(exits_while_being_set_up)
{
	signal_newborn(SIGUSR2, "the probe exited with 1 while it was being set up");
}
END_TEST

START_TEST(stages_that_need_other_words)
{
	static const struct {
		enum attach_stage stage;
		int value;
		const char *text;
	} cases[] = {
	    {ATTACH_FAIL_UID, EINVAL, "uid 80 is not mapped in the jail's user namespace"},
	    {ATTACH_FAIL_GID, EINVAL, "gid 81 is not mapped in the jail's user namespace"},
	    {ATTACH_FAIL_FORK, ENOMEM,
	     "the probe could not make a process in the jail: the jail is ending"},
	};
	struct outcome outcome;

	begin_one(&outcome);
	unit_attach_report(0, cases[_i].stage, cases[_i].value);
	unit_attach_end(0);
	check_failed(&outcome, cases[_i].text);
	check_clean();
}
END_TEST

START_TEST(jail_that_ends_meanwhile)
{
	struct outcome outcome;

	begin_one(&outcome);
	unit_jail_end("www");
	unit_attach_succeed(0, unit_probe_process());
	check_failed(&outcome, "the jail ended while the probe was being set up");
	unit_wait_reaped(1);
	check_clean();
}
END_TEST

/* ---- giving up ---- */

START_TEST(cancelled_before_it_began)
{
	struct outcome outcome;

	begin();
	arm_cancel(start(&outcome));
	unit_settle();
	ck_assert_uint_eq(unit_attaches(), 0);
	ck_assert_uint_eq(outcome.done, 0);
	check_clean();
}
END_TEST

START_TEST(cancelled_with_a_process)
{
	struct outcome outcome;
	struct arm *arm;

	arm = begin_one(&outcome);
	unit_attach_report(0, ATTACH_PID, unit_probe_process());
	unit_settle();
	arm_cancel(arm);
	unit_wait_reaped(1);
	unit_attach_end(0);
	ck_assert_uint_eq(outcome.done, 0);
	check_clean();
}
END_TEST

/* Its process is not known yet: it is ended when it is. */
START_TEST(cancelled_before_its_pid_came)
{
	struct outcome outcome;
	struct arm *arm;

	arm = begin_one(&outcome);
	arm_cancel(arm);
	unit_attach_succeed(0, unit_probe_process());
	unit_wait_reaped(1);
	ck_assert_uint_eq(outcome.done, 0);
	check_clean();
}
END_TEST

static bool
is_done(void *arg)
{
	const struct outcome *outcome = arg;

	return outcome->done > 0;
}

/* Stopped by somebody inside, say. */
START_TEST(never_ready)
{
	struct outcome outcome;

	begin_one(&outcome);
	unit_attach_report(0, ATTACH_PID, unit_probe_process());
	unit_wait(is_done, &outcome, "giving up");
	check_failed(&outcome, "the probe was not ready within 5 seconds");
	unit_wait_reaped(1);
	unit_attach_end(0);
	check_clean();
}
END_TEST

/* ---- together ---- */

/* Three whose helper is known. */
static pid_t
begin_party(struct outcome outcomes[3], struct arm *arms[3])
{
	pid_t helper = unit_probe_process();

	begin();
	unit_attach_parties(3);
	for (unsigned i = 0; i < 3; i++)
		arms[i] = start(&outcomes[i]);
	unit_attach_wait(3);
	for (unsigned i = 0; i < 3; i++)
		unit_attach_report(i, ATTACH_HELPER, helper);
	unit_settle();
	return helper;
}

/* Each is answered when its own channel has ended and the helper, which they share, is gone. */
START_TEST(a_party_waits_for_its_helper)
{
	struct outcome outcomes[3];
	struct arm *arms[3];
	pid_t helper = begin_party(outcomes, arms), pids[3];

	for (unsigned i = 0; i < 3; i++)
		pids[i] = unit_probe_process();
	unit_attach_succeed(0, pids[0]);
	unit_attach_succeed(0, pids[1]);
	ck_assert_uint_eq(outcomes[0].done + outcomes[1].done, 0);
	kill(helper, SIGKILL);
	unit_wait_reaped(1);
	ck_assert_int_eq(outcomes[0].pid, pids[0]);
	ck_assert_int_eq(outcomes[1].pid, pids[1]);
	ck_assert_uint_eq(outcomes[2].done, 0);
	unit_attach_succeed(0, pids[2]);
	ck_assert_int_eq(outcomes[2].pid, pids[2]);
	for (unsigned i = 0; i < 3; i++)
		kill(pids[i], SIGKILL);
	unit_wait_reaped(4);
	check_clean();
}
END_TEST

/* What becomes of one is nothing to the others: the helper goes on. */
START_TEST(one_of_a_party_is_cancelled)
{
	struct outcome outcomes[3];
	struct arm *arms[3];
	pid_t helper = begin_party(outcomes, arms), pid = unit_probe_process();

	unit_attach_report(0, ATTACH_PID, unit_probe_process());
	unit_settle();
	arm_cancel(arms[0]);
	unit_wait_reaped(1);
	unit_attach_end(0);
	unit_attach_fail(0);
	ck_assert_int_eq(kill(helper, 0), 0);
	unit_attach_succeed(0, pid);
	unit_wait(is_reaped, &helper, "the end of a helper that has nothing more to do");
	ck_assert_uint_eq(outcomes[0].done, 0);
	check_failed(&outcomes[1], UNIT_ATTACH_FAILED);
	ck_assert_int_eq(outcomes[2].pid, pid);
	kill(pid, SIGKILL);
	unit_wait(is_reaped, &pid, "the end of a process");
	check_clean();
}
END_TEST

/* Whoever hears that a probe is armed may do away with the next one. */
static struct arm *to_cancel;

static void
done_and_cancel(void *arg, pid_t pid, const struct error *e)
{
	done(arg, pid, e);
	if (to_cancel != NULL)
		arm_cancel(to_cancel);
	to_cancel = NULL;
}

START_TEST(one_of_a_party_cancels_another)
{
	struct outcome outcomes[2] = {{0}, {0}};
	pid_t helper = unit_probe_process(), pids[2] = {unit_probe_process(), unit_probe_process()};

	begin();
	unit_attach_parties(2);
	ck_assert_ptr_nonnull(arm_begin(jail, &params, done_and_cancel, &outcomes[0]));
	to_cancel = arm_begin(jail, &params, done, &outcomes[1]);
	unit_attach_wait(2);
	for (unsigned i = 0; i < 2; i++)
		unit_attach_report(i, ATTACH_HELPER, helper);
	for (unsigned i = 0; i < 2; i++)
		unit_attach_succeed(0, pids[i]);
	unit_wait(is_reaped, &helper, "the end of a helper that has nothing more to do");
	unit_wait(is_reaped, &pids[1], "the end of a probe that nobody wants any more");
	ck_assert_int_eq(outcomes[0].pid, pids[0]);
	ck_assert_uint_eq(outcomes[1].done, 0);
	kill(pids[0], SIGKILL);
	unit_wait(is_reaped, &pids[0], "the end of a process");
	check_clean();
}
END_TEST

/* Frozen with its jail, say: when all have given up waiting, it is ended. */
START_TEST(a_helper_that_stands_still)
{
	struct outcome outcomes[3];
	struct arm *arms[3];
	pid_t helper = begin_party(outcomes, arms);

	for (unsigned i = 0; i < 3; i++)
		unit_wait(is_done, &outcomes[i], "giving up");
	unit_wait(is_reaped, &helper, "the end of a helper that stands still");
	for (unsigned i = 0; i < 3; i++) {
		check_failed(&outcomes[i], "the probe was not ready within 5 seconds");
		unit_attach_end(0);
	}
	check_clean();
}
END_TEST

/* ---- many ---- */

/* Only so many at once, more of them when there are places for a whole party, and all of them in the end, in
 * the order in which they were asked for. */
START_TEST(many_take_turns)
{
	static struct outcome outcomes[MANY];
	unsigned most, least;

	begin();
	for (size_t i = 0; i < MANY; i++)
		start(&outcomes[i]);
	unit_settle();
	most = unit_attaches();
	ck_assert(most > ATTACH_PARTY_MAX && most < MANY);
	least = most - ATTACH_PARTY_MAX + 1;
	for (unsigned i = 0; i < MANY; i++) {
		ck_assert_uint_eq(outcomes[i].done, 0);
		unit_attach_fail(0);
		ck_assert_uint_eq(outcomes[i].done, 1);
		ck_assert_uint_le(unit_attaches(), most);
		ck_assert_uint_ge(unit_attaches(), MANY - i - 1 < least ? MANY - i - 1 : least);
	}
	check_clean();
}
END_TEST

/* A jail whose attaches fill its places keeps no other one waiting. */
START_TEST(jails_have_places_each)
{
	static struct outcome outcomes[MANY], other;
	struct jail_instance *flooded;
	unsigned most;

	begin();
	for (size_t i = 0; i < MANY; i++)
		start(&outcomes[i]);
	unit_settle();
	most = unit_attaches();
	flooded = jail;
	jail = find_jail("mail", 4712);
	start(&other);
	unit_settle();
	ck_assert_uint_eq(unit_attaches(), most + 1);
	unit_attach_fail(most);
	check_failed(&other, UNIT_ATTACH_FAILED);
	while (unit_attaches() > 0)
		unit_attach_fail(0);
	jail_release(jail);
	jail = flooded;
	check_clean();
}
END_TEST

Suite *
unit_arm(void)
{
	Suite *suite;
	TCase *tests = unit_case("arm", &suite);

	tcase_add_test(tests, armed);
	tcase_add_test(tests, armed_by_a_helper);
	tcase_add_test(tests, pids_that_are_not_ours);
	tcase_add_test(tests, armed_and_then_the_pid);
	tcase_add_test(tests, pressed_before_its_pid_came);
	tcase_add_test(tests, pressed_between_pid_and_end);
	tcase_add_loop_test(tests, fails_without_a_probe, 0, 2);
	tcase_add_test(tests, fails_with_a_process);
	tcase_add_test(tests, fails_after_all);
	tcase_add_test(tests, ends_without_a_word);
	tcase_add_test(tests, killed_while_being_set_up);
	tcase_add_test(tests, pressed_while_being_set_up);
	tcase_add_test(tests, exits_while_being_set_up);
	tcase_add_loop_test(tests, stages_that_need_other_words, 0, 3);
	tcase_add_test(tests, jail_that_ends_meanwhile);
	tcase_add_test(tests, cancelled_before_it_began);
	tcase_add_test(tests, cancelled_with_a_process);
	tcase_add_test(tests, cancelled_before_its_pid_came);
	tcase_add_test(tests, never_ready);
	tcase_add_test(tests, a_party_waits_for_its_helper);
	tcase_add_test(tests, one_of_a_party_is_cancelled);
	tcase_add_test(tests, one_of_a_party_cancels_another);
	tcase_add_test(tests, a_helper_that_stands_still);
	tcase_add_test(tests, many_take_turns);
	tcase_add_test(tests, jails_have_places_each);
	return suite;
}
