/* What the two files of the probe's room, probe.c and probe_add.c, share with each other alone. */
#ifndef PROBE_LIFE_H
#define PROBE_LIFE_H

#include "probe.h"

/* A probe with its number, not named, not begun. Takes over the members of *def, and the reference to
 * jail (NULL: not there) on success. NULL with *e. */
struct probe *probe_create(struct definition *def, struct jail_instance *jail, struct error *e);

/* Starts its life. May end it within the call. */
void probe_begin(struct probe *);

#endif
