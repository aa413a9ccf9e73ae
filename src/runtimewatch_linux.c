/* The directories in which runtimes keep a file or a folder for each container, under inotify. */
#include "config.h"

#include "runtimewatch.h"

#include <sys/inotify.h>

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime_linux.h"
#include "runtime_paths_linux.h"

/* Hosts have a dozen; a bound for strange ones. */
#define WATCHES_MAX 128

/* More than the kernel keeps; whoever fills it meanwhile is told of again. */
#define READS_MAX 64

/* Watch descriptors; there is one daemon, and one of these. */
struct watches {
	int numbers[WATCHES_MAX];
	size_t count;
};

static struct watches current;

static bool
is_among(const struct watches *watches, int number)
{
	for (size_t i = 0; i < watches->count; i++)
		if (watches->numbers[i] == number)
			return true;
	return false;
}

/* What is watched already keeps its number. */
static bool
watch(int fd, struct watches *watches, const char *path)
{
	int number;

	if (watches->count == WATCHES_MAX)
		return true;
	number = inotify_add_watch(fd, path, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
	if (number < 0)
		return false;
	if (!is_among(watches, number))
		watches->numbers[watches->count++] = number;
	return true;
}

/* The nearest directory above, where what is missing would come into being. */
static void
watch_above(int fd, struct watches *watches, const char *pattern)
{
	char path[PATH_MAX];
	char *slash;

	snprintf(path, sizeof(path), "%s", pattern);
	while ((slash = strrchr(path, '/')) != NULL && slash != path) {
		*slash = '\0';
		if (watch(fd, watches, path))
			return;
	}
}

struct renewal {
	int fd;
	struct watches *watches;
};

/* What is no directory is no place for containers. */
static bool
watch_found(void *arg, const char *path)
{
	const struct renewal *renewal = arg;

	watch(renewal->fd, renewal->watches, path);
	return true;
}

static void
watch_all(int fd, struct watches *watches, const char *pattern)
{
	struct renewal renewal = {fd, watches};

	if (runtime_each_path(pattern, watch_found, &renewal) == 0)
		watch_above(fd, watches, pattern);
}

static void
replace_watches(int fd, const struct watches *wanted)
{
	for (size_t i = 0; i < current.count; i++)
		if (!is_among(wanted, current.numbers[i]))
			inotify_rm_watch(fd, current.numbers[i]);
	current = *wanted;
}

int
runtimewatch_open(void)
{
	return inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
}

/* Read, and not closed and opened again: the kernel takes milliseconds to close one. A new watch on
 * what is there before the old one goes, so that no moment is without. */
void
runtimewatch_renew(int fd)
{
	struct watches wanted = {.count = 0};
	char told[16384];

	for (const char *const *pattern = runtime_places; *pattern != NULL; pattern++)
		watch_all(fd, &wanted, *pattern);
	replace_watches(fd, &wanted);
	for (int i = 0; i < READS_MAX && read(fd, told, sizeof(told)) > 0; i++)
		;
}

void
runtimewatch_rest(int fd)
{
	const struct watches none = {.count = 0};

	replace_watches(fd, &none);
}
