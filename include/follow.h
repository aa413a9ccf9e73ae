/* The utility's side of an answer that more lines follow: what happens, until it is interrupted or the
 * daemon ends. */
#ifndef FOLLOW_H
#define FOLLOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

typedef void follow_show_cb(json_t *event);

/* Shows each line by show; raw: prints the daemon's own. Returns a client_exit. */
int follow_lines(FILE *stream, bool raw, follow_show_cb *show);

follow_show_cb follow_show_event;  /* a line for people */
follow_show_cb follow_show_output; /* what a run has written, as it is */

#endif
