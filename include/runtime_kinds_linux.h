/*
 * The kinds of runtimes, for runtime_linux.c: each function adds a process of every container that
 * its runtime knows by a name, or none. A file that is missing, too large or not as expected tells
 * nothing.
 */
#ifndef RUNTIME_KINDS_LINUX_H
#define RUNTIME_KINDS_LINUX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* One name in several namespaces of a runtime; who needs more of them has the number. */
#define RUNTIME_PIDS 8

struct runtime_pids {
	pid_t list[RUNTIME_PIDS];
	size_t count;
};

/* What is no pid (0, for one) or finds no room is left out. */
void runtime_pids_add(struct runtime_pids *, pid_t);

/* Whether a name may become a part of paths and of patterns. */
bool runtime_is_safe_name(const char *name);

/* ---- runtime_oci_linux.c: by id ---- */

#define RUNTIME_RUNC_ROOT   "/run/runc"
#define RUNTIME_CRUN_ROOT   "/run/crun"
#define RUNTIME_DOCKER_ROOT "/run/docker/runtime-runc/moby"

void runtime_runc(const char *id, struct runtime_pids *);
void runtime_crun(const char *id, struct runtime_pids *);
void runtime_containerd(const char *id, struct runtime_pids *);

/* In the directory where runc or crun keep their state; a pattern of runtime_paths_linux.h. */
void runtime_oci(const char *root, const char *id, struct runtime_pids *);

/* ---- runtime_named_linux.c: by the name that the user gave, or by the full id ---- */

void runtime_docker(const char *name, struct runtime_pids *);
void runtime_podman(const char *name, struct runtime_pids *);

/* ---- runtime_cgroup_linux.c ---- */

void runtime_lxc(const char *name, struct runtime_pids *);
void runtime_incus(const char *name, struct runtime_pids *);

#endif
