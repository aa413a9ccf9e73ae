/* What /proc says of a process; Linux only. */
#ifndef PROC_LINUX_H
#define PROC_LINUX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct proc_status {
	pid_t parent;	      /* 0: outside what the daemon can see */
	unsigned levels;      /* pid namespaces from the daemon's /proc down to its own, both counted */
	pid_t innermost;      /* its pid in its own pid namespace */
};

/* Identity of a namespace. */
struct proc_ns {
	dev_t device;
	ino_t inode;
};

/* Each is 0, or -1 with errno (ENOENT, ESRCH: there is no such process). */
int proc_read_status(pid_t, struct proc_status *);
int proc_start_time(pid_t, uint64_t *ticks);

/* which: "pid", "user", …; pid 0 means the daemon. */
int proc_namespace(pid_t, const char *which, struct proc_ns *);
bool proc_same_namespace(const struct proc_ns *, const struct proc_ns *);

/* The init (pid 1 inside) of the pid namespace that pid is in; 0 when it can't be found. */
pid_t proc_init_of(pid_t);

#endif
