/* A signalfd names the first of the children that have ended since it was read. */
#include "config.h"

#include "reaper.h"

#include <sys/signalfd.h>

#include <signal.h>
#include <unistd.h>

int
reaper_os_open(void)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &mask, NULL) != 0)
		return -1;
	return signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
}

pid_t
reaper_os_next(int fd)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return 0;
	return (pid_t)info.ssi_pid;
}
