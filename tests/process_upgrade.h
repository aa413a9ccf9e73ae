#ifndef PROCESS_UPGRADE_H
#define PROCESS_UPGRADE_H

/* What the files process_upgrade….c share with each other alone. */

#include <sys/types.h>

/* Upgrades by the client, which must be told that it was done. */
void upgrade_now(void);

/* Puts a copy of a program into this test's place, in the way of an installer: another file takes the name. */
void upgrade_install(const char *from, const char *name);

/* Starts a daemon of this place from copies of the programs there. */
pid_t upgrade_start_installed(void);

#endif
