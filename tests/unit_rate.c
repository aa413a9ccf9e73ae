#include "config.h"

#include "rate.h"

#include "unit.h"
#include "util.h"

/* Without a configuration. */
#define BURST	    10
#define INTERVAL_MS 1000

/* Longer than any of these tests takes, so that its delays can be told from those of the clock. */
#define HOUR_MS 3600000

static struct definition
with_cooldown(int64_t ms)
{
	struct definition def;

	definition_init(&def);
	def.cooldown_ms = ms;
	return def;
}

START_TEST(nothing_charged_is_no_delay)
{
	const struct definition unset = with_cooldown(DEFINITION_UNSET),
				set = with_cooldown(HOUR_MS);
	struct rate rate = {0};

	ck_assert_int_le(rate_delay(&rate, &unset), 0);
	ck_assert_int_le(rate_delay(&rate, &set), 0);
}
END_TEST

START_TEST(cooldown_is_the_time_between_two)
{
	const struct definition def = with_cooldown(HOUR_MS);
	struct rate rate = {0};
	int64_t before = util_monotonic_ms(), delay;

	rate_charge(&rate, &def);
	delay = rate_delay(&rate, &def);
	ck_assert_int_le(delay, HOUR_MS);
	ck_assert_int_ge(delay, HOUR_MS - (util_monotonic_ms() - before));
}
END_TEST

/* Those that overlap are due one after another. */
START_TEST(cooldowns_add_up)
{
	const struct definition def = with_cooldown(HOUR_MS);
	struct rate rate = {0};

	rate_charge(&rate, &def);
	rate_charge(&rate, &def);
	ck_assert_int_gt(rate_delay(&rate, &def), HOUR_MS);
	ck_assert_int_le(rate_delay(&rate, &def), 2 * HOUR_MS);
}
END_TEST

START_TEST(cooldown_is_over_in_time)
{
	const struct definition def = with_cooldown(HOUR_MS);
	struct rate rate = {.due = util_monotonic_ms()};

	ck_assert_int_le(rate_delay(&rate, &def), 0);
	rate.due += HOUR_MS;
	ck_assert_int_gt(rate_delay(&rate, &def), HOUR_MS - 60000);
}
END_TEST

/* A long rest is no credit. */
START_TEST(rest_is_not_saved_up)
{
	const struct definition def = with_cooldown(HOUR_MS);
	struct rate rate = {.due = util_monotonic_ms() - 10 * HOUR_MS};

	rate_charge(&rate, &def);
	ck_assert_int_gt(rate_delay(&rate, &def), HOUR_MS - 60000);
}
END_TEST

START_TEST(zero_lifts_the_limit)
{
	const struct definition def = with_cooldown(0);
	struct rate rate = {0};

	for (int i = 0; i < 1000; i++) {
		rate_charge(&rate, &def);
		ck_assert_int_le(rate_delay(&rate, &def), 0);
	}
}
END_TEST

START_TEST(default_is_a_burst_and_then_one_a_second)
{
	const struct definition def = with_cooldown(DEFINITION_UNSET);
	struct rate rate = {0};
	int64_t before = util_monotonic_ms(), delay, took;

	for (int i = 1; i < BURST; i++) {
		rate_charge(&rate, &def);
		ck_assert_msg(rate_delay(&rate, &def) <= 0, "charge %d is too many", i);
	}
	rate_charge(&rate, &def);
	delay = rate_delay(&rate, &def);
	took = util_monotonic_ms() - before;
	ck_assert_int_le(delay, INTERVAL_MS);
	ck_assert_int_ge(delay, INTERVAL_MS - took);
	rate_charge(&rate, &def);
	ck_assert_int_ge(rate_delay(&rate, &def),
			 2 * INTERVAL_MS - (util_monotonic_ms() - before));
}
END_TEST

Suite *
unit_rate(void)
{
	Suite *suite;
	TCase *tests = unit_case("rate", &suite);

	tcase_add_test(tests, nothing_charged_is_no_delay);
	tcase_add_test(tests, cooldown_is_the_time_between_two);
	tcase_add_test(tests, cooldowns_add_up);
	tcase_add_test(tests, cooldown_is_over_in_time);
	tcase_add_test(tests, rest_is_not_saved_up);
	tcase_add_test(tests, zero_lifts_the_limit);
	tcase_add_test(tests, default_is_a_burst_and_then_one_a_second);
	return suite;
}
