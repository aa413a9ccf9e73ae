/* The record of a probe: what is written of one, and which of them can't be read. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "unit.h"
#include "util.h"

#define START "{'format':1,'probe':7,'created':5,'jail':'www','command':'x'"

/* With numbers that a kernel may give, and that JSON's integers have no room for. */
static struct jail_instance jail = {
    .jid = 4711, .born = UINT64_MAX, .pid_namespace = 4026531836, .known_as = "www"};

static void
fill(struct probe *probe)
{
	*probe = (struct probe){.number = 7,
				.created_ms = 1700000000123,
				.pending = 2,
				.triggers = 9,
				.runs = 4,
				.coalesced = 3,
				.throttled = 1,
				.configured = true,
				.jail = &jail};
	probe->last = (struct probe_last){.any = true,
					  .started_ms = 1,
					  .finished_ms = 2,
					  .status = 139,
					  .timed_out = true,
					  .output_bytes = 5000000000};
	definition_init(&probe->def);
	unit_name_jail(&probe->def, "www");
	probe->def.shell = strdup("x");
	probe->def.respawn = RESPAWN_AFTER;
}

START_TEST(what_is_written_is_read)
{
	json_t *record;
	struct definition def;
	struct probe_saved saved;
	struct probe probe;
	struct error e;

	fill(&probe);
	record = codec_record(&probe, true);
	ck_assert_ptr_nonnull(record);
	ck_assert_msg(codec_read_record(record, &def, &saved, &e) == 0, "%s", e.text);
	ck_assert(definition_equal(&def, &probe.def));
	ck_assert_uint_eq(saved.number, 7);
	ck_assert_int_eq(saved.created_ms, 1700000000123);
	ck_assert(saved.configured);
	ck_assert_uint_eq(saved.pending, 2);
	ck_assert_uint_eq(saved.triggers, 9);
	ck_assert_uint_eq(saved.runs, 4);
	ck_assert_uint_eq(saved.coalesced, 3);
	ck_assert_uint_eq(saved.throttled, 1);
	ck_assert(saved.last.any);
	ck_assert_int_eq(saved.last.started_ms, 1);
	ck_assert_int_eq(saved.last.finished_ms, 2);
	ck_assert_int_eq(saved.last.status, 139);
	ck_assert(saved.last.timed_out);
	ck_assert_uint_eq(saved.last.output_bytes, 5000000000);
	ck_assert_int_eq(saved.jail.jid, 4711);
	ck_assert_uint_eq(saved.jail.born, UINT64_MAX);
	ck_assert_uint_eq(saved.jail.pid_namespace, 4026531836);
	ck_assert_str_eq(saved.jail.known_as, "www");
	ck_assert_str_eq(saved.jail.boot, "1");
	json_decref(record);
	definition_clear(&def);
	definition_clear(&probe.def);
}
END_TEST

START_TEST(without_a_jail_there_is_no_instance)
{
	struct definition def;
	struct probe_saved saved;
	struct probe probe;
	struct error e;
	json_t *record;

	fill(&probe);
	probe.jail = NULL;
	probe.last.any = false;
	record = codec_record(&probe, true);
	ck_assert_ptr_null(json_object_get(record, "instance"));
	ck_assert_ptr_null(json_object_get(record, "last"));
	ck_assert_int_eq(codec_read_record(record, &def, &saved, &e), 0);
	ck_assert_str_eq(saved.jail.boot, "");
	ck_assert(!saved.last.any);
	json_decref(record);
	definition_clear(&def);
	definition_clear(&probe.def);
}
END_TEST

START_TEST(what_is_not_said)
{
	json_t *record = unit_json(START "}");
	struct definition def;
	struct probe_saved saved;
	struct error e;

	ck_assert_msg(codec_read_record(record, &def, &saved, &e) == 0, "%s", e.text);
	ck_assert_str_eq(def.shell, "x");
	ck_assert_int_eq(def.respawn, RESPAWN_NO);
	ck_assert_int_eq(def.uid, DEFINITION_UNSET);
	ck_assert_int_eq(def.cooldown_ms, DEFINITION_UNSET);
	ck_assert(!saved.configured && !saved.last.any);
	ck_assert_uint_eq(saved.pending, 0);
	json_decref(record);
	definition_clear(&def);
}
END_TEST

static const struct {
	const char *text;
	const char *why; /* is in the error */
} refused[] = {
    {"[]", "object"},
    {"null", "object"},
    {"{}", "is missing"},
    {START ",'unknown':0}", "unknown member \"unknown\""},
    {START ",'replace':true}", "unknown member \"replace\""},
    {START ",'respawn':'often'}", "respawn"},
    {START ",'uid':-1}", "uid"},
    {START ",'name':'17'}", "name"},
    {START ",'pending':-1}", "pending"},
    {START ",'pending':10002}", "pending"},
    {START ",'triggers':1.0}", "triggers"},
    {START ",'configured':1}", "configured"},
    {START ",'last':7}", "last"},
    {START ",'last':{}}", "started"},
    {START
     ",'last':{'started':0,'finished':0,'status':0,'timed_out':false,'output_bytes':0,'more':0}}",
     "more"},
    {START ",'instance':0}", "instance"},
    {START ",'instance':{'jid':4711}}", "born"},
    {START ",'instance':{'jid':0,'born':0,'pid_namespace':0,'known_as':'','boot':'1'}}", "jid"},
    {START ",'instance':{'jid':1,'born':0,'pid_namespace':0,'known_as':1,'boot':'1'}}", "known_as"},
    {START ",'instance':{'jid':1,'born':0,'pid_namespace':0,'known_as':'','boot':''}}", "boot"},
    {START ",'instance':{'jid':1,'born':0,'pid_namespace':0,'known_as':'',"
	   "'boot':'longer than the name of any boot that there ever was'}}",
     "boot"},
    {"{'format':2,'probe':7,'created':0,'jail':'www','command':'x'}", "format"},
    {"{'probe':7,'created':0,'jail':'www','command':'x'}", "format"},
    {"{'format':1,'probe':0,'created':0,'jail':'www','command':'x'}", "probe"},
    {"{'format':1,'probe':9223372036854775807,'created':0,'jail':'www','command':'x'}", "probe"},
    {"{'format':1,'probe':7,'jail':'www','command':'x'}", "created"},
    {"{'format':1,'probe':7,'created':0,'command':'x'}", "jail"},
    {"{'format':1,'probe':7,'created':0,'jail':'www'}", "command"},
    {"{'format':1,'probe':7,'created':0,'jail':'www','command':''}", "command"},
    {"{'format':1,'probe':7,'created':0,'jail':7,'command':'x','sticky':true}", "sticky"},
};

START_TEST(refused_with_its_reason)
{
	json_t *record = unit_json(refused[_i].text);
	struct probe_saved saved;
	struct definition def;
	struct error e;

	ck_assert_int_eq(codec_read_record(record, &def, &saved, &e), -1);
	ck_assert_int_eq(e.code, ERR_BAD_REQUEST);
	ck_assert_msg(strstr(e.text, refused[_i].why) != NULL, "%s", e.text);
	json_decref(record);
	definition_clear(&def);
}
END_TEST

static void
check_definition(const struct definition *wanted)
{
	json_t *object = codec_definition(wanted);
	struct definition def;
	struct error e;

	ck_assert_ptr_nonnull(object);
	ck_assert_int_eq(codec_read_definition(object, &def, &e), 0);
	ck_assert(definition_equal(&def, wanted));
	json_decref(object);
	definition_clear(&def);
}

START_TEST(every_millisecond_comes_back)
{
	struct definition def;

	definition_init(&def);
	unit_name_jail(&def, "www");
	def.shell = strdup("x");
	for (int64_t ms = 1; ms <= DEFINITION_SECONDS_MAX * 1000; ms += ms < 3000 ? 1 : ms / 97) {
		def.cooldown_ms = ms;
		def.timeout_ms = DEFINITION_SECONDS_MAX * 1000 - ms;
		check_definition(&def);
	}
	definition_clear(&def);
}
END_TEST

Suite *
unit_codec_record(void)
{
	Suite *suite;
	TCase *tests = unit_case("codec_record", &suite);

	tcase_add_test(tests, what_is_written_is_read);
	tcase_add_test(tests, without_a_jail_there_is_no_instance);
	tcase_add_test(tests, what_is_not_said);
	tcase_add_loop_test(tests, refused_with_its_reason, 0, (int)UTIL_COUNT(refused));
	tcase_add_test(tests, every_millisecond_comes_back);
	return suite;
}
