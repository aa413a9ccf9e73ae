/* What of triggers and runs is in the state directory: none is lost, and none is had twice. */
#include "config.h"

#include <sys/wait.h>

#include <errno.h>
#include <signal.h>

#include "child.h"
#include "keep.h"
#include "queue.h"
#include "unit.h"

/* ---- a single shot ---- */

START_TEST(a_single_shot_is_started_before_its_run)
{
	struct probe *probe;

	unit_life_begin_kept();
	probe = unit_life_add_kept(unit_life_define_waiting(RESPAWN_NO), 0);
	ck_assert(unit_state_has("1.json"));
	unit_life_press(probe);
	unit_life_wait(probe, PROBE_RUNNING, 1);
	ck_assert(unit_state_has("1.started"));
	ck_assert(!unit_state_has("1.json"));
	unit_release(unit_life_gate);
	unit_life_wait(probe, PROBE_GONE, 1);
	unit_settle();
	ck_assert(!unit_state_has("1.started"));
	ck_assert(!unit_state_has("1.json"));
	unit_life_check_clean();
}
END_TEST

/* Its run goes on, and would not be had again; then it ends. */
static void
check_spent(struct probe *probe)
{
	ck_assert(unit_state_has("1.started"));
	ck_assert(!unit_state_has("1.json"));
	unit_release(unit_life_gate);
	unit_life_wait(probe, PROBE_GONE, 1);
}

START_TEST(a_daemon_that_stops_during_the_run_does_not_bring_it_back)
{
	struct probe *probe;

	unit_life_begin_kept();
	probe = unit_life_add_kept(unit_life_define_waiting(RESPAWN_NO), 0);
	unit_life_press(probe);
	unit_life_wait(probe, PROBE_RUNNING, 1);
	keep_finish();
	check_spent(probe);
}
END_TEST

START_TEST(nor_does_one_that_stops_just_before_it)
{
	struct unit_done done = {0};
	struct probe *probe;
	struct error e;

	unit_life_begin_kept();
	probe = unit_life_add_kept(unit_life_define_waiting(RESPAWN_NO), 0);
	ck_assert_int_eq(probe_trigger(probe, &e, unit_life_done, &done), 0);
	keep_finish();
	ck_assert_uint_eq(done.count, 1);
	ck_assert_uint_eq(probe->runs, 1);
	check_spent(probe);
}
END_TEST

START_TEST(a_trigger_of_a_single_shot_is_told_when_it_counts)
{
	struct unit_done done = {0};
	struct probe *probe;
	struct error e;

	unit_life_begin_kept();
	probe = unit_life_add_kept(unit_life_define_waiting(RESPAWN_NO), 0);
	ck_assert_int_eq(probe_trigger(probe, &e, unit_life_done, &done), 0);
	ck_assert_uint_eq(done.count, 0);
	ck_assert(unit_state_has("1.json"));
	unit_wait(unit_life_is_done, &done, "the answer to a trigger");
	ck_assert(!done.failed);
	ck_assert(unit_state_has("1.started"));
	unit_release(unit_life_gate);
	unit_life_wait(probe, PROBE_GONE, 1);
}
END_TEST

/* ---- triggers that wait ---- */

static bool
both_have_run(void *arg)
{
	const struct probe *probe = arg;

	return probe->runs == 2 && probe->active == 0;
}

START_TEST(a_trigger_that_waits_is_told_when_it_is_kept)
{
	struct unit_done done = {0};
	struct definition def;
	struct probe *probe;
	struct error e;

	unit_life_begin_kept();
	def = unit_life_define_waiting(RESPAWN_NOW);
	def.max_runs = 1;
	probe = unit_life_add_kept(def, 0);
	unit_life_press(probe);
	unit_life_rearm(probe);
	ck_assert_int_eq(probe_trigger(probe, &e, unit_life_done, &done), 0);
	ck_assert_uint_eq(done.count, 0);
	ck_assert_int_eq(unit_state_count("1.json", "pending"), 0);
	unit_wait(unit_life_is_done, &done, "the answer to a trigger");
	ck_assert_int_eq(unit_state_count("1.json", "pending"), 1);
	ck_assert_int_eq(unit_state_count("1.json", "triggers"), 2);
	unit_release(unit_life_gate);
	unit_life_rearm(probe);
	unit_life_wait(probe, PROBE_ARMED, 2);
	/* Before its run, or that would be had twice. */
	ck_assert_int_eq(unit_state_count("1.json", "pending"), 0);
	unit_release(unit_life_gate);
	unit_life_remove_kept(probe);
	unit_life_check_clean();
}
END_TEST

/* It was of a jail that has been restarted since, and the new one's press waits: both are of the jail whose turn
 * it is, which is there for as long as they wait. */
START_TEST(a_run_that_is_given_back_has_the_place_of_its_jail)
{
	struct unit_done done = {0};
	struct definition def;
	struct probe *probe;
	struct error e;
	int status;
	pid_t pid;

	unit_life_begin_kept();
	def = unit_life_define("true", RESPAWN_NOW);
	def.max_runs = 1;
	def.sticky = true;
	probe = unit_life_add_kept(def, 0);
	queue_pause(true);
	ck_assert_int_eq(probe_trigger(probe, &e, unit_life_done, &done), 0);
	unit_wait(unit_life_is_done, &done, "the answer to a trigger");
	unit_life_rearm(probe);
	unit_jail_end("www");
	ck_assert_int_eq(kill(probe->pid, SIGKILL), 0);
	unit_life_wait(probe, PROBE_QUEUED, 0);
	unit_jail_begin("www", 4800);
	unit_life_rearm(probe);
	queue_pause(false); /* the store is told */
	ck_assert_uint_eq(probe->active, 1);
	pid = probe->pid;
	ck_assert_int_eq(kill(pid, SIGHUP), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	child_exited(pid, status);
	ck_assert_uint_eq(probe->pending, 1);
	unit_starts_fail(1, EMFILE);
	keep_flush();
	ck_assert_uint_eq(unit_starts_to_fail(), 0);
	ck_assert_uint_eq(probe->pending, 2);
	ck_assert_ptr_eq(probe->entry.lane, &probe->entry_jail->runs);
	unit_wait(both_have_run, probe, "two runs");
	ck_assert_uint_eq(probe->jail->runs.taken, 0);
	unit_life_rearm(probe);
	unit_life_remove_kept(probe);
	unit_life_check_clean();
}
END_TEST

START_TEST(a_trigger_that_waits_is_kept_by_a_daemon_that_stops)
{
	struct definition def;
	struct probe *probe;

	unit_life_begin_kept();
	def = unit_life_define_waiting(RESPAWN_NOW);
	def.max_runs = 1;
	probe = unit_life_add_kept(def, 0);
	for (int i = 0; i < 2; i++) {
		unit_life_press(probe);
		unit_life_rearm(probe);
	}
	keep_finish();
	ck_assert_int_eq(unit_state_count("1.json", "pending"), 1);
	ck_assert_int_eq(unit_state_count("1.json", "triggers"), 2);
	ck_assert_int_eq(unit_state_count("1.json", "runs"), 1);
	probe_stop_all();
	unit_release(unit_life_gate);
}
END_TEST

Suite *
unit_kept_runs(void)
{
	Suite *suite;
	TCase *tests = unit_case("kept_runs", &suite);

	tcase_add_test(tests, a_single_shot_is_started_before_its_run);
	tcase_add_test(tests, a_daemon_that_stops_during_the_run_does_not_bring_it_back);
	tcase_add_test(tests, nor_does_one_that_stops_just_before_it);
	tcase_add_test(tests, a_trigger_of_a_single_shot_is_told_when_it_counts);
	tcase_add_test(tests, a_trigger_that_waits_is_told_when_it_is_kept);
	tcase_add_test(tests, a_run_that_is_given_back_has_the_place_of_its_jail);
	tcase_add_test(tests, a_trigger_that_waits_is_kept_by_a_daemon_that_stops);
	return suite;
}
