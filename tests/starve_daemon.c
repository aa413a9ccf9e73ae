/* The daemon whose calls fail, and the plan that says which. */
#include "config.h"

#include <check.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_daemon.h"
#include "fixture_place.h"
#include "starve.h"

struct starve_plan *
starve_plan(void)
{
	static struct starve_plan *plan;
	const char *path = place_at("plan");
	int fd;

	if (plan != NULL)
		return (plan);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(ftruncate(fd, sizeof(*plan)), 0);
	ck_assert_int_eq(close(fd), 0);
	ck_assert_ptr_nonnull(plan = starve_map(path));
	ck_assert_int_eq(setenv(STARVE_VARIABLE, path, 1), 0);
	return (plan);
}

/* The directory of the build, in which the probe's program lies too. */
static const char *
build_directory(void)
{
	static char path[PATH_MAX];
	char *slash;

	(void)snprintf(path, sizeof(path), "%s", daemon_binary());
	if ((slash = strrchr(path, '/')) != NULL)
		*slash = '\0';
	return (path);
}

pid_t
starve_start_daemon(void)
{
	static char binary[PATH_MAX + 16];
	const char *words[] = {binary, "-F",	       "-C", place_at("conf"),
			       "-f",   place()->sock,  "-p", place()->pidfile,
			       "-S",   place()->state, NULL};
	char *argv[sizeof(words) / sizeof(words[0])];
	size_t i;

	(void)snprintf(binary, sizeof(binary), "%s/tests/starved", build_directory());
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		argv[i] = (char *)(uintptr_t)words[i];
	ck_assert_int_eq(setenv("JAILDAEMON_LIBEXEC", build_directory(), 1), 0);
	return (starve_start(argv));
}

/* The child that is neither a probe nor a command, by what it calls itself. */
pid_t
starve_launcher(pid_t daemon)
{
	char command[96], *end;
	struct outcome outcome;
	pid_t launcher;

	(void)snprintf(command, sizeof(command), "pgrep -P %d -f '^jaildaemon: launcher'",
		       (int)daemon);
	exec_words(&outcome, "/bin/sh", "-c", command, NULL);
	launcher = (pid_t)strtol(outcome.out, &end, 10);
	ck_assert_msg(end != outcome.out, "no launcher: %s", outcome.err);
	outcome_free(&outcome);
	return (launcher);
}
