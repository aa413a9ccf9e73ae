#include "config.h"

#include "rate.h"

#include "limit.h"
#include "util.h"

static int64_t
interval(const struct definition *def)
{
	return def->cooldown_ms == DEFINITION_UNSET ? limits()->interval_ms : def->cooldown_ms;
}

static int64_t
burst(const struct definition *def)
{
	return def->cooldown_ms == DEFINITION_UNSET ? limits()->burst : 1;
}

void
rate_charge(struct rate *rate, const struct definition *def)
{
	int64_t now = util_monotonic_ms();

	if (rate->due < now)
		rate->due = now;
	rate->due += interval(def);
}

int64_t
rate_delay(const struct rate *rate, const struct definition *def)
{
	return rate->due - (burst(def) - 1) * interval(def) - util_monotonic_ms();
}
