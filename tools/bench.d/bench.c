/* The ground that every row stands on: arguments, clock, processes. */
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

void
bench_fail(const char *format, ...)
{
	va_list arguments;

	fputs("bench: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

/* argv: DAEMON TOOLS DIRECTORY TRIALS */
void
bench_arguments(struct bench *bench, int argc, char **argv)
{
	char *end;
	long trials;

	if (argc != 5)
		bench_fail("usage: %s daemon tools directory trials", argv[0]);
	trials = strtol(argv[4], &end, 10);
	if (end == argv[4] || *end != '\0' || trials < 1 || trials > 1000000)
		bench_fail("trials: a number from 1 to 1000000, not \"%s\"", argv[4]);
	bench->daemon = argv[1];
	bench->tools = argv[2];
	bench->dir = argv[3];
	bench->trials = (size_t)trials;
}

/* "dir/name", for the caller to free. */
char *
bench_path(const char *dir, const char *name)
{
	size_t size = strlen(dir) + strlen(name) + 2;
	char *path;

	if ((path = malloc(size)) == NULL)
		bench_fail("no memory");
	snprintf(path, size, "%s/%s", dir, name);
	return path;
}

int64_t
bench_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void
bench_pause_us(long us)
{
	struct timespec pause = {us / 1000000, us % 1000000 * 1000};

	while (nanosleep(&pause, &pause) == -1 && errno == EINTR)
		continue;
}

/* For a child that is measured: it can't outlive us, and has a session of its own, as from whatever starts services.
 * Linux shares the processors out among sessions, so it must not be charged for those who press and count. */
void
bench_stand_alone(void)
{
	os_tether();
	if (setsid() == -1)
		bench_fail("setsid: %s", strerror(errno));
}

static void
bench_child(const char *const argv[], const char *log)
{
	int fd;
	union {
		const char *const *ours;
		char *const *exec;
	} arguments = {argv};

	bench_stand_alone();
	if ((fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600)) == -1)
		_exit(126);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
	execv(argv[0], arguments.exec);
	_exit(127);
}

/* Starts a program that can't outlive us; what it says goes to the file log. */
pid_t
bench_start(const char *const argv[], const char *log)
{
	pid_t pid;

	if ((pid = fork()) == 0)
		bench_child(argv, log);
	if (pid == -1)
		bench_fail("fork: %s", strerror(errno));
	return pid;
}

/* Ends what bench_start began: politely, and after two seconds for certain. */
void
bench_stop(pid_t pid)
{
	int tries;

	kill(pid, SIGTERM);
	for (tries = 0; tries < 200; tries++) {
		if (waitpid(pid, NULL, WNOHANG) != 0)
			return;
		bench_pause_us(10000);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* The processor time that a process of ours has used until now. */
int64_t
bench_cpu(pid_t pid)
{
	struct timespec used;
	clockid_t clock;

	errno = clock_getcpuclockid(pid, &clock);
	if (errno != 0 || clock_gettime(clock, &used) == -1)
		bench_fail("the processor time of %ld: %s", (long)pid, strerror(errno));
	return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}
