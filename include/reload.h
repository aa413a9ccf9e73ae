/*
 * The configuration in force, and how another one takes its place: a file that is wrong changes
 * nothing.
 */
#ifndef RELOAD_H
#define RELOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "configured.h"
#include "error.h"

/* Before anything else: reads the configuration and sets its limits. path as conf_load takes it; it
 * must be absolute, or the working directory stay the same, and live as long as the daemon. */
int reload_prepare(const char *path, struct error *);

/* At the start, once the socket is there and saved probes are back: lets the control group in and
 * has the configured probes armed. Those that can't be have been logged. */
int reload_start(struct error *);

/* Reads the configuration again and applies what is different. The callback comes once all its
 * probes are settled. -1 with *e: the old one stays in force. */
int reload_begin(configured_done_cb *, void *arg, struct error *);

/* The same for a signal: the log tells what becomes of it. One that comes while another is under
 * way is done after that. */
void reload_asked(void);

/* Prints what is wrong with a configuration on standard error, a line each. Whether nothing is. */
bool reload_check(const char *path);

#endif
