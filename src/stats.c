#include "config.h"

#include "stats.h"

#include <sys/wait.h>

#define MS	(int64_t)1000
#define SECONDS (1000 * MS)

const int64_t stats_bounds[STATS_BUCKETS] = {
    1 * MS,	  5 * MS,	 10 * MS,	 50 * MS,	 100 * MS,
    500 * MS,	  1 * SECONDS,	 5 * SECONDS,	 10 * SECONDS,	 30 * SECONDS,
    60 * SECONDS, 300 * SECONDS, 1800 * SECONDS, 3600 * SECONDS,
};

struct stats stats;

void
stats_observe(struct stats_histogram *histogram, int64_t us)
{
	if (us < 0)
		us = 0;
	histogram->count++;
	histogram->sum_us += us;
	for (int i = 0; i < STATS_BUCKETS; i++)
		if (us <= stats_bounds[i]) {
			histogram->buckets[i]++;
			return;
		}
}

void
stats_count_end(int status, bool timed_out)
{
	if (timed_out)
		stats.runs_timeout++;
	else if (WIFSIGNALED(status))
		stats.runs_signal++;
	else if (WEXITSTATUS(status) != 0)
		stats.runs_failed++;
	else
		stats.runs_ok++;
}
