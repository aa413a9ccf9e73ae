#ifndef UNIT_RUNNING_H
#define UNIT_RUNNING_H

/* What the tests of runs share: probes whose runs tell their numbers. */

#include <stdbool.h>
#include <stdint.h>

#include "probe.h"

/* unit_life_begin, and a place for what the runs write. */
void unit_running_begin(void);

/* A script that writes which run it is, and ends; or waits at unit_life_gate, and says no more. */
struct definition unit_running_define(enum respawn, bool waits);

/* A command that isn't there. */
struct definition unit_running_define_missing(enum respawn);

/* For unit_wait: that no run goes on and none waits; arg: a probe. */
bool unit_running_has_none(void *arg);

/* That the runs of this probe were told these numbers, each once. They must have ended. */
void unit_running_check_numbers(const struct probe *, uint64_t count);

/* That no trigger was lost or counted twice. */
void unit_running_check_balance(const struct probe *);

#endif
