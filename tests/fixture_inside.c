#include "config.h"

#include "fixture_inside.h"

#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_exec.h"
#include "fixture_wait.h"

#define NO_ENTRY 120 /* the exit code of a helper that could not go in */

struct signalling {
	pid_t pid;
	int sig;
};

struct counting {
	const struct jailfix *jail;
	const char *title;
	int count;
};

/* First the jail's root, without the rights that are the host's, and only then whoever is wanted:
 * from there the kernel knows what a change of uid takes away. */
static int
inside_become(const struct jailfix *jail, uid_t uid)
{
	if (setgroups(0, NULL) != 0 || setgid(0) != 0 || setuid(0) != 0 ||
	    jailfix_confine(jail) != 0)
		return (-1);
	return (setgid((gid_t)uid) != 0 || setuid(uid) != 0 ? -1 : 0);
}

/* The second fork: only a child born after the entry stands in the jail's process table. */
static void
inside_child(const struct jailfix *jail, uid_t uid, int (*body)(void *), void *arg)
{
	int status;
	pid_t pid;

	if (jailfix_enter(jail) != 0) {
		perror("jailfix_enter");
		_exit(NO_ENTRY);
	}
	(void)signal(SIGHUP, SIG_IGN); /* the jail may hup everyone in it, which is us as well */
	pid = fork();
	if (pid == 0) {
		(void)signal(SIGHUP, SIG_DFL);
		if (inside_become(jail, uid) != 0)
			_exit(NO_ENTRY);
		status = body(arg);
		(void)fflush(stdout);
		_exit(status);
	}
	if (pid == -1 || waitpid(pid, &status, 0) != pid)
		_exit(NO_ENTRY);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* Reads to the end, keeps what fits. */
static void
inside_listen(int fd, char *out, size_t size)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	long long deadline = wait_now() + WAIT_PATIENCE_MS;
	char block[4096];
	size_t length = 0, fits;
	ssize_t got;

	for (;;) {
		ck_assert_msg(poll(&ready, 1, wait_left(deadline)) > 0,
			      "what runs in the jail does not end");
		if ((got = read(fd, block, sizeof(block))) <= 0)
			break;
		fits = (size_t)got < size - 1 - length ? (size_t)got : size - 1 - length;
		memcpy(out + length, block, fits);
		length += fits;
	}
	out[length] = '\0';
}

int
inside_call(const struct jailfix *jail, uid_t uid, int (*body)(void *), void *arg, char *out,
	    size_t size)
{
	int ends[2], status;
	pid_t pid;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	(void)fflush(stdout);
	pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		(void)dup2(ends[1], 1);
		(void)dup2(ends[1], 2);
		(void)close(ends[0]);
		(void)close(ends[1]);
		inside_child(jail, uid, body, arg);
	}
	(void)close(ends[1]);
	inside_listen(ends[0], out, size);
	(void)close(ends[0]);
	status = exec_wait(pid);
	ck_assert_msg(!WIFEXITED(status) || WEXITSTATUS(status) != NO_ENTRY,
		      "no way into the jail: %s", out);
	return (WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static int
inside_exec_body(void *arg)
{
	char *const *argv = arg;

	(void)setenv("PATH", "/bin:/usr/bin:/sbin:/usr/sbin", 1);
	(void)execvp(argv[0], argv);
	return (127);
}

int
inside_exec(const struct jailfix *jail, uid_t uid, char *const *argv, char *out, size_t size)
{
	return (inside_call(jail, uid, inside_exec_body, (void *)(uintptr_t)argv, out, size));
}

/* All that root in the jail can see, a process a line; in a static buffer. */
static char *
inside_list(const struct jailfix *jail)
{
	static char list[1 << 20];

	ck_assert_int_eq(
	    inside_call(jail, INSIDE_ROOT, jailfix_print_processes, NULL, list, sizeof(list)), 0);
	return (list);
}

bool
inside_mentions(const struct jailfix *jail, const char *needle)
{
	return (strstr(inside_list(jail), needle) != NULL);
}

int
inside_count(const struct jailfix *jail, const char *title, pid_t *pid)
{
	char *line, *rest = inside_list(jail), *name;
	int count = 0;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if ((name = strchr(line, ' ')) == NULL || strcmp(name + 1, title) != 0)
			continue;
		count++;
		if (pid != NULL)
			*pid = (pid_t)strtol(line, NULL, 10);
	}
	return (count);
}

pid_t
inside_find(const struct jailfix *jail, const char *title)
{
	pid_t pid = -1;
	int count = inside_count(jail, title, &pid);

	ck_assert_msg(count == 1, "%d processes in the jail have the title \"%s\":\n%s", count,
		      title, inside_list(jail));
	return (pid);
}

static bool
inside_has_count(void *arg)
{
	const struct counting *counting = arg;

	return (inside_count(counting->jail, counting->title, NULL) == counting->count);
}

void
inside_wait_count(const struct jailfix *jail, const char *title, int count)
{
	struct counting counting = {jail, title, count};

	ck_assert_msg(wait_until(inside_has_count, &counting),
		      "%d processes have the title \"%s\" and not %d",
		      inside_count(jail, title, NULL), title, count);
}

static int
inside_signal_body(void *arg)
{
	const struct signalling *signalling = arg;

	return (kill(signalling->pid, signalling->sig) == 0 ? 0 : errno);
}

int
inside_signal(const struct jailfix *jail, uid_t uid, pid_t pid, int sig)
{
	struct signalling signalling = {pid, sig};
	char out[256];

	return (inside_call(jail, uid, inside_signal_body, &signalling, out, sizeof(out)));
}

void
inside_press(const struct jailfix *jail, const char *title)
{
	ck_assert_int_eq(inside_signal(jail, INSIDE_ROOT, inside_find(jail, title), SIGHUP), 0);
}
