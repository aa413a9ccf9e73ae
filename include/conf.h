/* The configuration file: JSON, one object. */
#ifndef CONF_H
#define CONF_H

#include <stdbool.h>
#include <sys/types.h>

#include "error.h"

struct conf {
	bool has_control_group;
	gid_t control_group; /* its members may connect, to look only */
};

#define CONF_FILE SYSCONFDIR "/jaildaemon.conf"

/* path NULL: CONF_FILE, if it is there. -1 with *e, which names file, line and column or member. */
int conf_load(const char *path, struct conf *, struct error *e);

#endif
