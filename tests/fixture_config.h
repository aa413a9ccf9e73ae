#ifndef FIXTURE_CONFIG_H
#define FIXTURE_CONFIG_H

#include <sys/types.h>

#include "jailfix.h"

/* A file of this place's configuration, "conf" or "jaildaemon.d/NAME.json", that nobody else may
 * write. In the text ' stands for " and % for the jail's number (null: none). */
void config_write(const char *name, const struct jailfix *jail, const char *text);

/* Removes one of them. */
void config_remove(const char *name);

/* Starts a daemon of this place that has this configuration. */
pid_t config_start(void);

/* The number of a probe by its name; 0: there is none. */
int config_probe(const char *name);

/* Waits until the probe of that name is armed; its number. */
int config_wait_armed(const char *name);

#endif
