/*
 * Starting a process on the host: a child in our memory, a clean slate, exec. The one place that does so,
 * for commands and for the probe program alike.
 */
#ifndef SPAWN_H
#define SPAWN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "newborn.h"

#define SPAWN_NO_FD (-1)

/*
 * What the new process is. Whatever isn't said here it does not get: its own session and process
 * group, cwd /, umask 022, stdin /dev/null, default signal dispositions, the resource limits the
 * daemon was started with, no other descriptor.
 */
struct spawn {
	const char *path; /* absolute; NULL: exec_fd is executed */
	int exec_fd;	  /* above all the places below */
	bool keeps_exec_fd; /* as ATTACH_ALIVE_FD */
	char *const *argv;
	char *const *env;
	int output_fd;		  /* becomes 1 and 2; SPAWN_NO_FD: /dev/null */
	int inherited_fd;	  /* becomes 3; SPAWN_NO_FD: none */
	bool block_signals;	  /* start with every signal blocked, instead of none */
	int (*prepare)(void);	  /* runs last in the child, by the rules of newborn.h, or NULL; 0 or an errno */
};

/* One that is on its way to its exec. */
struct spawning {
	struct newborn newborn;
	struct spawn spawn;
};

/* Once, before anything else here: opens /dev/null, makes sure that 0, 1 and 2 are taken, gives
 * every signal its default disposition, raises the descriptor limit. Signals that are blocked stay so.
 * 0, or -1 with errno. */
int spawn_init(void);

/* The limit of descriptors that the daemon was started with, and commands get. */
int64_t spawn_start_limit(void);
void spawn_set_start_limit(int64_t);

/* The pid; or -1 with errno: there is no process. Until spawn_end the structure stays where it is, and everything
 * that the spawn leads to as it is; its descriptors may be closed. */
pid_t spawn_begin(struct spawning *, const struct spawn *);

/* Until it has executed. 0; or the errno with which it couldn't: then its end is to be reaped by the caller. */
int spawn_end(struct spawning *);

/* Both. The pid; or -1 with errno, also when it is the exec (or prepare) that failed: then no process is
 * left behind. */
pid_t spawn_process(const struct spawn *);

#endif
