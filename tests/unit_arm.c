/* From the reports of an attach to the certainty that a probe is there, or will not be. */
#include "config.h"

#include "arm.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "unit.h"
#include "unit_arming.h"

static struct arm *
begin_one(struct unit_arming *outcome)
{
	struct arm *arm;

	unit_arming_begin();
	arm = unit_arming_start(outcome);
	unit_attach_wait(1);
	return arm;
}

START_TEST(armed)
{
	struct unit_arming outcome;
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
	unit_arming_check_clean();
}
END_TEST

/* The process that makes the probe is known by itself, and nobody's concern once it has. */
START_TEST(armed_by_a_helper)
{
	struct unit_arming outcome;
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
	unit_arming_check_clean();
}
END_TEST

/* A pid that is no child of ours, or that somebody has already, is not believed: it would be killed
 * here. */
START_TEST(pids_that_are_not_ours)
{
	struct unit_arming outcome = {0}, others = {0};

	unit_arming_begin();
	others.pid = unit_probe_process();
	ck_assert_int_eq(child_reserve(), 0);
	child_add(others.pid, unit_arming_exited, &others);
	unit_arming_start(&outcome);
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
	unit_arming_check_clean();
}
END_TEST

/* The process that makes it, and the probe itself, report in any order. */
START_TEST(armed_and_then_the_pid)
{
	struct unit_arming outcome;
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
	unit_arming_check_clean();
}
END_TEST

/* A HUP that comes the moment it is armed is no less a HUP. */
START_TEST(pressed_before_its_pid_came)
{
	struct unit_arming outcome;
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
	unit_arming_check_clean();
}
END_TEST

START_TEST(pressed_between_pid_and_end)
{
	struct unit_arming outcome;
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
	unit_arming_check_clean();
}
END_TEST

/* With the process that was to make the probe, and without. */
START_TEST(fails_without_a_probe)
{
	struct unit_arming outcome;
	pid_t helper = unit_probe_process();

	begin_one(&outcome);
	if (_i == 1)
		unit_attach_report(0, ATTACH_HELPER, helper);
	else
		kill(helper, SIGKILL); /* it is nobody's */
	unit_attach_fail(0);
	unit_wait(unit_is_reaped, &helper, "the end of a process");
	unit_arming_check_failed(&outcome, UNIT_ATTACH_FAILED);
	unit_arming_check_clean();
}
END_TEST

START_TEST(fails_with_a_process)
{
	struct unit_arming outcome;

	begin_one(&outcome);
	unit_attach_report(0, ATTACH_PID, unit_probe_process());
	unit_attach_report(0, ATTACH_FAIL_CONFINE, EPERM);
	unit_attach_report(0, ATTACH_FAIL_EXEC, ENOENT); /* the first one counts */
	unit_attach_end(0);
	unit_arming_check_failed(&outcome,
				 "the probe could not confine itself: Operation not permitted");
	unit_wait_reaped(1);
	unit_arming_check_clean();
}
END_TEST

/* A failure after it said that it is ready is a failure. */
START_TEST(fails_after_all)
{
	struct unit_arming outcome;

	begin_one(&outcome);
	unit_attach_report(0, ATTACH_PID, unit_probe_process());
	unit_attach_report(0, ATTACH_READY, 0);
	unit_attach_fail(0);
	unit_arming_check_failed(&outcome, UNIT_ATTACH_FAILED);
	unit_wait_reaped(1);
	unit_arming_check_clean();
}
END_TEST

START_TEST(ends_without_a_word)
{
	struct unit_arming outcome;

	begin_one(&outcome);
	unit_attach_report(0, ATTACH_PID, unit_probe_process());
	unit_attach_end(0);
	unit_arming_check_failed(&outcome, "the probe ended while it was being set up");
	unit_wait_reaped(1);
	unit_arming_check_clean();
}
END_TEST

/* By a signal of somebody's who was quick, or of one who found its number where another process had been. */
static void
signal_newborn(int signo, const char *why)
{
	struct unit_arming outcome;
	pid_t pid = unit_probe_process();

	begin_one(&outcome);
	unit_attach_report(0, ATTACH_PID, pid);
	unit_settle();
	kill(pid, signo);
	unit_wait_reaped(1);
	unit_attach_end(0);
	unit_arming_check_failed(&outcome, why);
	unit_arming_check_clean();
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
	struct unit_arming outcome;

	begin_one(&outcome);
	unit_attach_report(0, cases[_i].stage, cases[_i].value);
	unit_attach_end(0);
	unit_arming_check_failed(&outcome, cases[_i].text);
	unit_arming_check_clean();
}
END_TEST

START_TEST(jail_that_ends_meanwhile)
{
	struct unit_arming outcome;

	begin_one(&outcome);
	unit_jail_end("www");
	unit_attach_succeed(0, unit_probe_process());
	unit_arming_check_failed(&outcome, "the jail ended while the probe was being set up");
	unit_wait_reaped(1);
	unit_arming_check_clean();
}
END_TEST

/* ---- giving up ---- */

START_TEST(cancelled_before_it_began)
{
	struct unit_arming outcome;

	unit_arming_begin();
	arm_cancel(unit_arming_start(&outcome));
	unit_settle();
	ck_assert_uint_eq(unit_attaches(), 0);
	ck_assert_uint_eq(outcome.done, 0);
	unit_arming_check_clean();
}
END_TEST

START_TEST(cancelled_with_a_process)
{
	struct unit_arming outcome;
	struct arm *arm;

	arm = begin_one(&outcome);
	unit_attach_report(0, ATTACH_PID, unit_probe_process());
	unit_settle();
	arm_cancel(arm);
	unit_wait_reaped(1);
	unit_attach_end(0);
	ck_assert_uint_eq(outcome.done, 0);
	unit_arming_check_clean();
}
END_TEST

/* Its process is not known yet: it is ended when it is. */
START_TEST(cancelled_before_its_pid_came)
{
	struct unit_arming outcome;
	struct arm *arm;

	arm = begin_one(&outcome);
	arm_cancel(arm);
	unit_attach_succeed(0, unit_probe_process());
	unit_wait_reaped(1);
	ck_assert_uint_eq(outcome.done, 0);
	unit_arming_check_clean();
}
END_TEST

/* Stopped by somebody inside, say. */
START_TEST(never_ready)
{
	struct unit_arming outcome;

	begin_one(&outcome);
	unit_attach_report(0, ATTACH_PID, unit_probe_process());
	unit_wait(unit_arming_is_done, &outcome, "giving up");
	unit_arming_check_failed(&outcome, "the probe was not ready within 5 seconds");
	unit_wait_reaped(1);
	unit_attach_end(0);
	unit_arming_check_clean();
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
	return suite;
}
