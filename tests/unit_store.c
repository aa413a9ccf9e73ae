/* The files that survive: what is in the directory after each change, and whose it must be. */
#include "config.h"

#include "store.h"

#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"
#include "util.h"

#define MANY 200 /* more than are written together */

static struct store_changes changes = TAILQ_HEAD_INITIALIZER(changes);

static void
open_store(void)
{
	struct error e;

	ck_assert_msg(store_open(unit_state_directory(), &e) == 0, "%s", e.text);
}

/* ---- changes ---- */

static void
change(enum store_kind kind, uint64_t number, const char *text)
{
	struct store_change *one = calloc(1, sizeof(*one));

	ck_assert_ptr_nonnull(one);
	one->kind = kind;
	one->number = number;
	one->text = text == NULL ? NULL : strdup(text);
	one->error = -1;
	TAILQ_INSERT_TAIL(&changes, one, link);
}

/* Commits all that was asked for; how many of them failed with that error. */
static unsigned
commit(int error)
{
	struct store_change *one;
	unsigned failed = 0;

	store_commit(&changes);
	while ((one = TAILQ_FIRST(&changes)) != NULL) {
		TAILQ_REMOVE(&changes, one, link);
		ck_assert_msg(one->error == 0 || one->error == error, "%s", strerror(one->error));
		failed += one->error != 0;
		free(one->text);
		free(one);
	}
	return failed;
}

START_TEST(put_start_drop)
{
	struct stat st;

	open_store();
	change(STORE_PUT, 7, "seven");
	ck_assert_uint_eq(commit(0), 0);
	unit_state_check("7.json", "seven");
	ck_assert_int_eq(stat(unit_state_path("7.json"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	change(STORE_START, 7, NULL);
	ck_assert_uint_eq(commit(0), 0);
	unit_state_check("7.started", "seven");
	ck_assert(!unit_state_has("7.json"));
	change(STORE_DROP, 7, NULL);
	ck_assert_uint_eq(commit(0), 0);
	ck_assert(!unit_state_has("7.started"));
}
END_TEST

START_TEST(one_group_keeps_its_order)
{
	open_store();
	change(STORE_PUT, 1, "first");
	change(STORE_WAIT, 1, NULL);
	change(STORE_PUT, 1, "second");
	change(STORE_PUT, 2, "started");
	change(STORE_START, 2, NULL);
	change(STORE_PUT, 3, "dropped");
	change(STORE_DROP, 3, NULL);
	change(STORE_DROP, 4, NULL);
	change(STORE_PUT, 4, "came after");
	ck_assert_uint_eq(commit(0), 0);
	unit_state_check("1.json", "second");
	unit_state_check("2.started", "started");
	ck_assert(!unit_state_has("2.json"));
	ck_assert(!unit_state_has("3.json"));
	unit_state_check("4.json", "came after");
}
END_TEST

START_TEST(what_is_not_there_can_be_started_and_dropped)
{
	open_store();
	change(STORE_START, 1, NULL);
	change(STORE_DROP, 2, NULL);
	ck_assert_uint_eq(commit(0), 0);
	ck_assert(!unit_state_has("1.started"));
}
END_TEST

START_TEST(more_than_one_group)
{
	char name[32], text[32];

	open_store();
	for (unsigned i = 1; i <= MANY; i++) {
		snprintf(text, sizeof(text), "record %u", i);
		change(STORE_PUT, i, text);
		if (i % 2 == 0)
			change(STORE_START, i, NULL);
		if (i % 3 == 0)
			change(STORE_DROP, i, NULL);
	}
	ck_assert_uint_eq(commit(0), 0);
	for (unsigned i = 1; i <= MANY; i++) {
		snprintf(text, sizeof(text), "record %u", i);
		snprintf(name, sizeof(name), "%u.%s", i, i % 2 == 0 ? "started" : "json");
		if (i % 3 == 0)
			ck_assert(!unit_state_has(name));
		else
			unit_state_check(name, text);
	}
	ck_assert(!unit_state_has("0.new"));
}
END_TEST

/* ---- numbers ---- */

START_TEST(reserved_numbers_are_found_again)
{
	open_store();
	ck_assert_uint_eq(store_reserved(), 1);
	ck_assert_int_eq(store_reserve(101), 0);
	ck_assert_uint_eq(store_reserved(), 101);
	store_close();
	open_store();
	ck_assert_uint_eq(store_reserved(), 101);
	unit_state_check("next", "101\n");
}
END_TEST

START_TEST(a_damaged_number_is_set_aside)
{
	static const char *const damaged[] = {"", "0\n", "-4\n", "12x\n", "99999999999999999999\n"};

	open_store();
	store_close();
	unit_state_write("next", damaged[_i]);
	unit_capture();
	open_store();
	ck_assert_ptr_nonnull(strstr(unit_captured(), "event=state-set-aside file=\"next\""));
	ck_assert_uint_eq(store_reserved(), 1);
	unit_state_check("set-aside/next", damaged[_i]);
	ck_assert(!unit_state_has("next"));
}
END_TEST

/* ---- whose directory it is ---- */

static void
check_refused(const char *path, const char *why)
{
	struct error e;

	ck_assert_int_eq(store_open(path, &e), -1);
	ck_assert_int_eq(e.code, ERR_INTERNAL);
	ck_assert_ptr_nonnull(strstr(e.text, path));
	ck_assert_msg(strstr(e.text, why) != NULL, "%s", e.text);
	ck_assert_int_eq(store_fd(), -1);
}

START_TEST(one_daemon_at_a_time)
{
	int other;

	open_store();
	other = open(unit_state_directory(), O_RDONLY | O_DIRECTORY);
	ck_assert_int_eq(flock(other, LOCK_EX | LOCK_NB), -1);
	ck_assert_int_eq(errno, EWOULDBLOCK);
	store_close();
	ck_assert_int_eq(flock(other, LOCK_EX | LOCK_NB), 0);
	check_refused(unit_state_directory(), "another daemon uses it");
	close(other);
	open_store();
}
END_TEST

START_TEST(a_new_directory_is_private)
{
	struct stat st;

	open_store();
	ck_assert_int_eq(stat(unit_state_directory(), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	ck_assert_int_ne(fcntl(store_fd(), F_GETFD) & FD_CLOEXEC, 0);
}
END_TEST

START_TEST(nobody_else_may_write_there)
{
	static const mode_t modes[] = {0720, 0702, 01777};

	open_store();
	store_close();
	ck_assert_int_eq(chmod(unit_state_directory(), modes[_i]), 0);
	check_refused(unit_state_directory(), "others may write");
	ck_assert_int_eq(chmod(unit_state_directory(), 0755), 0);
	open_store();
}
END_TEST

START_TEST(nobody_else_may_own_it)
{
	if (geteuid() != 0) {
		unit_skip("nobody_else_may_own_it", "only root can give a directory away");
		return;
	}
	open_store();
	store_close();
	ck_assert_int_eq(chown(unit_state_directory(), 12345, 0), 0);
	check_refused(unit_state_directory(), "another user");
}
END_TEST

START_TEST(no_directory)
{
	const char *file = unit_path("file");

	check_refused(unit_path("missing/state"), strerror(ENOENT));
	close(open(file, O_WRONLY | O_CREAT, 0600));
	check_refused(file, strerror(ENOTDIR));
}
END_TEST

/* ---- failures ---- */

START_TEST(a_directory_that_is_gone)
{
	open_store();
	ck_assert_int_eq(rmdir(unit_state_directory()), 0);
	change(STORE_PUT, 1, "x");
	change(STORE_PUT, 2, "y");
	ck_assert_uint_eq(commit(ENOENT), 2);
	ck_assert_int_eq(store_reserve(5), ENOENT);
	ck_assert_uint_eq(store_reserved(), 1);
}
END_TEST

/* No file may become longer than that. */
static void
limit_files(rlim_t bytes)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* What was there before is still there, whole; and others of the group fail by themselves. */
START_TEST(a_file_that_can_not_be_written)
{
	open_store();
	change(STORE_PUT, 1, "old");
	change(STORE_PUT, 2, "old");
	ck_assert_uint_eq(commit(0), 0);
	limit_files(5);
	change(STORE_PUT, 1, "new and long");
	change(STORE_PUT, 2, "new");
	change(STORE_PUT, 3, "new and long");
	change(STORE_DROP, 4, NULL);
	ck_assert_uint_eq(commit(EFBIG), 2);
	limit_files(RLIM_INFINITY);
	unit_state_check("1.json", "old");
	unit_state_check("2.json", "new");
	ck_assert(!unit_state_has("3.json"));
	ck_assert(!unit_state_has("0.new"));
	ck_assert(!unit_state_has("2.new"));
}
END_TEST

START_TEST(a_number_that_can_not_be_written)
{
	open_store();
	ck_assert_int_eq(store_reserve(101), 0);
	limit_files(1);
	ck_assert_int_eq(store_reserve(201), EFBIG);
	limit_files(RLIM_INFINITY);
	ck_assert_uint_eq(store_reserved(), 101);
	unit_state_check("next", "101\n");
	ck_assert(!unit_state_has("next.new"));
}
END_TEST

static void
add_failures(TCase *tests)
{
	tcase_add_test(tests, a_directory_that_is_gone);
	tcase_add_test(tests, a_file_that_can_not_be_written);
	tcase_add_test(tests, a_number_that_can_not_be_written);
}

Suite *
unit_store(void)
{
	Suite *suite;
	TCase *tests = unit_case("store", &suite);

	tcase_add_test(tests, put_start_drop);
	tcase_add_test(tests, one_group_keeps_its_order);
	tcase_add_test(tests, what_is_not_there_can_be_started_and_dropped);
	tcase_add_test(tests, more_than_one_group);
	tcase_add_test(tests, reserved_numbers_are_found_again);
	tcase_add_loop_test(tests, a_damaged_number_is_set_aside, 0, 5);
	tcase_add_test(tests, one_daemon_at_a_time);
	tcase_add_test(tests, a_new_directory_is_private);
	tcase_add_loop_test(tests, nobody_else_may_write_there, 0, 3);
	tcase_add_test(tests, nobody_else_may_own_it);
	tcase_add_test(tests, no_directory);
	add_failures(tests);
	return suite;
}
