#ifndef HOSTILE_LINUX_H
#define HOSTILE_LINUX_H

#include <sys/types.h>

#include <check.h>
#include <stdbool.h>
#include <stddef.h>

#include "jailfix.h"

/* The suites that only Linux has; each is a file hostile_linux_NAME.c. */
Suite *hostile_state(void);
Suite *hostile_doors(void);
Suite *hostile_races(void);
Suite *hostile_setup(void);
Suite *hostile_limits(void);
Suite *hostile_cgroups(void);
Suite *hostile_exits(void);
Suite *hostile_reuse(void);
Suite *hostile_peers(void);
Suite *hostile_forge(void);
Suite *hostile_teardown(void);

/* ---- attackers: processes in a jail ---- */

/* What an attacker may do, as its root: all that the jail's user namespace has to give; what the
 * usual container runtimes leave; the same with CAP_SYS_PTRACE. */
enum rights { RIGHTS_ALL, RIGHTS_USUAL, RIGHTS_PTRACE };

struct attacker {
	const struct jailfix *jail;
	enum rights rights;
	uid_t uid;
	int (*body)(void *);
	void *arg;
};

/* Starts an attacker, which becomes our child; its pid on the host. */
pid_t attacker_start(const struct attacker *attacker);

/* Runs an attacker to its end; its exit code, 128 + signal if one ended it. */
int attacker_run(const struct attacker *attacker);

/* Memory that an attacker and the test share; zero at first. */
void *attacker_shared(size_t size);

/* Inside: the pid that was given last in this pid namespace, or -1 where the kernel doesn't tell.
 */
pid_t attacker_last_pid(void);

/* ---- /proc ---- */

/* The rest of a line of /proc/PID/status, without the blanks at both ends. */
bool linux_status(pid_t pid, const char *name, char *value, size_t size);

/* The system call filters that a process has beyond those of this one. */
int linux_filters(pid_t pid);

/* The pid that a process has in its own pid namespace, or -1. */
pid_t linux_inner_pid(pid_t pid);

/* The whole text of a file below /proc/PID, to be freed. */
char *linux_file(pid_t pid, const char *name);

/* ---- doors: the ways from one process into another ---- */

#define DOORS_MAX 32

/* Their number, and the name of each. */
size_t door_count(void);
const char *door_name(size_t door);

/* Tries one; true when it stood open, or would have with a better guess. */
bool door_try(size_t door, pid_t pid);

/* Tries all, counts those that stood open. */
void door_try_all(pid_t pid, size_t first, unsigned long opened[DOORS_MAX]);

/* Fails the test for each that was ever open. */
void door_expect_shut(const unsigned long opened[DOORS_MAX]);

/* ---- cgroups of the test's own ---- */

/* Makes one below the root of a hierarchy ("pids", "freezer", ...; "" is that of v2) and puts the
 * jail's init into it. Its directory; null where there is no such hierarchy. It is removed after
 * the test. */
const char *group_make(const char *controller, const struct jailfix *jail);

/* Writes a file of it; false when the kernel refuses. */
bool group_set(const char *group, const char *file, const char *text);

/* ---- attackers that meet every new process of their jail ---- */

struct ambush;

/* From now on each new process gets this signal as soon as it can be seen. */
struct ambush *ambush_start(const struct jailfix *jail, int sig);

/* Ends it; how many signals were sent. */
unsigned long ambush_stop(struct ambush *ambush);

/* ---- a process made to do what it never would, by a debugger that nothing can hold ---- */

/* Can this be done on this processor? */
bool inject_possible(void);

/* Makes a process do one system call with one argument, and lets it go on. */
void inject_call(pid_t pid, long number, long argument);

#endif
