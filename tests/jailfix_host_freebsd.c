/*
 * What the tests want to know of the host and of its processes, told by sysctl(3) and procctl(2).
 */
#include "config.h"

#include "jailfix.h"

#include <sys/param.h>
#include <sys/procctl.h>
#include <sys/sysctl.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool
host_reaper(void)
{
	return (procctl(P_PID, getpid(), PROC_REAP_ACQUIRE, NULL) == 0);
}

void
host_kill_all(void)
{
	struct procctl_reaper_kill rest;

	do {
		memset(&rest, 0, sizeof(rest));
		rest.rk_sig = SIGKILL;
		(void)procctl(P_PID, getpid(), PROC_REAP_KILL, &rest);
	} while (waitpid(-1, NULL, 0) > 0 || errno == EINTR);
}

int
host_children(pid_t pid)
{
	int mib[3] = {CTL_KERN, KERN_PROC, KERN_PROC_PROC}, count = 0;
	struct kinfo_proc *procs;
	size_t size = 0, i;

	if (sysctl(mib, 3, NULL, &size, NULL, 0) != 0)
		return (-1);
	size += size / 4 + 16 * sizeof(*procs);
	if ((procs = malloc(size)) == NULL || sysctl(mib, 3, procs, &size, NULL, 0) != 0)
		return (-1);
	for (i = 0; i < size / sizeof(*procs); i++)
		count += procs[i].ki_ppid == pid;
	free(procs);
	return (count);
}

/* Calls each for the open files of a process, the text, cwd and root among them with their negative
 * numbers. */
static int
host_each_file(pid_t pid, void (*each)(const struct kinfo_file *, void *), void *arg)
{
	int mib[4] = {CTL_KERN, KERN_PROC, KERN_PROC_FILEDESC, pid};
	size_t size = 0, at = 0;
	char *files;

	if (sysctl(mib, 4, NULL, &size, NULL, 0) != 0)
		return (-1);
	size = size * 4 / 3;
	if ((files = malloc(size)) == NULL || sysctl(mib, 4, files, &size, NULL, 0) != 0)
		return (-1);
	while (at < size) {
		const struct kinfo_file *file = (const void *)(files + at);

		if (file->kf_structsize == 0)
			break;
		each(file, arg);
		at += (size_t)file->kf_structsize;
	}
	free(files);
	return (0);
}

static void
host_count_descriptor(const struct kinfo_file *file, void *arg)
{
	*(int *)arg += file->kf_fd >= 0;
}

int
host_descriptors(pid_t pid)
{
	int count = 0;

	return (host_each_file(pid, host_count_descriptor, &count) == 0 ? count : -1);
}

static bool
host_process(pid_t pid, struct kinfo_proc *process)
{
	int mib[4] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, pid};
	size_t size = sizeof(*process);

	return (sysctl(mib, 4, process, &size, NULL, 0) == 0 && size == sizeof(*process));
}

bool
host_gid(pid_t pid, gid_t *gid, uid_t *uid)
{
	struct kinfo_proc process;

	if (!host_process(pid, &process))
		return (false);
	*uid = process.ki_uid;
	*gid = process.ki_groups[0];
	return (process.ki_uid == process.ki_ruid && process.ki_uid == process.ki_svuid &&
		process.ki_rgid == *gid && process.ki_svgid == *gid && process.ki_ngroups <= 1);
}

static void __attribute__((format(printf, 3, 4)))
fault_add(char *faults, size_t size, const char *format, ...)
{
	size_t length = strlen(faults);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(faults + length, size - length, format, args);
	va_end(args);
}

struct faults {
	char *text;
	size_t size;
};

static void
fault_file(const struct kinfo_file *file, void *arg)
{
	const struct faults *faults = arg;

	if (file->kf_fd >= 0)
		fault_add(faults->text, faults->size, "descriptor %d; ", file->kf_fd);
	if ((file->kf_fd == KF_FD_TYPE_CWD || file->kf_fd == KF_FD_TYPE_ROOT) &&
	    strcmp(file->kf_path, "/") != 0)
		fault_add(faults->text, faults->size, "stands in \"%s\"; ", file->kf_path);
}

void
host_probe_faults(pid_t pid, char *faults, size_t size)
{
	int mib[4] = {CTL_KERN, KERN_PROC, KERN_PROC_ENV, pid};
	struct faults collected = {faults, size};
	struct kinfo_proc process;
	char env[1024];
	size_t length = sizeof(env);

	faults[0] = '\0';
	if (host_each_file(pid, fault_file, &collected) != 0)
		fault_add(faults, size, "its files can't be told; ");
	if (sysctl(mib, 4, env, &length, NULL, 0) == 0 && length > 0 && env[0] != '\0')
		fault_add(faults, size, "environment begins with \"%.64s\"; ", env);
	if (!host_process(pid, &process)) {
		fault_add(faults, size, "no such process; ");
		return;
	}
	if (process.ki_sid != pid || (process.ki_flag & P_CONTROLT) != 0)
		fault_add(faults, size, "session %d; ", (int)process.ki_sid);
	if (process.ki_ngroups > 1)
		fault_add(faults, size, "%d groups; ", process.ki_ngroups);
}

bool
host_in_chroot(void)
{
	return (false); /* nothing here depends on it */
}
