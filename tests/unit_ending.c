/* Children that are about to exit. No event loop reaps any: what is told was found by their numbers. */
#include "config.h"

#include "ending.h"

#include <sys/wait.h>

#include <signal.h>

#include "child.h"
#include "unit.h"

static struct ending ending;
static unsigned told;
static int status_told;

static void
exited(pid_t pid, int status, void *arg)
{
	(void)pid;
	(void)arg;
	told++;
	status_told = status;
}

static pid_t
start(void)
{
	pid_t pid = unit_probe_process();

	ck_assert_int_eq(child_reserve(), 0);
	child_add(pid, exited, NULL);
	return pid;
}

/* It can be reaped when this returns, and has not been. */
static void
end(pid_t pid)
{
	siginfo_t info;

	ck_assert_int_eq(kill(pid, SIGUSR2), 0);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

static void
check_told(unsigned count)
{
	ck_assert_uint_eq(told, count);
	if (count > 0)
		ck_assert_int_eq(WEXITSTATUS(status_told), 1);
}

START_TEST(one_that_has_exited_is_reaped_at_once)
{
	pid_t pid = start();

	end(pid);
	ending_note(&ending, pid);
	check_told(1);
	ending_reap();
	check_told(1);
}
END_TEST

START_TEST(one_that_exits_is_reaped_when_asked)
{
	pid_t pid = start();

	ending_note(&ending, pid);
	ending_note(&ending, pid);
	check_told(0);
	end(pid);
	ending_reap();
	check_told(1);
	ending_reap();
	check_told(1);
}
END_TEST

START_TEST(one_that_is_forgotten_is_left_alone)
{
	pid_t pid = start();

	ending_note(&ending, pid);
	ending_forget(&ending);
	ending_forget(&ending);
	end(pid);
	ending_reap();
	check_told(0);
	ck_assert(child_reap(pid));
	check_told(1);
}
END_TEST

START_TEST(one_that_goes_on_is_given_up)
{
	pid_t pid = start();

	ending_note(&ending, pid);
	while (ending.since_ms != 0) /* or this test runs out of its time */
		ending_reap();
	end(pid);
	ending_reap();
	check_told(0);
	ck_assert(child_reap(pid));
}
END_TEST

Suite *
unit_ending(void)
{
	Suite *suite;
	TCase *tests = unit_case("ending", &suite);

	tcase_add_test(tests, one_that_has_exited_is_reaped_at_once);
	tcase_add_test(tests, one_that_exits_is_reaped_when_asked);
	tcase_add_test(tests, one_that_is_forgotten_is_left_alone);
	tcase_add_test(tests, one_that_goes_on_is_given_up);
	return suite;
}
