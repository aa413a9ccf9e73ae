/* What the rows with many probes need of FreeBSD. */
#include <sys/param.h>
#include <sys/sysctl.h>
#include <sys/user.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "many.h"

size_t
os_room(void)
{
	int mib[] = {CTL_KERN, KERN_PROC, KERN_PROC_PROC}, most = 0;
	size_t size = sizeof(most), used = 0;

	if (sysctlbyname("kern.maxproc", &most, &size, NULL, 0) == -1 || sysctl(mib, 3, NULL, &used, NULL, 0) == -1)
		bench_fail("kern.maxproc: %s", strerror(errno));
	used /= sizeof(struct kinfo_proc);
	return (size_t)most > used ? (size_t)most - used : 0;
}

/* A vfork here copies the table of descriptors. */
pid_t
os_run(char *const argv[], int output)
{
	char *env[] = {NULL};
	sigset_t none;
	pid_t pid;

	if ((pid = vfork()) != 0)
		return pid;
	if (dup2(output, STDOUT_FILENO) == -1 || dup2(output, STDERR_FILENO) == -1)
		_exit(126);
	closefrom(STDERR_FILENO + 1);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(argv[0], argv, env);
	_exit(127);
}

static void
os_process(pid_t pid, struct kinfo_proc *process)
{
	int mib[] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, (int)pid};
	size_t size = sizeof(*process);

	if (sysctl(mib, 4, process, &size, NULL, 0) == -1 || size == 0)
		bench_fail("process %ld: %s", (long)pid, strerror(errno));
}

/* Resident: nobody tells here what of it others have too. */
int64_t
os_memory_share(pid_t pid)
{
	struct kinfo_proc process;

	os_process(pid, &process);
	return (int64_t)process.ki_rssize * getpagesize();
}

int64_t
os_memory_own(pid_t pid)
{
	return os_memory_share(pid);
}

long
os_sleeps(pid_t pid)
{
	struct kinfo_proc process;

	os_process(pid, &process);
	return process.ki_rusage.ru_nvcsw;
}

int
os_group_make(struct os_group *group)
{
	(void)group;
	fputs("bench: skipped: memory: nobody counts the kernel's memory for a process here\n", stderr);
	return -1;
}

void
os_group_enter(const struct os_group *group)
{
	(void)group;
}

int64_t
os_group_bytes(const struct os_group *group)
{
	(void)group;
	return 0;
}

void
os_group_end(const struct os_group *group)
{
	(void)group;
}
