/* The table of the probes again and again, each second: in place on a terminal, elsewhere one after
 * the other. */
#ifndef RELIST_H
#define RELIST_H

#include <jansson.h>

#include "options.h"

/* Asks until that fails, or a signal ends it; then the terminal is as it was. Returns what ask did
 * at last, which is to show its answers by relist_show, or as JSON. */
int relist_run(const struct options *, int (*ask)(const struct options *));

void relist_show(json_t *answer);

#endif
