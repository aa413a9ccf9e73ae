#ifndef JAILFIX_H
#define JAILFIX_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

/*
 * A small jail for a test, and the few facts of the host that each system tells in its own way.
 * One interface, two bodies: jailfix_linux.c with jailfix_host_linux.c, and jailfix_freebsd.c with
 * jailfix_host_freebsd.c.
 */
struct jailfix;

#define JAILFIX_PLAIN 0x00
#define JAILFIX_USERNS \
	0x01 /* Linux: a user namespace that maps 0 to 999 to the host's 100000 and up */

/*
 * Makes a jail; dir is the test's private directory. A null with a reason means that this system
 * can't; any other failure fails the test. The jail lives until jailfix_end or the end of the test.
 */
struct jailfix *jailfix_start(const char *dir, unsigned flags, const char **reason);

/* The number that -j takes: the host's pid of the init, or the jid. */
long jailfix_number(const struct jailfix *jail);

/* A name that -j takes, or null where such jails have none. */
const char *jailfix_name(const struct jailfix *jail);

/* The number of another process in the jail that may stand for it, or -1 where there is no such
 * thing. */
long jailfix_member(struct jailfix *jail);

/* Are the numbers that -j takes pids of the host? */
bool jailfix_numbers_are_pids(void);

/* Whether a daemon can tell from which jail a connection comes. */
bool jailfix_shows_peers(void);

/* Ends the jail with all that is in it, and returns when it is gone. */
void jailfix_end(struct jailfix *jail);

/* Removes what an earlier test left of its jails; called by the parent of the test's process. */
void jailfix_sweep(const char *dir);

/* In a forked child: goes into the jail. The child of the caller is inside, the caller perhaps only
 * half. */
int jailfix_enter(const struct jailfix *jail);

/* Inside, as its root: gives up what a jail's root does not have. */
int jailfix_confine(const struct jailfix *jail);

/* Inside: prints a line "PID TITLE" for every process that can be seen, and returns 0. */
int jailfix_print_processes(void *unused);

/* Inside: tries to attach to a process as a debugger; the errno, or 0 when that succeeded. */
int jailfix_trace(pid_t pid);

/* From now on the orphans among our descendants become our children. */
bool host_reaper(void);

/* Kills and reaps every descendant of this process; it must be a reaper. */
void host_kill_all(void);

/* The number of descriptors that a process holds open, or -1. */
int host_descriptors(pid_t pid);

/* The number of processes whose parent is pid. */
int host_children(pid_t pid);

/* Whether we run in a chroot: container runtimes then enter the real root instead of theirs. */
bool host_in_chroot(void);

/* The gid of a process and its number of supplementary groups; false when it can't be told. */
bool host_gid(pid_t pid, gid_t *gid, uid_t *uid);

/* What is wrong with an armed probe: an empty text when it carries nothing in and can do nothing.
 */
void host_probe_faults(pid_t pid, char *faults, size_t size);

/* Inside a jail that does not map everyone: an uid that it does not map, or -1 where there is no
 * such thing. */
long jailfix_unmapped_uid(const struct jailfix *jail);

#endif
