/* What the rows with many probes need of Linux. */
#define _GNU_SOURCE
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "many.h"

#define GROUP_TRIES   500
#define GROUP_WAIT_US 10000

/* Between clone and exec there are few calls, and none of them deep. */
static char child_stack[65536] __attribute__((aligned(16)));

struct child {
	char *const *argv;
	int output;
};

/* The file's text, "" if it can't be read. */
static void
os_read(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd == -1 ? -1 : read(fd, text, size - 1);

	text[got > 0 ? got : 0] = '\0';
	if (fd != -1)
		close(fd);
}

/* A number behind a name in a file of /proc. */
static int64_t
os_number(pid_t pid, const char *file, const char *name)
{
	char path[64], text[8192];
	const char *found;

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, file);
	os_read(path, text, sizeof(text));
	if ((found = strstr(text, name)) == NULL)
		bench_fail("%s has no %s", path, name);
	return strtoll(found + strlen(name), NULL, 10);
}

/* What a limit leaves, that a file tells; "max" and no such file leave everything. */
static size_t
os_left(const char *path, size_t used)
{
	char text[64];
	size_t limit;

	os_read(path, text, sizeof(text));
	if (text[0] < '0' || text[0] > '9')
		return SIZE_MAX;
	limit = strtoul(text, NULL, 10);
	return limit > used ? limit - used : 0;
}

size_t
os_room(void)
{
	const char *const limits[] = {"/proc/sys/kernel/pid_max", "/proc/sys/kernel/threads-max",
				      "/sys/fs/cgroup/pids.max"};
	size_t i, left, room = SIZE_MAX, used;
	const char *slash;
	char text[128];

	os_read("/proc/loadavg", text, sizeof(text)); /* 0.00 0.00 0.00 RUNNING/ALL LAST */
	slash = strchr(text, '/');
	used = slash == NULL ? 0 : strtoul(slash + 1, NULL, 10);
	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if ((left = os_left(limits[i], used)) < room)
			room = left;
	return room;
}

/* The table of descriptors is our parent's until close_range copies the beginning of it. */
static int
os_child(void *argument)
{
	const struct child *child = argument;
	char *env[] = {NULL};
	sigset_t none;

	if (syscall(SYS_close_range, child->output + 1, ~0U, 2U /* CLOSE_RANGE_UNSHARE */) == -1 ||
	    dup2(child->output, STDOUT_FILENO) == -1 || dup2(child->output, STDERR_FILENO) == -1 ||
	    syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0U) == -1)
		_exit(126);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(child->argv[0], child->argv, env);
	_exit(127);
}

/* Output is put where few other descriptors are below it, for as long as the child shares the table. */
pid_t
os_run(char *const argv[], int output)
{
	static struct child child = {.output = -1};
	pid_t pid;

	if (child.output == -1)
		child.output = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
	child.argv = argv;
	if (child.output == -1 || dup3(output, child.output, O_CLOEXEC) == -1)
		return -1;
	pid = clone(os_child, child_stack + sizeof(child_stack),
		    CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, &child);
	dup3(STDERR_FILENO, child.output, O_CLOEXEC);
	return pid;
}

int64_t
os_memory_share(pid_t pid)
{
	return os_number(pid, "smaps_rollup", "Pss:") * 1024;
}

int64_t
os_memory_own(pid_t pid)
{
	return os_number(pid, "smaps_rollup", "Pss_Anon:") * 1024;
}

long
os_sleeps(pid_t pid)
{
	return (long)os_number(pid, "status", "\nvoluntary_ctxt_switches:");
}

/* A group below the root of either kind of hierarchy, where a memory controller is. */
static int
os_group_try(struct os_group *group, const char *root, const char *used)
{
	char path[sizeof(group->path) + 64];

	group->used = used;
	snprintf(group->path, sizeof(group->path), "%s/jdbench.%ld", root, (long)getpid());
	if (mkdir(group->path, 0755) == -1)
		return -1;
	snprintf(path, sizeof(path), "%s/%s", group->path, used);
	if (access(path, R_OK) == 0)
		return 0;
	rmdir(group->path);
	return -1;
}

int
os_group_make(struct os_group *group)
{
	if (os_group_try(group, "/sys/fs/cgroup", "memory.current") == 0 ||
	    os_group_try(group, "/sys/fs/cgroup/memory", "memory.usage_in_bytes") == 0)
		return 0;
	fputs("bench: skipped: memory: no memory cgroup can be made below /sys/fs/cgroup\n", stderr);
	return -1;
}

void
os_group_enter(const struct os_group *group)
{
	char path[sizeof(group->path) + 64];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", group->path);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd == -1 || write(fd, "0", 1) != 1)
		bench_fail("%s: %s", path, strerror(errno));
	close(fd);
}

int64_t
os_group_bytes(const struct os_group *group)
{
	char path[sizeof(group->path) + 64], text[64];

	snprintf(path, sizeof(path), "%s/%s", group->path, group->used);
	os_read(path, text, sizeof(text));
	if (text[0] == '\0')
		bench_fail("%s can't be read", path);
	return strtoll(text, NULL, 10);
}

/* It is busy until the last of its processes is not only dead but gone. */
void
os_group_end(const struct os_group *group)
{
	int tries;

	for (tries = 0; rmdir(group->path) == -1; tries++) {
		if (errno != EBUSY || tries == GROUP_TRIES)
			bench_fail("%s: %s", group->path, strerror(errno));
		bench_pause_us(GROUP_WAIT_US);
	}
}
