/* What of a probe's life is in the state directory, and when whoever asked is told. */
#include "config.h"

#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "keep.h"
#include "queue.h"
#include "registry.h"
#include "store.h"
#include "unit.h"

static void
begin(void)
{
	unit_life_begin();
	unit_state_begin();
}

static int64_t
kept_count(const char *file, const char *member)
{
	json_t *record = unit_state_read(file);
	int64_t count = json_integer_value(json_object_get(record, member));

	json_decref(record);
	return count;
}

static bool
is_answered(void *arg)
{
	return ((struct unit_added *)arg)->count > 0;
}

static bool
is_done(void *arg)
{
	return ((struct unit_done *)arg)->count > 0;
}

/* Adds a probe and arms it; its answer is still to come. */
static void
add_armed(struct definition def, unsigned flags, struct unit_added *result)
{
	*result = (struct unit_added){0};
	probe_add(&def, flags, unit_life_added, result);
	unit_attach_wait(1);
	unit_attach_report(0, ATTACH_PID, unit_probe_process());
	unit_attach_report(0, ATTACH_READY, 0);
	unit_attach_end(0);
}

static struct probe *
add(struct definition def, unsigned flags)
{
	struct unit_added result;

	add_armed(def, flags, &result);
	unit_wait(is_answered, &result, "the answer to an add");
	ck_assert_ptr_nonnull(result.probe);
	return result.probe;
}

static void
remove_kept(struct probe *probe)
{
	struct unit_done done = {0};

	probe_remove(probe, true, unit_life_done, &done);
	ck_assert_uint_eq(done.count, 0);
	unit_wait(is_done, &done, "the answer to a removal");
	ck_assert(!done.failed);
	ck_assert_int_eq(done.state, PROBE_GONE);
}

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

	begin();
	def = unit_life_define("x", RESPAWN_AFTER);
	probe_add(&def, 0, saved_before_the_answer, &result);
	unit_attach_wait(1);
	ck_assert(!unit_state_has("1.json"));
	unit_attach_succeed(0, unit_probe_process());
	unit_wait(is_answered, &result, "the answer to an add");
	ck_assert(result.probe->kept);
	remove_kept(result.probe);
	ck_assert(!unit_state_has("1.json"));
	unit_life_check_clean();
}
END_TEST

START_TEST(one_that_can_not_be_armed_is_not_kept)
{
	struct definition def;
	struct unit_added result = {0};

	begin();
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

	begin();
	def = unit_life_define("x", RESPAWN_NO);
	unit_name_jail(&def, "later");
	def.sticky = true;
	probe_add(&def, 0, saved_before_the_answer, &result);
	ck_assert_uint_eq(result.count, 0);
	unit_wait(is_answered, &result, "the answer to an add");
	ck_assert_int_eq(probe_state(result.probe), PROBE_WAITING);
	remove_kept(result.probe);
	ck_assert(!unit_state_has("1.json"));
	unit_life_check_clean();
}
END_TEST

/* ---- a directory that fails ---- */

START_TEST(one_that_can_not_be_kept_is_refused)
{
	struct unit_added result;

	begin();
	add_armed(unit_life_define("x", RESPAWN_AFTER), 0, &result);
	remove_kept(result.probe);
	break_state();
	add_armed(unit_life_define("x", RESPAWN_AFTER), 0, &result);
	unit_wait(is_answered, &result, "the answer to an add");
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

	begin();
	probe = add(unit_life_define("x", RESPAWN_AFTER), 0);
	whole = break_state();
	probe_remove(probe, false, unit_life_done, &done);
	unit_wait(is_done, &done, "the answer to a removal");
	mend_state(whole);
	ck_assert(done.failed);
	ck_assert_int_eq(done.state, PROBE_ARMED);
	ck_assert(unit_state_has("1.json"));
	remove_kept(probe);
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

	begin();
	def = unit_life_define_waiting(RESPAWN_NOW);
	def.max_runs = 1;
	probe = add(def, 0);
	unit_life_press(probe);
	unit_life_rearm(probe);
	whole = break_state();
	probe_remove(probe, false, unit_life_done, &removal);
	unit_wait(is_done, &removal, "the answer to a removal");
	ck_assert(removal.failed);
	mend_state(whole);
	ck_assert_int_eq(probe_trigger(probe, &e, unit_life_done, &trigger), 0);
	unit_wait(is_done, &trigger, "the answer to a trigger");
	ck_assert_int_eq(kept_count("1.json", "pending"), 1);
	unit_release(unit_life_gate);
	unit_life_rearm(probe);
	unit_life_wait(probe, PROBE_ARMED, 2);
	unit_release(unit_life_gate);
	remove_kept(probe);
}
END_TEST

/* The jail gets its command all the same. */
START_TEST(a_run_is_not_lost_to_a_directory_that_fails)
{
	struct probe *probe;

	begin();
	probe = add(unit_life_define("exit 3", RESPAWN_NO), 0);
	probe_hold(probe);
	break_state();
	unit_life_press(probe);
	unit_life_wait(probe, PROBE_GONE, 1);
	ck_assert_int_eq(probe->last.status, 3 << 8);
	probe_release(probe);
}
END_TEST

/* ---- a single shot ---- */

START_TEST(a_single_shot_is_started_before_its_run)
{
	struct probe *probe;

	begin();
	probe = add(unit_life_define_waiting(RESPAWN_NO), 0);
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

START_TEST(a_daemon_that_stops_during_the_run_does_not_bring_it_back)
{
	struct probe *probe;

	begin();
	probe = add(unit_life_define_waiting(RESPAWN_NO), 0);
	unit_life_press(probe);
	unit_life_wait(probe, PROBE_RUNNING, 1);
	keep_finish();
	ck_assert(unit_state_has("1.started"));
	ck_assert(!unit_state_has("1.json"));
	unit_release(unit_life_gate);
	unit_life_wait(probe, PROBE_GONE, 1);
}
END_TEST

START_TEST(nor_does_one_that_stops_just_before_it)
{
	struct unit_done done = {0};
	struct probe *probe;
	struct error e;

	begin();
	probe = add(unit_life_define_waiting(RESPAWN_NO), 0);
	ck_assert_int_eq(probe_trigger(probe, &e, unit_life_done, &done), 0);
	keep_finish();
	ck_assert_uint_eq(done.count, 1);
	ck_assert_uint_eq(probe->runs, 1);
	ck_assert(unit_state_has("1.started"));
	ck_assert(!unit_state_has("1.json"));
	unit_release(unit_life_gate);
	unit_life_wait(probe, PROBE_GONE, 1);
}
END_TEST

START_TEST(a_trigger_of_a_single_shot_is_told_when_it_counts)
{
	struct unit_done done = {0};
	struct probe *probe;
	struct error e;

	begin();
	probe = add(unit_life_define_waiting(RESPAWN_NO), 0);
	ck_assert_int_eq(probe_trigger(probe, &e, unit_life_done, &done), 0);
	ck_assert_uint_eq(done.count, 0);
	ck_assert(unit_state_has("1.json"));
	unit_wait(is_done, &done, "the answer to a trigger");
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

	begin();
	def = unit_life_define_waiting(RESPAWN_NOW);
	def.max_runs = 1;
	probe = add(def, 0);
	unit_life_press(probe);
	unit_life_rearm(probe);
	ck_assert_int_eq(probe_trigger(probe, &e, unit_life_done, &done), 0);
	ck_assert_uint_eq(done.count, 0);
	ck_assert_int_eq(kept_count("1.json", "pending"), 0);
	unit_wait(is_done, &done, "the answer to a trigger");
	ck_assert_int_eq(kept_count("1.json", "pending"), 1);
	ck_assert_int_eq(kept_count("1.json", "triggers"), 2);
	unit_release(unit_life_gate);
	unit_life_rearm(probe);
	unit_life_wait(probe, PROBE_ARMED, 2);
	/* Before its run, or that would be had twice. */
	ck_assert_int_eq(kept_count("1.json", "pending"), 0);
	unit_release(unit_life_gate);
	remove_kept(probe);
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

	begin();
	def = unit_life_define("true", RESPAWN_NOW);
	def.max_runs = 1;
	def.sticky = true;
	probe = add(def, 0);
	queue_pause(true);
	ck_assert_int_eq(probe_trigger(probe, &e, unit_life_done, &done), 0);
	unit_wait(is_done, &done, "the answer to a trigger");
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
	remove_kept(probe);
	unit_life_check_clean();
}
END_TEST

START_TEST(a_trigger_that_waits_is_kept_by_a_daemon_that_stops)
{
	struct definition def;
	struct probe *probe;

	begin();
	def = unit_life_define_waiting(RESPAWN_NOW);
	def.max_runs = 1;
	probe = add(def, 0);
	for (int i = 0; i < 2; i++) {
		unit_life_press(probe);
		unit_life_rearm(probe);
	}
	keep_finish();
	ck_assert_int_eq(kept_count("1.json", "pending"), 1);
	ck_assert_int_eq(kept_count("1.json", "triggers"), 2);
	ck_assert_int_eq(kept_count("1.json", "runs"), 1);
	probe_stop_all();
	unit_release(unit_life_gate);
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

	begin();
	old = add(define_named("x"), 0);
	add_armed(define_named("y"), PROBE_ADD_REPLACE, &result);
	unit_wait(is_answered, &result, "the answer to an add");
	ck_assert_ptr_ne(result.probe, old);
	ck_assert_ptr_eq(registry_by_name("snap"), result.probe);
	unit_settle();
	ck_assert(!unit_state_has("1.json"));
	ck_assert(unit_state_has("2.json"));
	remove_kept(result.probe);
	unit_life_check_clean();
}
END_TEST

START_TEST(a_replacement_that_can_not_be_kept_changes_nothing)
{
	struct unit_added result;
	struct probe *old;

	begin();
	old = add(define_named("x"), 0);
	break_state();
	add_armed(define_named("y"), PROBE_ADD_REPLACE, &result);
	unit_wait(is_answered, &result, "the answer to an add");
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

	begin();
	old = add(define_named("x"), 0);
	def = define_named("x");
	probe_remove(old, false, unit_life_done, &done);
	probe_add(&def, 0, unit_life_added, &result);
	ck_assert_uint_eq(result.count, 0);
	unit_wait(is_done, &done, "the answer to a removal");
	unit_attach_wait(1);
	unit_attach_succeed(0, unit_probe_process());
	unit_wait(is_answered, &result, "the answer to an add");
	ck_assert_uint_eq(result.probe->number, 2);
	ck_assert_ptr_eq(registry_by_name("snap"), result.probe);
	ck_assert(unit_state_has("2.json"));
	remove_kept(result.probe);
	unit_life_check_clean();
}
END_TEST

START_TEST(removed_twice_at_once)
{
	struct unit_done first = {0}, second = {0};
	struct probe *probe;

	begin();
	probe = add(unit_life_define("x", RESPAWN_AFTER), 0);
	probe_remove(probe, false, unit_life_done, &first);
	probe_remove(probe, false, unit_life_done, &second);
	unit_wait(is_done, &second, "the answer to a removal");
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
	tcase_add_test(tests, a_single_shot_is_started_before_its_run);
	tcase_add_test(tests, a_daemon_that_stops_during_the_run_does_not_bring_it_back);
	tcase_add_test(tests, nor_does_one_that_stops_just_before_it);
	tcase_add_test(tests, a_trigger_of_a_single_shot_is_told_when_it_counts);
	tcase_add_test(tests, a_trigger_that_waits_is_told_when_it_is_kept);
	tcase_add_test(tests, a_run_that_is_given_back_has_the_place_of_its_jail);
	tcase_add_test(tests, a_trigger_that_waits_is_kept_by_a_daemon_that_stops);
	tcase_add_test(tests, a_replacement_takes_over_when_it_is_kept);
	tcase_add_test(tests, a_replacement_that_can_not_be_kept_changes_nothing);
	tcase_add_test(tests, the_same_again_after_its_removal_is_another);
	tcase_add_test(tests, removed_twice_at_once);
	return suite;
}
