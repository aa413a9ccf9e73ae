/*
 * A child that lives in our memory until it executes a program, so that its birth costs the same however much memory we
 * have. Where the system and the processor are known well enough (newborn_linux.c) we go on beside it: what it does until
 * then, and what the kernel does for its exec, takes longer than anything that we do for a run. Elsewhere we wait for it.
 *
 * What it runs makes the calls of call.h only, and writes to nothing but its stack. All signals are blocked when it is
 * born, or our handlers would run in it.
 */
#ifndef NEWBORN_H
#define NEWBORN_H

#include <sys/types.h>

#define NEWBORN_STACK 8192 /* a few calls deep */

/* Returns an errno, if at all. */
typedef int newborn_life(const void *arg);

struct newborn {
	_Alignas(16) char stack[NEWBORN_STACK];
	newborn_life *life;
	const void *arg;
	volatile int failed; /* written by the child */
	int unborn;	     /* cleared by the kernel when the child has its own memory, or has ended */
};

/* Its pid; or -1 with errno: there is none. It is a child like others, that somebody must reap. The structure and what
 * arg leads to must stay as they are until newborn_wait. */
pid_t newborn_start(struct newborn *, newborn_life *, const void *arg);

/* Until it has executed its program, or ended. 0; or what its life returned: then its end is near. */
int newborn_wait(struct newborn *);

#endif
