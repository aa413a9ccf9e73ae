#include "config.h"

#include "runtime_linux.h"

#include <errno.h>
#include <fts.h>
#include <glob.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc_linux.h"
#include "util.h"

#define PATH_SIZE 512

/* Deep enough for any nesting that a service manager inside makes, and an end to what a container
 * could make us walk through. */
#define CGROUP_DEPTH 8
#define CGROUP_VISITS 4096
#define CGROUP_PIDS   4096 /* looked at, in all */

/* systemd-machined: a file of KEY=value lines for each machine. */
static pid_t
find_machined(const char *name)
{
	char path[PATH_SIZE], text[16384];
	const char *leader;

	snprintf(path, sizeof(path), "/run/systemd/machines/%s", name);
	if (util_read_file(path, text, sizeof(text)) < 0)
		return 0;
	leader = strstr(text, "\nLEADER=");
	return leader == NULL ? 0 : (pid_t)strtol(leader + strlen("\nLEADER="), NULL, 10);
}

/* A file may be older than the process that has its pid today: the start time must agree. */
static pid_t
pid_from_state(const char *path, const char *pid_key, const char *start_key)
{
	json_t *state = json_load_file(path, 0, NULL);
	json_int_t pid = json_integer_value(json_object_get(state, pid_key));
	json_t *start = json_object_get(state, start_key);
	uint64_t expected = 0, actual = 0;
	bool sane;

	if (json_is_integer(start))
		expected = (uint64_t)json_integer_value(start);
	sane = pid > 0 && pid <= INT32_MAX && proc_start_time((pid_t)pid, &actual) == 0 &&
	       actual == expected;
	json_decref(state);
	return sane ? (pid_t)pid : 0;
}

/* A file in a container's own folder. */
struct state_file {
	const char *name;
	const char *pid_key;
	const char *start_key;
};

/* A container that was created and not started has a fifo, at which its init waits; until then there
 * is nothing of the container but this init. */
static pid_t
pid_from_folder(const char *folder, const struct state_file *file)
{
	char path[PATH_SIZE * 2];

	snprintf(path, sizeof(path), "%s/exec.fifo", folder);
	if (access(path, F_OK) == 0)
		return 0;
	snprintf(path, sizeof(path), "%s/%s", folder, file->name);
	return pid_from_state(path, file->pid_key, file->start_key);
}

static pid_t
find_folder(const char *root, const char *name, const struct state_file *file)
{
	char pattern[PATH_SIZE];
	glob_t folders;
	pid_t pid = 0;

	snprintf(pattern, sizeof(pattern), "%s/%s", root, name);
	if (glob(pattern, GLOB_NOSORT, NULL, &folders) != 0)
		return 0;
	for (size_t i = 0; i < folders.gl_pathc && pid == 0; i++)
		pid = pid_from_folder(folders.gl_pathv[i], file);
	globfree(&folders);
	return pid;
}

static const struct state_file runc_state = {
    .name = "state.json",
    .pid_key = "init_process_pid",
    .start_key = "init_process_start",
};

/* runc by itself, and below docker. */
static pid_t
find_runc(const char *name)
{
	pid_t pid = find_folder("/run/runc", name, &runc_state);

	return pid > 0 ? pid : find_folder("/run/docker/runtime-runc/moby", name, &runc_state);
}

/* runc below containerd, which gives each of its namespaces a directory. */
static pid_t
find_containerd(const char *name)
{
	return find_folder("/run/containerd/runc/*", name, &runc_state);
}

static pid_t
find_crun(const char *name)
{
	static const struct state_file crun_state = {
	    .name = "status",
	    .pid_key = "pid",
	    .start_key = "process-start-time",
	};

	return find_folder("/run/crun", name, &crun_state);
}

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
	while (found == 0 && (*budget)-- > 0 && fscanf(file, "%d", &pid) == 1)
		if (proc_read_status(pid, &status) == 0 && status.levels == own.levels + 1)
			found = pid;
	fclose(file);
	return found;
}

static pid_t
search_cgroup(char *path)
{
	char *roots[] = {path, NULL};
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

/* LXC keeps no state file with a pid, but a cgroup for each container, in each hierarchy. */
static pid_t
find_lxc(const char *name)
{
	static const char *const hierarchies[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/*"};
	char pattern[PATH_SIZE];
	pid_t found = 0;

	for (size_t i = 0; i < UTIL_COUNT(hierarchies) && found == 0; i++) {
		glob_t groups;

		snprintf(pattern, sizeof(pattern), "%s/lxc.payload.%s", hierarchies[i], name);
		if (glob(pattern, GLOB_NOSORT, NULL, &groups) != 0)
			continue;
		for (size_t j = 0; j < groups.gl_pathc && found == 0; j++)
			found = search_cgroup(groups.gl_pathv[j]);
		globfree(&groups);
	}
	return found;
}

static const struct {
	const char *prefix;
	pid_t (*find)(const char *name); /* 0: not known there */
} runtimes[] = {
    {"machined", find_machined},
    {"runc", find_runc},
    {"containerd", find_containerd},
    {"crun", find_crun},
    {"lxc", find_lxc},
};

const char *const runtime_places[] = {
    "/run/systemd/machines", "/run/runc",
    "/run/docker/runtime-runc/moby", "/run/containerd/runc",
    "/run/containerd/runc/*", "/run/crun",
    "/sys/fs/cgroup", "/sys/fs/cgroup/*",
    NULL,
};

/* Names become parts of paths and of glob patterns. */
static bool
is_safe_name(const char *name)
{
	return name[0] != '\0' && name[0] != '.' && strpbrk(name, "/*?[]{}\\") == NULL &&
	       !util_has_control(name);
}

/* Whether name is the prefix, a colon and more. */
static bool
has_prefix(const char *name, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(name, prefix, length) == 0 && name[length] == ':';
}

int
runtime_find(const char *name, pid_t *pid, struct error *e)
{
	const char *colon = strchr(name, ':');
	const char *plain = colon == NULL ? name : colon + 1;
	bool asked = false;

	if (!is_safe_name(plain))
		return error_set(e, ERR_NO_SUCH_JAIL, "no jail can be named \"%s\"", name);
	for (size_t i = 0; i < UTIL_COUNT(runtimes); i++) {
		if (colon != NULL && !has_prefix(name, runtimes[i].prefix))
			continue;
		asked = true;
		*pid = runtimes[i].find(plain);
		if (*pid > 0)
			return 0;
	}
	if (!asked)
		return error_set(e, ERR_NO_SUCH_JAIL, "no container runtime is known as \"%.*s\"",
				 (int)(colon - name), name);
	return error_set(e, ERR_NO_SUCH_JAIL, "no jail is named \"%s\"", name);
}
