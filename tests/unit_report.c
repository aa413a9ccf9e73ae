/* Not a test: this program as a child that tells what it was given, a fact a line. */
#include "config.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

#define LAST_DESCRIPTOR 1024

/* First of all, before we open one ourselves. */
static void
report_descriptors(void)
{
	bool open_ones[LAST_DESCRIPTOR];

	for (int fd = 0; fd < LAST_DESCRIPTOR; fd++)
		open_ones[fd] = fcntl(fd, F_GETFD) != -1;
	for (int fd = 0; fd < LAST_DESCRIPTOR; fd++)
		if (open_ones[fd])
			printf("fd %d\n", fd);
}

static void
report_signals(void)
{
	struct sigaction action;
	sigset_t mask;

	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (int signo = 1; signo < NSIG; signo++) {
		if (sigaction(signo, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
			printf("ignored %d\n", signo);
		if (sigismember(&mask, signo) == 1)
			printf("blocked %d\n", signo);
	}
}

static void
report_standing(void)
{
	char directory[PATH_MAX];
	struct rlimit limit = {0};
	struct stat in, null;
	mode_t mask = umask(0);

	printf("cwd %s\n", getcwd(directory, sizeof(directory)) != NULL ? directory : "?");
	printf("session %s\n", getsid(0) == getpid() ? "own" : "other");
	printf("group %s\n", getpgrp() == getpid() ? "own" : "other");
	printf("umask %o\n", (unsigned)mask);
	if (fstat(STDIN_FILENO, &in) == 0 && stat("/dev/null", &null) == 0)
		printf("stdin %s\n", in.st_rdev == null.st_rdev ? "null" : "other");
	getrlimit(RLIMIT_NOFILE, &limit);
	printf("limit %llu\n", (unsigned long long)limit.rlim_cur);
}

int
unit_report(char *const *environment)
{
	report_descriptors();
	report_signals();
	report_standing();
	for (; *environment != NULL; environment++)
		printf("env %s\n", *environment);
	return fflush(stdout) == 0 ? 0 : 1;
}

/* ---- in the test ---- */

/* All that comes out of the pipe until its end. */
const char *
unit_read_all(int fd)
{
	static char text[8192];
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	size_t used = 0;
	ssize_t got = 1;

	while (got != 0) {
		ck_assert_int_eq(poll(&ready, 1, 30000), 1);
		got = read(fd, text + used, sizeof(text) - 1 - used);
		ck_assert_int_ge(got, 0);
		used += (size_t)got;
	}
	text[used] = '\0';
	close(fd);
	return text;
}

bool
unit_has_line(const char *text, const char *line)
{
	size_t length = strlen(line);

	for (; text != NULL; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (strncmp(text, line, length) == 0 && text[length] == '\n')
			return true;
	}
	return false;
}
