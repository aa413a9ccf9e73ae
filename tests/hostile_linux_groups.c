#include "config.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fixture_place.h"
#include "hostile_linux.h"

/* Where a hierarchy is mounted; false when it isn't, or not so that we may make groups in it. */
static bool
find_hierarchy(const char *controller, char *path, size_t size)
{
	const char *type = controller[0] == '\0' ? "cgroup2" : "cgroup";
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	struct mntent *mount;
	bool found = false;

	ck_assert_ptr_nonnull(mounts);
	while (!found && (mount = getmntent(mounts)) != NULL) {
		if (strcmp(mount->mnt_type, type) != 0 ||
		    (controller[0] != '\0' && hasmntopt(mount, controller) == NULL))
			continue;
		(void)snprintf(path, size, "%s", mount->mnt_dir);
		found = access(path, W_OK) == 0;
	}
	(void)endmntent(mounts);
	return (found);
}

bool
group_set(const char *group, const char *file, const char *text)
{
	char path[512];
	bool written;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", group, file);
	if ((fd = open(path, O_WRONLY | O_CLOEXEC)) == -1)
		return (false);
	written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	(void)close(fd);
	return (written);
}

const char *
group_make(const char *controller, const struct jailfix *jail)
{
	static char paths[8][400];
	static unsigned turn;
	char *path = paths[turn++ % 8], parent[256], text[512];

	if (!find_hierarchy(controller, parent, sizeof(parent)))
		return (NULL);
	(void)snprintf(path, sizeof(paths[0]), "%s/jdtest.%ld", parent, jailfix_number(jail));
	if (mkdir(path, 0755) != 0)
		return (NULL);
	(void)snprintf(text, sizeof(text), "rmdir '%s'", path);
	place_afterwards(text);
	(void)snprintf(text, sizeof(text), "%ld", jailfix_number(jail));
	ck_assert(group_set(path, "cgroup.procs", text));
	return (path);
}
