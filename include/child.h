/*
 * pid → who wants to know of its end. Every child of the daemon is reaped by the reaper, which hands each
 * status to child_exited, or by child_reap and child_collect; nothing else ever waits.
 */
#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* status: as waitpid gives it. The entry is gone when this is called. */
typedef void child_exit_cb(pid_t, int status, void *arg);

/* Whoever reaps may want to hear of each number that is added; of one that is forgotten and added again
 * before it was reaped only once. */
typedef void child_added_cb(pid_t);
void child_on_add(child_added_cb *);

/* Makes sure that the next two child_add can't fail. -1: no memory. Call it before making a process. */
int child_reserve(void);

/* A child that exited before its pid was known here (see child_expect) is told at once, from within
 * this call. */
void child_add(pid_t, child_exit_cb *, void *arg);

/* Whether pid is a child of ours that is not registered: what a report names is checked before it is
 * believed. */
bool child_is_unclaimed(pid_t);

/* The process is still reaped, but nobody is told. */
void child_forget(pid_t);

/* How many forgotten ones have not been reaped yet. */
unsigned child_dying(void);

/* Between the two, a process may be born whose pid arrives later than its end (a launcher makes it):
 * ends of unknown pids are kept for child_add meanwhile, and ignored at all other times. */
void child_expect(void);
void child_unexpect(void);

void child_exited(pid_t, int status);

/* Whoever looks at each: the places, of which there may be more after a child_add, and who is there, or 0. An end
 * that was told empties a place, and another child may move there. */
size_t child_places(void);
pid_t child_at(size_t place);

/* Reaps that one at once, if it has ended: cheaper than to find it among all. Whether it has. */
bool child_reap(pid_t);

/* Waits for one whose end is near, and of which nobody is to hear. */
void child_collect(pid_t);

#endif
