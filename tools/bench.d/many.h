/* What the rows with many probes share: asking for them by the thousand, bare probes to compare with, and what
 * the system has room for and gives to each. */
#ifndef MANY_H
#define MANY_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "bench.h"

/* A set of processes whose memory, the kernel's included, is counted together. */
struct os_group {
	char path[128];
	const char *used; /* the file in it that tells how much that is */
};

/* ---- many.c ---- */

/* Starts a daemon that keeps nothing and has these limits: the text of a configuration file. */
void many_start(struct daemon *, const struct bench *, const char *name, const char *limits);

/* Puts request number 0, 1, … into text: a line with its newline. */
typedef void many_request(char *text, size_t size, size_t number, const void *argument);

/* Asks for all of them, with some dozen on their way at a time; each answer must be "ok". */
void many_ask(int line, size_t count, many_request *, const void *argument);

/* A number that the daemon's status has. */
long many_status(int line, const char *what);

/* Waits until it is as wanted, and fails if it never gets there. */
void many_await(int line, const char *what, size_t wanted);

/* The daemon's answer to "list", for the caller to free. */
char *many_list(int line);

/* How often the text is there. */
size_t many_times(const char *text, const char *part);

/* Puts bare probes of the caller's into a jail; when it returns all of them wait to be pressed. */
void many_bare(const struct bench *, int jid, pid_t *pids, size_t count);

/* Lets what we start from now on, and ourselves, have so many descriptors. */
void many_descriptors(size_t count);

/* Whether the machine has room for so many processes more; says so if not. */
int many_fit(const char *what, size_t processes);

/* ---- many_linux.c, many_freebsd.c ---- */

/* How many processes may be started yet. */
size_t os_room(void);

/* Runs argv as our child, with output as its standard output and error and no other descriptor. It costs
 * the same however many descriptors we have, where that can be had. -1 with errno. */
pid_t os_run(char *const argv[], int output);

/* The bytes of a process that are its own, and its share of those that it has together with others; and
 * its own alone. */
int64_t os_memory_share(pid_t);
int64_t os_memory_own(pid_t);

/* How often a process has gone to sleep until now. */
long os_sleeps(pid_t);

/* -1: there are no such groups here, and it was said why. */
int os_group_make(struct os_group *);
/* The caller, and whatever it starts from now on. */
void os_group_enter(const struct os_group *);
int64_t os_group_bytes(const struct os_group *);
/* All its processes have ended, or are about to. */
void os_group_end(const struct os_group *);

#endif
