/* Many probes that are pressed within one turn of the reaper, played by the test or real. */
#include "config.h"

#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "child.h"
#include "queue.h"
#include "reaper.h"
#include "start.h"
#include "stats.h"
#include "unit.h"
#include "unit_running.h"

#define PROBES 12 /* more than are on their way at once */

static struct probe *probes[PROBES];

/* Each is held, because a single shot ends with its run. */
typedef struct definition make_definition(int place);

static void
add_all(make_definition *make)
{
	for (int i = 0; i < PROBES; i++) {
		probes[i] = unit_life_add(make(i));
		probe_hold(probes[i]);
	}
}

static struct definition
single_shot(int place)
{
	(void)place;
	return unit_running_define(RESPAWN_NO, false);
}

static struct definition
often_missing(int place)
{
	return place % 3 == 1 ? unit_running_define_missing(RESPAWN_NO)
			      : unit_running_define(RESPAWN_NO, false);
}

/* Until its process is a zombie, of which nobody has been told. */
static void
press(const struct probe *probe)
{
	siginfo_t info;

	unit_life_press(probe);
	ck_assert_int_eq(waitid(P_PID, (id_t)probe->pid, &info, WEXITED | WNOWAIT), 0);
}

/* As the reaper's turn does it. */
static void
press_all_in_one_turn(void)
{
	for (int i = 0; i < PROBES; i++)
		press(probes[i]);
	start_overlap(true);
	for (int i = 0; i < PROBES; i++) {
		ck_assert(child_reap(probes[i]->pid));
		ck_assert_uint_eq(probes[i]->triggers, 1);
		unit_running_check_balance(probes[i]);
	}
	start_overlap(false);
	for (int i = 0; i < PROBES; i++)
		unit_running_check_balance(probes[i]);
}

static bool
all_are_gone(void *arg)
{
	(void)arg;
	for (int i = 0; i < PROBES; i++)
		if (!unit_running_has_none(probes[i]) || probe_state(probes[i]) != PROBE_GONE)
			return false;
	return true;
}

static void
wait_all_gone(void)
{
	unit_wait(all_are_gone, NULL, "the end of all of them");
	for (int i = 0; i < PROBES; i++) {
		ck_assert_uint_eq(probes[i]->runs, 1);
		ck_assert_uint_eq(probes[i]->coalesced, 0);
		unit_running_check_balance(probes[i]);
	}
	ck_assert_int_eq(stats.runs, PROBES);
	ck_assert_uint_eq(job_count(), 0);
	unit_life_check_clean();
}

START_TEST(many_in_one_turn)
{
	unit_running_begin();
	unit_starts_linger();
	add_all(single_shot);
	press_all_in_one_turn();
	for (int i = 0; i < PROBES; i++)
		ck_assert_uint_eq(probes[i]->runs, 1);
	wait_all_gone();
	for (int i = 0; i < PROBES; i++)
		unit_running_check_numbers(probes[i], 1);
}
END_TEST

START_TEST(some_of_many_are_not_there)
{
	unit_running_begin();
	add_all(often_missing);
	press_all_in_one_turn();
	wait_all_gone();
	for (int i = 0; i < PROBES; i++) {
		ck_assert_int_eq(probes[i]->last.status, i % 3 == 1 ? 127 << 8 : 0);
		if (i % 3 != 1)
			unit_running_check_numbers(probes[i], 1);
	}
}
END_TEST

/* More than have a place, or fewer: those that lacked something have given theirs back. */
START_TEST(some_of_many_lack_something)
{
	static const unsigned limits_of_runs[] = {16, 2, 3};

	unit_running_begin();
	queue_set_limit(limits_of_runs[_i]);
	add_all(single_shot);
	unit_starts_fail(3, EAGAIN);
	press_all_in_one_turn();
	ck_assert_uint_le(job_count(), limits_of_runs[_i]);
	wait_all_gone();
	ck_assert_uint_eq(unit_starts_to_fail(), 0);
	for (int i = 0; i < PROBES; i++)
		unit_running_check_numbers(probes[i], 1);
}
END_TEST

/* ---- the reaper itself ---- */

static unsigned turns;
static bool in_turn;

static void
turn(bool begins)
{
	ck_assert(begins != in_turn); /* or the event loop would run while starts overlap */
	in_turn = begins;
	turns += begins;
	start_overlap(begins);
}

static bool
have_begun(void *arg)
{
	return turns >= *(unsigned *)arg;
}

/* Those that were named have a turn, and the walk that comes after them. */
static void
wait_two_turns(void)
{
	unsigned wanted = turns + 2;
	pid_t pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid == 0)
		_exit(0);
	unit_wait(have_begun, &wanted, "two turns of the reaper");
	ck_assert(!in_turn);
}

START_TEST(the_reaper_lets_them_overlap)
{
	unit_running_begin();
	add_all(often_missing);
	ck_assert_int_eq(reaper_start(unit_base(), turn), 0);
	for (int i = 0; i < PROBES; i++)
		press(probes[i]);
	wait_all_gone();
	ck_assert_uint_gt(turns, 0);
	wait_two_turns();
	for (int i = 0; i < PROBES; i++)
		if (i % 3 != 1)
			unit_running_check_numbers(probes[i], 1);
}
END_TEST

Suite *
unit_run_many(void)
{
	Suite *suite;
	TCase *tests = unit_case("run_many", &suite);

	tcase_add_test(tests, many_in_one_turn);
	tcase_add_test(tests, some_of_many_are_not_there);
	tcase_add_loop_test(tests, some_of_many_lack_something, 0, 3);
	tcase_add_test(tests, the_reaper_lets_them_overlap);
	return suite;
}
