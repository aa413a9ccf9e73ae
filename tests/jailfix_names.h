#ifndef JAILFIX_NAMES_H
#define JAILFIX_NAMES_H

#include <stdbool.h>

#include "jailfix.h"

/* Names that a test gives to its jails; jailfix_names_linux.c and jailfix_names_freebsd.c. */

/* To be called before the daemon is started. On Linux from then on this test and its children have a
 * /run and a /var/lib of their own, in which runtimes keep what they know. */
void jailfix_names_begin(void);

/* The daemon finds the jail by this name now. On Linux the name may begin with a runtime's prefix, and
 * then that runtime's files tell of it. */
void jailfix_call(const struct jailfix *jail, const char *name);

#endif
