/*
 * Not a test: a launcher that plays a part. The daemon runs it in place of jaildaemon-probe, with
 * an empty environment, so the part is read from the daemon's.
 */
#include "config.h"

#include <sys/socket.h>
#include <sys/syscall.h>

#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach_wire.h"
#include "hostile.h"

#define PART_NAME "HOSTILE_PART="
#define FDS_ROOM  256

static const char *
read_part(void)
{
	static char text[65536];
	char path[64], *word;
	size_t length;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/environ", (int)getppid());
	if ((file = fopen(path, "re")) == NULL)
		return ("");
	length = fread(text, 1, sizeof(text) - 1, file);
	(void)fclose(file);
	for (word = text; word < text + length; word += strlen(word) + 1)
		if (strncmp(word, PART_NAME, strlen(PART_NAME)) == 0)
			return (word + strlen(PART_NAME));
	return ("");
}

static void
tell(int fd, enum attach_stage stage, long value)
{
	struct attach_report line = {.stage = (uint32_t)stage, .value = (int32_t)value};

	(void)write(fd, &line, sizeof(line));
}

static void
make_probe(const char *part, int report)
{
	bool ready = strcmp(part, "exits-early") != 0;
	long pid;

	tell(report, ATTACH_HELPER, 0);
	pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0) {
		if (ready)
			tell(report, ATTACH_READY, 0);
		_exit(PROBE_EXIT_TRIGGERED);
	}
	if (strcmp(part, "tells-no-pid") != 0)
		tell(report, ATTACH_PID, pid);
	_exit(0);
}

/* The daemon believes who it is by who says it, so there has to be a helper. */
static void
play(const char *part, int report)
{
	if (syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0) == 0)
		make_probe(part, report);
}

/* The descriptors of one request, which asks for one probe. */
static bool
receive(int fds[FDS_ROOM], size_t *count)
{
	static char request[65536];
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int) * FDS_ROOM)];
	} control;
	struct iovec part = {request, sizeof(request)};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};

	memset(&control, 0, sizeof(control));
	if (recvmsg(ATTACH_INHERITED_FD, &message, MSG_CMSG_CLOEXEC) <= 0)
		return (false);
	*count = (control.header.cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(fds, CMSG_DATA(&control.header), *count * sizeof(int));
	return (true);
}

bool
hostile_fake_is_asked(int argc, char **argv)
{
	return (argc == 1 && argv[0][0] == ' ');
}

int
hostile_fake(void)
{
	const char *part = read_part();
	int fds[FDS_ROOM];
	size_t count;

	while (receive(fds, &count)) {
		play(part, fds[ATTACH_FD_REPORTS]);
		while (count > 0)
			(void)close(fds[--count]);
	}
	return (0);
}
