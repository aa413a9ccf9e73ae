/* The command that is measured: its first act is to look at the clock, its second to write the time
 * to the fifo argv[1]. Where start_OS_MACHINE.S exists there is no libc start-up before main, so
 * only bare system calls are used. */
#define _GNU_SOURCE
#include <sys/syscall.h>

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	struct timespec now;
	long fd;

	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
	if (argc != 2)
		return 2;
	if ((fd = syscall(SYS_openat, AT_FDCWD, argv[1], O_WRONLY)) == -1)
		return 1;
	return syscall(SYS_write, fd, &now, sizeof(now)) == (long)sizeof(now) ? 0 : 1;
}
