#ifndef HOSTILE_HOST_H
#define HOSTILE_HOST_H

#include <sys/types.h>

#include <stdbool.h>

/*
 * What these tests want to know of the host beyond jailfix.h. One interface, two bodies:
 * hostile_linux_host.c and hostile_freebsd_host.c.
 */

/* The resident memory of a process in KiB, or -1. */
long hostile_memory(pid_t pid);

/* The number of processes on the host, the jails' included, whose title is exactly this. */
int hostile_titled(const char *title);

/* The pids of up to max such processes; their number. */
int hostile_pids_titled(const char *title, pid_t *pids, int max);

/* Lets this process open so many descriptors, if it may. */
bool hostile_can_open(unsigned long wanted);

/* What a daemon costs its host: to be the same before and after an attack. */
struct hostile_cost {
	int descriptors, children;
	long memory;
};

/* Notes what it costs now. */
void hostile_note(pid_t daemon, struct hostile_cost *cost);

/* Waits until descriptors and children are as noted; memory may have grown by so many KiB. Fails
 * the test when they never are. */
void hostile_expect(pid_t daemon, const struct hostile_cost *cost, long growth);

#endif
