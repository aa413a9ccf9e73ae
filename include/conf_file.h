/* One file of the configuration: who may have written it, its JSON, and errors that name a place in
 * it. */
#ifndef CONF_FILE_H
#define CONF_FILE_H

#include <jansson.h>
#include <stddef.h>
#include <sys/stat.h>

#include "error.h"

/* Larger files are refused: bytes. */
#define CONF_FILE_MAX (16 * 1024 * 1024)

struct conf_file {
	const char *path; /* the caller's */
	char *text;
	size_t length;
	json_t *value; /* an object or an array */
};

/* -1 with *e, which names the path, and line and column where it is the JSON that is wrong. */
int conf_file_read(struct conf_file *, const char *path, struct error *e);
void conf_file_close(struct conf_file *);

/* What stands in the configuration is done as root: -1 with *e if others could have written it. */
int conf_file_check_owner(const char *path, const struct stat *, struct error *e);

/* Makes *e "PATH:LINE:COLUMN: why", with the place of that member; see jsonpos_find. Returns -1. */
int conf_file_error(const struct conf_file *, size_t element, const char *member, const char *why,
		    struct error *e);

#endif
