#ifndef FIXTURE_BUNDLE_H
#define FIXTURE_BUNDLE_H

#include <stdbool.h>

/* A root for a container: busybox under its many names. Its path, or null with a reason when there
 * is no static busybox. */
const char *bundle_root(const char **reason);

/* Writes the description of a small container for an OCI runtime beside the root. */
void bundle_describe(void);

/* Writes the configuration of a small container for LXC; its path. */
const char *bundle_lxc(const char *name);

/* A name that no other test and no other run of this one uses. */
const char *bundle_name(void);

#endif
