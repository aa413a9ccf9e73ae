/* What a request's members may be, and that each refusal names the member. */
#include "config.h"

#include "codec.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "util.h"

static const struct codec_member *const lists[] = {codec_definition_members, NULL};

/* The check of one member's value, given as JSON with ' for ". */
static int
check_value(const struct codec_member *member, const char *value, struct error *e)
{
	json_t *json = unit_json(value);
	int failed = codec_check_member(member, json, e);

	json_decref(json);
	return failed;
}

static void
accept_all(const struct codec_member *member, const char *const *values, size_t count)
{
	struct error e = {.text = ""};

	for (size_t i = 0; i < count; i++)
		ck_assert_msg(check_value(member, values[i], &e) == 0, "%s: %s", values[i], e.text);
}

static void
refuse_all(const struct codec_member *member, const char *const *values, size_t count)
{
	char named[80];

	snprintf(named, sizeof(named), "\"%s\"", member->name);
	for (size_t i = 0; i < count; i++) {
		struct error e = {.text = ""};

		ck_assert_msg(check_value(member, values[i], &e) == -1, "%s: taken", values[i]);
		ck_assert_int_eq(e.code, ERR_BAD_REQUEST);
		ck_assert_msg(strncmp(e.text, named, strlen(named)) == 0, "%s: %s", values[i],
			      e.text);
	}
}

#define ACCEPT(member, ...) \
	do { \
		static const char *const values[] = {__VA_ARGS__}; \
		accept_all(&(member), values, UTIL_COUNT(values)); \
	} while (0)
#define REFUSE(member, ...) \
	do { \
		static const char *const values[] = {__VA_ARGS__}; \
		refuse_all(&(member), values, UTIL_COUNT(values)); \
	} while (0)

/* A JSON string of so many x. */
static const char *
long_text(size_t length)
{
	static char text[DEFINITION_COMMAND_MAX + 16];

	ck_assert_uint_lt(length, sizeof(text) - 2);
	memset(text, 'x', length + 2);
	text[0] = text[length + 1] = '"';
	text[length + 2] = '\0';
	return text;
}

static void
check_length(const struct codec_member *member, size_t most)
{
	const char *value = long_text(most);

	accept_all(member, &value, 1);
	value = long_text(most + 1);
	refuse_all(member, &value, 1);
}

START_TEST(booleans)
{
	const struct codec_member member = {"sticky", CODEC_BOOL, false, 0, 0};

	ACCEPT(member, "true", "false");
	REFUSE(member, "null", "0", "1", "'true'", "''", "[]", "{}");
}
END_TEST

START_TEST(counts)
{
	const struct codec_member member = {"max_runs", CODEC_COUNT, false, 1, 1000};

	ACCEPT(member, "1", "2", "1000");
	REFUSE(member, "0", "-1", "1001", "9223372036854775807", "-9223372036854775808", "1.0",
	       "'1'", "true", "null", "[1]", "{}");
}
END_TEST

START_TEST(seconds)
{
	const struct codec_member member = {"cooldown", CODEC_SECONDS, false, 0,
					    DEFINITION_SECONDS_MAX};

	ACCEPT(member, "0", "0.0", "0.001", "1", "1.5", "1e3", "31622400", "31622400.0");
	REFUSE(member, "0.0001", "1e-300", "-1", "-0.001", "31622401", "31622400.5", "1e300", "'1'",
	       "true", "null", "[]", "{}");
}
END_TEST

START_TEST(texts)
{
	const struct codec_member member = {"title", CODEC_TEXT, false, 1, DEFINITION_TITLE_MAX};

	ACCEPT(member, "'a'", "' '", "'ä € 😀'", "'7'", "'%s \\\\ \\u00a0'");
	REFUSE(member, "''", "'\\n'", "'a\\u0001'", "'\\u007f'", "'\\u009b'", "1", "true", "null",
	       "['a']", "{}");
	check_length(&member, DEFINITION_TITLE_MAX);
}
END_TEST

/* The length is counted in bytes: 127 letters of two and one of one are the most. */
START_TEST(texts_are_counted_in_bytes)
{
	const struct codec_member member = {"title", CODEC_TEXT, false, 1, DEFINITION_TITLE_MAX};
	char text[2 * 128 + 8] = "\"x", *end = text + 2;
	const char *value = text;

	for (int i = 0; i < 127; i++, end += 2)
		memcpy(end, "ä", 2);
	memcpy(end, "\"", 2);
	accept_all(&member, &value, 1);
	text[1] = 'y';
	memcpy(end, "y\"", 3);
	refuse_all(&member, &value, 1);
}
END_TEST

START_TEST(names)
{
	const struct codec_member member = {"name", CODEC_NAME, false, 1, DEFINITION_NAME_MAX};

	ACCEPT(member, "'a'", "'Z9'", "'7a'", "'._-+@:'", "'0x7'", "'-'", "'1.5'");
	REFUSE(member, "''", "'7'", "'007'", "'a b'", "'a/b'", "'ä'", "'a\\n'", "'a\\\\'", "'*'",
	       "7", "true", "null", "[]", "{}");
	check_length(&member, DEFINITION_NAME_MAX);
}
END_TEST

START_TEST(jails)
{
	const struct codec_member member = {"jail", CODEC_JAIL, true, 1, JAIL_NAME_SIZE - 1};

	ACCEPT(member, "1", "9223372036854775807", "'www'", "'www.inner'", "'podman:web'", "'7'");
	REFUSE(member, "0", "-1", "1.0", "1.5", "''", "'a\\n'", "true", "null", "['www']", "{}");
	check_length(&member, JAIL_NAME_SIZE - 1);
}
END_TEST

START_TEST(probes)
{
	const struct codec_member member = {"probe", CODEC_PROBE, true, 0, 0};

	ACCEPT(member, "1", "9223372036854775807", "'snap'", "'7'");
	REFUSE(member, "0", "-7", "7.0", "''", "'\\u0007'", "true", "null", "[7]", "{}");
	check_length(&member, DEFINITION_NAME_MAX);
}
END_TEST

START_TEST(commands)
{
	const struct codec_member member = {"command", CODEC_COMMAND, true, 1,
					    DEFINITION_COMMAND_MAX};

	ACCEPT(member, "'true'", "'a\\nb'", "['zfs']", "['zfs','']", "['zfs','list','\\n']");
	REFUSE(member, "''", "[]", "['']", "['',1]", "['zfs',1]", "['zfs',null]", "['zfs',['x']]",
	       "{}", "{'0':'zfs'}", "1", "true", "null");
	check_length(&member, DEFINITION_COMMAND_MAX);
}
END_TEST

/* The strings of a list count together, each with its end. */
START_TEST(argument_lists_are_bounded)
{
	const struct codec_member member = {"command", CODEC_COMMAND, true, 1, 8};

	ACCEPT(member, "['123','123']", "['1234567']");
	REFUSE(member, "['123','1234']", "['12345678']", "['1','','','','','','','']");
}
END_TEST

START_TEST(respawns)
{
	const struct codec_member member = {"respawn", CODEC_RESPAWN, false, 0, 0};

	ACCEPT(member, "'no'", "'after'", "'now'");
	REFUSE(member, "''", "'No'", "'never'", "'nowadays'", "1", "true", "false", "null", "[]",
	       "{}");
}
END_TEST

START_TEST(ids)
{
	const struct codec_member user = {"uid", CODEC_USER, false, 0, 4294967294};
	const struct codec_member group = {"gid", CODEC_GROUP, false, 0, 4294967294};

	ACCEPT(user, "0", "4294967294", "'root'");
	ACCEPT(group, "0", "4294967294");
	REFUSE(user, "-1", "4294967295", "9223372036854775807", "1.0", "''", "'no such user'",
	       "true", "null", "[]", "{}");
	REFUSE(group, "-1", "4294967295", "1.0", "''", "'no such group'", "true", "null", "[]",
	       "{}");
}
END_TEST

START_TEST(anything)
{
	const struct codec_member member = {"id", CODEC_ANY, false, 0, 0};

	ACCEPT(member, "null", "1", "1.5", "''", "[{}]", "{'a':[1]}", "true");
}
END_TEST

/* ---- whole objects ---- */

static void
check_object(const char *object, int wanted, const char *text)
{
	json_t *json = unit_json(object);
	struct error e = {.text = ""};

	ck_assert_msg(codec_check_object(json, lists, &e) == wanted, "%s: %s", object, e.text);
	ck_assert_str_eq(e.text, text);
	json_decref(json);
}

START_TEST(objects)
{
	check_object("{'jail':1,'command':'true'}", 0, "");
	check_object("{'jail':'www','command':['true'],'title':'T','respawn':'now','uid':1,'gid':2,"
		     "'name':'n','sticky':true,'cooldown':1,'timeout':2,'max_runs':3,"
		     "'show_status':false}",
		     0, "");
	check_object("{'jail':1}", -1, "the member \"command\" is missing");
	check_object("{'command':'true'}", -1, "the member \"jail\" is missing");
	check_object("{}", -1, "the member \"jail\" is missing");
	check_object("{'jail':1,'command':'true','comand':'x'}", -1, "unknown member \"comand\"");
	check_object("{'jail':1,'command':'true','replace':true}", -1,
		     "unknown member \"replace\"");
	check_object("{'jail':1,'command':'true','Uid':1}", -1, "unknown member \"Uid\"");
	check_object("{'jail':1,'command':'true','':1}", -1, "unknown member \"\"");
	check_object("{'jail':1,'command':'true','a\\nb':1}", -1, "unknown member \"a?b\"");
}
END_TEST

START_TEST(every_wrong_type_names_its_member)
{
	const struct codec_member *member = &codec_definition_members[_i];
	char object[128], named[64];
	struct error e;
	json_t *json;

	snprintf(named, sizeof(named), "\"%s\" must be ", member->name);
	snprintf(object, sizeof(object), "{'jail':1,'command':'true','%s':{}}", member->name);
	if (_i == 0)
		snprintf(object, sizeof(object), "{'command':'true','jail':{}}");
	if (_i == 1)
		snprintf(object, sizeof(object), "{'jail':1,'command':{}}");
	json = unit_json(object);
	ck_assert_int_eq(codec_check_object(json, lists, &e), -1);
	ck_assert_int_eq(e.code, ERR_BAD_REQUEST);
	ck_assert_msg(strncmp(e.text, named, strlen(named)) == 0, "%s", e.text);
	json_decref(json);
}
END_TEST

START_TEST(all_members_are_known_here)
{
	size_t count = 0;

	while (codec_definition_members[count].name != NULL)
		count++;
	ck_assert_uint_eq(count, 12); /* as many as the loop above takes */
}
END_TEST

START_TEST(several_lists_are_one)
{
	static const struct codec_member first[] = {{"a", CODEC_BOOL, true, 0, 0},
						    {NULL, CODEC_ANY, false, 0, 0}};
	static const struct codec_member second[] = {{"b", CODEC_BOOL, true, 0, 0},
						     {NULL, CODEC_ANY, false, 0, 0}};
	const struct codec_member *const both[] = {first, second, NULL};
	json_t *json = unit_json("{'a':true,'b':true}");
	struct error e;

	ck_assert_int_eq(codec_check_object(json, both, &e), 0);
	json_object_del(json, "b");
	ck_assert_int_eq(codec_check_object(json, both, &e), -1);
	ck_assert_str_eq(e.text, "the member \"b\" is missing");
	json_decref(json);
}
END_TEST

Suite *
unit_codec_check(void)
{
	Suite *suite;
	TCase *tests = unit_case("codec_check", &suite);

	tcase_add_test(tests, booleans);
	tcase_add_test(tests, counts);
	tcase_add_test(tests, seconds);
	tcase_add_test(tests, texts);
	tcase_add_test(tests, texts_are_counted_in_bytes);
	tcase_add_test(tests, names);
	tcase_add_test(tests, jails);
	tcase_add_test(tests, probes);
	tcase_add_test(tests, commands);
	tcase_add_test(tests, argument_lists_are_bounded);
	tcase_add_test(tests, respawns);
	tcase_add_test(tests, ids);
	tcase_add_test(tests, anything);
	tcase_add_test(tests, objects);
	tcase_add_loop_test(tests, every_wrong_type_names_its_member, 0, 12);
	tcase_add_test(tests, all_members_are_known_here);
	tcase_add_test(tests, several_lists_are_one);
	return suite;
}
