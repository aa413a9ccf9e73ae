#include "config.h"

#include "linelog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "unit.h"

/* What is logged of a run without a configuration. */
#define RUN_MAX 65536

#define LINE(text) "jaildaemon: event=run-output t run=3 line=\"" text "\"\n"

static struct linelog *
begin(void)
{
	static struct linelog log = {.tag = "t", .run = 3};

	unsetenv("JOURNAL_STREAM");
	log_open(true);
	unit_capture();
	return &log;
}

static void
append(struct linelog *log, const char *text)
{
	linelog_append(log, text, strlen(text));
}

static void
append_many(struct linelog *log, char byte, size_t length)
{
	char *bytes = malloc(length);

	ck_assert_ptr_nonnull(bytes);
	memset(bytes, byte, length);
	linelog_append(log, bytes, length);
	free(bytes);
}

START_TEST(a_line_each)
{
	struct linelog *log = begin();

	append(log, "one\ntwo\n");
	append(log, "three\n");
	linelog_finish(log);
	ck_assert_str_eq(unit_captured(), LINE("one") LINE("two") LINE("three"));
}
END_TEST

START_TEST(pieces_are_joined)
{
	struct linelog *log = begin();

	append(log, "on");
	append(log, "");
	append(log, "e");
	append(log, "\nt");
	append(log, "wo\n");
	linelog_finish(log);
	ck_assert_str_eq(unit_captured(), LINE("one") LINE("two"));
}
END_TEST

START_TEST(last_line_without_newline)
{
	struct linelog *log = begin();

	append(log, "one\ntwo");
	linelog_finish(log);
	ck_assert_str_eq(unit_captured(), LINE("one") LINE("two"));
}
END_TEST

START_TEST(nothing_is_no_line)
{
	struct linelog *log = begin();

	append(log, "");
	linelog_finish(log);
	ck_assert_str_eq(unit_captured(), "");
}
END_TEST

START_TEST(empty_lines_are_lines)
{
	struct linelog *log = begin();

	append(log, "\n\n");
	linelog_finish(log);
	ck_assert_str_eq(unit_captured(), LINE("") LINE(""));
}
END_TEST

START_TEST(what_a_command_says_forges_nothing)
{
	struct linelog *log = begin();

	append(log, "x\" event=removed\r\x1b[2J\nend");
	linelog_finish(log);
	ck_assert_str_eq(unit_captured(), LINE("x\\\" event=removed\\x0d\\x1b[2J") LINE("end"));
}
END_TEST

/* How many log lines, each with a piece of how many times the byte. */
static void
check_pieces(const char *text, char byte, const size_t *lengths, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *piece = strstr(text, "line=\"");
		size_t length = 0;

		ck_assert_msg(piece != NULL, "piece %zu is missing", i);
		piece += strlen("line=\"");
		while (piece[length] == byte)
			length++;
		ck_assert_uint_eq(length, lengths[i]);
		ck_assert_int_eq(strncmp(piece + length, "\"\n", 2), 0);
		text = piece + length + 2;
	}
	ck_assert_ptr_null(strstr(text, "line="));
}

START_TEST(as_long_as_may_be_is_one_line)
{
	const size_t whole[] = {LINELOG_LINE_MAX};
	struct linelog *log = begin();

	append_many(log, 'x', LINELOG_LINE_MAX);
	append(log, "\n");
	linelog_finish(log);
	check_pieces(unit_captured(), 'x', whole, 1);
}
END_TEST

START_TEST(longer_lines_are_cut)
{
	const size_t pieces[] = {LINELOG_LINE_MAX, LINELOG_LINE_MAX, 1};
	struct linelog *log = begin();

	append_many(log, 'x', LINELOG_LINE_MAX * 2 + 1);
	linelog_finish(log);
	check_pieces(unit_captured(), 'x', pieces, 3);
}
END_TEST

/* A line of nothing but bytes that need the longest escape still fits into one log line. */
START_TEST(escapes_have_room)
{
	struct linelog *log = begin();
	const char *text;

	append_many(log, '\x01', LINELOG_LINE_MAX);
	linelog_finish(log);
	text = unit_captured();
	ck_assert_uint_eq(strlen(text), strlen(LINE("")) + (size_t)LINELOG_LINE_MAX * 4);
	ck_assert_str_eq(text + strlen(text) - 6, "\\x01\"\n");
}
END_TEST

START_TEST(a_run_says_only_so_much)
{
	struct linelog *log = begin();
	const char *text;

	for (int i = 0; i < RUN_MAX / 64; i++) {
		append_many(log, 'y', 63);
		append(log, "\n");
	}
	log->run = 4; /* from here on */
	append(log, "one more\nand one");
	linelog_finish(log);
	text = unit_captured();
	ck_assert_ptr_null(strstr(text, "run=4 line="));
	ck_assert_ptr_nonnull(strstr(text, "event=run-output-cut t run=4 unlogged_bytes=16\n"));
}
END_TEST

START_TEST(the_limit_cuts_anywhere)
{
	struct linelog *log = begin();
	const char *text, *c;
	size_t logged = 0;

	append_many(log, 'y', RUN_MAX / 2);
	append_many(log, 'z', RUN_MAX / 2 + 3);
	linelog_finish(log);
	text = unit_captured();
	ck_assert_ptr_nonnull(strstr(text, "unlogged_bytes=3\n"));
	for (c = text; (c = strchr(c, 'z')) != NULL; c++)
		logged++;
	ck_assert_uint_eq(logged, RUN_MAX / 2);
}
END_TEST

START_TEST(exactly_the_limit_is_not_cut)
{
	struct linelog *log = begin();

	append_many(log, 'y', RUN_MAX / 2);
	append_many(log, 'z', RUN_MAX / 2);
	linelog_finish(log);
	ck_assert_ptr_null(strstr(unit_captured(), "unlogged"));
}
END_TEST

Suite *
unit_linelog(void)
{
	Suite *suite;
	TCase *tests = unit_case("linelog", &suite);

	tcase_add_test(tests, a_line_each);
	tcase_add_test(tests, pieces_are_joined);
	tcase_add_test(tests, last_line_without_newline);
	tcase_add_test(tests, nothing_is_no_line);
	tcase_add_test(tests, empty_lines_are_lines);
	tcase_add_test(tests, what_a_command_says_forges_nothing);
	tcase_add_test(tests, as_long_as_may_be_is_one_line);
	tcase_add_test(tests, longer_lines_are_cut);
	tcase_add_test(tests, escapes_have_room);
	tcase_add_test(tests, a_run_says_only_so_much);
	tcase_add_test(tests, the_limit_cuts_anywhere);
	tcase_add_test(tests, exactly_the_limit_is_not_cut);
	return suite;
}
