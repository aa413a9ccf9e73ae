/* Becoming a daemon whose parent returns only when it is ready, or says why it isn't. */
#ifndef DETACH_H
#define DETACH_H

/* Forks. In the child: 0, in its own session, standard error still the caller's. In the parent:
 * waits for the child's word, prints its reason if there is one, and exits. -1 with errno. */
int detach_begin(void);

/* The child is ready: the parent exits with 0, and standard descriptors become /dev/null. */
void detach_ready(void);

/* The child can't start: the parent prints the reason and exits with 1. Without detach_begin the
 * reason goes to standard error itself. */
void detach_failed(const char *reason);

#endif
