/* Where we wait for the child anyway: whoever starts it expects errno to change. */
#include "config.h"

#include "call.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int
failed(int result)
{
	return result < 0 ? errno : 0;
}

int
call_setsid(void)
{
	return failed(setsid());
}

int
call_chdir(const char *path)
{
	return failed(chdir(path));
}

void
call_umask(mode_t mask)
{
	umask(mask);
}

int
call_dup(int fd, int place)
{
	return failed(dup2(fd, place));
}

int
call_set_fd_flags(int fd, int flags)
{
	return failed(fcntl(fd, F_SETFD, flags));
}

int
call_close_from(int first)
{
	closefrom(first);
	return 0;
}

int
call_limit_files(const struct rlimit *limit)
{
	return failed(setrlimit(RLIMIT_NOFILE, limit));
}

int
call_default_signal(int signo)
{
	struct sigaction action = {.sa_handler = SIG_DFL};

	return failed(sigaction(signo, &action, NULL));
}

int
call_set_mask(const sigset_t *mask)
{
	return failed(sigprocmask(SIG_SETMASK, mask, NULL));
}

int
call_execute(const char *path, char *const *argv, char *const *env)
{
	return failed(execve(path, argv, env));
}

int
call_execute_fd(int fd, char *const *argv, char *const *env)
{
	return failed(fexecve(fd, argv, env));
}
