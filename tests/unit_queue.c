#include "config.h"

#include "queue.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

/* One run, known by a letter; those of a jail have its letter, in upper case once it has ended. */
struct run {
	struct lane_entry entry; /* first: told apart by its address */
	char letter;
};

#define RUNS_MAX 64

static struct jail_instance *jails[3];
static struct run runs[RUNS_MAX];
static size_t run_count;
static char started[RUNS_MAX + 1]; /* letters, in the order of the starts */
static unsigned failures;	   /* so many starts fail from now on */
static unsigned attempts;

static bool
start(struct lane_entry *entry)
{
	const struct run *run = (const struct run *)(const void *)entry;

	attempts++;
	ck_assert_ptr_null(entry->lane);
	if (failures > 0) {
		failures--;
		return false;
	}
	started[strlen(started)] = run->letter;
	return true;
}

/* Jails that somebody holds, of which all but the first may be missing. */
static void
hold_jails(size_t count)
{
	static const char *const names[] = {"a", "b", "c"};

	for (size_t i = 0; i < count; i++) {
		struct jail_ref ref = {.number = (int64_t)i + 1};
		struct error e;

		unit_jail_begin(names[i], (pid_t)ref.number);
		jails[i] = jail_find(&ref, &e);
		ck_assert_ptr_nonnull(jails[i]);
	}
}

static void
begin(unsigned limit)
{
	hold_jails(3);
	ck_assert_int_eq(queue_init(unit_base(), limit, start), 0);
	ck_assert_uint_eq(queue_limit(), limit);
}

static struct run *
push(int jail, char letter)
{
	struct run *run = &runs[run_count++];

	ck_assert_uint_lt(run_count, RUNS_MAX);
	run->letter = letter;
	queue_push(&run->entry, jails[jail]);
	return run;
}

static void
push_all(int jail, const char *letters)
{
	for (; *letters != '\0'; letters++)
		push(jail, *letters);
}

static void
check_counts(unsigned running, unsigned waiting)
{
	unsigned taken = 0;

	for (size_t i = 0; i < 3 && jails[i] != NULL; i++)
		taken += jails[i]->runs.taken;
	ck_assert_uint_eq(taken, running);
	ck_assert_uint_eq(queue_waiting(), waiting);
}

static void
end_all(int jail, unsigned count)
{
	while (count-- > 0)
		queue_run_ended(jails[jail]);
}

/* Nothing runs or waits. */
static void
finish(void)
{
	check_counts(0, 0);
	for (size_t i = 0; i < 3 && jails[i] != NULL; i++) {
		ck_assert(TAILQ_EMPTY(&jails[i]->runs.entries));
		jail_release(jails[i]);
	}
}

START_TEST(starts_at_once)
{
	begin(4);
	push(0, 'a');
	ck_assert_str_eq(started, "a");
	check_counts(1, 0);
	end_all(0, 1);
	finish();
}
END_TEST

START_TEST(never_more_than_the_limit)
{
	begin(4);
	push_all(0, "abc");
	push_all(1, "xyz");
	ck_assert_str_eq(started, "abcx");
	check_counts(4, 2);
	end_all(1, 1);
	ck_assert_str_eq(started, "abcxy");
	check_counts(4, 1);
	end_all(1, 1);
	end_all(0, 3);
	end_all(1, 1);
	finish();
}
END_TEST

/* A quarter of the places is not for a jail alone. */
START_TEST(no_jail_gets_all_places)
{
	begin(8);
	push_all(0, "abcdefgh");
	ck_assert_str_eq(started, "abcdef");
	check_counts(6, 2);
	push(1, 'x');
	push(2, 'y');
	ck_assert_str_eq(started, "abcdefxy");
	end_all(0, 1);
	ck_assert_str_eq(started, "abcdefxyg");
	end_all(1, 1);
	check_counts(7, 1); /* h waits for its own jail's runs */
	end_all(0, 1);
	ck_assert_str_eq(started, "abcdefxygh");
	end_all(0, 6);
	end_all(2, 1);
	finish();
}
END_TEST

START_TEST(a_jail_alone_gets_all_places)
{
	hold_jails(1);
	ck_assert_int_eq(queue_init(unit_base(), 4, start), 0);
	push_all(0, "abcde");
	ck_assert_str_eq(started, "abcd");
	end_all(0, 5);
	ck_assert_str_eq(started, "abcde");
	finish();
}
END_TEST

START_TEST(one_place_is_for_all)
{
	begin(1);
	push_all(0, "ab");
	ck_assert_str_eq(started, "a");
	end_all(0, 1);
	ck_assert_str_eq(started, "ab");
	end_all(0, 1);
	finish();
}
END_TEST

START_TEST(jails_take_turns)
{
	begin(1);
	push_all(0, "abcde");
	push_all(1, "xyz");
	push_all(2, "1");
	for (int i = 0; i < 9; i++) {
		char last = started[strlen(started) - 1];

		queue_run_ended(jails[last >= 'x' ? 1 : last >= 'a' ? 0 : 2]);
	}
	ck_assert_str_eq(started, "abx1cydze");
	finish();
}
END_TEST

START_TEST(first_come_first_served_within_a_jail)
{
	begin(1);
	push_all(0, "abcdefghij");
	for (int i = 0; i < 10; i++)
		queue_run_ended(jails[0]);
	ck_assert_str_eq(started, "abcdefghij");
	finish();
}
END_TEST

START_TEST(removed_ones_do_not_start)
{
	struct run *b, *x;

	begin(1);
	push(0, 'a');
	b = push(0, 'b');
	push(0, 'c');
	x = push(1, 'x');
	queue_remove(&b->entry);
	queue_remove(&x->entry);
	queue_remove(&x->entry); /* it isn't there any more */
	check_counts(1, 1);
	end_all(0, 2);
	ck_assert_str_eq(started, "ac");
	finish();
}
END_TEST

static bool
has_started(void *arg)
{
	return strcmp(started, arg) == 0;
}

/* What failed for want of something is tried again by itself, and in its old place. */
START_TEST(failed_starts_come_again)
{
	char wanted[] = "ab";

	begin(4);
	failures = 1;
	push(0, 'a');
	ck_assert_str_eq(started, "");
	check_counts(0, 1);
	failures = 1;
	push(0, 'b');
	check_counts(0, 2);
	unit_wait(has_started, wanted, "the next try");
	check_counts(2, 0);
	ck_assert_uint_eq(attempts, 4);
	end_all(0, 2);
	finish();
}
END_TEST

START_TEST(failed_starts_come_again_and_again)
{
	char wanted[] = "a";

	begin(1);
	failures = 2;
	push(0, 'a');
	unit_wait(has_started, wanted, "the third try");
	ck_assert_uint_eq(attempts, 3);
	end_all(0, 1);
	finish();
}
END_TEST

/* An end makes room, so it is a reason to try at once. */
START_TEST(an_end_tries_again)
{
	begin(4);
	push(0, 'a');
	failures = 1;
	push(1, 'x');
	check_counts(1, 1);
	end_all(0, 1);
	ck_assert_str_eq(started, "ax");
	end_all(1, 1);
	finish();
}
END_TEST

START_TEST(failed_and_removed)
{
	struct run *a;

	begin(4);
	failures = 1;
	a = push(0, 'a');
	queue_remove(&a->entry);
	finish();
}
END_TEST

/* What runs goes on, what waits goes on waiting. */
START_TEST(paused_starts_nothing)
{
	begin(4);
	push(0, 'a');
	queue_pause(true);
	push(0, 'b');
	end_all(0, 1);
	ck_assert_str_eq(started, "a");
	check_counts(0, 1);
	queue_pause(false);
	ck_assert_str_eq(started, "ab");
	end_all(0, 1);
	finish();
}
END_TEST

/* ---- starts that call back ---- */

static unsigned nested_to_push;

static bool
start_and_push(struct lane_entry *entry)
{
	start(entry);
	if (nested_to_push > 0) {
		nested_to_push--;
		push(0, 'n');
	}
	return true;
}

START_TEST(a_start_may_push)
{
	hold_jails(1);
	ck_assert_int_eq(queue_init(unit_base(), 2, start_and_push), 0);
	nested_to_push = 3;
	push(0, 'a');
	ck_assert_str_eq(started, "an");
	check_counts(2, 1);
	end_all(0, 1);
	ck_assert_str_eq(started, "ann");
	end_all(0, 1);
	end_all(0, 2);
	ck_assert_str_eq(started, "annn");
	finish();
}
END_TEST

static bool
start_and_end(struct lane_entry *entry)
{
	start(entry);
	queue_run_ended(jails[0]);
	return true;
}

START_TEST(a_start_may_end_at_once)
{
	hold_jails(1);
	ck_assert_int_eq(queue_init(unit_base(), 1, start_and_end), 0);
	push_all(0, "abc");
	ck_assert_str_eq(started, "abc");
	finish();
}
END_TEST

START_TEST(limit_may_change)
{
	begin(2);
	push_all(0, "ab");
	push_all(1, "xyz");
	ck_assert_str_eq(started, "ab");
	queue_set_limit(3);
	ck_assert_str_eq(started, "abx");
	queue_set_limit(1);
	check_counts(3, 2); /* those that run are left to end */
	end_all(0, 2);
	ck_assert_str_eq(started, "abx");
	end_all(1, 1);
	ck_assert_str_eq(started, "abxy");
	queue_set_limit(4);
	ck_assert_str_eq(started, "abxyz");
	ck_assert_uint_eq(queue_limit(), 4);
	end_all(1, 2);
	finish();
}
END_TEST

Suite *
unit_queue(void)
{
	Suite *suite;
	TCase *tests = unit_case("queue", &suite);

	tcase_add_test(tests, starts_at_once);
	tcase_add_test(tests, never_more_than_the_limit);
	tcase_add_test(tests, no_jail_gets_all_places);
	tcase_add_test(tests, a_jail_alone_gets_all_places);
	tcase_add_test(tests, one_place_is_for_all);
	tcase_add_test(tests, jails_take_turns);
	tcase_add_test(tests, first_come_first_served_within_a_jail);
	tcase_add_test(tests, removed_ones_do_not_start);
	tcase_add_test(tests, failed_starts_come_again);
	tcase_add_test(tests, failed_starts_come_again_and_again);
	tcase_add_test(tests, an_end_tries_again);
	tcase_add_test(tests, failed_and_removed);
	tcase_add_test(tests, paused_starts_nothing);
	tcase_add_test(tests, a_start_may_push);
	tcase_add_test(tests, a_start_may_end_at_once);
	tcase_add_test(tests, limit_may_change);
	return suite;
}
