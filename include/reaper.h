/*
 * The one place where children are reaped; child.h is told of each. waitpid(-1) walks all children in the
 * kernel, which with thousands of probes costs more than a trigger does. So a child that the system names is
 * reaped by its name at once, and the walk that finds those that were not named (signals coalesce) comes
 * a little later, and takes one fiftieth of the time at most.
 */
#ifndef REAPER_H
#define REAPER_H

#include <sys/types.h>

#include <stdbool.h>

struct event_base;

/* Told before and after the children are reaped that have ended by then. */
typedef void reaper_turn_cb(bool begins);

/* Blocks SIGCHLD in this process where it is read from a descriptor. NULL: nobody wants to know. -1 with errno. */
int reaper_start(struct event_base *, reaper_turn_cb *);

/* All that have ended up to now. */
void reaper_reap_all(void);

/* Somebody asks the daemon something: where many have ended at once, there are pauses for a while. */
void reaper_make_room(void);

/* For the system's file. A descriptor that is readable when children have ended, named or not; -1 with errno.
 * Then the pid of one that it names, which may still be there; 0: no more. */
int reaper_os_open(void);
pid_t reaper_os_next(int fd);

#endif
