#include "config.h"

#include "runtime_linux.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "proc_linux.h"
#include "runtime_kinds_linux.h"
#include "util.h"

#define PATH_SIZE 512

/* Several runtimes, each with a few. */
#define CANDIDATES_MAX 16

/* A container that has the name. */
struct candidate {
	const char *prefix;
	pid_t pid;
	pid_t init; /* tells whether two are the same */
};

struct candidates {
	struct candidate list[CANDIDATES_MAX];
	size_t count;
};

/* systemd-machined: a file of KEY=value lines for each machine. */
static void
find_machined(const char *name, struct runtime_pids *pids)
{
	char path[PATH_SIZE], text[16384], *leader;
	int64_t pid;

	snprintf(path, sizeof(path), "/run/systemd/machines/%s", name);
	if (util_read_file(path, text, sizeof(text)) < 0)
		return;
	leader = strstr(text, "\nLEADER=");
	if (leader == NULL)
		return;
	leader += strlen("\nLEADER=");
	leader[strcspn(leader, "\n")] = '\0';
	if (util_parse_number(leader, 1, INT32_MAX, &pid))
		runtime_pids_add(pids, (pid_t)pid);
}

/* Who knows a container by the name that its user gave it comes before who runs it by its id. */
static const struct {
	const char *prefix;
	void (*find)(const char *name, struct runtime_pids *);
} runtimes[] = {
    {"machined", find_machined}, {"podman", runtime_podman},
    {"docker", runtime_docker},	 {"containerd", runtime_containerd},
    {"incus", runtime_incus},	 {"runc", runtime_runc},
    {"crun", runtime_crun},	 {"lxc", runtime_lxc},
};

const char *const runtime_places[] = {
    "/run/systemd/machines", RUNTIME_RUNC_ROOT,	       RUNTIME_DOCKER_ROOT,
    "/run/containerd/runc",  "/run/containerd/runc/*", RUNTIME_CRUN_ROOT,
    "/sys/fs/cgroup",	     "/sys/fs/cgroup/*",       NULL,
};

bool
runtime_is_safe_name(const char *name)
{
	return name[0] != '\0' && name[0] != '.' && strlen(name) <= NAME_MAX &&
	       strpbrk(name, "/*?[]{}\\") == NULL && !util_has_control(name);
}

void
runtime_pids_add(struct runtime_pids *pids, pid_t pid)
{
	if (pid > 0 && pids->count < UTIL_COUNT(pids->list))
		pids->list[pids->count++] = pid;
}

/* Whether name is the prefix, a colon and more. */
static bool
has_prefix(const char *name, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(name, prefix, length) == 0 && name[length] == ':';
}

/* A container that one runtime runs for another is known to both. */
static void
add_candidate(struct candidates *found, const char *prefix, pid_t pid)
{
	pid_t init = proc_init_of(pid);

	if (init == 0)
		init = pid;
	for (size_t i = 0; i < found->count; i++)
		if (found->list[i].init == init)
			return;
	if (found->count < CANDIDATES_MAX)
		found->list[found->count++] = (struct candidate){prefix, pid, init};
}

static int
error_ambiguous(const struct candidates *found, const char *plain, struct error *e)
{
	char list[ERROR_TEXT_SIZE];
	size_t length = 0;

	for (size_t i = 0; i < found->count && length < sizeof(list); i++)
		length += (size_t)snprintf(list + length, sizeof(list) - length,
					   "%s%s:%s (process %d)", i == 0 ? "" : ", ",
					   found->list[i].prefix, plain, (int)found->list[i].init);
	return error_set(e, ERR_NO_SUCH_JAIL, "\"%s\" is the name of several jails: %s", plain,
			 list);
}

/* False: the name begins with a prefix that nobody has. */
static bool
search_all(const char *name, const char *plain, struct candidates *found)
{
	bool asked = false;

	for (size_t i = 0; i < UTIL_COUNT(runtimes); i++) {
		struct runtime_pids pids = {.count = 0};

		if (plain != name && !has_prefix(name, runtimes[i].prefix))
			continue;
		asked = true;
		runtimes[i].find(plain, &pids);
		for (size_t j = 0; j < pids.count; j++)
			add_candidate(found, runtimes[i].prefix, pids.list[j]);
	}
	return asked;
}

int
runtime_find(const char *name, pid_t *pid, struct error *e)
{
	const char *colon = strchr(name, ':');
	const char *plain = colon == NULL ? name : colon + 1;
	struct candidates found = {.count = 0};

	if (!runtime_is_safe_name(plain))
		return error_set(e, ERR_NO_SUCH_JAIL, "no jail can be named \"%s\"", name);
	if (!search_all(name, plain, &found))
		return error_set(e, ERR_NO_SUCH_JAIL, "no container runtime is known as \"%.*s\"",
				 (int)(colon - name), name);
	if (found.count == 0)
		return error_set(e, ERR_NO_SUCH_JAIL, "no jail is named \"%s\"", name);
	if (found.count > 1)
		return error_ambiguous(&found, plain, e);
	*pid = found.list[0].pid;
	return 0;
}
