/* What of a probe is in the state directory from add to removal, and when whoever asked is told. */
#include "config.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "registry.h"
#include "store.h"
#include "unit.h"

/* From now on whatever is done there fails. Returns what mend_state needs. */
static int
break_state(void)
{
	int whole = fcntl(store_fd(), F_DUPFD_CLOEXEC, 3);
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	ck_assert_int_ne(whole, -1);
	ck_assert_int_eq(dup2(nothing, store_fd()), store_fd());
	close(nothing);
	return whole;
}

static void
mend_state(int whole)
{
	ck_assert_int_eq(dup2(whole, store_fd()), store_fd());
	close(whole);
}

static void
saved_before_the_answer(void *arg, struct probe *probe, const struct error *e)
{
	ck_assert_ptr_nonnull(probe);
	ck_assert_ptr_null(e);
	ck_assert(unit_state_has("1.json"));
	unit_life_added(arg, probe, e);
}

START_TEST(an_add_is_answered_when_it_is_kept)
{
	struct definition def;
	struct unit_added result = {0};

	unit_life_begin_kept();
	def = unit_life_define("x", RESPAWN_AFTER);
	probe_add(&def, 0, saved_before_the_answer, &result);
	unit_attach_wait(1);
	ck_assert(!unit_state_has("1.json"));
	unit_attach_succeed(0, unit_probe_process());
	unit_wait(unit_life_is_answered, &result, "the answer to an add");
	ck_assert(result.probe->kept);
	unit_life_remove_kept(result.probe);
	ck_assert(!unit_state_has("1.json"));
	unit_life_check_clean();
}
END_TEST

START_TEST(one_that_can_not_be_armed_is_not_kept)
{
	struct definition def;
	struct unit_added result = {0};

	unit_life_begin_kept();
	def = unit_life_define("x", RESPAWN_AFTER);
	probe_add(&def, 0, unit_life_added, &result);
	unit_attach_wait(1);
	unit_attach_fail(0);
	ck_assert_int_eq(result.error.code, ERR_ATTACH_FAILED);
	unit_settle();
	ck_assert(!unit_state_has("1.json"));
	unit_life_check_clean();
}
END_TEST

START_TEST(one_that_waits_for_its_jail_is_kept)
{
	struct definition def;
	struct unit_added result = {0};

	unit_life_begin_kept();
	def = unit_life_define("x", RESPAWN_NO);
	unit_name_jail(&def, "later");
	def.sticky = true;
	probe_add(&def, 0, saved_before_the_answer, &result);
	ck_assert_uint_eq(result.count, 0);
	unit_wait(unit_life_is_answered, &result, "the answer to an add");
	ck_assert_int_eq(probe_state(result.probe), PROBE_WAITING);
	unit_life_remove_kept(result.probe);
	ck_assert(!unit_state_has("1.json"));
	unit_life_check_clean();
}
END_TEST

/* ---- a directory that fails ---- */

START_TEST(one_that_can_not_be_kept_is_refused)
{
	struct unit_added result;

	unit_life_begin_kept();
	unit_life_arm_kept(unit_life_define("x", RESPAWN_AFTER), 0, &result);
	unit_life_remove_kept(result.probe);
	break_state();
	unit_life_arm_kept(unit_life_define("x", RESPAWN_AFTER), 0, &result);
	unit_wait(unit_life_is_answered, &result, "the answer to an add");
	ck_assert_ptr_null(result.probe);
	ck_assert_int_eq(result.error.code, ERR_INTERNAL);
	unit_wait_reaped(2); /* its process is taken out of the jail again */
	unit_settle();
	unit_life_check_clean();
	ck_assert_uint_eq(jail_count(), 0);
}
END_TEST

START_TEST(one_that_can_not_be_removed_lives_on)
{
	struct unit_done done = {0};
	struct probe *probe;
	int whole;

	unit_life_begin_kept();
	probe = unit_life_add_kept(unit_life_define("x", RESPAWN_AFTER), 0);
	whole = break_state();
	probe_remove(probe, false, unit_life_done, &done);
	unit_wait(unit_life_is_done, &done, "the answer to a removal");
	mend_state(whole);
	ck_assert(done.failed);
	ck_assert_int_eq(done.state, PROBE_ARMED);
	ck_assert(unit_state_has("1.json"));
	unit_life_remove_kept(probe);
	unit_life_check_clean();
}
END_TEST

/* Nor is anything lost that was to be saved while it was on its way out. */
START_TEST(one_that_lives_on_is_kept_as_it_is)
{
	struct unit_done removal = {0}, trigger = {0};
	struct definition def;
	struct probe *probe;
	struct error e;
	int whole;

	unit_life_begin_kept();
	def = unit_life_define_waiting(RESPAWN_NOW);
	def.max_runs = 1;
	probe = unit_life_add_kept(def, 0);
	unit_life_press(probe);
	unit_life_rearm(probe);
	whole = break_state();
	probe_remove(probe, false, unit_life_done, &removal);
	unit_wait(unit_life_is_done, &removal, "the answer to a removal");
	ck_assert(removal.failed);
	mend_state(whole);
	ck_assert_int_eq(probe_trigger(probe, &e, unit_life_done, &trigger), 0);
	unit_wait(unit_life_is_done, &trigger, "the answer to a trigger");
	ck_assert_int_eq(unit_state_count("1.json", "pending"), 1);
	unit_release(unit_life_gate);
	unit_life_rearm(probe);
	unit_life_wait(probe, PROBE_ARMED, 2);
	unit_release(unit_life_gate);
	unit_life_remove_kept(probe);
}
END_TEST

/* The jail gets its command all the same. */
START_TEST(a_run_is_not_lost_to_a_directory_that_fails)
{
	struct probe *probe;

	unit_life_begin_kept();
	probe = unit_life_add_kept(unit_life_define("exit 3", RESPAWN_NO), 0);
	probe_hold(probe);
	break_state();
	unit_life_press(probe);
	unit_life_wait(probe, PROBE_GONE, 1);
	ck_assert_int_eq(probe->last.status, 3 << 8);
	probe_release(probe);
}
END_TEST

/* ---- names ---- */

static struct definition
define_named(const char *shell)
{
	struct definition def = unit_life_define(shell, RESPAWN_AFTER);

	def.name = strdup("snap");
	return def;
}

START_TEST(a_replacement_takes_over_when_it_is_kept)
{
	struct unit_added result;
	struct probe *old;

	unit_life_begin_kept();
	old = unit_life_add_kept(define_named("x"), 0);
	unit_life_arm_kept(define_named("y"), PROBE_ADD_REPLACE, &result);
	unit_wait(unit_life_is_answered, &result, "the answer to an add");
	ck_assert_ptr_ne(result.probe, old);
	ck_assert_ptr_eq(registry_by_name("snap"), result.probe);
	unit_settle();
	ck_assert(!unit_state_has("1.json"));
	ck_assert(unit_state_has("2.json"));
	unit_life_remove_kept(result.probe);
	unit_life_check_clean();
}
END_TEST

START_TEST(a_replacement_that_can_not_be_kept_changes_nothing)
{
	struct unit_added result;
	struct probe *old;

	unit_life_begin_kept();
	old = unit_life_add_kept(define_named("x"), 0);
	break_state();
	unit_life_arm_kept(define_named("y"), PROBE_ADD_REPLACE, &result);
	unit_wait(unit_life_is_answered, &result, "the answer to an add");
	ck_assert_ptr_null(result.probe);
	ck_assert_ptr_eq(registry_by_name("snap"), old);
	ck_assert_int_eq(probe_state(old), PROBE_ARMED);
}
END_TEST

/* One that is on its way out is no answer to an add: it would not survive. */
START_TEST(the_same_again_after_its_removal_is_another)
{
	struct definition def;
	struct unit_done done = {0};
	struct unit_added result = {0};
	struct probe *old;

	unit_life_begin_kept();
	old = unit_life_add_kept(define_named("x"), 0);
	def = define_named("x");
	probe_remove(old, false, unit_life_done, &done);
	probe_add(&def, 0, unit_life_added, &result);
	ck_assert_uint_eq(result.count, 0);
	unit_wait(unit_life_is_done, &done, "the answer to a removal");
	unit_attach_wait(1);
	unit_attach_succeed(0, unit_probe_process());
	unit_wait(unit_life_is_answered, &result, "the answer to an add");
	ck_assert_uint_eq(result.probe->number, 2);
	ck_assert_ptr_eq(registry_by_name("snap"), result.probe);
	ck_assert(unit_state_has("2.json"));
	unit_life_remove_kept(result.probe);
	unit_life_check_clean();
}
END_TEST

START_TEST(removed_twice_at_once)
{
	struct unit_done first = {0}, second = {0};
	struct probe *probe;

	unit_life_begin_kept();
	probe = unit_life_add_kept(unit_life_define("x", RESPAWN_AFTER), 0);
	probe_remove(probe, false, unit_life_done, &first);
	probe_remove(probe, false, unit_life_done, &second);
	unit_wait(unit_life_is_done, &second, "the answer to a removal");
	ck_assert_uint_eq(first.count, 1);
	ck_assert(!first.failed && !second.failed);
	ck_assert_int_eq(second.state, PROBE_GONE);
	unit_life_check_clean();
}
END_TEST

Suite *
unit_kept(void)
{
	Suite *suite;
	TCase *tests = unit_case("kept", &suite);

	tcase_add_test(tests, an_add_is_answered_when_it_is_kept);
	tcase_add_test(tests, one_that_can_not_be_armed_is_not_kept);
	tcase_add_test(tests, one_that_waits_for_its_jail_is_kept);
	tcase_add_test(tests, one_that_can_not_be_kept_is_refused);
	tcase_add_test(tests, one_that_can_not_be_removed_lives_on);
	tcase_add_test(tests, one_that_lives_on_is_kept_as_it_is);
	tcase_add_test(tests, a_run_is_not_lost_to_a_directory_that_fails);
	tcase_add_test(tests, a_replacement_takes_over_when_it_is_kept);
	tcase_add_test(tests, a_replacement_that_can_not_be_kept_changes_nothing);
	tcase_add_test(tests, the_same_again_after_its_removal_is_another);
	tcase_add_test(tests, removed_twice_at_once);
	return suite;
}
