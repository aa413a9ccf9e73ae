/* What a daemon finds in its state directory: records, and files that nobody may rely on. */
#include "config.h"

#include "store.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"
#include "util.h"

#define FOUND_MAX 8

static void
open_store(void)
{
	struct error e;

	ck_assert_msg(store_open(unit_state_directory(), &e) == 0, "%s", e.text);
}

static void
put(uint64_t number, const char *text, bool started)
{
	struct store_changes changes = TAILQ_HEAD_INITIALIZER(changes);
	struct store_change record = {.kind = STORE_PUT, .number = number}, start = record;

	record.text = strdup(text);
	TAILQ_INSERT_TAIL(&changes, &record, link);
	start.kind = STORE_START;
	if (started)
		TAILQ_INSERT_TAIL(&changes, &start, link);
	store_commit(&changes);
	ck_assert_int_eq(record.error, 0);
	ck_assert_int_eq(start.error, 0);
	free(record.text);
}

struct found {
	unsigned count;
	struct {
		uint64_t number;
		bool started;
		size_t length;
		char text[16];
	} records[FOUND_MAX];
};

static void
found_one(void *arg, uint64_t number, bool started, const char *text, size_t length)
{
	struct found *found = arg;
	unsigned i = found->count++;

	ck_assert_uint_lt(i, FOUND_MAX);
	ck_assert_uint_eq(strlen(text), length);
	found->records[i].number = number;
	found->records[i].started = started;
	found->records[i].length = length;
	snprintf(found->records[i].text, sizeof(found->records[i].text), "%.15s", text);
}

/* Returns what was logged meanwhile. */
static const char *
read_all(struct found *found)
{
	struct error e;

	*found = (struct found){0};
	unit_capture();
	ck_assert_int_eq(store_read_all(found_one, found, &e), 0);
	return unit_captured();
}

START_TEST(from_the_highest_number_down)
{
	static const uint64_t wanted[] = {INT64_MAX - 1, 100, 20, 20, 3};
	struct found found;

	open_store();
	put(20, "a", true);
	put(20, "b", false);
	put(100, "c", false);
	put(3, "d", false);
	put(INT64_MAX - 1, "e", false);
	ck_assert_int_eq(store_reserve(101), 0);
	ck_assert_str_eq(read_all(&found), "");
	ck_assert_uint_eq(found.count, UTIL_COUNT(wanted));
	for (unsigned i = 0; i < found.count; i++)
		ck_assert_uint_eq(found.records[i].number, wanted[i]);
	ck_assert(found.records[2].started);
	ck_assert_str_eq(found.records[2].text, "a");
	ck_assert(!found.records[3].started);
	ck_assert_str_eq(found.records[3].text, "b");
	unit_state_check("next", "101\n");
}
END_TEST

START_TEST(nothing_is_found_in_an_empty_one)
{
	struct found found;

	open_store();
	ck_assert_str_eq(read_all(&found), "");
	ck_assert_uint_eq(found.count, 0);
}
END_TEST

static const char *const foreign[] = {
    "7",
    "7.jso",
    "7.json~",
    "07.json",
    "+7.json",
    " 7.json",
    "-7.json",
    "0.json",
    ".json",
    "7.json.json",
    "x7.json",
    "notes",
    "7.notes.new",
    "next.old",
    ".notes.new",
    ".new",
    "18446744073709551623.json",
    "9223372036854775807.json",
};

START_TEST(foreign_files_are_set_aside)
{
	char place[64];
	struct found found;

	open_store();
	unit_state_write(foreign[_i], "foreign");
	ck_assert_ptr_nonnull(strstr(read_all(&found), "event=state-set-aside"));
	ck_assert_uint_eq(found.count, 0);
	ck_assert(!unit_state_has(foreign[_i]));
	snprintf(place, sizeof(place), "set-aside/%s", foreign[_i]);
	unit_state_check(place, "foreign");
}
END_TEST

START_TEST(half_written_files_are_removed)
{
	struct found found;

	open_store();
	unit_state_write("0.new", "{\"for");
	unit_state_write("63.new", "");
	unit_state_write("next.new", "1");
	ck_assert_ptr_null(strstr(read_all(&found), "set-aside"));
	ck_assert_uint_eq(found.count, 0);
	ck_assert(!unit_state_has("0.new"));
	ck_assert(!unit_state_has("63.new"));
	ck_assert(!unit_state_has("next.new"));
	ck_assert(!unit_state_has("set-aside"));
}
END_TEST

START_TEST(nothing_set_aside_is_lost)
{
	struct found found;

	open_store();
	unit_state_write("notes", "the first");
	read_all(&found);
	unit_state_write("notes", "the second");
	ck_assert_ptr_nonnull(strstr(read_all(&found), "event=state-set-aside"));
	ck_assert(!unit_state_has("notes"));
	unit_state_check("set-aside/notes", "the first");
}
END_TEST

static void
check_untrusted(const char *why)
{
	struct found found;

	ck_assert_ptr_nonnull(strstr(read_all(&found), why));
	ck_assert_uint_eq(found.count, 0);
	ck_assert(!unit_state_has("7.json"));
	ck_assert(unit_state_has("set-aside/7.json"));
}

START_TEST(files_that_others_may_write_are_no_records)
{
	static const mode_t modes[] = {0620, 0602, 0666};

	open_store();
	unit_state_write("7.json", "{}");
	ck_assert_int_eq(chmod(unit_state_path("7.json"), modes[_i]), 0);
	check_untrusted("others could have written it");
}
END_TEST

START_TEST(files_of_others_are_no_records)
{
	if (geteuid() != 0) {
		unit_skip("files_of_others_are_no_records", "only root can give a file away");
		return;
	}
	open_store();
	unit_state_write("7.json", "{}");
	ck_assert_int_eq(chown(unit_state_path("7.json"), 12345, 0), 0);
	check_untrusted("others could have written it");
}
END_TEST

START_TEST(symlinks_are_no_records)
{
	open_store();
	unit_state_write("real", "{}");
	ck_assert_int_eq(symlink("real", unit_state_path("7.json")), 0);
	check_untrusted("file=\"7.json\"");
}
END_TEST

START_TEST(fifos_are_no_records)
{
	open_store();
	ck_assert_int_eq(mkfifo(unit_state_path("7.json"), 0600), 0);
	check_untrusted("others could have written it");
}
END_TEST

START_TEST(directories_are_left_alone)
{
	struct found found;

	open_store();
	ck_assert_int_eq(mkdir(unit_state_path("lost+found"), 0700), 0);
	ck_assert_str_eq(read_all(&found), "");
	ck_assert(unit_state_has("lost+found"));
	ck_assert(!unit_state_has("set-aside"));
}
END_TEST

static char *
large_text(size_t length)
{
	char *text = malloc(length + 1);

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', length);
	text[length] = '\0';
	return text;
}

START_TEST(large_records)
{
	struct found found;
	char *text = large_text(250000);

	open_store();
	put(7, text, false);
	ck_assert_str_eq(read_all(&found), "");
	ck_assert_uint_eq(found.count, 1);
	ck_assert_uint_eq(found.records[0].length, 250000);
	free(text);
}
END_TEST

START_TEST(records_that_are_too_large)
{
	char *text = large_text(1000000);

	open_store();
	unit_state_write("7.json", text);
	free(text);
	check_untrusted(strerror(EFBIG));
}
END_TEST

START_TEST(set_aside_by_its_reader)
{
	open_store();
	unit_state_write("7.started", "nonsense");
	unit_capture();
	store_set_aside(7, true, "it makes no sense");
	ck_assert_ptr_nonnull(strstr(unit_captured(), "why=\"it makes no sense\""));
	unit_state_check("set-aside/7.started", "nonsense");
	ck_assert(!unit_state_has("7.started"));
}
END_TEST

Suite *
unit_store_found(void)
{
	Suite *suite;
	TCase *tests = unit_case("store_found", &suite);

	tcase_add_test(tests, from_the_highest_number_down);
	tcase_add_test(tests, nothing_is_found_in_an_empty_one);
	tcase_add_loop_test(tests, foreign_files_are_set_aside, 0, (int)UTIL_COUNT(foreign));
	tcase_add_test(tests, half_written_files_are_removed);
	tcase_add_test(tests, nothing_set_aside_is_lost);
	tcase_add_loop_test(tests, files_that_others_may_write_are_no_records, 0, 3);
	tcase_add_test(tests, files_of_others_are_no_records);
	tcase_add_test(tests, symlinks_are_no_records);
	tcase_add_test(tests, fifos_are_no_records);
	tcase_add_test(tests, directories_are_left_alone);
	tcase_add_test(tests, large_records);
	tcase_add_test(tests, records_that_are_too_large);
	tcase_add_test(tests, set_aside_by_its_reader);
	return suite;
}
