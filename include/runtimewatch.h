/*
 * A descriptor that becomes readable when a jail may have come into being. It may speak up for
 * nothing, and it may miss a jail: it only makes a look at the right moment likely.
 */
#ifndef RUNTIMEWATCH_H
#define RUNTIMEWATCH_H

/* Watches nothing yet. -1: the system can't tell. */
int runtimewatch_open(void);

/* Forgets what it told, and watches from now on whatever there is to be watched now. */
void runtimewatch_renew(int fd);

/* Watches nothing any more. */
void runtimewatch_rest(int fd);

#endif
