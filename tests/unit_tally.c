/* Facts that come in any number: how often they are told, and that nothing is left out. */
#include "config.h"

#include "tally.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "tell.h"
#include "unit.h"

#define MANY 1000

static char tag[] = "t";
static struct probe probe = {.number = 7, .tag = tag};
static unsigned lines;
static int64_t sum;

static void
note(const struct tell_event *event)
{
	lines++;
	ck_assert_str_eq(event->fields[0].name, "count");
	sum += event->fields[0].number;
}

static void
begin(void)
{
	unit_capture(); /* the log is not what is tested here */
	tell_set_sink(note);
	ck_assert_int_eq(tally_init(unit_base()), 0);
}

static void
coalesce(unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		probe.coalesced++;
		tally_tell(&probe, TALLY_COALESCED);
	}
}

static bool
has_lines(void *arg)
{
	return lines >= *(const unsigned *)arg;
}

static bool
has_rested(void *arg)
{
	(void)arg;
	return probe.tallies[TALLY_COALESCED].due == 0;
}

static void
wait_lines(unsigned wanted)
{
	unit_wait(has_lines, &wanted, "another line");
}

START_TEST(the_first_is_told_at_once)
{
	begin();
	coalesce(1);
	ck_assert_uint_eq(lines, 1);
	ck_assert_int_eq(sum, 1);
}
END_TEST

START_TEST(the_rest_is_told_together)
{
	begin();
	coalesce(MANY);
	ck_assert_uint_eq(lines, 1);
	wait_lines(2);
	ck_assert_uint_eq(lines, 2);
	ck_assert_int_eq(sum, MANY);
	coalesce(1); /* the second of that line is not over */
	ck_assert_uint_eq(lines, 2);
	wait_lines(3);
	ck_assert_int_eq(sum, MANY + 1);
	unit_wait(has_rested, NULL, "the end of the second");
	coalesce(1);
	ck_assert_uint_eq(lines, 4);
}
END_TEST

START_TEST(each_kind_has_its_own)
{
	begin();
	coalesce(2);
	probe.throttled++;
	tally_tell(&probe, TALLY_THROTTLED);
	ck_assert_uint_eq(lines, 2);
	ck_assert_int_eq(sum, 2);
	tally_end(&probe);
	ck_assert_uint_eq(lines, 3);
	ck_assert_int_eq(sum, 3);
}
END_TEST

START_TEST(the_end_tells_the_rest)
{
	begin();
	coalesce(5);
	_i == 0 ? tally_end(&probe) : tally_finish();
	ck_assert_uint_eq(lines, 2);
	ck_assert_int_eq(sum, 5);
	tally_end(&probe);
	tally_finish();
	ck_assert_uint_eq(lines, 2);
}
END_TEST

START_TEST(a_former_life_is_not_told_again)
{
	begin();
	probe.coalesced = 40;
	tally_skip(&probe);
	coalesce(2);
	tally_finish();
	ck_assert_int_eq(sum, 2);
}
END_TEST

Suite *
unit_tally(void)
{
	Suite *suite;
	TCase *tests = unit_case("tally", &suite);

	tcase_add_test(tests, the_first_is_told_at_once);
	tcase_add_test(tests, the_rest_is_told_together);
	tcase_add_test(tests, each_kind_has_its_own);
	tcase_add_loop_test(tests, the_end_tells_the_rest, 0, 2);
	tcase_add_test(tests, a_former_life_is_not_told_again);
	return suite;
}
