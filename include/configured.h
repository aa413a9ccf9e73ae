/*
 * The probes that the configuration defines. A new configuration is applied as a difference: a
 * probe whose definition is the same as before keeps its process.
 */
#ifndef CONFIGURED_H
#define CONFIGURED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf.h"
#include "definition.h"
#include "error.h"

struct configured_counts {
	unsigned added; /* those that had ended without having been triggered, too */
	unsigned changed;
	unsigned removed;
	unsigned unchanged;
	unsigned failed; /* not armed, or not removed: each has been logged */
};

typedef void configured_done_cb(void *arg, const struct configured_counts *);

/*
 * Takes over the probes of *conf, which has none afterwards. The callback comes once, when all of
 * them are armed, or waiting, or certainly never will be; possibly from within the call. Probes
 * that are configured but not in *conf are removed; those that somebody else added are left alone,
 * unless one of *conf has their name. -1 with *e, and nothing is done: the last call is still under
 * way, or no memory.
 */
int configured_apply(struct conf *, configured_done_cb *, void *arg, struct error *e);

/* Whether the callback of the last configured_apply is still to come. */
bool configured_is_busy(void);

/*
 * A single-shot probe of the configuration has had its run in an earlier life of the daemon: as
 * long as its definition stays the same it is not armed again. Before the first configured_apply.
 */
void configured_note_spent(const struct definition *, uint64_t number);

/* Told of the number of each single shot that has had its run, in this life or an earlier one, as
 * soon as its definition has gone or changed: nothing need be remembered of it any more. */
void configured_on_forgotten(void (*forget)(uint64_t number));

/* All of those, for a daemon that takes our place and is to be told of them. */
void configured_each_spent(void (*tell)(void *arg, const struct definition *, uint64_t number),
			   void *arg);

#endif
