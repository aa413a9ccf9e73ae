#include "config.h"

#include "call.h"

#include <sys/syscall.h>

#include <fcntl.h>

#include "rawcall_linux.h"

#define KERNEL_SIGSET_BYTES 8

#ifndef SYS_close_range
#define SYS_close_range 436 /* the same number on every architecture */
#endif

/* Of a pointer, and of whatever else the kernel takes for a word. */
#define WORD(value) ((long)(value))

static int
failed(long result)
{
	return result < 0 ? (int)-result : 0;
}

int
call_setsid(void)
{
	return failed(rawcall(SYS_setsid, 0, 0, 0, 0, 0));
}

int
call_chdir(const char *path)
{
	return failed(rawcall(SYS_chdir, WORD(path), 0, 0, 0, 0));
}

void
call_umask(mode_t mask)
{
	rawcall(SYS_umask, WORD(mask), 0, 0, 0, 0);
}

int
call_dup(int fd, int place)
{
	return failed(rawcall(SYS_dup3, fd, place, 0, 0, 0));
}

int
call_set_fd_flags(int fd, int flags)
{
	return failed(rawcall(SYS_fcntl, fd, F_SETFD, flags, 0, 0));
}

int
call_close_from(int first)
{
	return failed(rawcall(SYS_close_range, first, WORD(~0U), 0, 0, 0));
}

int
call_limit_files(const struct rlimit *limit)
{
	return failed(rawcall(SYS_prlimit64, 0, RLIMIT_NOFILE, WORD(limit), 0, 0));
}

/* The kernel's structure has four words, and nothing is the default. */
int
call_default_signal(int signo)
{
	static const long nothing[4];

	return failed(rawcall(SYS_rt_sigaction, signo, WORD(nothing), 0, KERNEL_SIGSET_BYTES, 0));
}

int
call_set_mask(const sigset_t *mask)
{
	return failed(rawcall(SYS_rt_sigprocmask, SIG_SETMASK, WORD(mask), 0, KERNEL_SIGSET_BYTES, 0));
}

int
call_execute(const char *path, char *const *argv, char *const *env)
{
	return failed(rawcall(SYS_execve, WORD(path), WORD(argv), WORD(env), 0, 0));
}

int
call_execute_fd(int fd, char *const *argv, char *const *env)
{
	return failed(rawcall(SYS_execveat, fd, WORD(""), WORD(argv), WORD(env), AT_EMPTY_PATH));
}
