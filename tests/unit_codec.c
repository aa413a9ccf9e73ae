/* Structs ↔ JSON. */
#include "config.h"

#include "codec.h"

#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"
#include "util.h"

/* ---- codec_bytes ---- */

static void
check_bytes(const char *bytes, size_t length, const char *wanted, size_t wanted_length)
{
	json_t *string = codec_bytes(bytes, length);

	ck_assert_ptr_nonnull(string);
	ck_assert_uint_eq(json_string_length(string), wanted_length);
	ck_assert_mem_eq(json_string_value(string), wanted, wanted_length);
	json_decref(string);
}

#define BYTES(text, wanted) check_bytes(text, sizeof(text) - 1, wanted, sizeof(wanted) - 1)
#define BAD		    "\xef\xbf\xbd"

START_TEST(bytes_that_are_utf8)
{
	BYTES("", "");
	BYTES("plain\n\t\x1b", "plain\n\t\x1b");
	BYTES("a\0b", "a\0b");
	BYTES("\x7f", "\x7f");
	BYTES("\xc2\x80\xdf\xbf", "\xc2\x80\xdf\xbf");
	BYTES("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf",
	      "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf");
	BYTES("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
}
END_TEST

START_TEST(bytes_that_begin_nothing)
{
	BYTES("\x80", BAD);
	BYTES("\xbf", BAD);
	BYTES("a\x80z", "a" BAD "z");
	BYTES("\xfe\xff", BAD BAD);
	BYTES("\xf8\x88\x80\x80\x80", BAD BAD BAD BAD BAD);
	BYTES("\xc3\xa4\x80", "\xc3\xa4" BAD);
}
END_TEST

START_TEST(bytes_that_end_too_early)
{
	BYTES("\xc3", BAD);
	BYTES("\xe2\x82", BAD BAD);
	BYTES("\xf0\x9f\x98", BAD BAD BAD);
	BYTES("\xc3(", BAD "(");
	BYTES("\xe2\x82z", BAD BAD "z");
	BYTES("\xf0\x9f\x98\xc3\xa4", BAD BAD BAD "\xc3\xa4");
	BYTES("\xe2\xc3\xa4", BAD "\xc3\xa4");
	check_bytes("\xc3\xa4", 1, BAD, 3); /* what would complete it is not part of it */
}
END_TEST

START_TEST(bytes_that_are_overlong)
{
	BYTES("\xc0\x80", BAD BAD);
	BYTES("\xc1\xbf", BAD BAD);
	BYTES("\xe0\x80\xaf", BAD BAD BAD);
	BYTES("\xe0\x9f\xbf", BAD BAD BAD);
	BYTES("\xf0\x80\x80\xaf", BAD BAD BAD BAD);
	BYTES("\xf0\x8f\xbf\xbf", BAD BAD BAD BAD);
}
END_TEST

START_TEST(bytes_that_are_no_characters)
{
	BYTES("\xed\xa0\x80", BAD BAD BAD);			    /* a surrogate, the first */
	BYTES("\xed\xbf\xbf", BAD BAD BAD);			    /* the last */
	BYTES("\xed\xa0\xbd\xed\xb8\x80", BAD BAD BAD BAD BAD BAD); /* a pair of them */
	BYTES("\xf4\x90\x80\x80", BAD BAD BAD BAD);		    /* above U+10FFFF */
	BYTES("\xf5\x80\x80\x80", BAD BAD BAD BAD);
}
END_TEST

START_TEST(bytes_of_every_value)
{
	char all[256], wanted[128 + 128 * 3];
	size_t used = 0;

	for (int i = 0; i < 256; i++) {
		all[i] = (char)i;
		if (i < 128) {
			wanted[used++] = (char)i;
		} else {
			memcpy(wanted + used, BAD, 3);
			used += 3;
		}
	}
	check_bytes(all, sizeof(all), wanted, used);
}
END_TEST

START_TEST(error_text_cut_within_a_character)
{
	char text[ERROR_TEXT_SIZE + 8];
	json_t *json;
	struct error e;

	memset(text, 'x', sizeof(text));
	memcpy(text + ERROR_TEXT_SIZE - 2, "ä", sizeof("ä")); /* its second byte is cut off */
	error_set(&e, ERR_DENIED, "%s", text);
	json = codec_error(&e);
	ck_assert_ptr_nonnull(json);
	ck_assert_str_eq(json_string_value(json_object_get(json, "code")), "denied");
	ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(json, "message")), "x" BAD));
	json_decref(json);
}
END_TEST

/* ---- definitions ---- */

static int
read_definition(const char *text, struct definition *def, struct error *e)
{
	static const struct codec_member *const lists[] = {codec_definition_members, NULL};
	json_t *json = unit_json(text);
	int failed;

	ck_assert_msg(codec_check_object(json, lists, e) == 0, "%s: %s", text, e->text);
	failed = codec_read_definition(json, def, e);
	json_decref(json);
	return failed;
}

START_TEST(definition_with_nothing_but_need)
{
	struct definition def, fresh;
	struct error e;

	definition_init(&fresh);
	ck_assert_int_eq(read_definition("{'jail':23,'command':'zfs list'}", &def, &e), 0);
	ck_assert_int_eq(def.jail.number, 23);
	ck_assert_ptr_null(def.jail.name);
	ck_assert_str_eq(def.shell, "zfs list");
	ck_assert_ptr_null(def.argv);
	def.jail.number = 0;
	free(def.shell);
	def.shell = NULL;
	ck_assert(definition_equal(&def, &fresh)); /* all else is unset */
}
END_TEST

START_TEST(definition_with_everything)
{
	struct definition def;
	struct error e;

	ck_assert_int_eq(
	    read_definition("{'jail':'www','command':['zfs','','l'],'title':'T','respawn':'after',"
			    "'uid':4294967294,'gid':80,'name':'n','sticky':true,'cooldown':1.5,"
			    "'timeout':0.0015,'max_runs':3,'show_status':true}",
			    &def, &e),
	    0);
	ck_assert_int_eq(def.jail.number, 0);
	ck_assert_str_eq(def.jail.name, "www");
	ck_assert_ptr_null(def.shell);
	ck_assert_str_eq(def.argv[0], "zfs");
	ck_assert_str_eq(def.argv[1], "");
	ck_assert_str_eq(def.argv[2], "l");
	ck_assert_ptr_null(def.argv[3]);
	ck_assert_str_eq(def.title, "T");
	ck_assert_str_eq(def.name, "n");
	ck_assert_int_eq(def.respawn, RESPAWN_AFTER);
	ck_assert_int_eq(def.uid, 4294967294);
	ck_assert_int_eq(def.gid, 80);
	ck_assert(def.sticky && def.show_status);
	ck_assert_int_eq(def.cooldown_ms, 1500);
	ck_assert_int_eq(def.timeout_ms, 2);
	ck_assert_int_eq(def.max_runs, 3);
	definition_clear(&def);
}
END_TEST

START_TEST(definition_respawns)
{
	static const char *const texts[] = {"{'jail':1,'command':'x','respawn':'no'}",
					    "{'jail':1,'command':'x','respawn':'after'}",
					    "{'jail':1,'command':'x','respawn':'now'}"};
	struct definition def;
	struct error e;

	ck_assert_int_eq(read_definition(texts[_i], &def, &e), 0);
	ck_assert_int_eq(def.respawn, _i);
	definition_clear(&def);
}
END_TEST

START_TEST(definition_with_a_user_by_name)
{
	struct passwd *root = getpwuid(0);
	struct definition def;
	struct error e;

	if (root == NULL || strcmp(root->pw_name, "root") != 0) {
		unit_skip("definition_with_a_user_by_name", "this host has no user root");
		return;
	}
	ck_assert_int_eq(read_definition("{'jail':1,'command':'x','uid':'root'}", &def, &e), 0);
	ck_assert_int_eq(def.uid, 0);
	definition_clear(&def);
}
END_TEST

/* A user that vanished after the check is no root. */
START_TEST(definition_with_a_vanished_user)
{
	const char *texts[] = {"{'jail':1,'command':'x','uid':'no such user'}",
			       "{'jail':1,'command':'x','gid':'no such group'}"};
	json_t *json = unit_json(texts[_i]);
	struct definition def;
	struct error e;

	ck_assert_int_eq(codec_read_definition(json, &def, &e), -1);
	ck_assert_int_eq(e.code, ERR_BAD_REQUEST);
	ck_assert_int_eq(strncmp(e.text, _i == 0 ? "\"uid\"" : "\"gid\"", 5), 0);
	definition_clear(&def);
	json_decref(json);
}
END_TEST

START_TEST(sticky_needs_a_name)
{
	struct definition def;
	struct error e;

	ck_assert_int_eq(read_definition("{'jail':7,'command':'x','sticky':true}", &def, &e), -1);
	ck_assert_int_eq(e.code, ERR_BAD_REQUEST);
	ck_assert_ptr_nonnull(strstr(e.text, "\"sticky\""));
	ck_assert_ptr_nonnull(strstr(e.text, "\"jail\""));
	definition_clear(&def);
	ck_assert_int_eq(read_definition("{'jail':7,'command':'x','sticky':false}", &def, &e), 0);
	definition_clear(&def);
}
END_TEST

START_TEST(longest_jail_name_fits)
{
	char name[JAIL_NAME_SIZE];
	struct jail_ref ref;
	json_t *value;

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	value = json_string(name);
	codec_read_jail(value, &ref);
	ck_assert_int_eq(ref.number, 0);
	ck_assert_str_eq(ref.name, name);
	json_decref(value);
}
END_TEST

/* ---- probes ---- */

/* What a probe is shown as, read back. */
static json_t *
shown(const struct probe *probe)
{
	struct text text = {0};
	json_error_t why;
	json_t *json;

	codec_print_probe(&text, probe);
	ck_assert(!text.failed);
	json = json_loadb(text.bytes, text.used, JSON_REJECT_DUPLICATES, &why);
	ck_assert_msg(json != NULL, "%s: %.*s", why.text, (int)text.used, text.bytes);
	text_free(&text);
	return json;
}

static void
check_probe(const struct probe *probe, const char *wanted)
{
	json_t *json = shown(probe), *expected = unit_json(wanted);
	char *text;

	ck_assert_ptr_nonnull(json);
	text = json_dumps(json, JSON_COMPACT);
	ck_assert_msg(json_equal(json, expected), "%s", text);
	free(text);
	json_decref(json);
	json_decref(expected);
}

START_TEST(probe_with_nothing)
{
	char command[] = "zfs list";
	struct probe probe = {.number = 7, .created_ms = 1795262400250};

	definition_init(&probe.def);
	probe.def.jail.number = 23;
	probe.def.shell = command;
	check_probe(&probe,
		    "{'probe':7,'name':null,'jail':23,'jid':null,'pid':null,'title':null,"
		    "'command':'zfs list','respawn':'no','uid':null,'gid':null,'sticky':false,"
		    "'cooldown':null,'timeout':null,'max_runs':null,'show_status':false,"
		    "'state':'waiting','created':'2026-11-21T12:00:00.250Z','triggers':0,'runs':0,"
		    "'coalesced':0,'throttled':0,'last':null}");
}
END_TEST

START_TEST(probe_with_everything)
{
	char zfs[] = "zfs", list[] = "list", *argv[] = {zfs, list, NULL}, title[] = "T",
	     name[] = "n";
	struct jail_instance jail = {.jid = 4711};
	struct probe probe = {.number = 8,
			      .created_ms = 0,
			      .jail = &jail,
			      .pid = 4712,
			      .presence = PRESENCE_ARMED,
			      .triggers = 5,
			      .runs = 4,
			      .coalesced = 1,
			      .throttled = 2,
			      .last = {.any = true, .finished_ms = 1001, .output_bytes = 70000}};

	definition_init(&probe.def);
	probe.def.jail.name = "www";
	probe.def.argv = argv;
	probe.def.title = title;
	probe.def.name = name;
	probe.def.respawn = RESPAWN_NOW;
	probe.def.uid = 4294967294;
	probe.def.gid = 0;
	probe.def.sticky = probe.def.show_status = true;
	probe.def.cooldown_ms = 1500;
	probe.def.timeout_ms = 2000;
	probe.def.max_runs = 3;
	check_probe(&probe,
		    "{'probe':8,'name':'n','jail':'www','jid':4711,'pid':4712,'title':'T',"
		    "'command':['zfs','list'],'respawn':'now','uid':4294967294,'gid':0,"
		    "'sticky':true,'cooldown':1.5,'timeout':2,'max_runs':3,'show_status':true,"
		    "'state':'armed','created':'1970-01-01T00:00:00.000Z','triggers':5,'runs':4,"
		    "'coalesced':1,'throttled':2,'last':{'started':'1970-01-01T00:00:00.000Z',"
		    "'finished':'1970-01-01T00:00:01.001Z','exit':0,'signal':null,'timeout':null,"
		    "'output_bytes':70000}}");
}
END_TEST

static void
check_last(int status, bool timed_out, const char *wanted)
{
	char command[] = "x";
	struct probe probe = {.last = {.any = true, .status = status, .timed_out = timed_out}};
	json_t *json, *last, *expected = unit_json(wanted);

	definition_init(&probe.def);
	probe.def.shell = command;
	json = shown(&probe);
	last = json_object_get(json, "last");
	json_object_del(last, "started");
	json_object_del(last, "finished");
	ck_assert_msg(json_equal(last, expected), "%s", wanted);
	json_decref(json);
	json_decref(expected);
}

START_TEST(each_kind_of_end)
{
	check_last(3 << 8, false, "{'exit':3,'signal':null,'timeout':null,'output_bytes':0}");
	check_last(SIGKILL, false, "{'exit':null,'signal':9,'timeout':null,'output_bytes':0}");
	check_last(SIGTERM, true, "{'exit':null,'signal':null,'timeout':true,'output_bytes':0}");
	check_last(0, true, "{'exit':null,'signal':null,'timeout':true,'output_bytes':0}");
}
END_TEST

START_TEST(state_names)
{
	static const char *const names[] = {"waiting", "starting", "armed", "queued",
					    "running", "cooling",  "gone"};

	ck_assert_uint_eq(UTIL_COUNT(names), PROBE_STATES);
	for (int i = 0; i < PROBE_STATES; i++)
		ck_assert_str_eq(codec_state_name((enum probe_state)i), names[i]);
}
END_TEST

Suite *
unit_codec(void)
{
	Suite *suite;
	TCase *tests = unit_case("codec", &suite);

	tcase_add_test(tests, bytes_that_are_utf8);
	tcase_add_test(tests, bytes_that_begin_nothing);
	tcase_add_test(tests, bytes_that_end_too_early);
	tcase_add_test(tests, bytes_that_are_overlong);
	tcase_add_test(tests, bytes_that_are_no_characters);
	tcase_add_test(tests, bytes_of_every_value);
	tcase_add_test(tests, error_text_cut_within_a_character);
	tcase_add_test(tests, definition_with_nothing_but_need);
	tcase_add_test(tests, definition_with_everything);
	tcase_add_loop_test(tests, definition_respawns, 0, 3);
	tcase_add_test(tests, definition_with_a_user_by_name);
	tcase_add_loop_test(tests, definition_with_a_vanished_user, 0, 2);
	tcase_add_test(tests, sticky_needs_a_name);
	tcase_add_test(tests, longest_jail_name_fits);
	tcase_add_test(tests, probe_with_nothing);
	tcase_add_test(tests, probe_with_everything);
	tcase_add_test(tests, each_kind_of_end);
	tcase_add_test(tests, state_names);
	return suite;
}
