#ifndef HOSTILE_FREEBSD_H
#define HOSTILE_FREEBSD_H

#include <sys/types.h>

#include <check.h>
#include <stdbool.h>

/* The suites that only FreeBSD has; each is a file hostile_freebsd_NAME.c. */
Suite *hostile_state(void);
Suite *hostile_attacks(void);
Suite *hostile_reuse(void);
Suite *hostile_setup(void);

struct kinfo_proc;

/* All processes that can be seen from here, to be freed; their number. */
struct kinfo_proc *freebsd_processes(size_t *count);

/* One of them; false when there is no such process. */
bool freebsd_process(pid_t pid, struct kinfo_proc *process);

/* A jail with this jid, name and path; the kernel's choice of a jid when it is 0. It ends with
 * freebsd_end_jail, or with the test's other jails. */
int freebsd_jail(int jid, const char *name, const char *path);
void freebsd_end_jail(int jid);

#endif
