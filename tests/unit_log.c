#include "config.h"

#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "unit.h"
#include "util.h"

/* Instead of the library's openlog (the linker's --wrap): what the log was opened with. */
static int opened_facility;
static unsigned opened;

void __wrap_openlog(const char *ident, int option, int facility);

void
__wrap_openlog(const char *ident, int option, int facility)
{
	(void)option;
	ck_assert_str_eq(ident, "jaildaemon");
	opened_facility = facility;
	opened++;
}

START_TEST(quote)
{
	static const struct {
		const char *text;
		const char *quoted;
	} cases[] = {
	    {"", "\"\""},
	    {"plain ~text", "\"plain ~text\""},
	    {"a\"b", "\"a\\\"b\""},
	    {"a\\b", "\"a\\\\b\""},
	    {"\x01\n\x1f", "\"\\x01\\x0a\\x1f\""},
	    {"\x7f\xc3\xa4\xff", "\"\\x7f\\xc3\\xa4\\xff\""},
	    {"x\" probe=1", "\"x\\\" probe=1\""},
	};
	char quoted[64];

	for (size_t i = 0; i < UTIL_COUNT(cases); i++)
		ck_assert_str_eq(
		    log_quote(quoted, sizeof(quoted), cases[i].text, strlen(cases[i].text)),
		    cases[i].quoted);
}
END_TEST

START_TEST(quote_takes_a_length)
{
	char quoted[32];

	ck_assert_str_eq(log_quote(quoted, sizeof(quoted), "abc", 2), "\"ab\"");
	ck_assert_str_eq(log_quote(quoted, sizeof(quoted), "a\0b", 3), "\"a\\x00b\"");
}
END_TEST

/* Of every size: terminated, closed by a quote, no escape cut in two, nothing past the end. */
START_TEST(quote_is_cut)
{
	static const char text[] = "ab\n\"c\xff\\d\n\n\n\n\n\n";
	char quoted[64];

	for (size_t size = 7; size < sizeof(quoted) - 1; size++) {
		size_t length;

		memset(quoted, '!', sizeof(quoted));
		log_quote(quoted, size, text, sizeof(text) - 1);
		length = strlen(quoted);
		ck_assert_uint_lt(length, size);
		ck_assert_int_eq(quoted[size], '!');
		ck_assert_int_eq(quoted[0], '"');
		ck_assert_int_eq(quoted[length - 1], '"');
		if (length >= 5 && quoted[length - 5] == '\\')
			ck_assert_int_eq(quoted[length - 4], 'x');
		else
			ck_assert_msg(strchr("\"\\abcd", quoted[length - 2]) != NULL,
				      "size %zu: %s", size, quoted);
	}
}
END_TEST

START_TEST(quote_without_room)
{
	char quoted[8];

	for (size_t size = 1; size < 7; size++) {
		memset(quoted, '!', sizeof(quoted));
		ck_assert_str_eq(log_quote(quoted, size, "abc", 3), "");
		ck_assert_int_eq(quoted[size], '!');
	}
	log_quote(quoted, 0, "abc", 3);
}
END_TEST

START_TEST(lines_on_standard_error)
{
	unsetenv("JOURNAL_STREAM");
	log_open(true);
	unit_capture();
	log_info("event=%s n=%d", "one", 1);
	log_warn("two");
	log_error("three");
	ck_assert_str_eq(unit_captured(),
			 "jaildaemon: event=one n=1\njaildaemon: two\njaildaemon: three\n");
}
END_TEST

START_TEST(priorities_for_the_journal)
{
	setenv("JOURNAL_STREAM", "8:1", 1);
	log_open(true);
	unit_capture();
	log_info("one");
	log_warn("two");
	log_error("three");
	ck_assert_str_eq(unit_captured(), "<6>one\n<4>two\n<3>three\n");
}
END_TEST

START_TEST(no_line_can_be_forged)
{
	unsetenv("JOURNAL_STREAM");
	log_open(true);
	unit_capture();
	log_info("a\nb\rc\x1b[31m\x7f");
	ck_assert_str_eq(unit_captured(), "jaildaemon: a?b?c?[31m?\n");
}
END_TEST

START_TEST(long_lines_stay_lines)
{
	char text[5000];
	const char *line;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_open(true);
	unit_capture();
	if (_i == 0)
		log_info("%s", text);
	else
		log_write(LOG_INFO, text, sizeof(text) - 1);
	log_write(LOG_INFO, "next one", strlen("next"));
	line = unit_captured();
	ck_assert_ptr_nonnull(strstr(line, "x\njaildaemon: next\n"));
	ck_assert_uint_gt(strlen(line), 2000);
	ck_assert_uint_lt(strlen(line), sizeof(text));
}
END_TEST

START_TEST(errno_is_kept)
{
	log_open(true);
	unit_capture();
	close(STDERR_FILENO); /* so that each write fails */
	errno = EXDEV;
	log_info("one");
	log_warn("two");
	log_error("three");
	log_debug("four");
	log_write(LOG_INFO, "five", 4);
	ck_assert_int_eq(errno, EXDEV);
	unit_captured();
}
END_TEST

START_TEST(debug_is_for_those_who_ask)
{
	if (_i == 0)
		unsetenv("JAILDAEMON_DEBUG");
	else
		setenv("JAILDAEMON_DEBUG", "1", 1);
	unsetenv("JOURNAL_STREAM");
	log_open(true);
	unit_capture();
	log_debug("detail");
	ck_assert_str_eq(unit_captured(), _i == 0 ? "" : "jaildaemon: detail\n");
}
END_TEST

/* Each level, and those that are more important. */
START_TEST(levels)
{
	static const struct {
		const char *name, *wanted;
	} cases[] = {{"error", "<3>e\n"},
		     {"warning", "<4>w\n<3>e\n"},
		     {"info", "<6>i\n<4>w\n<3>e\n"},
		     {"debug", "<7>d\n<6>i\n<4>w\n<3>e\n"}};

	setenv("JOURNAL_STREAM", "8:1", 1);
	log_open(true);
	unit_capture();
	log_set(LOG_LOCAL3, log_find_level(cases[_i].name)); /* the journal has no facilities */
	log_debug("d");
	log_info("i");
	log_warn("w");
	log_error("e");
	ck_assert_str_eq(unit_captured(), cases[_i].wanted);
}
END_TEST

START_TEST(facilities)
{
	log_open(false);
	ck_assert_int_eq(opened_facility, LOG_DAEMON);
	log_set(LOG_DAEMON, LOG_INFO);
	ck_assert_uint_eq(opened, 1); /* nothing has changed */
	log_set(log_find_facility("local3"), LOG_INFO);
	ck_assert_int_eq(opened_facility, LOG_LOCAL3);
	log_set(log_find_facility("daemon"), LOG_INFO);
	ck_assert_int_eq(opened_facility, LOG_DAEMON);
	ck_assert_uint_eq(opened, 3);
}
END_TEST

START_TEST(words_that_the_log_does_not_know)
{
	static const char *const words[] = {"", "kern", "Daemon", "local8", "daemon ", "3"};

	for (size_t i = 0; i < UTIL_COUNT(words); i++) {
		ck_assert_int_eq(log_find_facility(words[i]), -1);
		ck_assert_int_eq(log_find_level(words[i]), -1);
	}
}
END_TEST

Suite *
unit_log(void)
{
	Suite *suite;
	TCase *tests = unit_case("log", &suite);

	tcase_add_test(tests, quote);
	tcase_add_test(tests, quote_takes_a_length);
	tcase_add_test(tests, quote_is_cut);
	tcase_add_test(tests, quote_without_room);
	tcase_add_test(tests, lines_on_standard_error);
	tcase_add_test(tests, priorities_for_the_journal);
	tcase_add_test(tests, no_line_can_be_forged);
	tcase_add_loop_test(tests, long_lines_stay_lines, 0, 2);
	tcase_add_test(tests, errno_is_kept);
	tcase_add_loop_test(tests, debug_is_for_those_who_ask, 0, 2);
	tcase_add_loop_test(tests, levels, 0, 4);
	tcase_add_test(tests, facilities);
	tcase_add_test(tests, words_that_the_log_does_not_know);
	return suite;
}
