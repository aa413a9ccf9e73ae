#ifndef STARVE_H
#define STARVE_H

#include <sys/types.h>

#include <check.h>
#include <stdbool.h>
#include <stdint.h>

#include "fixture_exec.h"

/*
 * Every call that the daemon and its helpers make can be made to fail once: system calls by a trap
 * of the kernel's (starve_trap.c), for the program without a C library that goes into jails as well
 * as for the libraries; memory by a malloc in front of the real one (starve_memory.c), which is
 * linked into tests/starved.
 */

/* Who calls. */
enum starve_role {
	STARVE_DAEMON,
	STARVE_CHILD, /* of the daemon, from its fork to its exec; also one that drains or is tried
		       */
	STARVE_LAUNCHER, /* and what it forks: helpers and probes */
	STARVE_ROLES,
};

#define STARVE_CALLS_MAX  96
#define STARVE_ERRORS_MAX 4

/* The first rows are no system calls. */
enum { STARVE_MALLOC, STARVE_CALLOC, STARVE_REALLOC, STARVE_FIRST_TRAPPED };

struct starve_call {
	const char *name;
	int number;		       /* -1: not trapped, or this system has none */
	int errors[STARVE_ERRORS_MAX]; /* the likeliest first; the rest 0 */
};

extern const struct starve_call starve_calls[];
extern const unsigned starve_call_count;

const char *starve_role_name(enum starve_role role);

/* One call that fails. */
struct starve_point {
	unsigned call;
	enum starve_role role;
	unsigned occurrence; /* from 1 on; 0: nothing fails */
	int error;
};

#define STARVE_NAME_SIZE 64

/* As in "clone/launcher@12=EAGAIN". */
void starve_format_point(char name[STARVE_NAME_SIZE], const struct starve_point *point);

/* Shared by the test, the trap, and the daemon from one program to the next: a file whose path the
 * environment has. */
struct starve_plan {
	struct starve_point point;
	pid_t daemon;
	int listener; /* the trap's descriptor in the daemon-to-be; 0: not there yet */
	unsigned counts[STARVE_ROLES][STARVE_CALLS_MAX];
	unsigned failed;      /* how often the point was met */
	unsigned blocks;      /* of memory that the daemon has now */
	int64_t clock_off_ms; /* how wrong the wall clock is */
};

#define STARVE_VARIABLE "JAILDAEMON_STARVE"

/* The plan of this test, made when it is first asked for. */
struct starve_plan *starve_plan(void);

/* Maps the plan that the environment names; null: there is none. */
struct starve_plan *starve_map(const char *path);

/* How this program is told to become a daemon that is trapped. */
#define STARVE_BECOME	 "--become"
#define STARVE_WORDS_MAX 24

/* Sets the trap, and becomes the program that the words name. Returns only if it can't. */
int starve_become(char **words);

/* Starts a program so; its calls are decided by the plan. */
pid_t starve_start(char *const *words);

bool starve_can_trap(void);

/* tests/starved with this place's configuration, trapped where that can be. */
pid_t starve_start_daemon(void);

/* The launcher of a daemon that has put a probe somewhere. */
pid_t starve_launcher(pid_t daemon);

Suite *starve_limits(void);
Suite *starve_clock(void);
Suite *starve_signals(void);

#endif
