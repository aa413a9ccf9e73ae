/*
 * Container runtimes: from the name that a runtime knows a container by to the pid of a process in
 * it. A name is looked for in every place of the table, or only in the one that a prefix names
 * ("podman:web"). State files are read directly, and never believed further than to a pid: what
 * that pid is, jail_linux.c looks up itself.
 */
#ifndef RUNTIME_LINUX_H
#define RUNTIME_LINUX_H

#include <sys/types.h>

#include "error.h"

/* Where a file or a folder comes into being with each container, as patterns (runtime_paths_linux.h); NULL ends
 * them. */
extern const char *const runtime_places[];

/* 0 with *pid, the pid of a process of the container; -1 with *e (ERR_NO_SUCH_JAIL), also when
 * several containers have the name, which the text then lists. */
int runtime_find(const char *name, pid_t *pid, struct error *e);

#endif
