/* From a record to a probe, and back. */
#include "config.h"

#include "state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec.h"
#include "registry.h"
#include "run.h"
#include "store.h"
#include "unit.h"
#include "util.h"

/* The instance of the jail "www" that unit_life_begin begins, ' for ". */
#define WWW "'instance':{'jid':4711,'born':0,'pid_namespace':0,'known_as':'','boot':'1'}"

/* A record of it with these members beside. */
#define RECORD(number, members) \
	"{'format':1,'probe':" #number ",'created':1700000000123,'jail':'www'," members "," WWW "}"

static unsigned spent_count;
static uint64_t spent_number;
static char spent_name[DEFINITION_NAME_MAX + 1];

static void
spend(const struct definition *def, uint64_t number)
{
	spent_count++;
	spent_number = number;
	snprintf(spent_name, sizeof(spent_name), "%s", def->name);
}

static void
write_record(const char *name, const char *text)
{
	char *real = unit_quotes(text);

	unit_state_write(name, real);
	free(real);
}

static void
begin(void)
{
	unit_life_begin();
	unit_state_begin();
}

/* Returns what was logged. */
static const char *
restore(void)
{
	struct error e = {0};
	const char *log;
	int restored;

	unit_capture();
	restored = state_restore(spend, &e);
	log = unit_captured();
	ck_assert_msg(restored == 0, "%s", e.text);
	return log;
}

/* ---- all that is kept ---- */

static const char *const whole[] = {
    RECORD(7,
	   "'command':'echo \\u00fc\\n\\u0001'"),
    RECORD(
	7,
	"'command':['/bin/echo','','two words'],'respawn':'after','sticky':true,'show_status':true,"
	"'title':'TITLE','name':'snap','uid':0,'gid':4294967294,'cooldown':0,'timeout':86400,"
	"'configured':true,'triggers':9,'runs':5,'coalesced':3,'throttled':1,"
	"'last':{'started':1700000000000,'finished':1700000000999,'status':768,'timed_out':false,"
	"'output_bytes':9000000000}"),
    RECORD(7, "'command':'x','respawn':'now','max_runs':1000,'cooldown':0.001,"
	      "'timeout':31622399.999,'triggers':9223372036854775807,"
	      "'last':{'started':0,'finished':0,'status':-1,'timed_out':true,'output_bytes':0}"),
};

START_TEST(every_member_comes_back)
{
	json_t *wanted = unit_json(whole[_i]), *record;
	const struct probe *probe;
	char *text;

	begin();
	write_record("7.json", whole[_i]);
	restore();
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

	begin();
	write_record("7.json", RECORD(7, "'command':'exit 3','respawn':'after','name':'snap'"));
	ck_assert_ptr_nonnull(strstr(restore(), "event=probe-restored probe=7 name=\"snap\""));
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

	begin();
	write_record("7.json", RECORD(7, "'command':'x'"));
	restore();
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
    RECORD(7, "'command':'x'") "x",
    RECORD(7, "'command':'x','command':'y'"),
    RECORD(7, "'command':'x','unknown':0"),
    RECORD(8, "'command':'x'"), /* of another probe */
    RECORD(7, "'command':'x','given_back':true"), /* of a run that can't have begun */
};

static void
check_set_aside(const char *name, const char *text)
{
	char place[64];

	write_record(name, text);
	ck_assert_ptr_nonnull(strstr(restore(), "event=state-set-aside"));
	ck_assert_ptr_null(registry_first());
	ck_assert(!unit_state_has(name));
	snprintf(place, sizeof(place), "set-aside/%s", name);
	ck_assert(unit_state_has(place));
	ck_assert_uint_eq(registry_next_number(), 8); /* its number was given, all the same */
	unit_life_check_clean();
}

START_TEST(senseless_records_are_set_aside)
{
	begin();
	check_set_aside("7.json", senseless[_i]);
}
END_TEST

START_TEST(senseless_started_records_are_set_aside)
{
	begin();
	check_set_aside("7.started", "{}");
	ck_assert_uint_eq(spent_count, 0);
}
END_TEST

START_TEST(others_are_restored_beside_a_senseless_one)
{
	begin();
	write_record("6.json", RECORD(6, "'command':'x'"));
	write_record("7.json", "{}");
	write_record("8.json", RECORD(8, "'command':'x'"));
	restore();
	ck_assert_uint_eq(registry_count(), 2);
	ck_assert_ptr_nonnull(registry_by_number(6));
	ck_assert_ptr_nonnull(registry_by_number(8));
}
END_TEST

START_TEST(the_newer_one_has_the_name)
{
	begin();
	write_record("6.json", RECORD(6, "'command':'old','name':'snap'"));
	write_record("10.json", RECORD(10, "'command':'new','name':'snap'"));
	restore();
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
	const char *log = restore();

	ck_assert_ptr_nonnull(strstr(log, "event=removed probe=7"));
	ck_assert_ptr_null(strstr(log, "set-aside"));
	ck_assert_ptr_null(registry_first());
	ck_assert(!unit_state_has("7.json"));
	ck_assert_uint_eq(jail_count(), 0);
	unit_life_check_clean();
}

START_TEST(its_jail_has_ended)
{
	begin();
	unit_jail_end("www");
	write_record("7.json", RECORD(7, "'command':'x'"));
	check_dropped();
}
END_TEST

START_TEST(its_jail_is_another_one)
{
	begin();
	unit_jail_end("www");
	unit_jail_begin("www", 4711);
	write_record("7.json", RECORD(7, "'command':'x'"));
	check_dropped();
}
END_TEST

/* What is dropped takes all records of its number with it: no other probe may have come back from one of them. */
START_TEST(another_record_of_a_number_that_is_gone_is_set_aside)
{
	begin();
	write_record("7.started", "{'format':1,'probe':7,'created':0,'jail':'www','command':'x','given_back':true,"
				  "'pending':1,'triggers':1}");
	write_record("7.json", RECORD(7, "'command':'x'"));
	ck_assert_ptr_nonnull(strstr(restore(), "event=removed probe=7"));
	ck_assert_ptr_null(registry_first());
	ck_assert(!unit_state_has("7.started"));
	ck_assert(!unit_state_has("7.json"));
	ck_assert(unit_state_has("set-aside/7.json"));
}
END_TEST

START_TEST(the_host_was_booted)
{
	begin();
	unit_host_boot();
	write_record("7.json", RECORD(7, "'command':'x'"));
	check_dropped();
}
END_TEST

START_TEST(its_jail_was_never_known)
{
	begin();
	write_record("7.json", "{'format':1,'probe':7,'created':0,'jail':'www','command':'x'}");
	check_dropped();
}
END_TEST

START_TEST(sticky_waits_for_its_jail_again)
{
	begin();
	unit_jail_end("www");
	write_record("7.json", RECORD(7, "'command':'x','sticky':true,'respawn':'after'"));
	restore();
	ck_assert_int_eq(probe_state(registry_by_number(7)), PROBE_WAITING);
	ck_assert(unit_state_has("7.json"));
	unit_jail_begin("www", 4800);
	unit_attach_wait(1);
	ck_assert_int_eq(registry_by_number(7)->jail->jid, 4800);
}
END_TEST

START_TEST(sticky_survives_the_host)
{
	begin();
	unit_host_boot();
	write_record("7.json", RECORD(7, "'command':'x','sticky':true"));
	restore();
	ck_assert_int_eq(probe_state(registry_by_number(7)), PROBE_STARTING);
}
END_TEST

/* ---- triggers whose run never started ---- */

static int64_t
kept_pending(const char *file)
{
	json_t *record = unit_state_read(file);
	int64_t pending = json_integer_value(json_object_get(record, "pending"));

	json_decref(record);
	return pending;
}

/* With a command that waits at the gate, and these members. */
static void
write_pending(const char *members)
{
	char text[1024];

	ck_assert_int_lt(snprintf(text, sizeof(text), RECORD(7, "'command':'read x <%s',%s"),
				  unit_path("gate"), members),
			 (int)sizeof(text));
	write_record("7.json", text);
}

START_TEST(a_pending_trigger_has_its_run)
{
	struct probe *probe;

	begin();
	write_pending("'respawn':'after','pending':1,'triggers':1");
	restore();
	probe = registry_by_number(7);
	ck_assert_uint_eq(probe->runs, 0); /* not before the store knows of it */
	ck_assert_int_eq(kept_pending("7.json"), 1);
	unit_life_wait(probe, PROBE_RUNNING, 1);
	ck_assert_int_eq(kept_pending("7.json"), 0);
	ck_assert_uint_eq(unit_attaches(), 0); /* respawn after the run */
	unit_release(unit_life_gate);
	unit_life_rearm(probe);
	ck_assert_uint_eq(probe->runs, 1);
	ck_assert_uint_eq(probe->triggers, 1);
	ck_assert_uint_eq(probe->pending, 0);
}
END_TEST

START_TEST(an_overlapping_one_is_armed_beside_it)
{
	struct probe *probe;

	begin();
	write_pending("'respawn':'now','pending':2,'triggers':2");
	restore();
	probe = registry_by_number(7);
	unit_life_rearm(probe);
	unit_life_wait(probe, PROBE_ARMED, 2);
	ck_assert_uint_eq(probe->active, 2);
	ck_assert_int_eq(kept_pending("7.json"), 0);
	run_kill_all(probe); /* those who have not come to the gate yet would wait there for ever */
}
END_TEST

START_TEST(a_single_shot_has_its_one_run)
{
	struct probe *probe;

	begin();
	write_pending("'pending':1,'triggers':1");
	restore();
	probe = registry_by_number(7);
	probe_hold(probe);
	unit_life_wait(probe, PROBE_RUNNING, 1);
	ck_assert(unit_state_has("7.started"));
	ck_assert(!unit_state_has("7.json"));
	ck_assert_uint_eq(unit_attaches(), 0);
	unit_release(unit_life_gate);
	unit_life_wait(probe, PROBE_GONE, 1);
	unit_settle();
	ck_assert(!unit_state_has("7.started"));
	probe_release(probe);
	unit_life_check_clean();
}
END_TEST

/* The trigger was that of the jail that has ended. */
START_TEST(a_pending_trigger_goes_with_its_jail)
{
	struct probe *probe;

	begin();
	unit_jail_end("www");
	if (_i == 1)
		unit_jail_begin("www", 4800);
	write_record("7.json",
		     RECORD(7, "'command':'x','sticky':true,'respawn':'after','pending':1,"
			       "'triggers':1"));
	ck_assert_ptr_nonnull(strstr(restore(), "event=trigger-dropped probe=7"));
	probe = registry_by_number(7);
	ck_assert_int_eq(probe_state(probe), _i == 1 ? PROBE_STARTING : PROBE_WAITING);
	ck_assert_uint_eq(probe->pending, 0);
	ck_assert_uint_eq(probe->triggers, 1);
}
END_TEST

/* Its trigger is dropped, but its record still tells that the run may be had. */
START_TEST(one_that_was_given_back_has_one_run_in_the_next_jail)
{
	struct probe *probe;
	json_t *record;

	begin();
	unit_jail_end("www");
	unit_jail_begin("www", 4800);
	write_record("7.started",
		     RECORD(7, "'command':'x','sticky':true,'pending':1,'given_back':true,'triggers':1"));
	restore();
	probe = registry_by_number(7);
	probe_hold(probe);
	unit_life_rearm(probe);
	unit_life_press(probe);
	unit_life_wait(probe, PROBE_RUNNING, 1);
	record = unit_state_read("7.started");
	ck_assert(!json_is_true(json_object_get(record, "given_back")));
	json_decref(record);
	unit_life_wait(probe, PROBE_GONE, 1);
	probe_release(probe);
}
END_TEST

/* ---- single shots that were started ---- */

START_TEST(a_started_one_is_over)
{
	begin();
	write_record("7.started", RECORD(7, "'command':'x','pending':1,'triggers':1"));
	ck_assert_ptr_nonnull(strstr(restore(), "event=removed probe=7"));
	ck_assert_ptr_null(registry_first());
	ck_assert(!unit_state_has("7.started"));
	ck_assert_uint_eq(spent_count, 0);
	unit_settle();
	unit_life_check_clean();
}
END_TEST

START_TEST(a_configured_one_stays_spent)
{
	begin();
	write_record("7.started", RECORD(7, "'command':'x','configured':true,'name':'once'"));
	restore();
	ck_assert_uint_eq(spent_count, 1);
	ck_assert_uint_eq(spent_number, 7);
	ck_assert_str_eq(spent_name, "once");
	ck_assert(unit_state_has("7.started"));
	unit_life_check_clean();
}
END_TEST

/* Whatever lies beside it. */
START_TEST(a_started_one_is_over_even_if_it_seems_to_be_armed)
{
	begin();
	write_record("7.started", RECORD(7, "'command':'x'"));
	write_record("7.json", RECORD(7, "'command':'x','triggers':1"));
	restore();
	ck_assert_ptr_null(registry_first());
	ck_assert(!unit_state_has("7.started"));
	ck_assert(!unit_state_has("7.json"));
}
END_TEST

/* ---- numbers ---- */

START_TEST(no_number_is_given_again)
{
	begin();
	write_record("7.json", RECORD(7, "'command':'x'"));
	restore();
	ck_assert_uint_eq(registry_next_number(), 8);
	ck_assert_int_eq(store_reserve(101), 0);
	restore();
	ck_assert_uint_eq(registry_next_number(), 101);
}
END_TEST

START_TEST(a_directory_that_can_not_be_read)
{
	struct error e = {0};

	begin();
	store_close();
	ck_assert_int_eq(state_restore(spend, &e), -1);
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
	tcase_add_test(tests, a_pending_trigger_has_its_run);
	tcase_add_test(tests, an_overlapping_one_is_armed_beside_it);
	tcase_add_test(tests, a_single_shot_has_its_one_run);
	tcase_add_loop_test(tests, a_pending_trigger_goes_with_its_jail, 0, 2);
	tcase_add_test(tests, one_that_was_given_back_has_one_run_in_the_next_jail);
	tcase_add_test(tests, a_started_one_is_over);
	tcase_add_test(tests, a_configured_one_stays_spent);
	tcase_add_test(tests, a_started_one_is_over_even_if_it_seems_to_be_armed);
	tcase_add_test(tests, no_number_is_given_again);
	tcase_add_test(tests, a_directory_that_can_not_be_read);
	return suite;
}
