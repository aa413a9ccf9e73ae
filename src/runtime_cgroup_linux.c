/* LXC, by itself and below Incus, keeps no state file with a pid, but a cgroup for each container.
 */
#include "config.h"

#include "runtime_kinds_linux.h"

#include <fts.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "proc_linux.h"
#include "runtime_paths_linux.h"
#include "util.h"

#define PATH_SIZE 512

/* Deep enough for any nesting that a service manager inside makes, and an end to what a container
 * could make us walk through. */
#define CGROUP_DEPTH  8
#define CGROUP_VISITS 4096
#define CGROUP_PIDS   4096 /* looked at, in all */

/* The first process in a cgroup.procs file that is one pid namespace below ours: a container in the
 * container would be two below. */
static pid_t
jailed_process_of(const char *procs, int *budget)
{
	struct proc_status own, status;
	FILE *file = fopen(procs, "re");
	pid_t found = 0;
	int pid;

	if (file == NULL || proc_read_status(getpid(), &own) != 0) {
		if (file != NULL)
			fclose(file);
		return 0;
	}
	/* NOLINTNEXTLINE(cert-err34-c): the kernel writes nothing but pids */
	while (found == 0 && (*budget)-- > 0 && fscanf(file, "%d", &pid) == 1)
		if (proc_read_status(pid, &status) == 0 && status.levels == own.levels + 1)
			found = pid;
	fclose(file);
	return found;
}

static pid_t
search_cgroup(const char *path)
{
	char *roots[] = {(char *)(uintptr_t)path, NULL};
	char procs[PATH_SIZE * 2];
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *entry;
	pid_t found = 0;
	int visits = 0, budget = CGROUP_PIDS;

	if (walk == NULL)
		return 0;
	while (found == 0 && visits++ < CGROUP_VISITS && (entry = fts_read(walk)) != NULL) {
		if (entry->fts_info != FTS_D)
			continue;
		if (entry->fts_level >= CGROUP_DEPTH)
			fts_set(walk, entry, FTS_SKIP);
		snprintf(procs, sizeof(procs), "%s/cgroup.procs", entry->fts_path);
		found = jailed_process_of(procs, &budget);
	}
	fts_close(walk);
	return found;
}

static bool
take_payload(void *arg, const char *path)
{
	pid_t *found = arg;

	*found = search_cgroup(path);
	return *found == 0;
}

/* In whichever hierarchy it is first found. */
static pid_t
find_payload(const char *name)
{
	static const char *const hierarchies[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/*"};
	char pattern[PATH_SIZE];
	pid_t found = 0;

	for (size_t i = 0; i < UTIL_COUNT(hierarchies) && found == 0; i++) {
		snprintf(pattern, sizeof(pattern), "%s/lxc.payload.%s", hierarchies[i], name);
		runtime_each_path(pattern, take_payload, &found);
	}
	return found;
}

void
runtime_lxc(const char *name, struct runtime_pids *pids)
{
	runtime_pids_add(pids, find_payload(name));
}

/* Whose containers LXC runs under their names, with "project_" before those of other projects than
 * the default one, and which has a directory for each that runs. */
void
runtime_incus(const char *name, struct runtime_pids *pids)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "/run/incus/%s", name);
	if (access(path, F_OK) == 0)
		runtime_lxc(name, pids);
}
