/* The pidfile: a lock that says that a daemon runs, and which. One daemon after another in the same process
 * keeps it as it is. */
#ifndef PIDLOCK_H
#define PIDLOCK_H

#include "error.h"

/* Takes it. A daemon that was killed just now may have left a process that holds it until it executes
 * something, so a dead one's is waited for, up to a second. -1 with *e. path must live as long as it. */
int pidlock_take(const char *path, struct error *e);

/* It is held already by this process, as this descriptor. */
void pidlock_adopt(const char *path, int fd);
int pidlock_fd(void); /* -1: it isn't held */

/* Writes our pid. -1 with *e. */
int pidlock_write(struct error *e);

/* Removes the file, if we hold it. */
void pidlock_remove(void);

/* Lets go of it, for a process forked off the daemon. */
void pidlock_drop(void);

#endif
