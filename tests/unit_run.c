/* Runs of a probe that begin within one turn of the reaper, when their commands overlap (start.h):
 * their numbers, those that wait behind them, and what can't be started. */
#include "config.h"

#include "run.h"

#include <sys/wait.h>

#include <errno.h>
#include <signal.h>

#include "child.h"
#include "start.h"
#include "stats.h"
#include "unit.h"
#include "unit_running.h"

/* One more while it isn't armed: of a former life, or from the host. */
static void
press_more(struct probe *probe)
{
	probe->triggers++;
	stats.triggers++;
	run_request(probe);
}

static void
wait_runs(struct probe *probe, uint64_t runs)
{
	unit_wait(unit_running_has_none, probe, "the end of its runs");
	ck_assert_uint_eq(probe->runs, runs);
	unit_running_check_balance(probe);
}

/* ---- one probe ---- */

START_TEST(the_next_one_waits_for_its_number)
{
	struct probe *probe;

	unit_running_begin();
	unit_starts_linger();
	probe = unit_life_add(unit_running_define(RESPAWN_NOW, false));
	start_overlap(true);
	for (unsigned i = 1; i <= 3; i++) {
		press_more(probe);
		ck_assert_uint_eq(probe->active, 1);
		ck_assert_uint_eq(run_waiting(probe), i);
		unit_running_check_balance(probe);
	}
	start_overlap(false);
	ck_assert_uint_eq(probe->runs, 3);
	ck_assert_uint_eq(probe->active, 3);
	wait_runs(probe, 3);
	unit_running_check_numbers(probe, 3);
	ck_assert_int_eq(stats.runs, 3);
	ck_assert_int_eq(stats.runs_ok, 3);
	unit_life_remove(probe, false);
}
END_TEST

/* Each of several probes has its own numbers, and none waits for another. */
START_TEST(others_do_not_wait_for_it)
{
	struct probe *probes[3];

	unit_running_begin();
	for (int i = 0; i < 3; i++)
		probes[i] = unit_life_add(unit_running_define(RESPAWN_NOW, false));
	start_overlap(true);
	for (int i = 0; i < 9; i++)
		press_more(probes[i % 3]);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(probes[i]->active, 1);
	start_overlap(false);
	for (int i = 0; i < 3; i++) {
		wait_runs(probes[i], 3);
		unit_running_check_numbers(probes[i], 3);
		unit_life_remove(probes[i], false);
	}
}
END_TEST

static struct job_saved
job_at(const struct probe *probe, unsigned place)
{
	struct run_saved saved;

	ck_assert(run_save(probe, place, &saved));
	return saved.job;
}

static bool
two_say_no_more(void *arg)
{
	return job_at(arg, 0).output_fd < 0 && job_at(arg, 1).output_fd < 0;
}

/* What has said all can end in the reaper's turn; then those that wait take its place. */
static void
end_two(struct probe *probe)
{
	pid_t first = job_at(probe, 0).pid, second = job_at(probe, 1).pid;
	siginfo_t info;

	unit_release(unit_life_gate);
	unit_release(unit_life_gate);
	ck_assert_int_eq(waitid(P_PID, (id_t)first, &info, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(waitid(P_PID, (id_t)second, &info, WEXITED | WNOWAIT), 0);
	start_overlap(true);
	ck_assert(child_reap(first));
	ck_assert_uint_eq(probe->active, 2); /* the other one, and one that is on its way */
	ck_assert(child_reap(second));
	ck_assert_uint_eq(probe->active, 1);
	unit_running_check_balance(probe);
	start_overlap(false);
}

START_TEST(two_end_while_more_wait)
{
	struct definition def;
	struct probe *probe;

	unit_running_begin();
	def = unit_running_define(RESPAWN_NOW, true);
	def.max_runs = 2;
	probe = unit_life_add(def);
	press_more(probe);
	press_more(probe);
	unit_wait(two_say_no_more, probe, "all that they say");
	probe->triggers += 3;
	run_restore(probe, probe->jail, 3);
	unit_running_check_balance(probe);
	end_two(probe);
	ck_assert_uint_eq(probe->runs, 4);
	ck_assert_uint_eq(probe->active, 2);
	ck_assert_uint_eq(probe->pending, 1);
	unit_running_check_balance(probe);
	for (int i = 0; i < 3; i++)
		unit_release(unit_life_gate);
	wait_runs(probe, 5);
	unit_running_check_numbers(probe, 5);
	unit_life_remove(probe, false);
}
END_TEST

/* Of those that are on their way as of those that have executed. */
START_TEST(presses_beyond_max_runs_are_one)
{
	struct definition def;
	struct probe *probe;

	unit_running_begin();
	def = unit_running_define(RESPAWN_NOW, false);
	def.max_runs = 2;
	probe = unit_life_add(def);
	start_overlap(_i != 0);
	for (int i = 0; i < 6; i++) {
		press_more(probe);
		unit_running_check_balance(probe);
	}
	start_overlap(false);
	unit_running_check_balance(probe);
	ck_assert_uint_eq(probe->runs, 2);
	ck_assert_uint_eq(probe->coalesced, 3);
	wait_runs(probe, 3);
	unit_running_check_numbers(probe, 3);
	unit_life_remove(probe, false);
}
END_TEST

/* ---- what can't be started ---- */

START_TEST(what_is_not_there_is_a_run)
{
	struct probe *probe;

	unit_running_begin();
	probe = unit_life_add(unit_running_define_missing(RESPAWN_NOW));
	start_overlap(true);
	for (int i = 0; i < 3; i++)
		press_more(probe);
	ck_assert_uint_eq(run_waiting(probe), 3);
	unit_running_check_balance(probe);
	start_overlap(false);
	ck_assert_uint_eq(probe->runs, 3);
	ck_assert(unit_running_has_none(probe));
	unit_running_check_balance(probe);
	ck_assert_int_eq(probe->last.status, 127 << 8);
	ck_assert_int_eq(stats.runs_failed, 3);
	unit_life_remove(probe, false);
}
END_TEST

/* Its trigger waits again, and the next one behind it; nothing of the failed one is left. */
START_TEST(what_lacks_something_is_started_later)
{
	struct probe *probe;

	unit_running_begin();
	probe = unit_life_add(unit_running_define(RESPAWN_NOW, false));
	start_overlap(true);
	unit_starts_fail(1, EAGAIN);
	press_more(probe);
	press_more(probe);
	ck_assert_uint_eq(unit_starts_to_fail(), 0);
	ck_assert_uint_eq(probe->active, 1);
	start_overlap(false);
	ck_assert_uint_eq(probe->runs, 0);
	ck_assert_uint_eq(probe->active, 0);
	ck_assert_uint_eq(probe->pending, 2);
	ck_assert_uint_eq(job_count(), 0);
	ck_assert_int_eq(stats.runs, 0);
	ck_assert_int_eq(probe_state(probe), PROBE_ARMED);
	unit_running_check_balance(probe);
	wait_runs(probe, 2);
	unit_running_check_numbers(probe, 2);
	unit_life_remove(probe, false);
}
END_TEST

/* A press that comes after the failure doesn't make it hurry. */
START_TEST(a_press_after_the_failure_waits_with_it)
{
	struct probe *probe;

	unit_running_begin();
	probe = unit_life_add(unit_running_define(RESPAWN_NOW, false));
	press_more(probe);
	wait_runs(probe, 1);
	start_overlap(true);
	unit_starts_fail(1, ENOMEM);
	press_more(probe);
	start_overlap(false);
	ck_assert_uint_eq(probe->pending, 1);
	start_overlap(true);
	press_more(probe);
	start_overlap(false);
	ck_assert_uint_eq(probe->pending, 2);
	ck_assert_uint_eq(probe->runs, 1);
	unit_running_check_balance(probe);
	wait_runs(probe, 3);
	unit_running_check_numbers(probe, 3);
	unit_life_remove(probe, false);
}
END_TEST

Suite *
unit_run(void)
{
	Suite *suite;
	TCase *tests = unit_case("run", &suite);

	tcase_add_test(tests, the_next_one_waits_for_its_number);
	tcase_add_test(tests, others_do_not_wait_for_it);
	tcase_add_test(tests, two_end_while_more_wait);
	tcase_add_loop_test(tests, presses_beyond_max_runs_are_one, 0, 2);
	tcase_add_test(tests, what_is_not_there_is_a_run);
	tcase_add_test(tests, what_lacks_something_is_started_later);
	tcase_add_test(tests, a_press_after_the_failure_waits_with_it);
	return suite;
}
