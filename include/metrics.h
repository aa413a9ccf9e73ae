/* The status in the text format of Prometheus, version 0.0.4. */
#ifndef METRICS_H
#define METRICS_H

#include <jansson.h>
#include <stdio.h>

/* Of how many probes metrics of their own are shown: those that have names, and no more, because
 * each is a time series for ever. */
#define METRICS_PROBES 200

void metrics_print(FILE *, json_t *answer);
void metrics_show(json_t *answer); /* on standard output */

#endif
