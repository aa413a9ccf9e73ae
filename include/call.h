/*
 * System calls for a child that runs in our memory beside us (newborn.h). Each returns 0 or its errno. Where
 * we don't wait for the child the variable of that name stays as it is: it is ours. On failure nothing has changed.
 */
#ifndef CALL_H
#define CALL_H

#include <sys/resource.h>
#include <sys/types.h>

#include <signal.h>

int call_setsid(void);
int call_chdir(const char *path);
void call_umask(mode_t);
int call_dup(int fd, int place); /* not onto itself */
int call_set_fd_flags(int fd, int flags);
int call_close_from(int first);
int call_limit_files(const struct rlimit *);
int call_default_signal(int signo);
int call_set_mask(const sigset_t *);

/* These return on failure only. */
int call_execute(const char *path, char *const *argv, char *const *env);
int call_execute_fd(int fd, char *const *argv, char *const *env);

#endif
