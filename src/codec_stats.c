#include "config.h"

#include <stddef.h>

#include "codec.h"
#include "stats.h"
#include "util.h"

#define US_A_SECOND 1e6

struct row {
	const char *name;
	size_t offset;
};

static const struct row counters[] = {
    {"triggers", offsetof(struct stats, triggers)},
    {"coalesced", offsetof(struct stats, coalesced)},
    {"triggers_dropped", offsetof(struct stats, dropped)},
    {"runs", offsetof(struct stats, runs)},
    {"runs_ok", offsetof(struct stats, runs_ok)},
    {"runs_failed", offsetof(struct stats, runs_failed)},
    {"runs_signal", offsetof(struct stats, runs_signal)},
    {"runs_timeout", offsetof(struct stats, runs_timeout)},
    {"throttled", offsetof(struct stats, throttled)},
    {"attaches_ok", offsetof(struct stats, attaches_ok)},
    {"attaches_failed", offsetof(struct stats, attaches_failed)},
    {"clients_ever", offsetof(struct stats, clients)},
    {"clients_refused", offsetof(struct stats, clients_refused)},
    {"events_dropped", offsetof(struct stats, events_dropped)},
    {"save_groups", offsetof(struct stats, save_groups)},
    {"save_changes", offsetof(struct stats, save_changes)},
    {"save_errors", offsetof(struct stats, save_errors)},
};

static const struct row histograms[] = {
    {"wait_seconds", offsetof(struct stats, wait)},
    {"run_seconds", offsetof(struct stats, run)},
};

static int64_t *
counter_at(const struct row *row)
{
	return (int64_t *)(void *)((char *)&stats + row->offset);
}

static struct stats_histogram *
histogram_at(const struct row *row)
{
	return (struct stats_histogram *)(void *)((char *)&stats + row->offset);
}

static json_t *
histogram_value(const struct stats_histogram *histogram)
{
	json_t *buckets = json_array();
	json_int_t below = 0;

	for (int i = 0; i < STATS_BUCKETS; i++) {
		below += histogram->buckets[i];
		json_array_append_new(
		    buckets, json_pack("[fI]", (double)stats_bounds[i] / US_A_SECOND, below));
	}
	return json_pack("{sI sf so}", "count", (json_int_t)histogram->count, "sum",
			 (double)histogram->sum_us / US_A_SECOND, "buckets", buckets);
}

json_t *
codec_stats(void)
{
	json_t *object = json_object();

	for (size_t i = 0; i < UTIL_COUNT(counters); i++)
		json_object_set_new(object, counters[i].name,
				    json_integer(*counter_at(&counters[i])));
	for (size_t i = 0; i < UTIL_COUNT(histograms); i++)
		json_object_set_new(object, histograms[i].name,
				    histogram_value(histogram_at(&histograms[i])));
	return object;
}

static int64_t
to_us(double seconds)
{
	return (int64_t)(seconds * US_A_SECOND + 0.5);
}

/* False: its buckets are others. */
static bool
read_buckets(json_t *list, struct stats_histogram *histogram)
{
	json_int_t below, before = 0;
	double bound;

	for (int i = 0; i < STATS_BUCKETS; i++) {
		if (json_unpack(json_array_get(list, (size_t)i), "[FI!]", &bound, &below) != 0 ||
		    to_us(bound) != stats_bounds[i])
			return false;
		histogram->buckets[i] = below - before;
		before = below;
	}
	return json_array_size(list) == STATS_BUCKETS;
}

static struct stats_histogram
read_histogram(json_t *value)
{
	struct stats_histogram histogram = {
	    .count = json_integer_value(json_object_get(value, "count")),
	    .sum_us = to_us(json_number_value(json_object_get(value, "sum"))),
	};

	if (!read_buckets(json_object_get(value, "buckets"), &histogram))
		histogram = (struct stats_histogram){0};
	return histogram;
}

void
codec_read_stats(json_t *object)
{
	for (size_t i = 0; i < UTIL_COUNT(counters); i++)
		*counter_at(&counters[i]) =
		    json_integer_value(json_object_get(object, counters[i].name));
	for (size_t i = 0; i < UTIL_COUNT(histograms); i++)
		*histogram_at(&histograms[i]) =
		    read_histogram(json_object_get(object, histograms[i].name));
}
