#include "config.h"

#include "due.h"

#include "unit.h"
#include "util.h"

#define COUNT 4

static struct due dues[COUNT];
static unsigned came[COUNT], total;
static struct due *order[COUNT * 2];

/* The one at place 3 is set again when it has come for the first time. */
static void
has_come(struct due *due)
{
	ck_assert_int_eq(due->at_us, 0);
	order[total++] = due;
	if (came[due - dues]++ == 0 && due == &dues[3])
		due_set(due, 0);
}

static bool
have_come(void *wanted)
{
	return total >= *(unsigned *)wanted;
}

static void
wait_for(unsigned count)
{
	unit_wait(have_come, &count, "a moment");
	ck_assert_uint_eq(total, count);
}

static void
begin(void)
{
	ck_assert_int_eq(due_init(unit_base(), has_come), 0);
}

START_TEST(in_the_order_of_their_times)
{
	unsigned one = 1;
	int64_t began;

	begin();
	began = util_monotonic_us();
	due_set(&dues[0], 30);
	due_set(&dues[1], 10);
	due_set(&dues[2], 20);
	/* On a busy machine the next may have come, too. */
	unit_wait(have_come, &one, "the first moment");
	ck_assert_int_ge(util_monotonic_us() - began, 10000);
	wait_for(3);
	ck_assert_int_ge(util_monotonic_us() - began, 30000);
	ck_assert_ptr_eq(order[0], &dues[1]);
	ck_assert_ptr_eq(order[1], &dues[2]);
	ck_assert_ptr_eq(order[2], &dues[0]);
}
END_TEST

START_TEST(what_was_cleared_does_not_come)
{
	begin();
	due_set(&dues[0], 5);
	due_set(&dues[1], 10);
	due_clear(&dues[0]);
	due_clear(&dues[0]);
	due_clear(&dues[2]);
	wait_for(1);
	ck_assert_ptr_eq(order[0], &dues[1]);
	ck_assert_uint_eq(came[0], 0);
}
END_TEST

START_TEST(set_again_it_comes_once)
{
	int64_t began;

	begin();
	began = util_monotonic_us();
	due_set(&dues[0], 0);
	due_set(&dues[0], 20);
	due_set(&dues[1], 100000);
	due_set(&dues[1], 10);
	wait_for(2);
	ck_assert_ptr_eq(order[0], &dues[1]);
	ck_assert_int_ge(util_monotonic_us() - began, 20000);
	ck_assert_uint_eq(came[0], 1);
}
END_TEST

START_TEST(those_of_one_moment_all_come)
{
	begin();
	for (unsigned i = 0; i < COUNT; i++)
		due_set(&dues[i], 0);
	for (unsigned i = 0; i < COUNT; i++)
		dues[i].at_us = dues[0].at_us; /* they were set in this order */
	wait_for(COUNT + 1);
	ck_assert_uint_eq(came[0] + came[1] + came[2], 3);
	ck_assert_uint_eq(came[3], 2);
}
END_TEST

START_TEST(found_in_the_order_of_their_times)
{
	begin();
	ck_assert_ptr_null(due_from(0));
	due_set(&dues[0], 300000);
	due_set(&dues[1], 100000);
	due_set(&dues[2], 200000);
	ck_assert_ptr_eq(due_from(0), &dues[1]);
	ck_assert_ptr_eq(due_from(dues[1].at_us), &dues[1]);
	ck_assert_ptr_eq(due_from(dues[1].at_us + 1), &dues[2]);
	ck_assert_ptr_eq(due_next(&dues[2]), &dues[0]);
	ck_assert_ptr_null(due_next(&dues[0]));
	ck_assert_ptr_null(due_from(dues[0].at_us + 1));
}
END_TEST

Suite *
unit_due(void)
{
	Suite *suite;
	TCase *tests = unit_case("due", &suite);

	tcase_add_test(tests, in_the_order_of_their_times);
	tcase_add_test(tests, what_was_cleared_does_not_come);
	tcase_add_test(tests, set_again_it_comes_once);
	tcase_add_test(tests, those_of_one_moment_all_come);
	tcase_add_test(tests, found_in_the_order_of_their_times);
	return suite;
}
