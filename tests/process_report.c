/*
 * Not a test: the program that the daemon runs in some of them. It tells one fact a line, for the
 * test to compare.
 */
#include "config.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_suites.h"

#define LAST_DESCRIPTOR 4096

#ifndef PATH_MAX
#define PATH_MAX 4096
#endif

/* Descriptors first, before we open one ourselves. */
static void
report_descriptors(FILE *report, const int *open_ones, int count)
{
	int i;

	for (i = 0; i < count; i++)
		(void)fprintf(report, "descriptor %d\n", open_ones[i]);
}

static void
report_signals(FILE *report)
{
	struct sigaction action;
	sigset_t mask;
	int sig;

	(void)sigprocmask(SIG_SETMASK, NULL, &mask);
	for (sig = 1; sig < NSIG; sig++) {
		if (sigaction(sig, NULL, &action) == 0 && action.sa_handler != SIG_DFL)
			(void)fprintf(report, "signal %d is not default\n", sig);
		if (sigismember(&mask, sig) == 1)
			(void)fprintf(report, "signal %d is blocked\n", sig);
	}
}

static void
report_standing(FILE *report)
{
	char directory[PATH_MAX];
	struct stat in, null;

	(void)fprintf(report, "directory %s\n",
		      getcwd(directory, sizeof(directory)) != NULL ? directory : "?");
	(void)fprintf(report, "session %s\n", getsid(0) == getpid() ? "own" : "other");
	(void)fprintf(report, "group %s\n", getpgrp() == getpid() ? "own" : "other");
	(void)fprintf(report, "terminal %s\n",
		      open("/dev/tty", O_RDWR | O_CLOEXEC) == -1 ? "none" : "some");
	if (fstat(0, &in) == 0 && stat("/dev/null", &null) == 0)
		(void)fprintf(report, "input %s\n", in.st_rdev == null.st_rdev ? "null" : "other");
	(void)fprintf(report, "uid %d %d\n", (int)getuid(), (int)geteuid());
}

int
process_report(const char *path, char **environment)
{
	int open_ones[64], count = 0, fd;
	char part[PATH_MAX], **word;
	FILE *report;

	for (fd = 0; fd < LAST_DESCRIPTOR && count < 64; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			open_ones[count++] = fd;
	(void)snprintf(part, sizeof(part), "%s.part", path);
	if ((report = fopen(part, "w")) == NULL)
		return (1);
	report_descriptors(report, open_ones, count);
	report_signals(report);
	report_standing(report);
	for (word = environment; *word != NULL; word++)
		(void)fprintf(report, "environment %s\n", *word);
	return (fclose(report) == 0 && rename(part, path) == 0 ? 0 : 1);
}
