#include "config.h"

#include "pidlock.h"

#include <sys/file.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util.h"

/* How long the start waits for what a dead daemon has left. */
#define DEAD_MS	     1000
#define DEAD_LOOK_MS 2

static const char *path;
static int lock_fd = -1;

/* 0: it can't be told. */
static pid_t
read_pid(void)
{
	char text[32];
	int64_t pid;

	if (util_read_file(path, text, sizeof(text)) <= 0)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	return util_parse_number(text, 1, INT32_MAX, &pid) ? (pid_t)pid : 0;
}

static bool
is_dead(pid_t pid)
{
	return pid > 0 && kill(pid, 0) != 0 && errno == ESRCH;
}

static int
lock(struct error *e)
{
	int64_t deadline = util_monotonic_ms() + DEAD_MS;
	pid_t pid;

	while (flock(lock_fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK)
			return error_set(e, ERR_INTERNAL, "%s: %s", path, strerror(errno));
		pid = read_pid();
		if (!is_dead(pid) || util_monotonic_ms() > deadline)
			return error_set(e, ERR_EXISTS, "%s is locked: a daemon runs already, pid %d", path,
					 (int)pid);
		poll(NULL, 0, DEAD_LOOK_MS);
	}
	return 0;
}

int
pidlock_take(const char *file, struct error *e)
{
	path = file;
	lock_fd = open(path, O_WRONLY | O_CREAT | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (lock_fd < 0)
		return error_set(e, ERR_INTERNAL, "%s: %s", path, strerror(errno));
	if (lock(e) == 0)
		return 0;
	util_close(&lock_fd);
	return -1;
}

void
pidlock_adopt(const char *file, int fd)
{
	path = file;
	lock_fd = fd;
}

int
pidlock_fd(void)
{
	return lock_fd;
}

int
pidlock_write(struct error *e)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%d", (int)getpid());

	if (ftruncate(lock_fd, 0) == 0 && pwrite(lock_fd, text, (size_t)length, 0) == length)
		return 0;
	return error_set(e, ERR_INTERNAL, "%s: %s", path, strerror(errno));
}

void
pidlock_remove(void)
{
	if (lock_fd >= 0)
		unlink(path);
	util_close(&lock_fd);
}

void
pidlock_drop(void)
{
	util_close(&lock_fd);
}
