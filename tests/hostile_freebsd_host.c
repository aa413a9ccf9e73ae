#include "config.h"

#include "hostile_host.h"

#include <sys/param.h>
#include <sys/jail.h>
#include <sys/sysctl.h>
#include <sys/uio.h>
#include <sys/user.h>

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_place.h"
#include "fixture_wait.h"
#include "hostile.h"
#include "hostile_freebsd.h"

Suite *(*const hostile_os_suites[])(void) = {hostile_state, hostile_attacks, hostile_reuse,
						hostile_setup, NULL};

/* On Linux alone a launcher makes the probes, whose part another could play. */
bool
hostile_fake_is_asked(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return (false);
}

int
hostile_fake(void)
{
	return (EXIT_FAILURE);
}

struct kinfo_proc *
freebsd_processes(size_t *count)
{
	int mib[3] = {CTL_KERN, KERN_PROC, KERN_PROC_PROC};
	struct kinfo_proc *processes;
	size_t size = 0;

	*count = 0;
	if (sysctl(mib, 3, NULL, &size, NULL, 0) != 0)
		return (NULL);
	size += size / 4 + 16 * sizeof(*processes);
	if ((processes = malloc(size)) == NULL || sysctl(mib, 3, processes, &size, NULL, 0) != 0) {
		free(processes);
		return (NULL);
	}
	*count = size / sizeof(*processes);
	return (processes);
}

bool
freebsd_process(pid_t pid, struct kinfo_proc *process)
{
	int mib[4] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, pid};
	size_t size = sizeof(*process);

	return (sysctl(mib, 4, process, &size, NULL, 0) == 0 && size == sizeof(*process));
}

long
hostile_memory(pid_t pid)
{
	struct kinfo_proc process;

	if (!freebsd_process(pid, &process))
		return (-1);
	return ((long)process.ki_rssize * (getpagesize() / 1024));
}

static bool
has_title(pid_t pid, const char *title)
{
	int mib[4] = {CTL_KERN, KERN_PROC, KERN_PROC_ARGS, pid};
	char text[512] = "";
	size_t length = sizeof(text) - 1;

	return (sysctl(mib, 4, text, &length, NULL, 0) == 0 && strcmp(text, title) == 0);
}

int
hostile_pids_titled(const char *title, pid_t *pids, int max)
{
	size_t number, i;
	struct kinfo_proc *processes = freebsd_processes(&number);
	int count = 0;

	ck_assert_ptr_nonnull(processes);
	for (i = 0; i < number; i++) {
		if (processes[i].ki_stat == SZOMB || !has_title(processes[i].ki_pid, title))
			continue;
		if (count < max)
			pids[count] = processes[i].ki_pid;
		count++;
	}
	free(processes);
	return (count);
}

static void
set_param(struct iovec *pair, const char *name, const void *value, size_t size)
{
	pair[0].iov_base = (void *)(uintptr_t)name;
	pair[0].iov_len = strlen(name) + 1;
	pair[1].iov_base = (void *)(uintptr_t)value;
	pair[1].iov_len = size;
}

int
freebsd_jail(int jid, const char *name, const char *path)
{
	const char *last = strrchr(place()->dir, '/');
	char full[96], *dot;
	struct iovec params[8];
	unsigned count = 0;

	/* With the beginning by which jailfix_sweep knows them. */
	(void)snprintf(full, sizeof(full), "%s_%s", last != NULL ? last + 1 : "jd", name);
	while ((dot = strchr(full, '.')) != NULL)
		*dot = '_';
	set_param(&params[count++ * 2], "name", full, strlen(full) + 1);
	set_param(&params[count++ * 2], "path", path, strlen(path) + 1);
	set_param(&params[count++ * 2], "persist", NULL, 0);
	if (jid != 0)
		set_param(&params[count++ * 2], "jid", &jid, sizeof(jid));
	jid = jail_set(params, count * 2, JAIL_CREATE);
	ck_assert_msg(jid != -1, "jail_set: %s", strerror(errno));
	return (jid);
}

static bool
is_gone(void *arg)
{
	struct iovec params[2];

	set_param(params, "jid", arg, sizeof(int));
	return (jail_get(params, 2, JAIL_DYING) == -1 && errno == ENOENT);
}

void
freebsd_end_jail(int jid)
{
	ck_assert_int_eq(jail_remove(jid), 0);
	ck_assert(wait_until(is_gone, &jid));
}
