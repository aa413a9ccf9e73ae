/* Triggers and single shots whose records are found: which has a run to come, and which had it. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "registry.h"
#include "run.h"
#include "unit.h"

/* ---- triggers whose run never started ---- */

/* With a command that waits at the gate, and these members. */
static void
write_pending(const char *members)
{
	char text[1024];

	ck_assert_int_lt(snprintf(text, sizeof(text), UNIT_RECORD(7, "'command':'read x <%s',%s"),
				  unit_path("gate"), members),
			 (int)sizeof(text));
	unit_state_put("7.json", text);
}

START_TEST(a_pending_trigger_has_its_run)
{
	struct probe *probe;

	unit_life_begin_kept();
	write_pending("'respawn':'after','pending':1,'triggers':1");
	unit_state_restore();
	probe = registry_by_number(7);
	ck_assert_uint_eq(probe->runs, 0); /* not before the store knows of it */
	ck_assert_int_eq(unit_state_count("7.json", "pending"), 1);
	unit_life_wait(probe, PROBE_RUNNING, 1);
	ck_assert_int_eq(unit_state_count("7.json", "pending"), 0);
	ck_assert_uint_eq(unit_attaches(), 0); /* respawn after the run */
	unit_release(unit_life_gate);
	unit_life_rearm(probe);
	ck_assert_uint_eq(probe->runs, 1);
	ck_assert_uint_eq(probe->triggers, 1);
	ck_assert_uint_eq(probe->pending, 0);
}
END_TEST

START_TEST(an_overlapping_one_is_armed_beside_it)
{
	struct probe *probe;

	unit_life_begin_kept();
	write_pending("'respawn':'now','pending':2,'triggers':2");
	unit_state_restore();
	probe = registry_by_number(7);
	unit_life_rearm(probe);
	unit_life_wait(probe, PROBE_ARMED, 2);
	ck_assert_uint_eq(probe->active, 2);
	ck_assert_int_eq(unit_state_count("7.json", "pending"), 0);
	run_kill_all(probe); /* those who have not come to the gate yet would wait there for ever */
}
END_TEST

START_TEST(a_single_shot_has_its_one_run)
{
	struct probe *probe;

	unit_life_begin_kept();
	write_pending("'pending':1,'triggers':1");
	unit_state_restore();
	probe = registry_by_number(7);
	probe_hold(probe);
	unit_life_wait(probe, PROBE_RUNNING, 1);
	ck_assert(unit_state_has("7.started"));
	ck_assert(!unit_state_has("7.json"));
	ck_assert_uint_eq(unit_attaches(), 0);
	unit_release(unit_life_gate);
	unit_life_wait(probe, PROBE_GONE, 1);
	unit_settle();
	ck_assert(!unit_state_has("7.started"));
	probe_release(probe);
	unit_life_check_clean();
}
END_TEST

/* The trigger was that of the jail that has ended. */
START_TEST(a_pending_trigger_goes_with_its_jail)
{
	struct probe *probe;

	unit_life_begin_kept();
	unit_jail_end("www");
	if (_i == 1)
		unit_jail_begin("www", 4800);
	unit_state_put("7.json",
		       UNIT_RECORD(7, "'command':'x','sticky':true,'respawn':'after','pending':1,"
				      "'triggers':1"));
	ck_assert_ptr_nonnull(strstr(unit_state_restore(), "event=trigger-dropped probe=7"));
	probe = registry_by_number(7);
	ck_assert_int_eq(probe_state(probe), _i == 1 ? PROBE_STARTING : PROBE_WAITING);
	ck_assert_uint_eq(probe->pending, 0);
	ck_assert_uint_eq(probe->triggers, 1);
}
END_TEST

/* Its trigger is dropped, but its record still tells that the run may be had. */
START_TEST(one_that_was_given_back_has_one_run_in_the_next_jail)
{
	struct probe *probe;
	json_t *record;

	unit_life_begin_kept();
	unit_jail_end("www");
	unit_jail_begin("www", 4800);
	unit_state_put("7.started",
		       UNIT_RECORD(7, "'command':'x','sticky':true,'pending':1,'given_back':true,'triggers':1"));
	unit_state_restore();
	probe = registry_by_number(7);
	probe_hold(probe);
	unit_life_rearm(probe);
	unit_life_press(probe);
	unit_life_wait(probe, PROBE_RUNNING, 1);
	record = unit_state_read("7.started");
	ck_assert(!json_is_true(json_object_get(record, "given_back")));
	json_decref(record);
	unit_life_wait(probe, PROBE_GONE, 1);
	probe_release(probe);
}
END_TEST

/* ---- single shots that were started ---- */

START_TEST(a_started_one_is_over)
{
	unit_life_begin_kept();
	unit_state_put("7.started", UNIT_RECORD(7, "'command':'x','pending':1,'triggers':1"));
	ck_assert_ptr_nonnull(strstr(unit_state_restore(), "event=removed probe=7"));
	ck_assert_ptr_null(registry_first());
	ck_assert(!unit_state_has("7.started"));
	ck_assert_uint_eq(unit_state_spent.count, 0);
	unit_settle();
	unit_life_check_clean();
}
END_TEST

START_TEST(a_configured_one_stays_spent)
{
	unit_life_begin_kept();
	unit_state_put("7.started",
		       UNIT_RECORD(7, "'command':'x','configured':true,'name':'once'"));
	unit_state_restore();
	ck_assert_uint_eq(unit_state_spent.count, 1);
	ck_assert_uint_eq(unit_state_spent.number, 7);
	ck_assert_str_eq(unit_state_spent.name, "once");
	ck_assert(unit_state_has("7.started"));
	unit_life_check_clean();
}
END_TEST

/* Whatever lies beside it. */
START_TEST(a_started_one_is_over_even_if_it_seems_to_be_armed)
{
	unit_life_begin_kept();
	unit_state_put("7.started", UNIT_RECORD(7, "'command':'x'"));
	unit_state_put("7.json", UNIT_RECORD(7, "'command':'x','triggers':1"));
	unit_state_restore();
	ck_assert_ptr_null(registry_first());
	ck_assert(!unit_state_has("7.started"));
	ck_assert(!unit_state_has("7.json"));
}
END_TEST

Suite *
unit_state_runs(void)
{
	Suite *suite;
	TCase *tests = unit_case("state_runs", &suite);

	tcase_add_test(tests, a_pending_trigger_has_its_run);
	tcase_add_test(tests, an_overlapping_one_is_armed_beside_it);
	tcase_add_test(tests, a_single_shot_has_its_one_run);
	tcase_add_loop_test(tests, a_pending_trigger_goes_with_its_jail, 0, 2);
	tcase_add_test(tests, one_that_was_given_back_has_one_run_in_the_next_jail);
	tcase_add_test(tests, a_started_one_is_over);
	tcase_add_test(tests, a_configured_one_stays_spent);
	tcase_add_test(tests, a_started_one_is_over_even_if_it_seems_to_be_armed);
	return suite;
}
