/* A kqueue names each child that it was asked to watch, and says when there was a SIGCHLD, of whomever. */
#include "config.h"

#include "reaper.h"

#include <sys/event.h>

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "child.h"

static int queue;

/* One that has ended already is named at once. Some are not: what can't be watched, and a number that is used
 * again before the end of its last bearer was read here, whose watch it finds in its place. One that is just
 * ending is named too early. All of them send their SIGCHLD, and the walk finds them. */
static void
watch(pid_t pid)
{
	struct kevent wanted;

	EV_SET(&wanted, (uintptr_t)pid, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, NULL);
	(void)kevent(queue, &wanted, 1, NULL, 0, NULL);
}

int
reaper_os_open(void)
{
	struct kevent wanted;

	queue = kqueue();
	if (queue < 0 || fcntl(queue, F_SETFD, FD_CLOEXEC) != 0)
		return -1;
	EV_SET(&wanted, SIGCHLD, EVFILT_SIGNAL, EV_ADD, 0, 0, NULL);
	if (kevent(queue, &wanted, 1, NULL, 0, NULL) != 0)
		return -1;
	child_on_add(watch);
	return queue;
}

pid_t
reaper_os_next(int fd)
{
	const struct timespec now = {0};
	struct kevent event;

	while (kevent(fd, NULL, 0, &event, 1, &now) == 1)
		if (event.filter == EVFILT_PROC)
			return (pid_t)event.ident;
	return 0;
}
