#ifndef FIXTURE_DAEMON_H
#define FIXTURE_DAEMON_H

#include <sys/types.h>

#include <stdbool.h>

#include "fixture_exec.h"

/* The program under test: jaildaemon in $JAILDAEMON_BUILD, or in the working directory. */
const char *daemon_binary(void);

/* This test program itself, which --report makes tell what environment it was run in. */
const char *daemon_self(void);
void daemon_know_self(const char *argv0);

/* Starts a daemon in the foreground on this place's socket, as launch says (null: the usual way),
 * with its words if it has any, and waits until it answers. */
pid_t daemon_start(void);
pid_t daemon_start_as(struct launch *launch);

/* Ends it with a signal in order: exit code 0, and everything cleaned up. */
void daemon_end(pid_t pid, int sig);

/* The client, with -f for this place's socket behind the given words. */
void daemon_client(struct outcome *outcome, const char *word, ...) __attribute__((sentinel));

/* The same, for words that must end with this exit code; the error text must mention the word
 * (null: must be empty). */
void daemon_refuses(int code, const char *mentions, const char *word, ...)
    __attribute__((sentinel));

/* Whether the daemon's memory is its own affair: a sanitizer keeps what was freed. */
bool daemon_memory_tells(void);

/* The pid in this place's pidfile, or -1. */
pid_t daemon_pidfile(void);

#endif
