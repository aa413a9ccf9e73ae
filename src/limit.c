#include "config.h"

#include "limit.h"

const struct limits limits_default = {
    .probes = 100000,
    .gone_probes = 64,
    .runs = 16,
    .burst = 10,
    .interval_ms = 1000,
    .timeout_ms = 0,
    .max_runs = 0,
    .output_bytes = 65536,
    .log_output_bytes = 65536,
    .kill_delay_ms = 5000,
    .drain_delay_ms = 1000,
    .jail_poll_ms = 2000,
    .rearm_delay_ms = 100,
    .rearm_delay_max_ms = 30000,
    .rearm_steady_ms = 10000,
    .clients = 512,
    .client_requests = 64,
    .client_backlog = 262144,
    .client_silence_ms = 60000,
    .client_unread_ms = 30000,
};

static struct limits configured;
static const struct limits *in_force = &limits_default;

const struct limits *
limits(void)
{
	return in_force;
}

void
limits_set(const struct limits *wanted)
{
	configured = *wanted;
	in_force = &configured;
}
