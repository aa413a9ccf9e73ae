/* Answers of the daemon, for people. Each takes a whole answer whose "ok" is true. No text in it
 * can make a terminal do anything; but an output is printed as it is. */
#ifndef SHOW_H
#define SHOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

void show_number(json_t *answer); /* of add: the probe's number */
void show_list(json_t *answer);
void show_status(json_t *answer);
void show_reload(json_t *answer);
void show_output(json_t *answer);
void show_found(json_t *answer);

/* The table of the probes; width as table.h says. -1: no memory. */
int show_probes(FILE *, json_t *answer, int width, bool coloured);

#endif
