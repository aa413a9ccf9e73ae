/* What a child in our memory may call: what fails, what succeeds, and that errno stays ours. Where
 * the daemon waits for the child (call_none.c) what is checked here holds, too. */
#include "config.h"

#include "call.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "newborn.h"
#include "unit.h"
#include "util.h"

#define EXIT_STATUS 127

/* Rounds of calls that fail: the parent is back long before they are over. */
#define FAILURES 5000

#define ANY_ERROR 4711 /* that no call has */

static char word[] = "unit", report_word[] = "--report", variable[] = "ONE=1";
static char *const no_words[] = {NULL}, *const report_argv[] = {word, report_word, NULL},
		   *const report_env[] = {variable, NULL};

/* ---- errno is ours ---- */

/* Until it is a zombie, without newborn_wait. */
static void
await_end(pid_t pid)
{
	siginfo_t info;

	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

static int
fail_again_and_again(const void *arg)
{
	(void)arg;
	for (int i = 0; i < FAILURES; i++)
		if (call_dup(-1, 5) != EBADF || call_set_fd_flags(-1, 0) != EBADF ||
		    call_default_signal(0) != EINVAL || call_chdir("/nonexistent") != ENOENT ||
		    call_execute("/nonexistent", no_words, no_words) != ENOENT ||
		    call_execute_fd(-1, no_words, no_words) != EBADF ||
		    call_limit_files((const struct rlimit *)(uintptr_t)16) != EFAULT)
			return ANY_ERROR;
	return ENOENT;
}

START_TEST(errno_stays_while_it_fails)
{
	static struct newborn newborn;
	pid_t pid = unit_newborn_start(&newborn, fail_again_and_again, NULL);

	errno = ANY_ERROR;
	await_end(pid);
	ck_assert_int_eq(errno, ANY_ERROR);
	ck_assert_int_eq(newborn_wait(&newborn), ENOENT);
	unit_reap(pid, EXIT_STATUS << 8);
}
END_TEST

/* ---- what fails ---- */

static const char *directory, *no_program, *not_executable;

/* What fails, and with what. */
struct attempt {
	int (*call)(void);
	int wanted;
};

static int
make_attempt(const void *arg)
{
	const struct attempt *attempt = arg;

	return attempt->call();
}

static int
lead_a_session_twice(void)
{
	return call_setsid() != 0 ? ANY_ERROR : call_setsid();
}

static int
go_nowhere(void)
{
	return call_chdir("/nonexistent/directory");
}

static int
go_into_a_file(void)
{
	return call_chdir("/dev/null");
}

static int
copy_nothing(void)
{
	return call_dup(-1, 5);
}

static int
copy_to_nowhere(void)
{
	return call_dup(0, -1);
}

static int
flag_nothing(void)
{
	return call_set_fd_flags(-1, FD_CLOEXEC);
}

/* By now there is none. */
static int
flag_what_was_closed(void)
{
	return call_close_from(7) != 0 ? ANY_ERROR : call_set_fd_flags(7, 0);
}

static int
limit_by_no_memory_of_ours(void)
{
	return call_limit_files((const struct rlimit *)(uintptr_t)16);
}

static int
default_no_signal(void)
{
	return call_default_signal(0);
}

static int
default_beyond_signals(void)
{
	return call_default_signal(100000);
}

static int
execute_nothing(void)
{
	return call_execute("/nonexistent/command", no_words, no_words);
}

static int
execute_below_a_file(void)
{
	return call_execute("/dev/null/command", no_words, no_words);
}

static int
execute_a_directory(void)
{
	return call_execute(directory, no_words, no_words);
}

static int
execute_what_is_not_executable(void)
{
	return call_execute(not_executable, no_words, no_words);
}

static int
execute_no_program(void)
{
	return call_execute(no_program, report_argv, no_words);
}

static int
execute_no_descriptor(void)
{
	return call_execute_fd(-1, no_words, no_words);
}

static const struct attempt attempts[] = {
    {lead_a_session_twice, EPERM}, {go_nowhere, ENOENT},
    {go_into_a_file, ENOTDIR},	   {copy_nothing, EBADF},
    {copy_to_nowhere, EBADF},	   {flag_nothing, EBADF},
    {flag_what_was_closed, EBADF}, {limit_by_no_memory_of_ours, EFAULT},
    {default_no_signal, EINVAL},   {default_beyond_signals, EINVAL},
    {execute_nothing, ENOENT},	   {execute_below_a_file, ENOTDIR},
    {execute_a_directory, EACCES}, {execute_what_is_not_executable, EACCES},
    {execute_no_program, ENOEXEC}, {execute_no_descriptor, EBADF},
};

static const char *
write_file(const char *name, mode_t mode)
{
	const char *path = unit_path(name);
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs("no program\n", file), 0);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
	return path;
}

START_TEST(what_fails)
{
	static struct newborn newborn;
	const struct attempt *attempt = &attempts[_i];
	pid_t pid;

	directory = unit_directory();
	no_program = write_file("no-program", 0700);
	not_executable = write_file("not-executable", 0600);
	pid = unit_newborn_start(&newborn, make_attempt, attempt);
	ck_assert_int_eq(newborn_wait(&newborn), attempt->wanted);
	unit_reap(pid, EXIT_STATUS << 8);
}
END_TEST

/* ---- what succeeds ---- */

/* What a program is to find itself in. */
struct setting {
	int output;
	int exec_fd; /* -1: by its path */
	const char *path;
	struct rlimit limit;
	sigset_t mask;
};

#define STANDING(call) \
	do { \
		int result = (call); \
		if (result != 0) \
			return result; \
	} while (0)

static int
fail_at(const struct setting *setting)
{
	if (call_chdir("/nonexistent") != ENOENT || call_dup(-1, setting->output) != EBADF ||
	    call_default_signal(0) != EINVAL ||
	    call_limit_files((const struct rlimit *)(uintptr_t)16) != EFAULT ||
	    call_execute("/nonexistent", no_words, no_words) != ENOENT)
		return ANY_ERROR;
	return 0;
}

/* After the calls that fail all is as it was before. */
static int
stand_and_report(const void *arg)
{
	const struct setting *setting = arg;

	STANDING(call_setsid());
	STANDING(call_chdir("/"));
	call_umask(027);
	STANDING(call_dup(setting->output, STDOUT_FILENO));
	STANDING(call_limit_files(&setting->limit));
	STANDING(call_default_signal(SIGHUP));
	STANDING(call_set_mask(&setting->mask));
	STANDING(fail_at(setting));
	if (setting->exec_fd < 0) {
		STANDING(call_close_from(STDERR_FILENO + 1));
		return call_execute(setting->path, report_argv, report_env);
	}
	STANDING(call_dup(setting->exec_fd, STDERR_FILENO + 1));
	STANDING(call_close_from(STDERR_FILENO + 2));
	STANDING(call_set_fd_flags(STDERR_FILENO + 1, FD_CLOEXEC));
	return call_execute_fd(STDERR_FILENO + 1, report_argv, report_env);
}

static void
check_report(const char *text)
{
	static const char *const lines[] = {"cwd /",    "session own", "umask 27",
					    "limit 77", "env ONE=1",   "fd 0",
					    "fd 1",	    "fd 2"};
	char line[32];

	for (size_t i = 0; i < UTIL_COUNT(lines); i++)
		ck_assert_msg(unit_has_line(text, lines[i]), "no %s in:%s", lines[i], text);
	snprintf(line, sizeof(line), "ignored %d", SIGHUP);
	ck_assert_msg(!unit_has_line(text, line), "%s", text);
	snprintf(line, sizeof(line), "ignored %d", SIGUSR1);
	ck_assert_msg(unit_has_line(text, line), "%s",
		      text); /* nobody has said anything of that one */
	snprintf(line, sizeof(line), "blocked %d", SIGUSR2);
	ck_assert_msg(unit_has_line(text, line), "%s", text);
	snprintf(line, sizeof(line), "blocked %d", SIGTERM);
	ck_assert_msg(!unit_has_line(text, line), "%s", text);
	ck_assert_msg(!unit_has_line(text, "fd 3"), "%s", text);
	ck_assert_msg(!unit_has_line(text, "fd 9"), "%s", text);
}

/* The parent's own, too, are as they were. */
struct parent {
	struct rlimit limit;
	char place[512];
	pid_t session;
};

static struct parent
look_at_parent(void)
{
	struct parent parent = {.session = getsid(0)};

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &parent.limit), 0);
	ck_assert_ptr_nonnull(getcwd(parent.place, sizeof(parent.place)));
	return parent;
}

static void
check_parent(const struct parent *before)
{
	struct parent now = look_at_parent();
	struct sigaction action;
	sigset_t mask;

	ck_assert(now.limit.rlim_cur == before->limit.rlim_cur &&
		  now.limit.rlim_max == before->limit.rlim_max);
	ck_assert_str_eq(now.place, before->place);
	ck_assert_int_eq(now.session, before->session);
	ck_assert_int_eq(umask(0), 0);
	ck_assert_int_ne(fcntl(9, F_GETFD), -1);
	sigaction(SIGHUP, NULL, &action);
	ck_assert(action.sa_handler == SIG_IGN);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	ck_assert_int_eq(sigismember(&mask, SIGUSR2), 0);
}

static void
check_stands(bool by_descriptor)
{
	static struct newborn newborn;
	struct setting setting = {.exec_fd = -1, .path = unit_self()};
	struct parent before;
	int ends[2];
	pid_t pid;

	umask(0);
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	ck_assert_int_eq(chdir(unit_directory()), 0);
	ck_assert_int_eq(dup2(STDERR_FILENO, 9), 9); /* without close-on-exec */
	before = look_at_parent();
	setting.limit = before.limit;
	setting.limit.rlim_cur = 77;
	sigemptyset(&setting.mask);
	sigaddset(&setting.mask, SIGUSR2);
	ck_assert_int_eq(util_pipe(ends), 0);
	setting.output = ends[1];
	if (by_descriptor)
		setting.exec_fd =
		    fcntl(open(unit_self(), O_RDONLY | O_CLOEXEC), F_DUPFD_CLOEXEC, 10);
	pid = unit_newborn_start(&newborn, stand_and_report, &setting);
	close(ends[1]);
	ck_assert_int_eq(newborn_wait(&newborn), 0);
	check_report(unit_read_all(ends[0]));
	unit_reap(pid, 0);
	check_parent(&before);
	close(setting.exec_fd);
}

START_TEST(all_that_it_sets_is_its_own)
{
	check_stands(false);
}
END_TEST

START_TEST(executes_a_descriptor)
{
	check_stands(true);
}
END_TEST

Suite *
unit_call(void)
{
	Suite *suite;
	TCase *tests = unit_case("call", &suite);

	tcase_add_test(tests, errno_stays_while_it_fails);
	tcase_add_loop_test(tests, what_fails, 0, (int)UTIL_COUNT(attempts));
	tcase_add_test(tests, all_that_it_sets_is_its_own);
	tcase_add_test(tests, executes_a_descriptor);
	return suite;
}
