#include "config.h"

#include "detach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util.h"

/* What the child writes when all is well; anything else is the reason why it isn't. */
#define READY_BYTE 'R'

static int report_fd = -1;

static _Noreturn void
wait_for_word(int fd)
{
	char text[1024];
	size_t used = 0;
	ssize_t got;

	while (used < sizeof(text) - 1) {
		got = read(fd, text + used, sizeof(text) - 1 - used);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		used += (size_t)got;
	}
	text[used] = '\0';
	if (used == 1 && text[0] == READY_BYTE)
		_exit(0);
	if (used == 0)
		snprintf(text, sizeof(text), "the daemon ended while it was starting");
	fprintf(stderr, "jaildaemon: %s\n", text);
	_exit(1);
}

int
detach_begin(void)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0 || (pid = fork()) < 0)
		return -1;
	if (pid > 0) {
		close(ends[1]);
		wait_for_word(ends[0]);
	}
	close(ends[0]);
	report_fd = ends[1];
	return setsid() < 0 ? -1 : 0;
}

static void
say(const char *text, size_t length)
{
	ssize_t written = write(report_fd, text, length);

	/* A parent that is gone waits for no word. */
	(void)written;
	util_close(&report_fd);
}

void
detach_ready(void)
{
	const char ready = READY_BYTE;
	int null_fd;

	if (report_fd < 0)
		return;
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = STDIN_FILENO; null_fd >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(null_fd, fd);
	util_close(&null_fd);
	say(&ready, 1);
}

void
detach_failed(const char *reason)
{
	if (report_fd < 0)
		fprintf(stderr, "jaildaemon: %s\n", reason);
	else
		say(reason, strlen(reason));
}
