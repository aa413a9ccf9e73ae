#include "config.h"

#include "fixture_pty.h"

#include <sys/ioctl.h>
#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "fixture_exec.h"
#include "fixture_wait.h"

struct awaited {
	struct pty *pty;
	const char *needle;
	size_t from;
};

/* In the child: the terminal's other side becomes all that it has. */
static void
pty_become(const char *name, char *const *argv, char *const *env)
{
	int fd;

	(void)setsid();
	if ((fd = open(name, O_RDWR)) == -1 || ioctl(fd, TIOCSCTTY, 0) == -1)
		_exit(126);
	(void)signal(SIGINT, SIG_DFL);
	(void)dup2(fd, 0);
	(void)dup2(fd, 1);
	(void)dup2(fd, 2);
	if (env != NULL)
		(void)execve(argv[0], argv, env);
	else
		(void)execv(argv[0], argv);
	_exit(127);
}

bool
pty_there(void)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY);

	if (fd == -1)
		return (false);
	(void)close(fd);
	return (true);
}

void
pty_start(struct pty *pty, int columns, int lines, char *const *argv, char *const *env)
{
	struct winsize size = {.ws_col = (unsigned short)columns, .ws_row = (unsigned short)lines};
	int fd = posix_openpt(O_RDWR | O_NOCTTY);

	ck_assert_int_ne(fd, -1);
	ck_assert(grantpt(fd) == 0 && unlockpt(fd) == 0);
	ck_assert_int_ne(ioctl(fd, TIOCSWINSZ, &size), -1);
	*pty = (struct pty){.fd = fd, .text = calloc(1, 1)};
	ck_assert_ptr_nonnull(pty->text);
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	pty->pid = fork();
	ck_assert_int_ne(pty->pid, -1);
	if (pty->pid == 0)
		pty_become(ptsname(fd), argv, env);
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
}

/* What there is now. */
static void
pty_take(struct pty *pty)
{
	char buffer[4096];
	ssize_t got;

	while ((got = read(pty->fd, buffer, sizeof(buffer))) > 0) {
		pty->text = realloc(pty->text, pty->length + (size_t)got + 1);
		ck_assert_ptr_nonnull(pty->text);
		memcpy(pty->text + pty->length, buffer, (size_t)got);
		pty->length += (size_t)got;
		pty->text[pty->length] = '\0';
	}
}

static bool
pty_has_text(void *arg)
{
	struct awaited *awaited = arg;

	pty_take(awaited->pty);
	return (strstr(awaited->pty->text + awaited->from, awaited->needle) != NULL);
}

size_t
pty_wait_text(struct pty *pty, size_t from, const char *needle)
{
	struct awaited awaited = {pty, needle, from};

	ck_assert_msg(wait_until(pty_has_text, &awaited), "no \"%s\" behind %zu in: %s", needle,
		      from, pty->text);
	return ((size_t)(strstr(pty->text + from, needle) - pty->text) + strlen(needle));
}

void
pty_type(struct pty *pty, char key)
{
	ck_assert_int_eq(write(pty->fd, &key, 1), 1);
}

static bool
pty_has_ended(void *arg)
{
	struct pty *pty = arg;

	pty_take(pty);
	return (exec_gone(pty->pid));
}

int
pty_finish(struct pty *pty)
{
	ck_assert_msg(wait_until(pty_has_ended, pty), "it does not end: %s", pty->text);
	pty_take(pty);
	return (exec_wait(pty->pid));
}

void
pty_free(struct pty *pty)
{
	(void)close(pty->fd);
	free(pty->text);
}
