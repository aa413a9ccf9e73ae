/* Children in our memory. Where the daemon waits for them (newborn_none.c) they are ended when
 * newborn_start returns: what is checked here holds there too. */
#include "config.h"

#include "newborn.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <unistd.h>

#include "call.h"
#include "unit.h"
#include "util.h"

#define EXIT_STATUS 127
#define SEVERAL	    8

#define ANY_ERROR 4711 /* that no call has */

static char sh[] = "/bin/sh", dash_c[] = "-c";
static char *const no_words[] = {NULL};

static void
check_no_child(void)
{
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}

/* ---- lives ---- */

static int
return_number(const void *arg)
{
	return *(const int *)arg;
}

static int
execute_script(const void *arg)
{
	char *const argv[] = {sh, dash_c, (char *)(uintptr_t)arg, NULL};

	return call_execute(sh, argv, no_words);
}

/* ---- its end, told ---- */

START_TEST(what_its_life_returns_is_told)
{
	static const int numbers[] = {ENOENT, EAGAIN, 1, ANY_ERROR};
	static struct newborn newborn;

	for (size_t i = 0; i < UTIL_COUNT(numbers); i++) {
		pid_t pid = unit_newborn_start(&newborn, return_number, &numbers[i]);

		ck_assert_int_eq(newborn_wait(&newborn), numbers[i]);
		ck_assert_int_eq(newborn_wait(&newborn), numbers[i]); /* whoever asks again */
		unit_reap(pid, EXIT_STATUS << 8);
	}
	check_no_child();
}
END_TEST

START_TEST(an_executed_one_is_no_failure)
{
	static struct newborn newborn;
	pid_t pid = unit_newborn_start(&newborn, execute_script, "exit 3");

	ck_assert_int_eq(newborn_wait(&newborn), 0);
	unit_reap(pid, 3 << 8);
	check_no_child();
}
END_TEST

/* What one has left there is not the next one's. */
START_TEST(its_place_is_used_again)
{
	static const int failure = EACCES;
	static struct newborn newborn;

	for (int i = 0; i < 40; i++) {
		bool fails = i % 2 == 0;
		pid_t pid = fails ? unit_newborn_start(&newborn, return_number, &failure)
				  : unit_newborn_start(&newborn, execute_script, "exit 4");

		ck_assert_int_eq(newborn_wait(&newborn), fails ? failure : 0);
		unit_reap(pid, (fails ? EXIT_STATUS : 4) << 8);
	}
	check_no_child();
}
END_TEST

/* An odd one executes, an even one fails. */
static void
start_several(struct newborn *newborns, pid_t *pids)
{
	static const char *const scripts[SEVERAL] = {NULL, "exit 1", NULL, "exit 3",
						     NULL, "exit 5", NULL, "exit 7"};
	static const int numbers[SEVERAL] = {10, 0, 12, 0, 14, 0, 16, 0};

	for (int i = 0; i < SEVERAL; i++)
		pids[i] = scripts[i] == NULL
			      ? unit_newborn_start(&newborns[i], return_number, &numbers[i])
			      : unit_newborn_start(&newborns[i], execute_script, scripts[i]);
}

static void
check_one_of_several(struct newborn *newborns, const pid_t *pids, int i)
{
	ck_assert_int_eq(newborn_wait(&newborns[i]), i % 2 == 0 ? 10 + i : 0);
	unit_reap(pids[i], (i % 2 == 0 ? EXIT_STATUS : i) << 8);
}

START_TEST(several_are_told_apart)
{
	static struct newborn newborns[SEVERAL];
	pid_t pids[SEVERAL];

	for (int round = 0; round < 20; round++) {
		start_several(newborns, pids);
		for (int i = 0; i < SEVERAL; i++)
			check_one_of_several(newborns, pids, round % 2 == 0 ? i : SEVERAL - 1 - i);
	}
	check_no_child();
}
END_TEST

/* It may end, and even be reaped, before anybody asks. */
START_TEST(told_after_its_end)
{
	static struct newborn newborns[SEVERAL];
	pid_t pids[SEVERAL];

	start_several(newborns, pids);
	for (int i = 0; i < SEVERAL; i++)
		unit_reap(pids[i], (i % 2 == 0 ? EXIT_STATUS : i) << 8);
	for (int i = 0; i < SEVERAL; i++)
		ck_assert_int_eq(newborn_wait(&newborns[i]), i % 2 == 0 ? 10 + i : 0);
	check_no_child();
}
END_TEST

/* Not of call.h, but they leave errno alone where they succeed. */
static int
die(const void *arg)
{
	(void)arg;
	kill(getpid(), SIGKILL);
	return ANY_ERROR;
}

START_TEST(whoever_is_killed_keeps_nobody_waiting)
{
	static struct newborn newborn;
	pid_t pid;

	ck_assert_int_eq(kill(getpid(), 0), 0); /* both have been looked up by now */
	pid = unit_newborn_start(&newborn, die, NULL);
	ck_assert_int_eq(newborn_wait(&newborn), 0); /* it had nothing to say */
	unit_reap(pid, SIGKILL);
	check_no_child();
}
END_TEST

/* In a process of its own, for it is root no more: root may have as many as it likes. */
static int
start_beyond_the_limit(void)
{
	static const struct rlimit none = {0};
	static const int number = ENOENT;
	static struct newborn newborn;

	if ((geteuid() == 0 && setuid(65534) != 0) || setrlimit(RLIMIT_NPROC, &none) != 0)
		return 1;
	errno = 0;
	if (newborn_start(&newborn, return_number, &number) != -1)
		return 2;
	if (errno != EAGAIN)
		return 3;
	return newborn_wait(&newborn) == 0 ? 0 : 4;
}

START_TEST(there_may_be_no_process_for_it)
{
	pid_t pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid == 0)
		_exit(start_beyond_the_limit());
	unit_reap(pid, 0);
}
END_TEST

Suite *
unit_newborn(void)
{
	Suite *suite;
	TCase *tests = unit_case("newborn", &suite);

	tcase_add_test(tests, what_its_life_returns_is_told);
	tcase_add_test(tests, an_executed_one_is_no_failure);
	tcase_add_test(tests, its_place_is_used_again);
	tcase_add_test(tests, several_are_told_apart);
	tcase_add_test(tests, told_after_its_end);
	tcase_add_test(tests, whoever_is_killed_keeps_nobody_waiting);
	tcase_add_test(tests, there_may_be_no_process_for_it);
	return suite;
}
