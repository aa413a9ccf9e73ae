/* runc and crun, by themselves and below others: a folder for each container, with a JSON file in
 * it. */
#include "config.h"

#include "runtime_kinds_linux.h"

#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "proc_linux.h"
#include "runtime_json_linux.h"
#include "runtime_paths_linux.h"
#include "util.h"

#define PATH_SIZE 512

/* The file in a container's folder. */
static const struct state_file {
	const char *name;
	const char *pid_key;
	const char *start_key;
} state_files[] = {
    {"state.json", "init_process_pid", "init_process_start"}, /* runc */
    {"status", "pid", "process-start-time"},		      /* crun */
};

/* A file may be older than the process that has its pid today: the start time must agree. */
static pid_t
pid_from_state(const char *path, const struct state_file *file)
{
	json_t *state = runtime_json_load(path, file->pid_key);
	json_int_t pid = json_integer_value(json_object_get(state, file->pid_key));
	json_t *start = json_object_get(state, file->start_key);
	uint64_t expected = 0, actual = 0;
	bool sane;

	if (json_is_integer(start))
		expected = (uint64_t)json_integer_value(start);
	sane = pid > 0 && pid <= INT32_MAX && proc_start_time((pid_t)pid, &actual) == 0 &&
	       actual == expected;
	json_decref(state);
	return sane ? (pid_t)pid : 0;
}

/* A container that was created and not started has a fifo, at which its init waits; until then
 * there is nothing of the container but this init. */
static pid_t
pid_from_folder(const char *folder)
{
	char path[PATH_SIZE * 2];
	pid_t pid = 0;

	snprintf(path, sizeof(path), "%s/exec.fifo", folder);
	if (access(path, F_OK) == 0)
		return 0;
	for (size_t i = 0; i < UTIL_COUNT(state_files) && pid == 0; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, state_files[i].name);
		pid = pid_from_state(path, &state_files[i]);
	}
	return pid;
}

static bool
add_pid(void *arg, const char *folder)
{
	runtime_pids_add(arg, pid_from_folder(folder));
	return true;
}

void
runtime_oci(const char *root, const char *id, struct runtime_pids *pids)
{
	char pattern[PATH_SIZE];

	snprintf(pattern, sizeof(pattern), "%s/%s", root, id);
	runtime_each_path(pattern, add_pid, pids);
}

/* By itself, and below docker. */
void
runtime_runc(const char *id, struct runtime_pids *pids)
{
	runtime_oci(RUNTIME_RUNC_ROOT, id, pids);
	runtime_oci(RUNTIME_DOCKER_ROOT, id, pids);
}

void
runtime_crun(const char *id, struct runtime_pids *pids)
{
	runtime_oci(RUNTIME_CRUN_ROOT, id, pids);
}

/* Each of its namespaces has a directory. */
void
runtime_containerd(const char *id, struct runtime_pids *pids)
{
	runtime_oci("/run/containerd/runc/*", id, pids);
}
