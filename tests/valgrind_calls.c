/*
 * For the daemon under valgrind. Linked between it and two calls without which Linux has no jails: valgrind
 * before 3.21 knows no pidfd_open, and it can't execute what has no name. Here they go to the kernel past it.
 */

#define _GNU_SOURCE

#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>
#include <valgrind/valgrind.h>

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
int __real_fexecve(int fd, char *const argv[], char *const env[]);
int __wrap_fexecve(int fd, char *const argv[], char *const env[]);

/* No function of a library: this runs on the processor itself. */
static long
enter(long number, long a, long b, long c, long d, long e)
{
#if defined(__x86_64__)
	register long fourth __asm__("r10") = d, fifth __asm__("r8") = e;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth)
			 : "rcx", "r11", "memory");
	return (result);
#elif defined(__aarch64__)
	register long call __asm__("x8") = number, first __asm__("x0") = a, second __asm__("x1") = b,
			   third __asm__("x2") = c, fourth __asm__("x3") = d, fifth __asm__("x4") = e;

	__asm__ volatile("svc 0"
			 : "+r"(first)
			 : "r"(call), "r"(second), "r"(third), "r"(fourth), "r"(fifth)
			 : "memory");
	return (first);
#else
#error "tell how a program calls the kernel on this processor"
#endif
}

static long
open_pidfd(long thread, long pid, long flags)
{
	(void)thread;
	return (enter(SYS_pidfd_open, pid, flags, 0, 0, 0));
}

static long
execute(long thread, long fd, char *const *argv, char *const *env)
{
	(void)thread;
	return (enter(SYS_execveat, fd, (long)"", (long)argv, (long)env, AT_EMPTY_PATH));
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
__wrap_fexecve(int fd, char *const argv[], char *const env[])
{
	if (RUNNING_ON_VALGRIND)
		return (answer((long)VALGRIND_NON_SIMD_CALL3(execute, fd, argv, env)));
	return (__real_fexecve(fd, argv, env));
}
