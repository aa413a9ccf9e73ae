/* The floor's probe: ready when FLOOR_READY has got its byte; exits with the magic code when the
 * HUP comes. Where start_OS_MACHINE.S exists there is no libc start-up before main, so only bare
 * system calls are used. */
#define _GNU_SOURCE
#include <sys/syscall.h>

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "bench.h"

int
main(void)
{
	unsigned long hup = 1UL << (SIGHUP - 1); /* the kernel's own set of signals */

	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &hup, NULL, sizeof(hup));
	if (syscall(SYS_write, FLOOR_READY, "", 1) != 1)
		return 1;
	syscall(SYS_close_range, 0U, ~0U, 0U);
	while (syscall(SYS_rt_sigtimedwait, &hup, NULL, NULL, sizeof(hup)) != SIGHUP)
		continue;
	return FLOOR_MAGIC;
}
