/*
 * The host's bookkeeping of a jail, which its probes are to be part of: the cgroups, the OOM score
 * and the security label of its init.
 */
#ifndef BOOKKEEPING_LINUX_H
#define BOOKKEEPING_LINUX_H

#include <sys/types.h>

#include "attach_wire.h"

/* Fills in what the request says of them and opens the cgroups: request->cgroups descriptors in
 * fds, the caller's to close. What can't be read is left out. */
void bookkeeping_fill(pid_t init, struct attach_request *request, int fds[ATTACH_CGROUPS_MAX]);

#endif
