/* FreeBSD 15 tells of each new jail whose parent is our own; one in a jail it does not tell of. */
#include "config.h"

#include "runtimewatch.h"

#include <sys/types.h>
#include <sys/event.h>

#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

#define OWN_JAIL 0

static int
change(int fd, unsigned short action)
{
	struct kevent event;

	EV_SET(&event, OWN_JAIL, EVFILT_JAIL, action, NOTE_JAIL_CHILD, 0, NULL);
	return kevent(fd, &event, 1, NULL, 0, NULL);
}

int
runtimewatch_open(void)
{
	int fd = kqueue();

	if (fd >= 0)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

/* All that happened between two reads is one event. */
void
runtimewatch_renew(int fd)
{
	const struct timespec at_once = {0};
	struct kevent told;

	change(fd, EV_ADD | EV_CLEAR);
	kevent(fd, NULL, 0, &told, 1, &at_once);
}

void
runtimewatch_rest(int fd)
{
	change(fd, EV_DELETE);
}
