/* Keeping probes: who waits is told when it is durable, in the order in which it was asked for. */
#include "config.h"

#include "keep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "registry.h"
#include "stats.h"
#include "store.h"
#include "unit.h"
#include "util.h"

static char tag_a[] = "probe=1", tag_b[] = "probe=2";
static struct probe a = {.number = 1, .tag = tag_a}, b = {.number = 2, .tag = tag_b};
static bool render_fails;

static char *
render(const struct probe *probe)
{
	char text[32];

	snprintf(text, sizeof(text), "triggers %llu", (unsigned long long)probe->triggers);
	return render_fails ? NULL : strdup(text);
}

static void
begin(void)
{
	struct error e;

	ck_assert_int_eq(store_open(unit_state_directory(), &e), 0);
	ck_assert_int_eq(keep_init(unit_base(), render), 0);
}

/* How one was told. */
struct told {
	unsigned count;
	unsigned turn; /* among all */
	struct probe *probe;
	bool failed;
	struct error error;
	bool a_is_there, b_is_there; /* their records, just then */
};

static unsigned turns;

static void
tell(struct probe *probe, const struct error *e, void *arg)
{
	struct told *told = arg;

	told->count++;
	told->turn = ++turns;
	told->probe = probe;
	told->failed = e != NULL;
	if (e != NULL)
		told->error = *e;
	told->a_is_there = unit_state_has("1.json");
	told->b_is_there = unit_state_has("2.json");
}

START_TEST(told_when_it_is_durable)
{
	struct told told = {0};

	begin();
	a.triggers = 3;
	keep_save(&a, tell, &told);
	ck_assert_uint_eq(told.count, 0);
	ck_assert_uint_eq(a.held, 1);
	a.triggers = 4; /* what is saved is how it was when it was asked for */
	unit_settle();
	ck_assert_uint_eq(told.count, 1);
	ck_assert_ptr_eq(told.probe, &a);
	ck_assert(!told.failed);
	ck_assert(told.a_is_there);
	ck_assert_uint_eq(a.held, 0);
	unit_state_check("1.json", "triggers 3");
	ck_assert_uint_eq(a.kept_triggers, 3);
}
END_TEST

/* All of one turn is durable before the first is told. */
START_TEST(one_turn_is_one_group)
{
	struct told told[5] = {{0}};

	begin();
	keep_save(&a, tell, &told[0]);
	keep_wait(&b, tell, &told[1]);
	keep_drop(&a, tell, &told[2]);
	keep_save(&b, tell, &told[3]);
	keep_save(&a, tell, &told[4]);
	unit_settle();
	for (unsigned i = 0; i < UTIL_COUNT(told); i++) {
		ck_assert_uint_eq(told[i].count, 1);
		ck_assert_uint_eq(told[i].turn, i + 1);
		ck_assert(!told[i].failed);
		ck_assert(!told[i].a_is_there);
		ck_assert(told[i].b_is_there);
	}
	ck_assert_uint_eq(a.held, 0);
	ck_assert_uint_eq(b.held, 0);
}
END_TEST

START_TEST(dropped_for_good)
{
	struct told told = {0};

	begin();
	keep_save(&a, NULL, NULL);
	unit_settle();
	keep_drop(&a, NULL, NULL);
	unit_settle();
	ck_assert(!unit_state_has("1.json"));
	keep_save(&a, tell, &told);
	unit_settle();
	ck_assert_uint_eq(told.count, 1);
	ck_assert(!told.failed);
	ck_assert(!unit_state_has("1.json"));
}
END_TEST

START_TEST(started)
{
	begin();
	keep_save(&a, NULL, NULL);
	keep_start(&a, NULL, NULL);
	keep_flush();
	ck_assert(!unit_state_has("1.json"));
	unit_state_check("1.started", "triggers 0");
	keep_drop(&a, NULL, NULL);
	keep_flush();
	ck_assert(!unit_state_has("1.started"));
}
END_TEST

static void
save_b(struct probe *probe, const struct error *e, void *arg)
{
	(void)probe;
	ck_assert_ptr_null(e);
	keep_save(&b, tell, arg);
}

START_TEST(asked_by_who_is_told)
{
	struct told told = {0};

	begin();
	keep_save(&a, save_b, &told);
	keep_flush();
	ck_assert_uint_eq(told.count, 0); /* it belongs to the next group */
	ck_assert(!unit_state_has("2.json"));
	unit_settle();
	ck_assert_uint_eq(told.count, 1);
	ck_assert(told.b_is_there);
}
END_TEST

START_TEST(where_nothing_is_kept)
{
	static void (*const ask[])(struct probe *, keep_done_cb *, void *) = {keep_save, keep_start,
									      keep_drop, keep_wait};
	struct error e;

	for (size_t i = 0; i < UTIL_COUNT(ask); i++) {
		struct told told = {0};

		ask[i](&a, tell, &told);
		ck_assert_uint_eq(told.count, 1);
		ck_assert(!told.failed);
		ask[i](&a, NULL, NULL);
	}
	a.kept_pending = 1;
	ck_assert(!keep_before_start(&a));
	ck_assert_int_eq(keep_number(1000000, &e), 0);
	keep_flush();
	keep_finish();
	ck_assert_uint_eq(a.held, 0);
}
END_TEST

/* ---- failures ---- */

static void
check_failed(const struct told *told)
{
	ck_assert_uint_eq(told->count, 1);
	ck_assert(told->failed);
	ck_assert_int_eq(told->error.code, ERR_INTERNAL);
	ck_assert_str_ne(told->error.text, "");
}

START_TEST(a_directory_that_fails)
{
	struct told save = {0}, none = {0};

	begin();
	ck_assert_int_eq(rmdir(unit_state_directory()), 0);
	unit_capture();
	keep_save(&a, tell, &save);
	keep_save(&b, NULL, NULL);
	keep_start(&b, tell, &none);
	unit_settle();
	ck_assert_ptr_nonnull(strstr(unit_captured(), "event=error probe=1"));
	check_failed(&save);
	ck_assert_int_eq(stats.save_changes, 3);
	ck_assert_int_eq(stats.save_errors, 2);
	ck_assert_ptr_nonnull(strstr(save.error.text, "probe 1"));
	ck_assert_uint_eq(none.count, 1);
	ck_assert_uint_eq(a.held, 0);
	ck_assert_uint_eq(b.held, 0);
}
END_TEST

START_TEST(a_record_that_can_not_be_made)
{
	struct told told = {0};

	begin();
	render_fails = true;
	keep_save(&a, tell, &told);
	unit_settle();
	check_failed(&told);
	ck_assert_int_eq(stats.save_errors, 1);
	ck_assert_uint_eq(a.held, 0);
	ck_assert(!unit_state_has("1.json"));
}
END_TEST

/* ---- before a run ---- */

START_TEST(a_single_shot_is_started_once)
{
	begin();
	a.def.respawn = RESPAWN_NO;
	ck_assert(keep_before_start(&a));
	a.kept_started = true;
	ck_assert(!keep_before_start(&a));
}
END_TEST

START_TEST(only_a_trigger_that_the_store_knows_holds_up_its_run)
{
	begin();
	a.def.respawn = RESPAWN_AFTER;
	ck_assert(!keep_before_start(&a));
	a.pending = 1;
	keep_save(&a, NULL, NULL);
	ck_assert(keep_before_start(&a)); /* the record is on its way already */
	unit_settle();
	ck_assert(keep_before_start(&a));
	a.pending = 0;
	keep_save(&a, NULL, NULL);
	ck_assert(keep_before_start(&a)); /* and this one isn't there yet */
	unit_settle();
	ck_assert(!keep_before_start(&a));
}
END_TEST

static void
check_run_is_held_up(struct probe *probe, const struct error *e, void *arg)
{
	ck_assert_ptr_null(e);
	ck_assert(keep_before_start(probe));
	*(bool *)arg = true;
}

/* Whoever is told may start a run, and what comes later in the group is in the record by then. */
START_TEST(what_is_in_the_record_counts_before_anybody_is_told)
{
	bool told = false;

	begin();
	a.def.respawn = RESPAWN_NOW;
	keep_save(&a, check_run_is_held_up, &told);
	a.pending = 1;
	keep_save(&a, NULL, NULL);
	unit_settle();
	ck_assert(told);
	ck_assert(keep_before_start(&a));
}
END_TEST

/* ---- numbers ---- */

START_TEST(numbers_are_reserved_together)
{
	struct error e;

	begin();
	ck_assert_int_eq(keep_number(1, &e), 0);
	unit_state_check("next", "101\n");
	ck_assert_int_eq(unlink(unit_state_path("next")), 0);
	for (uint64_t number = 2; number <= 100; number++)
		ck_assert_int_eq(keep_number(number, &e), 0);
	ck_assert(!unit_state_has("next")); /* that cost nothing */
	ck_assert_int_eq(keep_number(101, &e), 0);
	unit_state_check("next", "201\n");
}
END_TEST

START_TEST(a_number_that_is_not_reserved_is_not_given)
{
	struct error e;

	begin();
	ck_assert_int_eq(rmdir(unit_state_directory()), 0);
	ck_assert_int_eq(keep_number(1, &e), -1);
	ck_assert_int_eq(e.code, ERR_INTERNAL);
	ck_assert_ptr_nonnull(strstr(e.text, strerror(ENOENT)));
}
END_TEST

/* ---- the end ---- */

START_TEST(what_has_changed_is_saved_at_the_end)
{
	struct told told = {0};

	begin();
	registry_insert(&a);
	registry_insert(&b);
	keep_save(&a, NULL, NULL);
	keep_save(&b, NULL, NULL);
	unit_settle();
	a.kept = b.kept = true;
	ck_assert_int_eq(unlink(unit_state_path("2.json")), 0);
	a.triggers = 5;
	keep_finish();
	unit_state_check("1.json", "triggers 5");
	ck_assert(!unit_state_has("2.json")); /* it is as it was */
	unit_state_check("next", "3\n");
	ck_assert_int_eq(store_fd(), -1);
	a.triggers = 6;
	keep_save(&a, tell, &told);
	ck_assert_uint_eq(told.count, 1);
	unit_state_check("1.json", "triggers 5");
}
END_TEST

START_TEST(the_end_of_a_run_is_saved_at_the_end)
{
	begin();
	registry_insert(&a);
	a.triggers = 1;
	a.active = 1; /* its run is about to start */
	keep_save(&a, NULL, NULL);
	unit_settle();
	a.kept = true;
	ck_assert_int_eq(unlink(unit_state_path("1.json")), 0);
	a.active = 0;
	a.runs = 1;
	a.last = (struct probe_last){.any = true, .started_ms = 1, .finished_ms = 2};
	keep_finish();
	ck_assert(unit_state_has("1.json"));
}
END_TEST

START_TEST(one_that_is_not_there_yet_is_not_saved)
{
	begin();
	registry_insert(&a);
	a.triggers = 1;
	keep_finish();
	ck_assert(!unit_state_has("1.json"));
}
END_TEST

static void
keep_first(struct probe *probe, const struct error *e, void *arg)
{
	ck_assert_ptr_null(e);
	(void)arg;
	probe->kept = true;
}

/* Its first record is on its way, and too old. */
START_TEST(one_that_is_just_being_kept_is_saved_at_the_end)
{
	begin();
	registry_insert(&a);
	keep_save(&a, keep_first, NULL);
	a.triggers = 1;
	keep_finish();
	unit_state_check("1.json", "triggers 1");
}
END_TEST

/* Its one run would be had again. */
START_TEST(a_started_shot_is_not_saved_again)
{
	begin();
	registry_insert(&a);
	a.def.respawn = RESPAWN_NO;
	keep_save(&a, NULL, NULL);
	unit_settle();
	a.kept = true;
	a.triggers = 1;
	keep_start(&a, NULL, NULL);
	unit_settle();
	a.kept_started = true;
	keep_finish();
	ck_assert(unit_state_has("1.started"));
	ck_assert(!unit_state_has("1.json"));
}
END_TEST

START_TEST(the_end_waits_for_who_is_asked_by_who_is_told)
{
	struct told told = {0};

	begin();
	keep_save(&a, save_b, &told);
	unit_capture();
	keep_finish();
	unit_settle();
	ck_assert_str_eq(unit_captured(), "");
	ck_assert_uint_eq(told.count, 1);
	ck_assert(!told.failed);
	ck_assert(told.b_is_there);
}
END_TEST

Suite *
unit_keep(void)
{
	Suite *suite;
	TCase *tests = unit_case("keep", &suite);

	tcase_add_test(tests, told_when_it_is_durable);
	tcase_add_test(tests, one_turn_is_one_group);
	tcase_add_test(tests, dropped_for_good);
	tcase_add_test(tests, started);
	tcase_add_test(tests, asked_by_who_is_told);
	tcase_add_test(tests, where_nothing_is_kept);
	tcase_add_test(tests, a_directory_that_fails);
	tcase_add_test(tests, a_record_that_can_not_be_made);
	tcase_add_test(tests, a_single_shot_is_started_once);
	tcase_add_test(tests, only_a_trigger_that_the_store_knows_holds_up_its_run);
	tcase_add_test(tests, what_is_in_the_record_counts_before_anybody_is_told);
	tcase_add_test(tests, numbers_are_reserved_together);
	tcase_add_test(tests, a_number_that_is_not_reserved_is_not_given);
	tcase_add_test(tests, what_has_changed_is_saved_at_the_end);
	tcase_add_test(tests, the_end_of_a_run_is_saved_at_the_end);
	tcase_add_test(tests, one_that_is_not_there_yet_is_not_saved);
	tcase_add_test(tests, one_that_is_just_being_kept_is_saved_at_the_end);
	tcase_add_test(tests, a_started_shot_is_not_saved_again);
	tcase_add_test(tests, the_end_waits_for_who_is_asked_by_who_is_told);
	return suite;
}
