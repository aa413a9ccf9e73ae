#include "config.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "newborn.h"
#include "unit.h"
#include "util.h"

#define CASE_SECONDS	 60
#define PATIENCE_SECONDS 30

static char all_files[PATH_MAX];
static char own_path[PATH_MAX];

TCase *
unit_case(const char *suite_name, Suite **suite)
{
	TCase *tests = tcase_create(suite_name);

	*suite = suite_create(suite_name);
	suite_add_tcase(*suite, tests);
	tcase_set_timeout(tests, CASE_SECONDS);
	return tests;
}

void
unit_skip(const char *test, const char *why)
{
	printf("SKIP: %s: %s\n", test, why);
	fflush(stdout);
}

/* ---- time and events ---- */

static void
free_base(void)
{
	event_base_free(unit_base());
}

struct event_base *
unit_base(void)
{
	static struct event_base *base;

	if (base == NULL) {
		base = event_base_new();
		ck_assert_ptr_nonnull(base);
		ck_assert_int_eq(atexit(free_base), 0);
	}
	return base;
}

static void
lose_patience(evutil_socket_t fd, short what, void *arg)
{
	bool *lost = arg;

	(void)fd;
	(void)what;
	*lost = true;
}

void
unit_wait(bool (*done)(void *), void *arg, const char *what)
{
	const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
	bool lost = false;
	struct event *limit = evtimer_new(unit_base(), lose_patience, &lost);

	ck_assert_ptr_nonnull(limit);
	evtimer_add(limit, &patience);
	while (!done(arg)) {
		ck_assert_int_eq(event_base_loop(unit_base(), EVLOOP_ONCE), 0);
		ck_assert_msg(!lost, "never came: %s", what);
	}
	event_free(limit);
}

static bool
are_attaching(void *arg)
{
	return unit_attaches() == *(unsigned *)arg;
}

void
unit_attach_wait(unsigned count)
{
	unit_wait(are_attaching, &count, "attaches under way");
}

static unsigned reaped;

void
unit_settle(void)
{
	/* Twice: what the first turn does can make something else ready. */
	for (int i = 0; i < 2; i++)
		ck_assert_int_ge(event_base_loop(unit_base(), EVLOOP_NONBLOCK), 0);
}

static void
reap(evutil_socket_t fd, short what, void *arg)
{
	int status;
	pid_t pid;

	(void)fd;
	(void)what;
	(void)arg;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		reaped++;
		child_exited(pid, status);
	}
}

unsigned
unit_reaped(void)
{
	return reaped;
}

static bool
has_reaped(void *arg)
{
	return reaped >= *(unsigned *)arg;
}

void
unit_wait_reaped(unsigned count)
{
	unit_wait(has_reaped, &count, "the end of a process");
}

bool
unit_is_reaped(void *arg)
{
	return kill(*(pid_t *)arg, 0) == -1 && errno == ESRCH;
}

static struct event *child_event;

static void
free_child_event(void)
{
	event_free(child_event);
}

void
unit_reap_children(void)
{
	child_event = evsignal_new(unit_base(), SIGCHLD, reap, NULL);
	ck_assert_ptr_nonnull(child_event);
	ck_assert_int_eq(event_add(child_event, NULL), 0);
	ck_assert_int_eq(atexit(free_child_event), 0);
}

/* ---- children ---- */

/* As spawn.c does it: newborn.h wants all signals blocked. */
pid_t
unit_newborn_start(struct newborn *newborn, newborn_life *life, const void *arg)
{
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = newborn_start(newborn, life, arg);
	sigprocmask(SIG_SETMASK, &before, NULL);
	ck_assert_int_gt(pid, 0);
	return pid;
}

void
unit_reap(pid_t pid, int wanted)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, wanted);
}

/* ---- files ---- */

int
unit_files_begin(void)
{
	const char *where = getenv("TMPDIR");

	snprintf(all_files, sizeof(all_files), "%s/unit.XXXXXX", where != NULL ? where : "/tmp");
	return mkdtemp(all_files) == NULL ? -1 : 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	(void)st;
	(void)type;
	(void)walk;
	return remove(path);
}

void
unit_files_end(void)
{
	if (nftw(all_files, remove_one, 8, FTW_DEPTH | FTW_PHYS) != 0)
		perror(all_files);
}

const char *
unit_directory(void)
{
	static char directory[PATH_MAX + 16];

	if (directory[0] == '\0') {
		snprintf(directory, sizeof(directory), "%s/XXXXXX", all_files);
		ck_assert_ptr_nonnull(mkdtemp(directory));
	}
	return directory;
}

const char *
unit_path(const char *name)
{
	static char paths[16][PATH_MAX + 64];
	static unsigned next;
	char *path = paths[next++];

	ck_assert_uint_le(next, UTIL_COUNT(paths));
	snprintf(path, sizeof(paths[0]), "%s/%s", unit_directory(), name);
	return path;
}

int
unit_gate(const char *name)
{
	const char *path = unit_path(name);
	int gate;

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	gate = open(path, O_RDWR | O_CLOEXEC);
	ck_assert_int_ne(gate, -1);
	return gate;
}

void
unit_release(int gate)
{
	ck_assert_int_eq(write(gate, "\n", 1), 1);
}

/* ---- standard error ---- */

#define CAPTURED_MAX 262144

static int captured = -1, real_stderr = -1;

/* A file and not a pipe, because nobody reads while it fills. */
void
unit_capture(void)
{
	static const char *path;

	if (path == NULL)
		path = unit_path("stderr");
	captured = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	real_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	ck_assert_int_ne(captured, -1);
	ck_assert_int_ne(real_stderr, -1);
	ck_assert_int_eq(dup2(captured, STDERR_FILENO), STDERR_FILENO);
}

const char *
unit_captured(void)
{
	static char text[CAPTURED_MAX];
	ssize_t got;

	ck_assert_int_eq(dup2(real_stderr, STDERR_FILENO), STDERR_FILENO);
	close(real_stderr);
	got = pread(captured, text, sizeof(text) - 1, 0);
	close(captured);
	ck_assert_int_ge(got, 0);
	text[got] = '\0';
	return text;
}

/* ---- JSON ---- */

char *
unit_quotes(const char *text)
{
	char *copy = strdup(text), *quote;

	ck_assert_ptr_nonnull(copy);
	for (quote = copy; (quote = strchr(quote, '\'')) != NULL;)
		*quote = '"';
	return copy;
}

json_t *
unit_json(const char *text)
{
	char *real = unit_quotes(text);
	json_error_t why;
	json_t *value;

	value = json_loads(real, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &why);
	ck_assert_msg(value != NULL, "%s: %s", real, why.text);
	free(real);
	return value;
}

/* ---- this program as a helper ---- */

void
unit_know_self(const char *argv0)
{
	if (realpath(argv0, own_path) == NULL)
		own_path[0] = '\0';
}

const char *
unit_self(void)
{
	ck_assert_msg(own_path[0] == '/', "this program's own path is not known");
	return own_path;
}
