/* Real processes: this program itself tells what it finds. */
#include "config.h"

#include "spawn.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"
#include "util.h"

static char name_word[] = "unit", report_word[] = "--report", one_variable[] = "ONE=1";
static char *const report_argv[] = {name_word, report_word, NULL};
static char *const one_env[] = {one_variable, NULL};

static struct spawn
report_spawn(int output)
{
	return (struct spawn){.path = unit_self(),
			      .argv = report_argv,
			      .env = one_env,
			      .output_fd = output,
			      .inherited_fd = SPAWN_NO_FD};
}

/* Runs the report, with what change does to the spawn. */
static const char *
report(void (*change)(struct spawn *))
{
	struct spawn spawn;
	const char *text;
	int ends[2];
	pid_t pid;

	ck_assert_int_eq(util_pipe(ends), 0);
	spawn = report_spawn(ends[1]);
	if (change != NULL)
		change(&spawn);
	pid = spawn_process(&spawn);
	ck_assert_msg(pid > 0, "%s", strerror(errno));
	close(ends[1]);
	text = unit_read_all(ends[0]);
	unit_reap(pid, 0);
	return text;
}

static void
check_lines(const char *text, const char *const *lines, size_t count)
{
	for (size_t i = 0; i < count; i++)
		ck_assert_msg(unit_has_line(text, lines[i]), "no \"%s\" in:\n%s", lines[i], text);
}

#define CHECK_LINES(text, ...) \
	do { \
		static const char *const lines[] = {__VA_ARGS__}; \
		check_lines(text, lines, UTIL_COUNT(lines)); \
	} while (0)

static unsigned
count_of(const char *text, const char *word)
{
	unsigned count = 0;

	for (; (text = strstr(text, word)) != NULL; text++)
		count++;
	return count;
}

START_TEST(stands_by_itself)
{
	const char *text;

	umask(0);
	ck_assert_int_eq(chdir(unit_directory()), 0);
	ck_assert_int_eq(spawn_init(), 0);
	text = report(NULL);
	CHECK_LINES(text, "cwd /", "session own", "group own", "umask 22", "stdin null",
		    "env ONE=1");
	ck_assert_uint_eq(count_of(text, "env "), 1);
	ck_assert_uint_eq(umask(0), 0); /* the parent's own is as before */
}
END_TEST

START_TEST(no_descriptor_but_its_own)
{
	const char *text;

	ck_assert_int_eq(spawn_init(), 0);
	for (int fd = 20; fd < 200; fd += 60)
		ck_assert_int_eq(dup2(STDERR_FILENO, fd), fd); /* without close-on-exec */
	text = report(NULL);
	CHECK_LINES(text, "fd 0", "fd 1", "fd 2");
	ck_assert_msg(count_of(text, "fd ") == 3, "%s", text);
}
END_TEST

static void
inherit_one(struct spawn *spawn)
{
	spawn->inherited_fd = open(unit_self(), O_RDONLY | O_CLOEXEC);
	ck_assert_int_ne(spawn->inherited_fd, -1);
}

START_TEST(one_descriptor_more)
{
	const char *text;

	ck_assert_int_eq(spawn_init(), 0);
	text = report(inherit_one);
	CHECK_LINES(text, "fd 0", "fd 1", "fd 2", "fd 3");
	ck_assert_msg(count_of(text, "fd ") == 4, "%s", text);
}
END_TEST

/* Something in place 3, with close-on-exec; returns what was there. No assertion may fail
 * meanwhile, for it might be told there. */
static int
take_place(int place)
{
	int before = fcntl(place, F_DUPFD_CLOEXEC, 20), fd = open(unit_self(), O_RDONLY);

	dup2(fd, place);
	fcntl(place, F_SETFD, FD_CLOEXEC);
	close(fd);
	return before;
}

/* In its place already, it must lose its close-on-exec all the same. */
START_TEST(one_descriptor_that_is_in_place)
{
	struct spawn spawn;
	int ends[2], before;
	pid_t pid;

	ck_assert_int_eq(spawn_init(), 0);
	ck_assert_int_eq(util_pipe(ends), 0);
	spawn = report_spawn(ends[1]);
	spawn.inherited_fd = 3;
	before = take_place(3);
	pid = spawn_process(&spawn);
	dup2(before, 3);
	ck_assert_int_gt(pid, 0);
	close(ends[1]);
	CHECK_LINES(unit_read_all(ends[0]), "fd 3");
	unit_reap(pid, 0);
	close(before);
}
END_TEST

static void
execute_descriptor(struct spawn *spawn)
{
	spawn->exec_fd = fcntl(open(unit_self(), O_RDONLY | O_CLOEXEC), F_DUPFD_CLOEXEC, 10);
	ck_assert_int_ge(spawn->exec_fd, 10);
	spawn->path = NULL;
	inherit_one(spawn);
}

START_TEST(executes_a_descriptor)
{
	const char *text;

	ck_assert_int_eq(spawn_init(), 0);
	text = report(execute_descriptor);
	CHECK_LINES(text, "cwd /", "session own", "fd 3");
	ck_assert_msg(count_of(text, "fd ") == 4, "%s", text);
}
END_TEST

/* Before and after spawn_init: a nohup, and what the daemon and its libraries do themselves. */
START_TEST(signals_are_as_new)
{
	static const int own[] = {SIGHUP, SIGINT, SIGTERM, SIGCHLD, SIGPIPE};
	sigset_t blocked, now;
	const char *text;

	for (int signo = 1; signo < NSIG; signo++)
		signal(signo, SIG_IGN);
	sigfillset(&blocked);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	ck_assert_int_eq(spawn_init(), 0);
	for (size_t i = 0; i < UTIL_COUNT(own); i++)
		signal(own[i], SIG_IGN);
	signal(SIGCHLD, SIG_DFL); /* or nobody could wait for it */
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR2);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	text = report(NULL);
	ck_assert_msg(strstr(text, "ignored") == NULL, "%s", text);
	ck_assert_msg(strstr(text, "blocked") == NULL, "%s", text);
	sigprocmask(SIG_SETMASK, NULL, &now);
	ck_assert_int_eq(sigismember(&now, SIGUSR2), 1);
	ck_assert_int_eq(sigismember(&now, SIGTERM), 0);
}
END_TEST

static void
block(struct spawn *spawn)
{
	spawn->block_signals = true;
}

START_TEST(signals_blocked_where_asked_for)
{
	char line[32];
	const char *text;

	ck_assert_int_eq(spawn_init(), 0);
	text = report(block);
	snprintf(line, sizeof(line), "blocked %d", SIGHUP);
	ck_assert_msg(unit_has_line(text, line), "%s", text);
	snprintf(line, sizeof(line), "blocked %d", SIGTERM);
	ck_assert_msg(unit_has_line(text, line), "%s", text);
}
END_TEST

START_TEST(limit_of_descriptors_is_the_old)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 123;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_int_eq(spawn_init(), 0);
	CHECK_LINES(report(NULL), "limit 123");
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert(limit.rlim_cur == limit.rlim_max); /* the daemon's own was raised */
}
END_TEST

START_TEST(standard_descriptors_are_taken)
{
	struct stat in, null;

	close(STDIN_FILENO);
	ck_assert_int_eq(spawn_init(), 0);
	ck_assert_int_eq(fstat(STDIN_FILENO, &in), 0);
	ck_assert_int_eq(stat("/dev/null", &null), 0);
	ck_assert(in.st_rdev == null.st_rdev);
}
END_TEST

/* ---- what fails ---- */

static void
check_fails(const struct spawn *spawn, int wanted)
{
	errno = 0;
	ck_assert_int_eq(spawn_process(spawn), -1);
	ck_assert_int_eq(errno, wanted);
}

static const char *
write_file(const char *text, mode_t mode)
{
	const char *path = unit_path("file");
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
	return path;
}

START_TEST(what_can_not_be_executed)
{
	struct spawn spawn = report_spawn(SPAWN_NO_FD);

	ck_assert_int_eq(spawn_init(), 0);
	spawn.path = "/nonexistent/command";
	check_fails(&spawn, ENOENT);
	spawn.path = "/dev/null/command";
	check_fails(&spawn, ENOTDIR);
	spawn.path = unit_directory();
	check_fails(&spawn, EACCES);
	spawn.path = write_file("#!/bin/sh\n", 0600);
	check_fails(&spawn, EACCES);
	spawn.path = write_file("no program\n", 0700);
	check_fails(&spawn, ENOEXEC);
	spawn.path = write_file("#!/nonexistent/interpreter\n", 0700);
	check_fails(&spawn, ENOENT);
}
END_TEST

static int
fail_preparing(void)
{
	return ENOMEM;
}

START_TEST(what_can_not_be_prepared)
{
	struct spawn spawn = report_spawn(SPAWN_NO_FD);

	ck_assert_int_eq(spawn_init(), 0);
	spawn.prepare = fail_preparing;
	check_fails(&spawn, ENOMEM);
}
END_TEST

START_TEST(a_failure_changes_nothing_here)
{
	struct spawn spawn = report_spawn(SPAWN_NO_FD);
	sigset_t mask;
	int before, after;

	ck_assert_int_eq(spawn_init(), 0);
	before = dup(STDERR_FILENO);
	spawn.path = "/nonexistent/command";
	for (int i = 0; i < 20; i++)
		check_fails(&spawn, ENOENT);
	after = dup(STDERR_FILENO);
	ck_assert_int_eq(after, before + 1); /* no descriptor was lost */
	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (int signo = 1; signo < NSIG; signo++)
		ck_assert_int_ne(sigismember(&mask, signo), 1);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* and no process is left */
	ck_assert_int_eq(errno, ECHILD);
	close(before);
	close(after);
}
END_TEST

START_TEST(output_goes_nowhere)
{
	struct spawn spawn = report_spawn(SPAWN_NO_FD);
	pid_t pid;

	ck_assert_int_eq(spawn_init(), 0);
	pid = spawn_process(&spawn);
	ck_assert_int_gt(pid, 0);
	unit_reap(pid, 0);
}
END_TEST

Suite *
unit_spawn(void)
{
	Suite *suite;
	TCase *tests = unit_case("spawn", &suite);

	tcase_add_test(tests, stands_by_itself);
	tcase_add_test(tests, no_descriptor_but_its_own);
	tcase_add_test(tests, one_descriptor_more);
	tcase_add_test(tests, one_descriptor_that_is_in_place);
	tcase_add_test(tests, executes_a_descriptor);
	tcase_add_test(tests, signals_are_as_new);
	tcase_add_test(tests, signals_blocked_where_asked_for);
	tcase_add_test(tests, limit_of_descriptors_is_the_old);
	tcase_add_test(tests, standard_descriptors_are_taken);
	tcase_add_test(tests, what_can_not_be_executed);
	tcase_add_test(tests, what_can_not_be_prepared);
	tcase_add_test(tests, a_failure_changes_nothing_here);
	tcase_add_test(tests, output_goes_nowhere);
	return suite;
}
