#include "config.h"

#include "fixture_place.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "jailfix.h"

#define TEST_TIMEOUT 120 /* seconds; patience ends before */
#define LOG_TAIL     8192

static struct place here;

const struct place *
place(void)
{
	return (&here);
}

const char *
place_at(const char *name)
{
	static char paths[16][160];
	static unsigned turn;
	char *path = paths[turn++ % 16];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", here.dir, name);
	return (path);
}

bool
place_is_root(void)
{
	return (geteuid() == 0);
}

void
place_skip(const char *function, const char *reason)
{
	size_t length = strlen(function);

	if (length > 3 && strcmp(function + length - 3, "_fn") == 0)
		length -= 3; /* Check's own suffix */
	(void)printf("SKIP: %.*s: %s\n", (int)length, function, reason);
	(void)fflush(stdout);
}

const char *
place_tool(const char *name)
{
	static char path[256];
	const char *dirs = getenv("PATH");
	char copy[4096], *rest = copy, *dir;

	(void)snprintf(copy, sizeof(copy), "%s:/usr/sbin:/sbin",
		       dirs != NULL ? dirs : "/bin:/usr/bin");
	while ((dir = strsep(&rest, ":")) != NULL) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
		if (access(path, X_OK) == 0)
			return (path);
	}
	return (NULL);
}

static void
place_make(void)
{
	const char *base = getenv("TMPDIR");

	(void)snprintf(here.dir, sizeof(here.dir), "%s/jd.XXXXXX",
		       base != NULL && *base != '\0' ? base : "/tmp");
	ck_assert_msg(mkdtemp(here.dir) != NULL, "%s: no directory", here.dir);
	ck_assert_int_eq(chmod(here.dir, 0711), 0); /* a mapped root has to get through */
	(void)snprintf(here.sock, sizeof(here.sock), "%s/s", here.dir);
	(void)snprintf(here.pidfile, sizeof(here.pidfile), "%s/pid", here.dir);
	(void)snprintf(here.state, sizeof(here.state), "%s/state", here.dir);
	(void)snprintf(here.log, sizeof(here.log), "%s/log", here.dir);
	ck_assert_uint_lt(strlen(here.sock), sizeof(((struct sockaddr_un *)0)->sun_path));
}

/* Runs in the test's process, before the test: what loses its parent becomes the test's child, so
 * it can be waited for. */
static void
place_enter(void)
{
	ck_assert(host_reaper());
}

/* Runs in the test's process, and only when the test has not failed. */
static void
place_passed(void)
{
	int fd = open(place_at("passed"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd != -1)
		(void)close(fd);
}

static void
place_show_log(void)
{
	char text[LOG_TAIL + 1];
	FILE *log = fopen(here.log, "r");
	size_t length;

	if (log == NULL)
		return;
	if (fseek(log, -LOG_TAIL, SEEK_END) != 0)
		rewind(log);
	length = fread(text, 1, LOG_TAIL, log);
	(void)fclose(log);
	if (length > 0)
		(void)fprintf(stderr, "--- the daemon's log in %s:\n%.*s---\n", here.dir,
			      (int)length, text);
}

static int
place_remove(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
	(void)info;
	(void)kind;
	(void)walk;
	return (remove(path));
}

void
place_afterwards(const char *command)
{
	FILE *script = fopen(place_at("afterwards"), "ae");

	ck_assert_ptr_nonnull(script);
	ck_assert_int_gt(fprintf(script, "%s\n", command), 0);
	ck_assert_int_eq(fclose(script), 0);
}

static void
place_run_afterwards(void)
{
	const char *script = place_at("afterwards");
	int status;
	pid_t pid;

	if (access(script, R_OK) != 0)
		return;
	if ((pid = fork()) == 0) {
		(void)execl("/bin/sh", "sh", script, (char *)NULL);
		_exit(127);
	}
	(void)waitpid(pid, &status, 0);
}

static void
place_clear(void)
{
	jailfix_sweep(here.dir);
	host_kill_all();
	place_run_afterwards();
	if (access(place_at("passed"), F_OK) != 0)
		place_show_log();
	if (getenv("JAILDAEMON_TEST_KEEP") == NULL)
		(void)nftw(here.dir, place_remove, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

void
place_case(Suite *suite, const char *name, const TTest *test)
{
	place_numbered_case(suite, name, test, 0);
}

void
place_numbered_case(Suite *suite, const char *name, const TTest *test, int number)
{
	TCase *one = tcase_create(name);

	tcase_set_timeout(one, TEST_TIMEOUT);
	tcase_add_unchecked_fixture(one, place_make, place_clear);
	tcase_add_checked_fixture(one, place_enter, place_passed);
	tcase_add_loop_test(one, test, number, number + 1);
	suite_add_tcase(suite, one);
}
