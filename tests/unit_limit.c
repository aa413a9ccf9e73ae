/* Limits that are changed while they are in use. */
#include "config.h"

#include "limit.h"

#include <stdlib.h>
#include <string.h>

#include "job.h"
#include "linelog.h"
#include "log.h"
#include "rate.h"
#include "spawn.h"
#include "tail.h"
#include "unit.h"
#include "util.h"

static struct limits changed;

START_TEST(those_in_force_are_a_copy)
{
	changed = *limits();
	changed.runs = 3;
	ck_assert_uint_eq(limits()->runs, 16);
	limits_set(&changed);
	ck_assert_uint_eq(limits()->runs, 3);
	changed.runs = 4;
	ck_assert_uint_eq(limits()->runs, 3);
	ck_assert_uint_eq(limits_default.runs, 16);
}
END_TEST

static void
keep(unsigned bytes)
{
	changed = *limits();
	changed.output_bytes = bytes;
	limits_set(&changed);
}

static void
check_tail(struct tail *tail, const char *wanted)
{
	const char *bytes = tail_linear(tail);

	ck_assert_uint_eq(tail->used, strlen(wanted));
	ck_assert_int_eq(memcmp(bytes, wanted, strlen(wanted)), 0);
}

START_TEST(kept_output)
{
	struct tail tail = {0}, none = {0};

	keep(4);
	tail_append(&tail, "abcdef", 6);
	check_tail(&tail, "cdef");
	keep(2); /* one that has more goes on having it */
	tail_append(&tail, "gh", 2);
	check_tail(&tail, "efgh");
	keep(8);
	tail_linear(&tail);
	tail_append(&tail, "ijklm", 5);
	check_tail(&tail, "fghijklm");
	ck_assert_uint_eq(tail.total, 13);
	keep(0);
	tail_append(&none, "abc", 3);
	check_tail(&none, "");
	ck_assert_uint_eq(none.total, 3);
	tail_free(&tail);
	tail_free(&none);
}
END_TEST

START_TEST(logged_output)
{
	struct linelog log = {.tag = "t", .run = 3};
	const char *text;

	unsetenv("JOURNAL_STREAM");
	log_open(true);
	unit_capture();
	changed = *limits();
	changed.log_output_bytes = 4;
	limits_set(&changed);
	linelog_append(&log, "ab\ncd\nef", 8);
	linelog_finish(&log);
	text = unit_captured();
	ck_assert_ptr_nonnull(strstr(text, "line=\"ab\"\n"));
	ck_assert_ptr_nonnull(strstr(text, "line=\"c\"\n"));
	ck_assert_ptr_nonnull(strstr(text, "unlogged_bytes=4\n"));
}
END_TEST

START_TEST(default_rate)
{
	struct definition def;
	struct rate rate = {0};

	definition_init(&def);
	changed = *limits();
	changed.burst = 2;
	changed.interval_ms = 50000;
	limits_set(&changed);
	rate_charge(&rate, &def);
	ck_assert_int_le(rate_delay(&rate, &def), 0);
	rate_charge(&rate, &def);
	ck_assert_int_gt(rate_delay(&rate, &def), 40000);
	changed.interval_ms = 0;
	limits_set(&changed);
	rate = (struct rate){0};
	for (int i = 0; i < 100; i++)
		rate_charge(&rate, &def);
	ck_assert_int_le(rate_delay(&rate, &def), 0);
}
END_TEST

static bool
has_finished(void *arg)
{
	return *(bool *)arg;
}

static void
finished(struct job *job, struct job_result *result, void *arg)
{
	bool *flag = arg;

	(void)job;
	(void)result;
	*flag = true;
}

/* Long enough for a shell to set its trap, on a slow machine as well. */
#define TIMEOUT_MS 500

/* A command that doesn't mind a TERM. */
START_TEST(delays_of_a_run)
{
	static char shell[] = "/bin/sh", dash_c[] = "-c", path[] = "PATH=/bin:/usr/bin";
	static char *stubborn[] = {shell, dash_c, NULL, NULL}, *env[] = {path, NULL};
	static char script[] = "trap '' TERM; sleep 60 & wait; wait";
	const struct job_spec spec = {
	    .argv = stubborn, .env = env, .timeout_ms = TIMEOUT_MS, .tag = "t", .run = 1};
	int64_t before = util_monotonic_ms();
	bool over = false;

	stubborn[2] = script;
	ck_assert_int_eq(spawn_init(), 0);
	unit_reap_children();
	changed = *limits();
	changed.kill_delay_ms = 300;
	limits_set(&changed);
	ck_assert_ptr_nonnull(job_start(unit_base(), &spec, finished, &over));
	unit_wait(has_finished, &over, "the end of the job");
	ck_assert_int_ge(util_monotonic_ms() - before, TIMEOUT_MS + 300);
	ck_assert_int_lt(util_monotonic_ms() - before, limits_default.kill_delay_ms);
}
END_TEST

Suite *
unit_limit(void)
{
	Suite *suite;
	TCase *tests = unit_case("limit", &suite);

	tcase_add_test(tests, those_in_force_are_a_copy);
	tcase_add_test(tests, kept_output);
	tcase_add_test(tests, logged_output);
	tcase_add_test(tests, default_rate);
	tcase_add_test(tests, delays_of_a_run);
	return suite;
}
