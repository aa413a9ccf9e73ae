#include "config.h"

#include "util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "unit.h"

START_TEST(time_is_rfc_3339)
{
	static const struct {
		int64_t ms;
		const char *text;
	} times[] = {
	    {0, "1970-01-01T00:00:00.000Z"},
	    {1, "1970-01-01T00:00:00.001Z"},
	    {951782400000, "2000-02-29T00:00:00.000Z"},
	    {1795262400250, "2026-11-21T12:00:00.250Z"},
	    {4102444799999, "2099-12-31T23:59:59.999Z"},
	};
	char text[UTIL_TIME_SIZE];

	setenv("TZ", "Europe/Berlin", 1); /* must not matter */
	for (size_t i = 0; i < UTIL_COUNT(times); i++)
		ck_assert_str_eq(util_format_time(text, times[i].ms), times[i].text);
}
END_TEST

/* Every day for four hundred years, against the C library. */
START_TEST(each_day_has_its_date)
{
	char text[UTIL_TIME_SIZE], wanted[UTIL_TIME_SIZE];

	for (time_t day = 0; day < 400 * 366; day++) {
		time_t seconds = day * 86400 + day % 86400;
		struct tm utc;

		ck_assert_ptr_nonnull(gmtime_r(&seconds, &utc));
		strftime(wanted, sizeof(wanted), "%Y-%m-%dT%H:%M:%SZ", &utc);
		ck_assert_str_eq(util_format_seconds(text, (int64_t)seconds * 1000 + 999), wanted);
	}
}
END_TEST

START_TEST(time_to_the_second_and_back)
{
	char text[UTIL_TIME_SIZE];
	int64_t ms = 0;

	setenv("TZ", "Europe/Berlin", 1);
	ck_assert_str_eq(util_format_seconds(text, 1795262400999), "2026-11-21T12:00:00Z");
	ck_assert(util_parse_time(text, &ms));
	ck_assert_int_eq(ms, 1795262400000);
	ck_assert(util_parse_time("2000-02-29T00:00:01.999Z", &ms));
	ck_assert_int_eq(ms, 951782401000);
	ck_assert(!util_parse_time("", &ms));
	ck_assert(!util_parse_time("yesterday", &ms));
	ck_assert_int_eq(ms, 951782401000);
}
END_TEST

START_TEST(clocks_go_forward)
{
	int64_t first = util_monotonic_ms(), wall = util_wall_ms();

	ck_assert_int_ge(util_monotonic_ms(), first);
	ck_assert_int_gt(wall, 1577836800000); /* 2020 */
	ck_assert_int_lt(wall, 4102444800000); /* 2100: milliseconds, not another unit */
}
END_TEST

START_TEST(numbers)
{
	static const struct {
		const char *text;
		int64_t value;
	} good[] = {{"0", 0},	  {"7", 7},	  {"007", 7},
		    {"-1", -1},	  {"-100", -100}, {"9223372036854775807", INT64_MAX},
		    {"100", 100}, {"-0", 0},	  {"-9223372036854775808", INT64_MIN}};
	int64_t value;

	for (size_t i = 0; i < UTIL_COUNT(good); i++) {
		value = 42;
		ck_assert_msg(util_parse_number(good[i].text, INT64_MIN, INT64_MAX, &value), "%s",
			      good[i].text);
		ck_assert_int_eq(value, good[i].value);
	}
}
END_TEST

START_TEST(no_numbers)
{
	static const char *const bad[] = {"",
					  "-",
					  "+1",
					  " 1",
					  "1 ",
					  "1x",
					  "0x10",
					  "1.0",
					  "1e3",
					  "--1",
					  "- 1",
					  "one",
					  "1\n",
					  "\t1",
					  "9223372036854775808",
					  "-9223372036854775809",
					  "99999999999999999999"};
	int64_t value = 42;

	for (size_t i = 0; i < UTIL_COUNT(bad); i++) {
		ck_assert_msg(!util_parse_number(bad[i], INT64_MIN, INT64_MAX, &value), "\"%s\"",
			      bad[i]);
		ck_assert_int_eq(value, 42);
	}
}
END_TEST

START_TEST(number_ranges)
{
	int64_t value = 42;

	ck_assert(!util_parse_number("4", 5, 7, &value));
	ck_assert(!util_parse_number("8", 5, 7, &value));
	ck_assert(!util_parse_number("-6", 5, 7, &value));
	ck_assert_int_eq(value, 42);
	ck_assert(util_parse_number("5", 5, 7, &value));
	ck_assert_int_eq(value, 5);
	ck_assert(util_parse_number("7", 5, 7, &value));
	ck_assert_int_eq(value, 7);
}
END_TEST

START_TEST(printable)
{
	char text[] = "a\x01\t\n\x1b\x1f ~\x7f\xc3\xa4z";

	util_make_printable(text);
	ck_assert_str_eq(text, "a????? ~?\xc3\xa4z");
}
END_TEST

START_TEST(controls)
{
	static const char *const with[] = {"\x01",
					   "a\n",
					   "\x1f"
					   "b",
					   "a\x7f",
					   "\xc2\x80",
					   "a\xc2\x9f"
					   "b"};
	static const char *const without[] = {"",	  " ",	  "a~",		 "\xc3\xa4",
					      "\xc2\xa0", "\xc2", "\xe2\x80\x80"};

	for (size_t i = 0; i < UTIL_COUNT(with); i++)
		ck_assert_msg(util_has_control(with[i]), "control %zu", i);
	for (size_t i = 0; i < UTIL_COUNT(without); i++)
		ck_assert_msg(!util_has_control(without[i]), "no control %zu", i);
}
END_TEST

static const char *
write_file(const char *text)
{
	const char *path = unit_path("file");
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
	return path;
}

START_TEST(files_whole)
{
	const char *path = write_file("123456");
	char buffer[8];

	memset(buffer, 'x', sizeof(buffer));
	ck_assert_int_eq(util_read_file(path, buffer, sizeof(buffer)), 6);
	ck_assert_str_eq(buffer, "123456");
	ck_assert_int_eq(util_read_file(path, buffer, 7), 6);
	ck_assert_str_eq(buffer, "123456");
	path = write_file("");
	ck_assert_int_eq(util_read_file(path, buffer, sizeof(buffer)), 0);
	ck_assert_str_eq(buffer, "");
}
END_TEST

START_TEST(files_that_do_not_fit)
{
	const char *path = write_file("1234567");
	char buffer[8];

	buffer[7] = '!';
	errno = 0;
	ck_assert_int_eq(util_read_file(path, buffer, 7), -1);
	ck_assert_int_eq(errno, EFBIG);
	ck_assert_int_eq(buffer[7], '!');
	ck_assert_int_eq(util_read_file(path, buffer, 3), -1);
	ck_assert_int_eq(errno, EFBIG);
	ck_assert_int_eq(util_read_file(unit_path("none"), buffer, sizeof(buffer)), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(util_read_file(unit_directory(), buffer, sizeof(buffer)), -1);
}
END_TEST

START_TEST(pipes)
{
	int ends[2];
	char byte;

	ck_assert_int_eq(util_pipe(ends), 0);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(fcntl(ends[i], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	ck_assert_int_ne(fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(read(ends[0], &byte, 1), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	ck_assert_int_eq(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(closing)
{
	int ends[2], fd;

	ck_assert_int_eq(util_pipe(ends), 0);
	fd = ends[0];
	util_close(&ends[0]);
	ck_assert_int_eq(ends[0], -1);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	errno = 0;
	util_close(&ends[0]);
	ck_assert_int_eq(errno, 0); /* an end that isn't open is left alone */
	util_close(&ends[1]);
}
END_TEST

START_TEST(string_lists)
{
	char one[] = "one", empty[] = "", three[] = "three";
	char *list[] = {one, empty, three, NULL}, *none[] = {NULL}, **copy;

	copy = util_copy_strings(list);
	ck_assert_ptr_nonnull(copy);
	one[0] = '!';
	ck_assert_str_eq(copy[0], "one");
	ck_assert_str_eq(copy[1], "");
	ck_assert_str_eq(copy[2], "three");
	ck_assert_ptr_null(copy[3]);
	free(copy);
	copy = util_copy_strings(none);
	ck_assert_ptr_nonnull(copy);
	ck_assert_ptr_null(copy[0]);
	free(copy);
}
END_TEST

START_TEST(error_codes)
{
	static const char *const names[] = {
	    [ERR_BAD_JSON] = "bad-json",
	    [ERR_BAD_REQUEST] = "bad-request",
	    [ERR_UNKNOWN_OP] = "unknown-op",
	    [ERR_TOO_LARGE] = "too-large",
	    [ERR_DENIED] = "denied",
	    [ERR_NO_SUCH_JAIL] = "no-such-jail",
	    [ERR_NO_SUCH_PROBE] = "no-such-probe",
	    [ERR_EXISTS] = "exists",
	    [ERR_LIMIT] = "limit",
	    [ERR_ATTACH_FAILED] = "attach-failed",
	    [ERR_STOPPING] = "stopping",
	    [ERR_INTERNAL] = "internal",
	};

	ck_assert_uint_eq(UTIL_COUNT(names), ERR_COUNT);
	for (int i = ERR_BAD_JSON; i < ERR_COUNT; i++)
		ck_assert_str_eq(error_name((enum error_code)i), names[i]);
}
END_TEST

START_TEST(error_texts)
{
	char longer[2 * ERROR_TEXT_SIZE];
	struct error e;

	ck_assert_int_eq(error_set(&e, ERR_EXISTS, "%s\nand %d", "one", 2), -1);
	ck_assert_int_eq(e.code, ERR_EXISTS);
	ck_assert_str_eq(e.text, "one?and 2"); /* one line */
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	error_set(&e, ERR_LIMIT, "%s", longer);
	ck_assert_uint_eq(strlen(e.text), ERROR_TEXT_SIZE - 1);
	ck_assert_int_eq(error_no_memory(&e), -1);
	ck_assert_int_eq(e.code, ERR_INTERNAL);
	ck_assert_str_eq(e.text, "out of memory");
}
END_TEST

Suite *
unit_util(void)
{
	Suite *suite;
	TCase *tests = unit_case("util", &suite);

	tcase_add_test(tests, time_is_rfc_3339);
	tcase_add_test(tests, each_day_has_its_date);
	tcase_add_test(tests, time_to_the_second_and_back);
	tcase_add_test(tests, clocks_go_forward);
	tcase_add_test(tests, numbers);
	tcase_add_test(tests, no_numbers);
	tcase_add_test(tests, number_ranges);
	tcase_add_test(tests, printable);
	tcase_add_test(tests, controls);
	tcase_add_test(tests, files_whole);
	tcase_add_test(tests, files_that_do_not_fit);
	tcase_add_test(tests, pipes);
	tcase_add_test(tests, closing);
	tcase_add_test(tests, string_lists);
	tcase_add_test(tests, error_codes);
	tcase_add_test(tests, error_texts);
	return suite;
}
