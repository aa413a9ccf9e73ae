#include "config.h"

#include "reaper.h"

#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "unit.h"
#include "util.h"

#define STATUS 113
#define FEW    5
#define MANY   2000
#define LIVING 3000

#define TOO_MANY "the host allows fewer processes at once"

/* What the command of a trigger takes to be started, or a little less. */
#define TELL_US 20

/* What the event loop must have served at least while MANY were told, which at TELL_US each takes 40 ms. */
#define TURNS_MIN 4

static int told;
static int last_status;

static void
exited(pid_t pid, int status, void *arg)
{
	(void)pid;
	(void)arg;
	told++;
	last_status = status;
}

static void
begin(void)
{
	ck_assert_int_eq(reaper_start(unit_base(), NULL), 0);
}

/* -1 with errno. */
static pid_t
fork_waiting(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

static pid_t
start_waiting(void)
{
	pid_t pid = fork_waiting();

	ck_assert_int_ne(pid, -1);
	return pid;
}

/* Until it is a zombie, which is left to the reaper. */
static void
await_end(pid_t pid)
{
	siginfo_t info;

	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

static pid_t
start_ended(void)
{
	pid_t pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid == 0)
		_exit(STATUS);
	await_end(pid);
	return pid;
}

static void
end_all(const pid_t *pids, int count)
{
	for (int i = 0; i < count; i++)
		ck_assert_int_eq(kill(pids[i], SIGKILL), 0);
	for (int i = 0; i < count; i++)
		await_end(pids[i]);
}

/* False: the host allows fewer processes at once, and none of these is left. */
static bool
start_many(pid_t *pids, int count)
{
	int started = 0;

	while (started < count && (pids[started] = fork_waiting()) != -1)
		started++;
	if (started == count)
		return true;
	ck_assert_int_eq(errno, EAGAIN);
	end_all(pids, started);
	for (int i = 0; i < started; i++)
		ck_assert_int_eq(waitpid(pids[i], NULL, 0), pids[i]);
	return false;
}

static void
add(pid_t pid)
{
	ck_assert_int_eq(child_reserve(), 0);
	child_add(pid, exited, NULL);
}

/* No walk can be due in it. */
static void
one_turn(void)
{
	ck_assert_int_eq(event_base_loop(unit_base(), EVLOOP_NONBLOCK), 0);
}

static bool
all_told(void *arg)
{
	return told == *(int *)arg;
}

static bool
none_left(void *arg)
{
	siginfo_t info;

	(void)arg;
	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD;
}

START_TEST(a_named_one_is_told_at_once)
{
	pid_t pid;

	begin();
	pid = start_waiting();
	add(pid);
	one_turn();
	ck_assert_int_eq(told, 0);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	await_end(pid);
	one_turn();
	ck_assert_int_eq(told, 1);
	ck_assert(WIFSIGNALED(last_status) && WTERMSIG(last_status) == SIGKILL);
	ck_assert(none_left(NULL));
}
END_TEST

START_TEST(whoever_ended_before_it_was_added_is_told_at_once)
{
	begin();
	add(start_ended());
	one_turn();
	ck_assert_int_eq(told, 1);
	ck_assert(WIFEXITED(last_status) && WEXITSTATUS(last_status) == STATUS);
}
END_TEST

/* Nobody has said anything of them, and of several signals at once one is left. */
START_TEST(those_without_a_name_are_told_soon)
{
	pid_t pids[FEW];

	begin();
	child_expect();
	for (int i = 0; i < FEW; i++)
		pids[i] = start_ended();
	unit_wait(none_left, NULL, "the end of all of them");
	for (int i = 0; i < FEW; i++)
		add(pids[i]);
	ck_assert_int_eq(told, FEW);
	child_unexpect();
}
END_TEST

START_TEST(stopping_is_no_end)
{
	int one = 1, status;
	pid_t pid;

	begin();
	pid = start_waiting();
	add(pid);
	ck_assert_int_eq(kill(pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
	one_turn();
	ck_assert_int_eq(kill(pid, SIGCONT), 0);
	ck_assert_int_eq(waitpid(pid, &status, WCONTINUED), pid);
	one_turn();
	ck_assert_int_eq(told, 0);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	unit_wait(all_told, &one, "its end");
}
END_TEST

START_TEST(all_are_told_from_within_the_call)
{
	begin();
	for (int i = 0; i < FEW; i++)
		add(start_ended());
	reaper_reap_all();
	ck_assert_int_eq(told, FEW);
	one_turn(); /* what was said of them meanwhile */
	ck_assert_int_eq(told, FEW);
}
END_TEST

/* ---- a burst ---- */

struct burst {
	int turns; /* of others, after the first was told and before the last */
	int told[MANY];
	struct event *others;
};

static void
take_time(pid_t pid, int status, void *arg)
{
	int64_t until = util_monotonic_us() + TELL_US;

	while (util_monotonic_us() < until)
		;
	++*(int *)arg;
	exited(pid, status, NULL);
}

static void
others_turn(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval at_once = {0};
	struct burst *burst = arg;

	(void)fd;
	(void)what;
	burst->turns += told > 0 && told < MANY;
	evtimer_add(burst->others, &at_once);
}

static void
add_ended(const pid_t *pids, int count, int *told_of)
{
	end_all(pids, count);
	for (int i = 0; i < count; i++) {
		ck_assert_int_eq(child_reserve(), 0);
		child_add(pids[i], take_time, &told_of[i]);
	}
}

static void
check_told_once(const int *told_of)
{
	for (int i = 0; i < MANY; i++)
		if (told_of[i] != 1)
			ck_abort_msg("number %d was told %d times", i, told_of[i]);
}

START_TEST(a_burst_leaves_others_their_turn)
{
	static pid_t pids[MANY];
	static struct burst burst;
	int many = MANY;

	begin();
	if (!start_many(pids, MANY)) {
		unit_skip("a_burst_leaves_others_their_turn", TOO_MANY);
		return;
	}
	add_ended(pids, MANY, burst.told);
	burst.others = evtimer_new(unit_base(), others_turn, &burst);
	ck_assert_ptr_nonnull(burst.others);
	others_turn(-1, 0, &burst);
	unit_wait(all_told, &many, "the end of all of them");
	event_free(burst.others);
	ck_assert_int_ge(burst.turns, TURNS_MIN);
	check_told_once(burst.told);
	ck_assert(none_left(NULL));
}
END_TEST

/* For each that it finds the walk comes past those that live. Some systems begin at the oldest child, some at the
 * youngest: those that ended are at both ends. */
START_TEST(whoever_ended_behind_many_that_live_is_told_once)
{
	static pid_t pids[MANY + LIVING];
	static int told_of[MANY];
	const pid_t *living = pids + MANY / 2;
	int many = MANY;

	begin();
	if (!start_many(pids, MANY + LIVING)) {
		unit_skip("whoever_ended_behind_many_that_live_is_told_once", TOO_MANY);
		return;
	}
	for (int i = 0; i < LIVING; i++)
		add(living[i]);
	add_ended(pids, MANY / 2, told_of);
	add_ended(living + LIVING, MANY / 2, told_of + MANY / 2);
	unit_wait(all_told, &many, "the end of all of them");
	check_told_once(told_of);
	end_all(living, LIVING);
	many += LIVING;
	unit_wait(all_told, &many, "the end of those that lived");
	ck_assert(none_left(NULL));
}
END_TEST

Suite *
unit_reaper(void)
{
	Suite *suite;
	TCase *tests = unit_case("reaper", &suite);

	tcase_add_test(tests, a_named_one_is_told_at_once);
	tcase_add_test(tests, whoever_ended_before_it_was_added_is_told_at_once);
	tcase_add_test(tests, those_without_a_name_are_told_soon);
	tcase_add_test(tests, stopping_is_no_end);
	tcase_add_test(tests, all_are_told_from_within_the_call);
	tcase_add_test(tests, a_burst_leaves_others_their_turn);
	tcase_add_test(tests, whoever_ended_behind_many_that_live_is_told_once);
	return suite;
}
