#include "config.h"

#include "runtime_paths_linux.h"

#include <dirent.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct search {
	runtime_path_cb *found;
	void *arg;
	unsigned count;
	bool over;
	char path[PATH_MAX];
};

static void look_below(struct search *, size_t length, const char *pattern);

/* The path has so many bytes, and goes on with this name. What gets too long is not there. */
static void
append(struct search *search, size_t length, const char *name, size_t name_length, const char *rest)
{
	int more = snprintf(search->path + length, sizeof(search->path) - length, "/%.*s", (int)name_length, name);

	if (more > 0 && (size_t)more < sizeof(search->path) - length)
		look_below(search, length + (size_t)more, rest);
}

/* Each entry of a directory that the component, which ends where rest begins, matches. */
static void
list(struct search *search, size_t length, const char *component, const char *rest)
{
	char wanted[NAME_MAX + 1];
	struct dirent *entry;
	DIR *directory;

	snprintf(wanted, sizeof(wanted), "%.*s", (int)(rest - component), component);
	search->path[length] = '\0';
	if ((directory = opendir(search->path)) == NULL)
		return;
	while (!search->over && (entry = readdir(directory)) != NULL)
		if (fnmatch(wanted, entry->d_name, FNM_PERIOD) == 0)
			append(search, length, entry->d_name, strlen(entry->d_name), rest);
	closedir(directory);
}

/* pattern: what of it is still to come, from a slash on. */
static void
look_below(struct search *search, size_t length, const char *pattern)
{
	const char *component = pattern + 1, *rest;

	if (*pattern == '\0') {
		if (access(search->path, F_OK) != 0)
			return;
		search->count++;
		search->over = !search->found(search->arg, search->path);
		return;
	}
	rest = component + strcspn(component, "/");
	if (memchr(component, '*', (size_t)(rest - component)) == NULL)
		append(search, length, component, (size_t)(rest - component), rest);
	else
		list(search, length, component, rest);
}

unsigned
runtime_each_path(const char *pattern, runtime_path_cb *found, void *arg)
{
	struct search search = {.found = found, .arg = arg};

	look_below(&search, 0, pattern);
	return search.count;
}
