/*
 * The configuration: a file of one JSON object, and beside it a directory CONF_PROBES of files
 * *.json that define probes. It is taken as a whole or not at all.
 */
#ifndef CONF_H
#define CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "definition.h"
#include "error.h"
#include "limit.h"

#define CONF_FILE   SYSCONFDIR "/jaildaemon.conf"
#define CONF_PROBES "jaildaemon.d"

/* A probe that a file defines. It has a name, and no other one has the same. */
struct conf_probe {
	struct definition def;
	char *file; /* that it is in */
};

struct conf {
	bool has_control_group;
	gid_t control_group; /* its members may connect, to look only */
	int log_facility; /* as syslog has them */
	int log_level;
	struct limits limits;
	struct conf_probe *probes; /* in the order of the files' names */
	size_t probe_count;
};

/*
 * path NULL: CONF_FILE, if it is there. Returns the number of errors; the first of them, as many as
 * there is room for (1 at least), are in errors, each with the file, line and column that it is
 * about. The caller clears *conf in any case.
 */
size_t conf_load(const char *path, struct conf *, struct error *errors, size_t room);

/* Frees the members, not the struct. */
void conf_clear(struct conf *);
void conf_clear_probe(struct conf_probe *);

#endif
