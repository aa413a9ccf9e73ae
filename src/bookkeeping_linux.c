#include "config.h"

#include "bookkeeping_linux.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util.h"

#define CGROUP_ROOT    "/sys/fs/cgroup"
#define CGROUPS_SIZE   8192 /* of /proc/PID/cgroup */
#define PATH_SIZE      4096
#define CGROUP_V2_LINE "0::"

/* One line of /proc/PID/cgroup: HIERARCHY:CONTROLLERS:PATH. */
struct line {
	const char *start;
	int length;	       /* without the newline */
	int controllers_start; /* offsets */
	int path_start;
};

static bool
next_line(const char **text, struct line *line)
{
	const char *end = strchr(*text, '\n'), *first, *second;

	if (end == NULL || (first = memchr(*text, ':', (size_t)(end - *text))) == NULL ||
	    (second = memchr(first + 1, ':', (size_t)(end - first - 1))) == NULL)
		return false;
	*line = (struct line){.start = *text,
			      .length = (int)(end - *text),
			      .controllers_start = (int)(first + 1 - *text),
			      .path_start = (int)(second + 1 - *text)};
	*text = end + 1;
	return true;
}

/* The same hierarchy and the same group: a line of ours reads the same. */
static bool
is_ours(const struct line *line, const char *own)
{
	struct line mine;

	while (next_line(&own, &mine))
		if (mine.length == line->length &&
		    memcmp(mine.start, line->start, (size_t)line->length) == 0)
			return true;
	return false;
}

static bool
is_v2(const struct line *line)
{
	return strncmp(line->start, CGROUP_V2_LINE, strlen(CGROUP_V2_LINE)) == 0;
}

/* A hierarchy of v1 is mounted below its controllers' names, or the part after name=; that of v2 at
 * the root, or beside those of v1. */
static int
open_group(const struct line *line)
{
	const char *controllers = line->start + line->controllers_start;
	int named = line->path_start - 1 - line->controllers_start;
	const char *group = line->start + line->path_start;
	int length = line->length - line->path_start;
	char path[PATH_SIZE];

	if (is_v2(line)) {
		bool alone = access(CGROUP_ROOT "/cgroup.controllers", F_OK) == 0;

		snprintf(path, sizeof(path), "%s%s%.*s", CGROUP_ROOT, alone ? "" : "/unified", length,
			 group);
		return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (named > 5 && strncmp(controllers, "name=", 5) == 0) {
		controllers += 5;
		named -= 5;
	}
	snprintf(path, sizeof(path), "%s/%.*s%.*s/cgroup.procs", CGROUP_ROOT, named, controllers,
		 length, group);
	return open(path, O_WRONLY | O_CLOEXEC);
}

static int
read_proc(pid_t pid, const char *name, char *text, size_t size)
{
	char path[64];

	if (pid == 0)
		snprintf(path, sizeof(path), "/proc/self/%s", name);
	else
		snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return util_read_file(path, text, size) > 0 ? 0 : -1;
}

/* That of v2 comes first, as the request's layout wants it. A path with ".." is outside of what our
 * own cgroup namespace shows, and can't be reached. */
static void
fill_cgroups(pid_t init, struct attach_request *request, int fds[ATTACH_CGROUPS_MAX])
{
	char theirs[CGROUPS_SIZE], own[CGROUPS_SIZE];
	const char *text;
	struct line line;

	if (read_proc(init, "cgroup", theirs, sizeof(theirs)) != 0 ||
	    read_proc(0, "cgroup", own, sizeof(own)) != 0 || strcmp(theirs, own) == 0)
		return;
	for (int v2 = 1; v2 >= 0; v2--) {
		text = theirs;
		while (request->cgroups < ATTACH_CGROUPS_MAX && next_line(&text, &line)) {
			int fd = -1;

			if (is_v2(&line) == (v2 == 1) && !is_ours(&line, own) &&
			    strncmp(line.start + line.path_start, "/..", 3) != 0)
				fd = open_group(&line);
			if (fd < 0)
				continue;
			request->unified = request->unified || v2 == 1;
			fds[request->cgroups++] = fd;
		}
	}
}

static void
fill_oom_score(pid_t init, struct attach_request *request)
{
	char theirs[32], own[32];

	if (read_proc(init, "oom_score_adj", theirs, sizeof(theirs)) != 0 ||
	    read_proc(0, "oom_score_adj", own, sizeof(own)) != 0 || strcmp(theirs, own) == 0)
		return;
	theirs[strcspn(theirs, "\n")] = '\0';
	strlcpy(request->oom_score_adj, theirs, sizeof(request->oom_score_adj));
}

/* Under AppArmor a container's processes may only signal their like, so a probe without its label
 * could not be pressed. SELinux takes a context as it is. */
static void
fill_label(pid_t init, struct attach_request *request)
{
	char theirs[ATTACH_LABEL_SIZE - 16], own[ATTACH_LABEL_SIZE - 16];
	bool apparmor = read_proc(init, "attr/apparmor/current", theirs, sizeof(theirs)) == 0;
	const char *name = apparmor ? "attr/apparmor/current" : "attr/current";

	if (!apparmor && (access("/sys/fs/selinux/enforce", F_OK) != 0 ||
			  read_proc(init, name, theirs, sizeof(theirs)) != 0))
		return;
	if (read_proc(0, name, own, sizeof(own)) != 0 || strcmp(theirs, own) == 0 ||
	    strncmp(theirs, "unconfined", strlen("unconfined")) == 0)
		return;
	theirs[strcspn(theirs, apparmor ? " \n" : "\n")] = '\0'; /* "NAME (enforce)" */
	snprintf(request->label_path, sizeof(request->label_path), "/proc/self/%s", name);
	snprintf(request->label, sizeof(request->label), "%s%s", apparmor ? "changeprofile " : "",
		 theirs);
}

void
bookkeeping_fill(pid_t init, struct attach_request *request, int fds[ATTACH_CGROUPS_MAX])
{
	fill_cgroups(init, request, fds);
	fill_oom_score(init, request);
	fill_label(init, request);
}
