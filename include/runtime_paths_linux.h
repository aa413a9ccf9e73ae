/*
 * Paths by a pattern, for the rooms that look for containers. glob(3) does more, and doesn't survive it everywhere
 * when there is no memory.
 */
#ifndef RUNTIME_PATHS_LINUX_H
#define RUNTIME_PATHS_LINUX_H

#include <stdbool.h>

/* False: no further path is wanted. */
typedef bool runtime_path_cb(void *arg, const char *path);

/*
 * Calls back for each path that is there. The pattern is absolute and shorter than PATH_MAX; in each of its components
 * a * stands for any characters, but for no dot at the beginning. Returns how many were found.
 */
unsigned runtime_each_path(const char *pattern, runtime_path_cb *found, void *arg);

#endif
