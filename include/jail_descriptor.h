/* A descriptor of a jail itself, which FreeBSD has from 15 on; for jail_freebsd.c alone. */
#ifndef JAIL_DESCRIPTOR_H
#define JAIL_DESCRIPTOR_H

#include "jail.h"

/* Opens descriptor and watch_fd of the jail that has its jid now; before FreeBSD 15 both stay -1,
 * and that is no error. -1: there is none with this jid, or with errno. */
int jail_descriptor_open(struct jail_instance *);

/* The jail's name today. -1 with errno (ENOENT: it has ended). */
int jail_descriptor_name(int descriptor, char name[JAIL_NAME_SIZE]);

#endif
