/*
 * A run's output, logged line by line: long lines are cut into pieces, and past
 * limits()->log_output_bytes a run only says how much more there was, so that no command can flood
 * the log.
 */
#ifndef LINELOG_H
#define LINELOG_H

#include <stddef.h>
#include <stdint.h>

#define LINELOG_LINE_MAX 400 /* bytes; room for their escapes in one log line */

struct linelog {
	const char *tag;     /* the caller's; begins each line */
	uint64_t run;
	uint64_t seen;	     /* bytes ever given */
	size_t used;
	char line[LINELOG_LINE_MAX];
};

void linelog_append(struct linelog *, const char *bytes, size_t length);

/* Logs what is left of a last line without newline, and what was held back. */
void linelog_finish(struct linelog *);

#endif
