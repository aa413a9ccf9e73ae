#include "config.h"

#include "proc_linux.h"

#include <sys/stat.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

#define PATH_SIZE 64

/* Kinds of namespaces, and the longest of their names. */
#define NS_KINDS     8
#define NS_NAME_SIZE 16

/* Counts the numbers after "NSpid:", one a level, and keeps the last. */
static void
parse_nspid(const char *line, struct proc_status *status)
{
	char *end;

	status->levels = 0;
	status->innermost = 0;
	for (;; line = end) {
		long pid = strtol(line, &end, 10);

		if (end == line)
			return;
		status->innermost = (pid_t)pid;
		status->levels++;
	}
}

int
proc_read_status(pid_t pid, struct proc_status *status)
{
	char path[PATH_SIZE], text[8192];
	const char *parent, *nspid;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (util_read_file(path, text, sizeof(text)) < 0)
		return -1;
	parent = strstr(text, "\nPPid:");
	nspid = strstr(text, "\nNSpid:");
	if (parent == NULL || nspid == NULL) {
		errno = ENOTSUP;
		return -1;
	}
	status->parent = (pid_t)strtol(parent + strlen("\nPPid:"), NULL, 10);
	parse_nspid(nspid + strlen("\nNSpid:"), status);
	return 0;
}

/* Field 22 of /proc/PID/stat. The second field is the program's name in parentheses, and may hold
 * anything, so the count begins after the last closing one. */
int
proc_start_time(pid_t pid, uint64_t *ticks)
{
	char path[PATH_SIZE], text[2048];
	char *field;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (util_read_file(path, text, sizeof(text)) < 0)
		return -1;
	field = strrchr(text, ')');
	for (int number = 2; field != NULL && number < 22; number++)
		field = strchr(field + 1, ' ');
	if (field == NULL) {
		errno = ENOTSUP;
		return -1;
	}
	*ticks = strtoull(field + 1, NULL, 10);
	return 0;
}

static int
namespace_at(const char *path, struct proc_ns *ns)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return -1;
	*ns = (struct proc_ns){.device = st.st_dev, .inode = st.st_ino};
	return 0;
}

/* Ours stay the same, so each is asked for once. */
static int
own_namespace(const char *which, struct proc_ns *ns)
{
	static struct {
		char which[NS_NAME_SIZE];
		struct proc_ns ns;
	} known[NS_KINDS];
	char path[PATH_SIZE];
	size_t i;

	for (i = 0; i < NS_KINDS && known[i].which[0] != '\0'; i++)
		if (strcmp(known[i].which, which) == 0) {
			*ns = known[i].ns;
			return 0;
		}
	snprintf(path, sizeof(path), "/proc/self/ns/%s", which);
	if (namespace_at(path, ns) != 0)
		return -1;
	if (i < NS_KINDS) {
		snprintf(known[i].which, sizeof(known[i].which), "%s", which);
		known[i].ns = *ns;
	}
	return 0;
}

int
proc_namespace(pid_t pid, const char *which, struct proc_ns *ns)
{
	char path[PATH_SIZE];

	if (pid == 0)
		return own_namespace(which, ns);
	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, which);
	return namespace_at(path, ns);
}

bool
proc_same_namespace(const struct proc_ns *a, const struct proc_ns *b)
{
	return a->device == b->device && a->inode == b->inode;
}

static bool
is_init_of(pid_t pid, const struct proc_ns *ns)
{
	struct proc_status status;
	struct proc_ns own;

	return proc_namespace(pid, "pid", &own) == 0 && proc_same_namespace(&own, ns) &&
	       proc_read_status(pid, &status) == 0 && status.innermost == 1;
}

/* Processes that were put into a namespace later (nsenter, docker exec) don't descend from its init:
 * then every process is looked at. */
static pid_t
scan_for_init(const struct proc_ns *ns)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	pid_t found = 0;

	if (proc == NULL)
		return 0;
	while (found == 0 && (entry = readdir(proc)) != NULL) {
		int64_t pid;

		if (util_parse_number(entry->d_name, 1, INT32_MAX, &pid) &&
		    is_init_of((pid_t)pid, ns))
			found = (pid_t)pid;
	}
	closedir(proc);
	return found;
}

pid_t
proc_init_of(pid_t pid)
{
	struct proc_status status;
	struct proc_ns ns, up;

	if (proc_namespace(pid, "pid", &ns) != 0)
		return 0;
	for (;;) {
		if (proc_read_status(pid, &status) != 0)
			return scan_for_init(&ns);
		if (status.innermost == 1)
			return pid;
		if (status.parent == 0 || proc_namespace(status.parent, "pid", &up) != 0 ||
		    !proc_same_namespace(&up, &ns))
			return scan_for_init(&ns);
		pid = status.parent;
	}
}
