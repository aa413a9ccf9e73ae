/* The smallest programs by which somebody in a jail asks: press a probe, connect to a socket and wait until it is
 * closed, or write to a file. Like the stamp this may run without a libc's start-up, so only bare system calls are
 * used. usage: ask press PID | connect SOCKET | write FILE */
#define _GNU_SOURCE
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static int
ask_press(const char *digits)
{
	long pid = 0;

	for (; *digits >= '0' && *digits <= '9'; digits++)
		pid = pid * 10 + *digits - '0';
	return syscall(SYS_kill, pid, SIGHUP) == 0 ? 0 : 1;
}

static int
ask_connect(const char *path)
{
	struct sockaddr_un address;
	unsigned char *byte = (unsigned char *)&address;
	char answer[64];
	unsigned i;
	long fd;

	for (i = 0; i < sizeof(address); i++)
		byte[i] = 0;
	address.sun_family = AF_UNIX;
	for (i = 0; path[i] != '\0' && i < sizeof(address.sun_path) - 1; i++)
		address.sun_path[i] = path[i];
	fd = syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
	if (syscall(SYS_connect, fd, &address, sizeof(address)) != 0)
		return 1;
	while (syscall(SYS_read, fd, answer, sizeof(answer)) > 0)
		continue;
	return 0;
}

static int
ask_write(const char *path)
{
	long fd = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY);

	return fd >= 0 && syscall(SYS_write, fd, "\n", 1) == 1 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	if (argv[1][0] == 'p')
		return ask_press(argv[2]);
	return argv[1][0] == 'c' ? ask_connect(argv[2]) : ask_write(argv[2]);
}
