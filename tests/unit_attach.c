/* Where the probe program is, and what an attach that failed is called. */
#include "config.h"

#include "attach.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"
#include "util.h"

static void
make_program(mode_t mode)
{
	int fd = open(unit_path("jaildaemon-probe"), O_WRONLY | O_CREAT | O_CLOEXEC, mode);

	ck_assert_int_ne(fd, -1);
	close(fd);
	ck_assert_int_eq(setenv("JAILDAEMON_LIBEXEC", unit_directory(), 1), 0);
}

START_TEST(the_program_that_is_asked_for)
{
	char path[1024], wanted[1024];
	struct error e;

	make_program(0700);
	ck_assert_int_eq(attach_find_program(path, sizeof(path), &e), 0);
	snprintf(wanted, sizeof(wanted), "%s/jaildaemon-probe", unit_directory());
	ck_assert_str_eq(path, wanted);
}
END_TEST

/* And then no other one is taken instead. */
START_TEST(what_can_not_be_executed_is_no_program)
{
	char path[1024];
	struct error e;

	make_program(0600);
	ck_assert_int_eq(attach_find_program(path, sizeof(path), &e), -1);
	ck_assert_int_eq(e.code, ERR_INTERNAL);
	ck_assert_ptr_nonnull(strstr(e.text, unit_directory()));
}
END_TEST

START_TEST(a_path_that_is_too_long)
{
	char path[8];
	struct error e;

	make_program(0700);
	ck_assert_int_eq(attach_find_program(path, sizeof(path), &e), -1);
}
END_TEST

/* The system doesn't say here where this program is: so it is looked for where it was to be installed. */
START_TEST(the_installed_program)
{
	static const char installed[] = LIBEXECDIR "/jaildaemon-probe";
	char path[1024];
	struct error e;

	unsetenv("JAILDAEMON_LIBEXEC");
	if (access(installed, X_OK) == 0) {
		ck_assert_int_eq(attach_find_program(path, sizeof(path), &e), 0);
		ck_assert_str_eq(path, installed);
		return;
	}
	ck_assert_int_eq(attach_find_program(path, sizeof(path), &e), -1);
	ck_assert_str_eq(e.text, "no jaildaemon-probe in " LIBEXECDIR);
}
END_TEST

/* ---- what failed ---- */

static const struct {
	enum attach_stage stage;
	int value;
	const char *wanted;
} failures[] = {
    {ATTACH_FAIL_FORK, ENOMEM, "the probe could not make a process in the jail: the jail is ending"},
    {ATTACH_FAIL_FORK, EAGAIN,
     "the probe could not make a process in the jail: its limit of processes is reached"},
    {ATTACH_FAIL_PIDNS, ESRCH, "the probe could not enter the jail's pid namespace: the jail has ended"},
    {ATTACH_FAIL_REQUEST, ESRCH, "the jail can't be entered: it has ended"},
    {ATTACH_FAIL_REQUEST, ENOENT, "the jail can't be entered: it has ended"},
    {ATTACH_FAIL_REQUEST, EPERM, "the jail can't be entered: Operation not permitted"},
    {ATTACH_FAIL_UID, EINVAL, "uid 80 is not mapped in the jail's user namespace"},
    {ATTACH_FAIL_UID, EAGAIN, "the probe could not change its user: Resource temporarily unavailable"},
    {ATTACH_FAIL_GID, EINVAL, "gid 443 is not mapped in the jail's user namespace"},
    {ATTACH_FAIL_CONFINE, ENOSYS, "the probe could not confine itself: Function not implemented"},
    {0, 0, "the probe ended while it was being set up"},
    {ATTACH_STAGE_END, 0, "the probe ended while it was being set up"},
};

START_TEST(a_failure_in_words)
{
	const struct attach_report report = {.stage = failures[_i].stage, .value = failures[_i].value};
	const struct attach_params params = {.uid = 80, .gid = 443};
	struct error e;

	attach_explain(&report, &params, &e);
	ck_assert_int_eq(e.code, ERR_ATTACH_FAILED);
	ck_assert_str_eq(e.text, failures[_i].wanted);
	ck_assert(!attach_is_warning(&report));
}
END_TEST

START_TEST(a_warning_in_words)
{
	const struct attach_report report = {.stage = ATTACH_WARN_LABEL, .value = EACCES};

	ck_assert(attach_is_warning(&report));
	ck_assert_str_eq(attach_warning(&report),
			 "the probe could not take over the jail's security label: Permission denied");
}
END_TEST

Suite *
unit_attach(void)
{
	Suite *suite;
	TCase *tests = unit_case("attach", &suite);

	tcase_add_test(tests, the_program_that_is_asked_for);
	tcase_add_test(tests, what_can_not_be_executed_is_no_program);
	tcase_add_test(tests, a_path_that_is_too_long);
	tcase_add_test(tests, the_installed_program);
	tcase_add_loop_test(tests, a_failure_in_words, 0, UTIL_COUNT(failures));
	tcase_add_test(tests, a_warning_in_words);
	return suite;
}
