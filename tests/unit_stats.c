#include "config.h"

#include "stats.h"

#include <signal.h>
#include <string.h>

#include "codec.h"
#include "unit.h"

#define MS 1000

START_TEST(each_time_is_in_one_bucket)
{
	struct stats_histogram histogram = {0};

	for (int i = 0; i < STATS_BUCKETS; i++) {
		stats_observe(&histogram, stats_bounds[i]); /* the last that is in it */
		ck_assert_int_eq(histogram.buckets[i], i == 0 ? 1 : 2);
		stats_observe(&histogram, stats_bounds[i] + 1);
		ck_assert_int_eq(histogram.buckets[i], i == 0 ? 1 : 2);
	}
	ck_assert_int_eq(histogram.count, 2 * STATS_BUCKETS);
}
END_TEST

START_TEST(sum_and_count)
{
	struct stats_histogram histogram = {0};

	stats_observe(&histogram, 0);
	stats_observe(&histogram, 250);
	stats_observe(&histogram, 7200LL * 1000 * MS); /* beyond the last bucket */
	ck_assert_int_eq(histogram.count, 3);
	ck_assert_int_eq(histogram.sum_us, 7200000000LL + 250);
	ck_assert_int_eq(histogram.buckets[0], 2);
	ck_assert_int_eq(histogram.buckets[STATS_BUCKETS - 1], 0);
}
END_TEST

START_TEST(clock_that_was_set_back)
{
	struct stats_histogram histogram = {0};

	stats_observe(&histogram, -3600LL * 1000 * MS);
	ck_assert_int_eq(histogram.count, 1);
	ck_assert_int_eq(histogram.sum_us, 0);
	ck_assert_int_eq(histogram.buckets[0], 1);
}
END_TEST

START_TEST(ends)
{
	stats_count_end(0, false);
	stats_count_end(3 << 8, false);
	stats_count_end(255 << 8, false);
	stats_count_end(SIGKILL, false);
	stats_count_end(SIGTERM, true);
	stats_count_end(0, true); /* it took TERM for a reason to end well */
	ck_assert_int_eq(stats.runs_ok, 1);
	ck_assert_int_eq(stats.runs_failed, 2);
	ck_assert_int_eq(stats.runs_signal, 1);
	ck_assert_int_eq(stats.runs_timeout, 2);
}
END_TEST

static void
fill(void)
{
	int64_t *counter = (int64_t *)(void *)&stats;

	for (size_t i = 0; i < offsetof(struct stats, wait) / sizeof(*counter); i++)
		counter[i] = (int64_t)i + 1;
	stats_observe(&stats.wait, 123);
	stats_observe(&stats.wait, 2 * MS);
	stats_observe(&stats.run, 4000000LL * 1000 * MS + 1);
}

START_TEST(go_on_in_the_next_daemon)
{
	struct stats before;
	json_t *document;

	fill();
	before = stats;
	document = codec_stats();
	stats = (struct stats){0};
	codec_read_stats(document);
	ck_assert_mem_eq(&stats, &before, sizeof(stats));
	json_decref(document);
}
END_TEST

START_TEST(what_the_last_daemon_did_not_count_begins_anew)
{
	json_t *document;

	fill();
	document = codec_stats();
	json_object_del(document, "coalesced");
	json_array_remove(json_object_get(json_object_get(document, "wait_seconds"), "buckets"), 3);
	codec_read_stats(document);
	ck_assert_int_eq(stats.coalesced, 0);
	ck_assert_int_eq(stats.triggers, 1);
	ck_assert_int_eq(stats.wait.count, 0);
	ck_assert_int_eq(stats.wait.sum_us, 0);
	ck_assert_int_eq(stats.wait.buckets[0], 0);
	ck_assert_int_eq(stats.run.count, 1);
	codec_read_stats(NULL);
	ck_assert_int_eq(stats.triggers, 0);
	json_decref(document);
}
END_TEST

START_TEST(buckets_are_told_with_those_below)
{
	json_t *document, *histogram, *last;

	fill();
	document = codec_stats();
	histogram = json_object_get(document, "wait_seconds");
	last = json_array_get(json_object_get(histogram, "buckets"), STATS_BUCKETS - 1);
	ck_assert_int_eq(json_integer_value(json_array_get(last, 1)), 2);
	ck_assert_double_eq(json_number_value(json_array_get(last, 0)), 3600);
	ck_assert_double_eq(json_number_value(json_object_get(histogram, "sum")), 0.002123);
	json_decref(document);
}
END_TEST

static void
check_sums(const struct probe *probe)
{
	ck_assert_int_eq(stats.triggers, stats.runs + stats.coalesced + stats.dropped +
					     (probe == NULL ? 0 : (int64_t)probe->pending));
	ck_assert_int_eq(stats.wait.count, stats.runs);
}

/* Of a probe whose runs overlap, with places for two: the third waits, and stands for the others
 * too. */
START_TEST(triggers_add_up)
{
	struct definition def;
	struct probe *probe;

	unit_life_begin();
	def = unit_life_define_waiting(RESPAWN_NOW);
	def.max_runs = 2;
	def.cooldown_ms = 0;
	probe = unit_life_add(def);
	for (int i = 1; i <= 5; i++) {
		unit_life_press(probe);
		unit_life_rearm(probe);
		ck_assert_int_eq(stats.triggers, i);
		check_sums(probe);
	}
	ck_assert_int_eq(stats.runs, 2);
	ck_assert_int_eq(stats.coalesced, 2);
	ck_assert_int_eq(stats.attaches_ok, 6);
	unit_life_remove(probe, true);
	ck_assert_int_eq(stats.dropped, 1);
	check_sums(NULL);
}
END_TEST

Suite *
unit_stats(void)
{
	Suite *suite;
	TCase *tests = unit_case("stats", &suite);

	tcase_add_test(tests, each_time_is_in_one_bucket);
	tcase_add_test(tests, sum_and_count);
	tcase_add_test(tests, clock_that_was_set_back);
	tcase_add_test(tests, ends);
	tcase_add_test(tests, go_on_in_the_next_daemon);
	tcase_add_test(tests, what_the_last_daemon_did_not_count_begins_anew);
	tcase_add_test(tests, buckets_are_told_with_those_below);
	tcase_add_test(tests, triggers_add_up);
	return suite;
}
