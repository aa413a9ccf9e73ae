/* Answers of the daemon, for people. Each takes a whole answer whose "ok" is true. */
#ifndef SHOW_H
#define SHOW_H

#include <jansson.h>

void show_number(json_t *answer); /* of add: the probe's number */
void show_list(json_t *answer);
void show_status(json_t *answer);
void show_reload(json_t *answer);
void show_output(json_t *answer);
void show_found(json_t *answer);

#endif
