/*
 * How often a probe may be pressed: the generic cell rate algorithm. With a cooldown, one in that
 * time; without, a burst of limits()->burst and then one each limits()->interval_ms.
 */
#ifndef RATE_H
#define RATE_H

#include <stdint.h>

#include "definition.h"

/* Zeroed: nothing was charged yet. */
struct rate {
	int64_t due; /* monotonic ms at which all that was charged would be due at the plain rate */
};

void rate_charge(struct rate *, const struct definition *);

/* Milliseconds until the next is allowed; 0 or less: now. */
int64_t rate_delay(const struct rate *, const struct definition *);

#endif
