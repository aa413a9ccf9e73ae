#include "config.h"

#include "tail.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

/* What is kept without a configuration. */
#define TAIL_LIMIT 65536

/* Byte number i of a stream that never repeats within a ring. */
static char
stream_byte(uint64_t i)
{
	return (char)(i * 31 + i / 251 + i / 65521);
}

static void
append_stream(struct tail *tail, size_t length)
{
	char *bytes = malloc(length + 1);

	ck_assert_ptr_nonnull(bytes);
	for (size_t i = 0; i < length; i++)
		bytes[i] = stream_byte(tail->total + i);
	tail_append(tail, bytes, length);
	free(bytes);
}

/* The tail has exactly the last used bytes of the stream. */
static void
check_stream(struct tail *tail, uint64_t total, size_t used)
{
	const char *bytes = tail_linear(tail);
	size_t i;

	ck_assert_uint_eq(tail->total, total);
	ck_assert_uint_eq(tail->used, used);
	for (i = 0; i < used && bytes[i] == stream_byte(total - used + i); i++)
		;
	ck_assert_msg(i == used, "byte %zu of %zu after %llu is wrong", i, used,
		      (unsigned long long)total);
}

START_TEST(empty)
{
	struct tail tail = {0};

	ck_assert_str_eq(tail_linear(&tail), "");
	tail_append(&tail, "", 0);
	ck_assert_uint_eq(tail.total, 0);
	tail_trim(&tail);
	ck_assert_str_eq(tail_linear(&tail), "");
	tail_free(&tail);
}
END_TEST

START_TEST(keeps_all_up_to_the_limit)
{
	struct tail tail = {0};

	append_stream(&tail, 1);
	check_stream(&tail, 1, 1);
	append_stream(&tail, TAIL_LIMIT - 2);
	check_stream(&tail, TAIL_LIMIT - 1, TAIL_LIMIT - 1);
	append_stream(&tail, 1);
	check_stream(&tail, TAIL_LIMIT, TAIL_LIMIT);
	ck_assert_uint_eq(tail.capacity, TAIL_LIMIT);
	tail_free(&tail);
}
END_TEST

START_TEST(forgets_from_the_front)
{
	struct tail tail = {0};

	append_stream(&tail, TAIL_LIMIT);
	append_stream(&tail, 1);
	ck_assert_uint_eq(tail.start, 1);
	check_stream(&tail, TAIL_LIMIT + 1, TAIL_LIMIT);
	tail_free(&tail);
}
END_TEST

/* Steps that are no divisor of the limit, so that each append wraps elsewhere. */
START_TEST(wraps_anywhere)
{
	static const size_t steps[] = {1, 7, 400, 4097, 65535, 65536, 65537, 200001};
	size_t step = steps[_i];
	struct tail tail = {0};
	uint64_t total = 0;

	while (total < 4 * TAIL_LIMIT && (step > 1 || total < TAIL_LIMIT + 100)) {
		append_stream(&tail, step);
		total += step;
		if (total % 3 == 0 && step > 100)
			check_stream(&tail, total, total < TAIL_LIMIT ? total : TAIL_LIMIT);
	}
	check_stream(&tail, total, TAIL_LIMIT);
	ck_assert_uint_eq(tail.capacity, TAIL_LIMIT);
	tail_free(&tail);
}
END_TEST

START_TEST(linear_twice_is_the_same)
{
	struct tail tail = {0};

	append_stream(&tail, TAIL_LIMIT + 12345);
	check_stream(&tail, TAIL_LIMIT + 12345, TAIL_LIMIT);
	check_stream(&tail, TAIL_LIMIT + 12345, TAIL_LIMIT);
	append_stream(&tail, 99);
	check_stream(&tail, TAIL_LIMIT + 12345 + 99, TAIL_LIMIT);
	tail_free(&tail);
}
END_TEST

START_TEST(trim_gives_back)
{
	struct tail tail = {0};

	append_stream(&tail, 1500);
	ck_assert_uint_gt(tail.capacity, 1500);
	tail_trim(&tail);
	ck_assert_uint_eq(tail.capacity, 1500);
	check_stream(&tail, 1500, 1500);
	tail_free(&tail);
	ck_assert_ptr_null(tail.bytes);
	ck_assert_uint_eq(tail.total, 0);
}
END_TEST

START_TEST(trim_of_a_wrapped_one)
{
	struct tail tail = {0};

	append_stream(&tail, TAIL_LIMIT + 777);
	tail_trim(&tail);
	check_stream(&tail, TAIL_LIMIT + 777, TAIL_LIMIT);
	append_stream(&tail, 5);
	check_stream(&tail, TAIL_LIMIT + 782, TAIL_LIMIT);
	tail_free(&tail);
}
END_TEST

START_TEST(goes_on_after_trim)
{
	struct tail tail = {0};

	append_stream(&tail, 1000);
	tail_trim(&tail);
	append_stream(&tail, 1000);
	check_stream(&tail, 2000, 2000);
	tail_free(&tail);
}
END_TEST

Suite *
unit_tail(void)
{
	Suite *suite;
	TCase *tests = unit_case("tail", &suite);

	tcase_add_test(tests, empty);
	tcase_add_test(tests, keeps_all_up_to_the_limit);
	tcase_add_test(tests, forgets_from_the_front);
	tcase_add_loop_test(tests, wraps_anywhere, 0, 8);
	tcase_add_test(tests, linear_twice_is_the_same);
	tcase_add_test(tests, trim_gives_back);
	tcase_add_test(tests, trim_of_a_wrapped_one);
	tcase_add_test(tests, goes_on_after_trim);
	return suite;
}
