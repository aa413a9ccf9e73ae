/*
 * docker and podman: their own files tell which id a name stands for, and those of runc or crun
 * below them which process that is. So no program of theirs is run as root, nor waited for.
 */
#include "config.h"

#include "runtime_kinds_linux.h"

#include <stdio.h>
#include <string.h>

#include "runtime_json_linux.h"
#include "runtime_paths_linux.h"
#include "util.h"

#define PATH_SIZE 512

struct lookup {
	const char *name;
	struct runtime_pids *pids;
};

static bool
is_text(const json_t *value, const char *text)
{
	return json_is_string(value) && strcmp(json_string_value(value), text) == 0;
}

/* ---- docker: a file for each container ---- */

/* Docker writes names with a slash before them. */
static bool
docker_calls(const char *id, const char *name)
{
	char path[PATH_SIZE], called[PATH_SIZE], quoted[PATH_SIZE + 2];
	json_t *config;
	bool same;

	snprintf(path, sizeof(path), "/var/lib/docker/containers/%s/config.v2.json", id);
	snprintf(called, sizeof(called), "/%s", name);
	snprintf(quoted, sizeof(quoted), "\"%s\"", called);
	config = runtime_json_load(path, quoted);
	same = is_text(json_object_get(config, "Name"), called);
	json_decref(config);
	return same;
}

static bool
ask_docker(void *arg, const char *folder)
{
	const struct lookup *lookup = arg;
	const char *id = strrchr(folder, '/') + 1;

	if (runtime_is_safe_name(id) && (strcmp(id, lookup->name) == 0 || docker_calls(id, lookup->name)))
		runtime_oci(RUNTIME_DOCKER_ROOT, id, lookup->pids);
	return true;
}

/* Only those that run, for which runc has a folder, are asked for their names. */
void
runtime_docker(const char *name, struct runtime_pids *pids)
{
	struct lookup lookup = {name, pids};

	runtime_each_path(RUNTIME_DOCKER_ROOT "/*", ask_docker, &lookup);
}

/* ---- podman: a list of all containers ---- */

static bool
podman_calls(const json_t *container, const char *name)
{
	const json_t *names = json_object_get(container, "names");

	for (size_t i = 0; i < json_array_size(names); i++)
		if (is_text(json_array_get(names, i), name))
			return true;
	return is_text(json_object_get(container, "id"), name);
}

static bool
search_list(void *arg, const char *path)
{
	const struct lookup *lookup = arg;
	char quoted[PATH_SIZE];
	json_t *list;

	snprintf(quoted, sizeof(quoted), "\"%s\"", lookup->name);
	list = runtime_json_load(path, quoted);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *container = json_array_get(list, i);
		const char *id = json_string_value(json_object_get(container, "id"));

		if (id == NULL || !runtime_is_safe_name(id) || !podman_calls(container, lookup->name))
			continue;
		runtime_oci(RUNTIME_RUNC_ROOT, id, lookup->pids);
		runtime_oci(RUNTIME_CRUN_ROOT, id, lookup->pids);
	}
	json_decref(list);
	return true;
}

/* The folder is called after the storage driver; containers that need not outlive a boot are in a
 * list of their own, volatile-containers.json, and a store that is all for one boot lies below
 * /run. */
void
runtime_podman(const char *name, struct runtime_pids *pids)
{
	static const char *const patterns[] = {
	    "/var/lib/containers/storage/*-containers/*containers.json",
	    "/run/containers/storage/*-containers/*containers.json",
	};

	struct lookup lookup = {name, pids};

	for (size_t i = 0; i < UTIL_COUNT(patterns); i++)
		runtime_each_path(patterns[i], search_list, &lookup);
}
