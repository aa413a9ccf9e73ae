#ifndef FIXTURE_INSIDE_H
#define FIXTURE_INSIDE_H

#include <sys/types.h>

#include "jailfix.h"

#define INSIDE_ROOT 0u

/*
 * Runs body in the jail as uid (gid the same) and returns its exit code, 128 + signal if one ended
 * it. What it prints on standard output and error lands in out.
 */
int inside_call(const struct jailfix *jail, uid_t uid, int (*body)(void *), void *arg, char *out,
		size_t size);

/* Runs a program in the jail. */
int inside_exec(const struct jailfix *jail, uid_t uid, char *const *argv, char *out, size_t size);

/* The number of processes in the jail with exactly this title, and the pid there of one of them. */
int inside_count(const struct jailfix *jail, const char *title, pid_t *pid);

/* Does any title or command line in the jail contain this? */
bool inside_mentions(const struct jailfix *jail, const char *needle);

/* The pid inside of the one process with this title; fails the test when there is not exactly one.
 */
pid_t inside_find(const struct jailfix *jail, const char *title);

/* Waits until so many processes in the jail have the title. */
void inside_wait_count(const struct jailfix *jail, const char *title, int count);

/* Sends a signal from inside; 0 or the errno. */
int inside_signal(const struct jailfix *jail, uid_t uid, pid_t pid, int sig);

/* What a user of the jail does: finds the one process with the title and sends HUP. Fails the test
 * if that fails. */
void inside_press(const struct jailfix *jail, const char *title);

#endif
