/* From a record to a probe, and back. */
#include "config.h"

#include "state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry.h"
#include "store.h"
#include "unit.h"
#include "util.h"

/* ---- all that is kept ---- */

static const char *const whole[] = {
    UNIT_RECORD(7,
		"'command':'echo \\u00fc\\n\\u0001'"),
    UNIT_RECORD(
	7,
	"'command':['/bin/echo','','two words'],'respawn':'after','sticky':true,'show_status':true,"
	"'title':'TITLE','name':'snap','uid':0,'gid':4294967294,'cooldown':0,'timeout':86400,"
	"'configured':true,'triggers':9,'runs':5,'coalesced':3,'throttled':1,"
	"'last':{'started':1700000000000,'finished':1700000000999,'status':768,'timed_out':false,"
	"'output_bytes':9000000000}"),
    UNIT_RECORD(7, "'command':'x','respawn':'now','max_runs':1000,'cooldown':0.001,"
		   "'timeout':31622399.999,'triggers':9223372036854775807,"
		   "'last':{'started':0,'finished':0,'status':-1,'timed_out':true,'output_bytes':0}"),
};

START_TEST(every_member_comes_back)
{
	json_t *wanted = unit_json(whole[_i]), *record;
	const struct probe *probe;
	char *text;

	unit_life_begin_kept();
	unit_state_put("7.json", whole[_i]);
	unit_state_restore();
	probe = registry_by_number(7);
	ck_assert_ptr_nonnull(probe);
	text = state_render(probe);
	record = json_loads(text, 0, NULL);
	ck_assert_msg(json_equal(record, wanted), "%s", text);
	free(text);
	json_decref(record);
	json_decref(wanted);
}
END_TEST

START_TEST(it_is_armed_again)
{
	struct probe *probe;

	unit_life_begin_kept();
	unit_state_put("7.json",
		       UNIT_RECORD(7, "'command':'exit 3','respawn':'after','name':'snap'"));
	ck_assert_ptr_nonnull(
	    strstr(unit_state_restore(), "event=probe-restored probe=7 name=\"snap\""));
	probe = registry_by_name("snap");
	ck_assert_ptr_nonnull(probe);
	ck_assert_int_eq(probe_state(probe), PROBE_STARTING);
	ck_assert_int_eq(probe->created_ms, 1700000000123);
	unit_life_rearm(probe);
	unit_life_press(probe);
	unit_attach_wait(1);
	ck_assert_uint_eq(probe->runs, 1);
	ck_assert_int_eq(probe->last.status, 3 << 8);
}
END_TEST

/* Nobody waits for it: it isn't given up. */
START_TEST(it_is_tried_again_when_it_can_not_be_armed)
{
	struct probe *probe;

	unit_life_begin_kept();
	unit_state_put("7.json", UNIT_RECORD(7, "'command':'x'"));
	unit_state_restore();
	probe = registry_by_number(7);
	unit_attach_wait(1);
	unit_attach_fail(0);
	unit_life_rearm(probe);
	ck_assert(unit_state_has("7.json"));
}
END_TEST

/* ---- what makes no sense ---- */

static const char *const senseless[] = {
    "",
    "{",
    "[]",
    UNIT_RECORD(7, "'command':'x'") "x",
    UNIT_RECORD(7, "'command':'x','command':'y'"),
    UNIT_RECORD(7, "'command':'x','unknown':0"),
    UNIT_RECORD(8, "'command':'x'"), /* of another probe */
    UNIT_RECORD(7, "'command':'x','given_back':true"), /* of a run that can't have begun */
};

static void
check_set_aside(const char *name, const char *text)
{
	char place[64];

	unit_state_put(name, text);
	ck_assert_ptr_nonnull(strstr(unit_state_restore(), "event=state-set-aside"));
	ck_assert_ptr_null(registry_first());
	ck_assert(!unit_state_has(name));
	snprintf(place, sizeof(place), "set-aside/%s", name);
	ck_assert(unit_state_has(place));
	ck_assert_uint_eq(registry_next_number(), 8); /* its number was given, all the same */
	unit_life_check_clean();
}

START_TEST(senseless_records_are_set_aside)
{
	unit_life_begin_kept();
	check_set_aside("7.json", senseless[_i]);
}
END_TEST

START_TEST(senseless_started_records_are_set_aside)
{
	unit_life_begin_kept();
	check_set_aside("7.started", "{}");
	ck_assert_uint_eq(unit_state_spent.count, 0);
}
END_TEST

START_TEST(others_are_restored_beside_a_senseless_one)
{
	unit_life_begin_kept();
	unit_state_put("6.json", UNIT_RECORD(6, "'command':'x'"));
	unit_state_put("7.json", "{}");
	unit_state_put("8.json", UNIT_RECORD(8, "'command':'x'"));
	unit_state_restore();
	ck_assert_uint_eq(registry_count(), 2);
	ck_assert_ptr_nonnull(registry_by_number(6));
	ck_assert_ptr_nonnull(registry_by_number(8));
}
END_TEST

START_TEST(the_newer_one_has_the_name)
{
	unit_life_begin_kept();
	unit_state_put("6.json", UNIT_RECORD(6, "'command':'old','name':'snap'"));
	unit_state_put("10.json", UNIT_RECORD(10, "'command':'new','name':'snap'"));
	unit_state_restore();
	ck_assert_uint_eq(registry_count(), 1);
	ck_assert_uint_eq(registry_by_name("snap")->number, 10);
	ck_assert(!unit_state_has("6.json"));
	ck_assert(unit_state_has("10.json"));
}
END_TEST

/* ---- jails ---- */

static void
check_dropped(void)
{
	const char *log = unit_state_restore();

	ck_assert_ptr_nonnull(strstr(log, "event=removed probe=7"));
	ck_assert_ptr_null(strstr(log, "set-aside"));
	ck_assert_ptr_null(registry_first());
	ck_assert(!unit_state_has("7.json"));
	ck_assert_uint_eq(jail_count(), 0);
	unit_life_check_clean();
}

START_TEST(its_jail_has_ended)
{
	unit_life_begin_kept();
	unit_jail_end("www");
	unit_state_put("7.json", UNIT_RECORD(7, "'command':'x'"));
	check_dropped();
}
END_TEST

START_TEST(its_jail_is_another_one)
{
	unit_life_begin_kept();
	unit_jail_end("www");
	unit_jail_begin("www", 4711);
	unit_state_put("7.json", UNIT_RECORD(7, "'command':'x'"));
	check_dropped();
}
END_TEST

/* What is dropped takes all records of its number with it: no other probe may have come back from one of them. */
START_TEST(another_record_of_a_number_that_is_gone_is_set_aside)
{
	unit_life_begin_kept();
	unit_state_put("7.started", "{'format':1,'probe':7,'created':0,'jail':'www','command':'x','given_back':true,"
				    "'pending':1,'triggers':1}");
	unit_state_put("7.json", UNIT_RECORD(7, "'command':'x'"));
	ck_assert_ptr_nonnull(strstr(unit_state_restore(), "event=removed probe=7"));
	ck_assert_ptr_null(registry_first());
	ck_assert(!unit_state_has("7.started"));
	ck_assert(!unit_state_has("7.json"));
	ck_assert(unit_state_has("set-aside/7.json"));
}
END_TEST

START_TEST(the_host_was_booted)
{
	unit_life_begin_kept();
	unit_host_boot();
	unit_state_put("7.json", UNIT_RECORD(7, "'command':'x'"));
	check_dropped();
}
END_TEST

START_TEST(its_jail_was_never_known)
{
	unit_life_begin_kept();
	unit_state_put("7.json", "{'format':1,'probe':7,'created':0,'jail':'www','command':'x'}");
	check_dropped();
}
END_TEST

START_TEST(sticky_waits_for_its_jail_again)
{
	unit_life_begin_kept();
	unit_jail_end("www");
	unit_state_put("7.json", UNIT_RECORD(7, "'command':'x','sticky':true,'respawn':'after'"));
	unit_state_restore();
	ck_assert_int_eq(probe_state(registry_by_number(7)), PROBE_WAITING);
	ck_assert(unit_state_has("7.json"));
	unit_jail_begin("www", 4800);
	unit_attach_wait(1);
	ck_assert_int_eq(registry_by_number(7)->jail->jid, 4800);
}
END_TEST

START_TEST(sticky_survives_the_host)
{
	unit_life_begin_kept();
	unit_host_boot();
	unit_state_put("7.json", UNIT_RECORD(7, "'command':'x','sticky':true"));
	unit_state_restore();
	ck_assert_int_eq(probe_state(registry_by_number(7)), PROBE_STARTING);
}
END_TEST

/* ---- numbers ---- */

START_TEST(no_number_is_given_again)
{
	unit_life_begin_kept();
	unit_state_put("7.json", UNIT_RECORD(7, "'command':'x'"));
	unit_state_restore();
	ck_assert_uint_eq(registry_next_number(), 8);
	ck_assert_int_eq(store_reserve(101), 0);
	unit_state_restore();
	ck_assert_uint_eq(registry_next_number(), 101);
}
END_TEST

START_TEST(a_directory_that_can_not_be_read)
{
	struct error e = {0};

	unit_life_begin_kept();
	store_close();
	ck_assert_int_eq(state_restore(unit_state_spend, &e), -1);
	ck_assert_int_eq(e.code, ERR_INTERNAL);
}
END_TEST

static void
add_jails(TCase *tests)
{
	tcase_add_test(tests, its_jail_has_ended);
	tcase_add_test(tests, its_jail_is_another_one);
	tcase_add_test(tests, another_record_of_a_number_that_is_gone_is_set_aside);
	tcase_add_test(tests, the_host_was_booted);
	tcase_add_test(tests, its_jail_was_never_known);
	tcase_add_test(tests, sticky_waits_for_its_jail_again);
	tcase_add_test(tests, sticky_survives_the_host);
}

Suite *
unit_state(void)
{
	Suite *suite;
	TCase *tests = unit_case("state", &suite);

	tcase_add_loop_test(tests, every_member_comes_back, 0, (int)UTIL_COUNT(whole));
	tcase_add_test(tests, it_is_armed_again);
	tcase_add_test(tests, it_is_tried_again_when_it_can_not_be_armed);
	tcase_add_loop_test(tests, senseless_records_are_set_aside, 0, (int)UTIL_COUNT(senseless));
	tcase_add_test(tests, senseless_started_records_are_set_aside);
	tcase_add_test(tests, others_are_restored_beside_a_senseless_one);
	tcase_add_test(tests, the_newer_one_has_the_name);
	add_jails(tests);
	tcase_add_test(tests, no_number_is_given_again);
	tcase_add_test(tests, a_directory_that_can_not_be_read);
	return suite;
}
