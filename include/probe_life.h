/* What the files of the probe's room, probe.c and probe_….c, share with each other alone. */
#ifndef PROBE_LIFE_H
#define PROBE_LIFE_H

#include "probe.h"

/* A probe with its number (0: a new one), not named, not begun. Takes over the members of *def, and the
 * reference to jail (NULL: not there) on success. NULL with *e. */
struct probe *probe_create(struct definition *def, struct jail_instance *jail, uint64_t number,
			   struct error *e);

/* Starts its life. May end it within the call. */
void probe_begin(struct probe *);

/* Goes on with the life of one that was kept, and with its triggers whose runs never started. */
void probe_begin_again(struct probe *, unsigned pending);

/* Takes the process out of the jail, or stops whatever was to bring it there. */
void probe_disarm(struct probe *);

/* It is there, armed or waiting for its jail: once that is certain to survive the daemon, it has its
 * name, and whoever asked for it is told. May end it. */
void probe_settle(struct probe *);

/* A press arrived. May end the probe, and free it if nobody holds it. */
void probe_pressed(struct probe *);

/* Ends its life; probe_free_if_unused is the caller's to call. e: for those who wait for it to be armed.
 * They are told when nothing of it is left to be found. */
void probe_end(struct probe *, const char *why, const struct error *e);

/* Ends one that has not begun. */
void probe_forget(struct probe *);

#endif
