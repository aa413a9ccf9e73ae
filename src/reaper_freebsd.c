/* A kqueue says that children have ended, and how often; not which. */
#include "config.h"

#include "reaper.h"

#include <sys/types.h>
#include <sys/event.h>

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>

int
reaper_os_open(void)
{
	struct kevent wanted;
	int fd = kqueue();

	if (fd < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		return -1;
	EV_SET(&wanted, SIGCHLD, EVFILT_SIGNAL, EV_ADD, 0, 0, NULL);
	return kevent(fd, &wanted, 1, NULL, 0, NULL) == 0 ? fd : -1;
}

int
reaper_os_next(int fd)
{
	const struct timespec now = {0};
	struct kevent event;

	return kevent(fd, NULL, 0, &event, 1, &now) == 1 ? -1 : 0;
}
