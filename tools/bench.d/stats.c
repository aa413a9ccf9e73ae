/* Samples, their percentiles, and the one line that a row prints. */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

void
samples_init(struct samples *samples, size_t room)
{
	samples->us = calloc(room, sizeof(*samples->us));
	samples->count = 0;
	samples->room = room;
	if (samples->us == NULL)
		bench_fail("no memory for %zu samples", room);
}

void
samples_add(struct samples *samples, int64_t ns)
{
	if (samples->count == samples->room)
		bench_fail("more than %zu samples", samples->room);
	samples->us[samples->count++] = (double)ns / 1000.0;
}

static int
samples_compare(const void *a, const void *b)
{
	const double *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* The nearest rank: the smallest sample that at least percent of them do not exceed. Sorts the
 * samples. */
double
samples_percentile(struct samples *samples, unsigned percent)
{
	size_t rank;

	if (samples->count == 0)
		bench_fail("no samples");
	qsort(samples->us, samples->count, sizeof(*samples->us), samples_compare);
	rank = (samples->count * percent + 99) / 100;
	return samples->us[rank == 0 ? 0 : rank - 1];
}

void
samples_free(struct samples *samples)
{
	free(samples->us);
	samples->us = NULL;
	samples->count = samples->room = 0;
}

/* title, trials, then p50 and p99 of the floor and of ours, in microseconds; tools/bench makes the
 * table of it. */
void
stats_row(const char *title, struct samples *floor, struct samples *ours)
{
	printf("%s\t%zu\t%.1f\t%.1f\t%.1f\t%.1f\n", title, ours->count,
	       samples_percentile(floor, 50), samples_percentile(floor, 99),
	       samples_percentile(ours, 50), samples_percentile(ours, 99));
	fflush(stdout);
}
