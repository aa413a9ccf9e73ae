/*
 * What the daemon has done since it was started: counters that only grow, and how long things took.
 * They go on when a new binary takes the daemon's place. Counting is an addition, whatever is
 * counted.
 */
#ifndef STATS_H
#define STATS_H

#include <stdbool.h>
#include <stdint.h>

#define STATS_BUCKETS 14

/* The upper bounds of the buckets, in microseconds, rising. What took longer is in none. */
extern const int64_t stats_bounds[STATS_BUCKETS];

struct stats_histogram {
	int64_t buckets[STATS_BUCKETS]; /* each without those below it */
	int64_t count;			/* of all */
	int64_t sum_us;
};

/* Triggers = started runs + coalesced + dropped + those that wait. Started runs = ok + failed +
 * signal + timeout + those in progress. */
struct stats {
	int64_t triggers; /* those that an earlier daemon left to this one included */
	int64_t coalesced;
	int64_t dropped; /* with their probe */
	int64_t runs;	 /* started */
	int64_t runs_ok; /* ended so: with 0, with another code, by a signal, by their time limit */
	int64_t runs_failed;
	int64_t runs_signal;
	int64_t runs_timeout;
	int64_t throttled;
	int64_t attaches_ok;
	int64_t attaches_failed;
	int64_t clients; /* connections that were taken, */
	int64_t clients_refused;
	int64_t events_dropped; /* that a watching client was too slow for */
	int64_t save_groups;	/* of changes to the state directory that were written together */
	int64_t save_changes;
	int64_t save_errors;	     /* changes that could not be saved */
	struct stats_histogram wait; /* from the trigger to the start of its run */
	struct stats_histogram run;  /* from its start to its end */
};

extern struct stats stats;

/* A clock that was set back makes negative times: they count as 0. */
void stats_observe(struct stats_histogram *, int64_t us);

/* How a run has ended; status as waitpid gives it. */
void stats_count_end(int status, bool timed_out);

#endif
