/*
 * For the daemon under valgrind. Linked between it and two calls without which Linux has no jails: valgrind
 * before 3.21 knows no pidfd_open, and it can't execute what has no name. Here they go to the kernel past it. And
 * it knows no child that lives in its parent's memory beside it: here that is a fork.
 */

#define _GNU_SOURCE

#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>
#include <valgrind/valgrind.h>

#include "newborn.h"
#include "rawcall_linux.h"

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
int __real_call_execute_fd(int fd, char *const *argv, char *const *env);
int __wrap_call_execute_fd(int fd, char *const *argv, char *const *env);
pid_t __real_newborn_start(struct newborn *, newborn_life *, const void *arg);
pid_t __wrap_newborn_start(struct newborn *, newborn_life *, const void *arg);

static long
open_pidfd(long thread, long pid, long flags)
{
	(void)thread;
	return (rawcall(SYS_pidfd_open, pid, flags, 0, 0, 0));
}

static long
execute(long thread, long fd, char *const *argv, char *const *env)
{
	(void)thread;
	return (rawcall(SYS_execveat, fd, (long)"", (long)argv, (long)env, AT_EMPTY_PATH));
}

static int
answer(long result)
{
	if (result >= 0)
		return ((int)result);
	errno = (int)-result;
	return (-1);
}

long
__wrap_syscall(long number, ...)
{
	long args[6];
	va_list words;

	va_start(words, number);
	for (int i = 0; i < 6; i++)
		args[i] = va_arg(words, long);
	va_end(words);
	if (number == SYS_pidfd_open && RUNNING_ON_VALGRIND)
		return (answer((long)VALGRIND_NON_SIMD_CALL2(open_pidfd, args[0], args[1])));
	return (__real_syscall(number, args[0], args[1], args[2], args[3], args[4], args[5]));
}

int
__wrap_call_execute_fd(int fd, char *const *argv, char *const *env)
{
	if (RUNNING_ON_VALGRIND)
		return ((int)-(long)VALGRIND_NON_SIMD_CALL3(execute, fd, argv, env));
	return (__real_call_execute_fd(fd, argv, env));
}

/* Without what is ours: what the child says of a failure stays with it. */
pid_t
__wrap_newborn_start(struct newborn *newborn, newborn_life *life, const void *arg)
{
	pid_t pid;

	if (!RUNNING_ON_VALGRIND)
		return (__real_newborn_start(newborn, life, arg));
	newborn->failed = 0;
	newborn->unborn = 0;
	if ((pid = fork()) == 0)
		_exit(life(arg) != 0 ? 127 : 0);
	return (pid);
}
