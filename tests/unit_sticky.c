/* Waiting for jails that are not there: when it is looked for them, and how often. */
#include "config.h"

#include "sticky.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "util.h"

#define MANY 50

static struct probe probes[MANY];
static unsigned found_count;
static bool sends_back; /* the jail that was found has ended again */

static void
found(struct probe *probe)
{
	ck_assert_ptr_nonnull(probe->jail);
	found_count++;
	if (!sends_back)
		return;
	jail_release(probe->jail);
	probe->jail = NULL;
	sticky_wait(probe);
}

static void
begin(void)
{
	ck_assert_int_eq(sticky_init(unit_base(), found), 0);
}

static struct probe *
wait_for(unsigned place, const char *name)
{
	static char tag[] = "probe";
	struct probe *probe = &probes[place];

	probe->number = place + 1;
	probe->tag = tag;
	probe->def.jail.name = name;
	sticky_wait(probe);
	return probe;
}

static unsigned
check(const char *name)
{
	const struct jail_ref ref = {.name = name};

	return sticky_check(&ref);
}

static bool
has_looked(void *arg)
{
	return unit_jail_looks() >= *(const unsigned *)arg;
}

static void
wait_for_looks(unsigned count)
{
	unit_wait(has_looked, &count, "looks");
}

static bool
has_found(void *arg)
{
	return found_count >= *(const unsigned *)arg;
}

static void
wait_for_found(unsigned count)
{
	unit_wait(has_found, &count, "jails");
	ck_assert_uint_eq(found_count, count);
}

START_TEST(found_when_it_is_back)
{
	struct probe *probe;

	begin();
	probe = wait_for(0, "www");
	wait_for_looks(2);
	ck_assert_uint_eq(found_count, 0);
	unit_jail_begin("www", 4711);
	wait_for_found(1);
	ck_assert_int_eq(probe->jail->jid, 4711);
}
END_TEST

/* The rounds can be told by the name for which only one waits. */
START_TEST(one_look_serves_all_of_a_name)
{
	unsigned rounds = 4;

	begin();
	for (unsigned i = 0; i + 1 < MANY; i++)
		wait_for(i, "mail");
	wait_for(MANY - 1, "www");
	wait_for_looks(2 * rounds);
	ck_assert_uint_lt(unit_jail_looks(), MANY);
	unit_jail_begin("mail", 7);
	wait_for_found(MANY - 1);
	ck_assert_uint_eq(jail_count(), 1);
	for (unsigned i = 0; i + 1 < MANY; i++)
		ck_assert_ptr_eq(probes[i].jail, probes[0].jail);
	ck_assert_ptr_null(probes[MANY - 1].jail);
}
END_TEST

START_TEST(forgotten_ones_are_not_looked_for)
{
	struct probe *probe;
	unsigned looks;

	begin();
	probe = wait_for(0, "mail");
	wait_for(1, "www");
	wait_for_looks(2);
	sticky_forget(probe);
	looks = unit_jail_looks();
	unit_jail_begin("mail", 7);
	wait_for_looks(looks + 3);
	ck_assert_uint_eq(found_count, 0);
	ck_assert_uint_eq(jail_count(), 0);
}
END_TEST

START_TEST(check_finds_at_once)
{
	begin();
	wait_for(0, "www");
	wait_for(1, "mail");
	wait_for(2, "www");
	ck_assert_uint_eq(check("www"), 0);
	unit_jail_begin("www", 4711);
	unit_jail_begin("mail", 7);
	ck_assert_uint_eq(check("ww"), 0);
	ck_assert_uint_eq(found_count, 0);
	ck_assert_uint_eq(check("www"), 2);
	ck_assert_uint_eq(found_count, 2);
	ck_assert_uint_eq(check("www"), 0);
	ck_assert_ptr_null(probes[1].jail);
}
END_TEST

START_TEST(check_needs_no_runtime)
{
	begin();
	wait_for(0, "runc:www");
	wait_for(1, "mail");
	unit_jail_begin("runc:www", 4711);
	unit_jail_begin("mail", 7);
	ck_assert_uint_eq(check("www"), 1);
	ck_assert_uint_eq(check("runc:mail"), 1);
}
END_TEST

START_TEST(sent_back_it_is_found_again)
{
	begin();
	sends_back = true;
	wait_for(0, "www");
	wait_for(1, "www");
	unit_jail_begin("www", 4711);
	ck_assert_uint_eq(check("www"), 2);
	sends_back = false;
	wait_for_found(4);
	ck_assert_uint_eq(jail_count(), 1);
}
END_TEST

/* The looks have become rare by then: without the sign the next one would be farther away than what
 * this allows. */
START_TEST(a_sign_brings_a_look)
{
	const int64_t rare_ms = 600;
	unsigned looks;
	int64_t before;

	begin();
	wait_for(0, "www");
	wait_for_looks(8);
	before = util_monotonic_ms();
	looks = unit_jail_looks();
	unit_runtime_changes();
	wait_for_looks(looks + 1);
	ck_assert_int_lt(util_monotonic_ms() - before, rare_ms);
}
END_TEST

/* However many there are, it is looked every ten milliseconds at most. */
START_TEST(a_storm_of_signs_brings_few_looks)
{
	const int64_t storm_ms = 300;
	int64_t begun;
	unsigned signs = 0;

	begin();
	wait_for(0, "www");
	wait_for_looks(1);
	for (begun = util_monotonic_ms(); util_monotonic_ms() - begun < storm_ms; signs++) {
		unit_runtime_changes();
		unit_settle();
	}
	ck_assert_uint_gt(signs, 100);
	ck_assert_uint_ge(unit_jail_looks(), 2);
	ck_assert_uint_le(unit_jail_looks(), (unsigned)(util_monotonic_ms() - begun) / 10 + 2);
}
END_TEST

/* Each newcomer asks for a look soon; none of them puts off the one that another asked for. */
START_TEST(a_stream_of_newcomers_does_not_delay_looks)
{
	const int64_t stream_ms = 300;
	int64_t begun = util_monotonic_ms();

	begin();
	while (util_monotonic_ms() - begun < stream_ms) {
		sticky_forget(wait_for(0, "www"));
		wait_for(1, "mail");
		unit_settle();
		sticky_forget(&probes[1]);
	}
	ck_assert_uint_ge(unit_jail_looks(), 5);
}
END_TEST

static bool
is_watched(void *arg)
{
	return unit_runtime_watched() == *(const bool *)arg;
}

START_TEST(watches_only_while_something_waits)
{
	bool wanted = true;

	begin();
	unit_settle();
	ck_assert(!unit_runtime_watched());
	wait_for(0, "www");
	unit_wait(is_watched, &wanted, "the watch");
	unit_jail_begin("www", 4711);
	wait_for_found(1);
	wanted = false;
	unit_wait(is_watched, &wanted, "the end of the watch");
	wait_for(1, "mail");
	wanted = true;
	unit_wait(is_watched, &wanted, "the watch");
	sticky_forget(&probes[1]);
	wanted = false;
	unit_wait(is_watched, &wanted, "the end of the watch");
}
END_TEST

Suite *
unit_sticky(void)
{
	Suite *suite;
	TCase *tests = unit_case("sticky", &suite);

	tcase_add_test(tests, found_when_it_is_back);
	tcase_add_test(tests, one_look_serves_all_of_a_name);
	tcase_add_test(tests, forgotten_ones_are_not_looked_for);
	tcase_add_test(tests, check_finds_at_once);
	tcase_add_test(tests, check_needs_no_runtime);
	tcase_add_test(tests, sent_back_it_is_found_again);
	tcase_add_test(tests, a_sign_brings_a_look);
	tcase_add_test(tests, a_storm_of_signs_brings_few_looks);
	tcase_add_test(tests, a_stream_of_newcomers_does_not_delay_looks);
	tcase_add_test(tests, watches_only_while_something_waits);
	return suite;
}
