/* An event's line. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "unit.h"
#include "util.h"

#define TIME_MS 1795262400250
#define STAMP	"2026-11-21T12:00:00.250Z"

static char line[CODEC_EVENT_SIZE + 1];
static char name[] = "restart";
static struct probe probe = {.number = 7};

static void
print(enum tell_kind kind, const char *fact, const struct probe *about,
      const struct tell_field *fields)
{
	const struct tell_event event = {
	    .kind = kind, .name = fact, .probe = about, .fields = fields, .wall_ms = TIME_MS};
	size_t length = codec_event(&event, 12, line);

	ck_assert_uint_le(length, CODEC_EVENT_SIZE);
	line[length] = '\0';
	ck_assert_uint_eq(strlen(line), length);
}

static void
check(const char *wanted)
{
	char *real = unit_quotes(wanted);

	ck_assert_str_eq(line, real);
	free(real);
}

START_TEST(of_a_named_probe)
{
	const struct tell_field fields[] = {TELL_NUMBER("pid", 4711), TELL_NUMBER("jid", 23), TELL_END};

	probe.def.name = name;
	probe.def.jail.name = "www";
	print(TELL_KIND_ARMED, "armed", &probe, fields);
	check("{'event':'armed','seq':12,'time':'" STAMP "','probe':7,'name':'restart',"
	      "'jail':'www','pid':4711,'jid':23}\n");
}
END_TEST

START_TEST(of_a_jail_by_number)
{
	const struct tell_field fields[] = {TELL_TEXT("why", "it \"is\" so"), TELL_END};

	probe.def.jail.number = 4711;
	print(TELL_KIND_ERROR, "attach-failed", &probe, fields);
	check("{'event':'error','seq':12,'time':'" STAMP "','probe':7,'name':null,'jail':4711,"
	      "'what':'attach-failed','why':'it \\'is\\' so'}\n");
}
END_TEST

START_TEST(of_the_daemon)
{
	const struct tell_field fields[] = {TELL_END};

	print(TELL_KIND_DAEMON_STOPPING, "daemon-stopping", NULL, fields);
	check("{'event':'daemon-stopping','seq':12,'time':'" STAMP "','probe':null,'name':null,"
	      "'jail':null}\n");
}
END_TEST

START_TEST(of_what_was_missed)
{
	line[codec_missed(123, 12, TIME_MS, line)] = '\0';
	check("{'event':'missed','seq':12,'time':'" STAMP "','probe':null,'name':null,"
	      "'jail':null,'count':123}\n");
}
END_TEST

/* Neither a terminal nor a reader of lines is told what to do. */
START_TEST(any_bytes_are_one_harmless_line)
{
	char bytes[256];
	struct tell_field fields[] = {TELL_BYTES("output", bytes, sizeof(bytes)), TELL_END};
	json_t *event;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)i;
	print(TELL_KIND_RUN_OUTPUT, "run-output", NULL, fields);
	for (const char *c = line; c[1] != '\0'; c++)
		ck_assert((unsigned char)*c >= ' ' && *c != 0x7f);
	event = json_loads(line, JSON_ALLOW_NUL, NULL);
	ck_assert_uint_eq(json_string_length(json_object_get(event, "output")), 128 + 128 * 3);
	json_decref(event);
	fields[0] = (struct tell_field)TELL_TEXT("output", "a\xc2\x9b" "31mb\x1b[31m");
	print(TELL_KIND_RUN_OUTPUT, "run-output", NULL, fields);
	ck_assert_ptr_nonnull(strstr(line, "\"a\\u009b31mb\\u001b[31m\""));
}
END_TEST

/* What jansson holds for a character and what not is the same for us. */
START_TEST(characters_are_those_of_json)
{
	for (unsigned long i = 0; i < 0x1000000; i += i < 0xe00000 ? 0x61ul : 0x13ul) {
		const char bytes[] = {(char)(i >> 16), (char)(i >> 8), (char)i, (char)(0x80 + i % 0x41)};
		size_t length = util_character(bytes, sizeof(bytes));
		json_t *proof;

		if (length > 0) {
			proof = json_stringn(bytes, length);
			ck_assert_msg(proof != NULL, "%06lx is none", i);
			json_decref(proof);
			continue;
		}
		for (length = 1; length <= sizeof(bytes); length++)
			ck_assert_msg(json_stringn(bytes, length) == NULL, "%06lx is one", i);
	}
	ck_assert_uint_eq(util_character("", 0), 0);
	ck_assert_uint_eq(util_character("\xe2\x82", 2), 0);
}
END_TEST

START_TEST(characters_are_left_whole)
{
	static const struct {
		const char *text;
		size_t whole;
	} cases[] = {
	    {"", 0},		 {"a", 1},		{"ab", 2},	     {"a\xc3", 1},
	    {"a\xc3\xa4", 3},	 {"\xe2", 0},		{"\xe2\x82", 0},     {"\xe2\x82\xac", 3},
	    {"\xf0\x9f\x98", 0}, {"\xf0\x9f\x98\x80", 4}, {"a\xf0\x9f", 1},    {"\x80\x80\x80\x80", 4},
	    {"a\xff", 2},	 {"\xe2\x82z", 3},	{"\xe2\x82\xac\xc3", 3},
	};

	for (size_t i = 0; i < UTIL_COUNT(cases); i++)
		ck_assert_uint_eq(util_whole_characters(cases[i].text, strlen(cases[i].text)),
				  cases[i].whole);
}
END_TEST

/* All at its longest, and every byte of it the longest escape. */
START_TEST(the_longest_fits)
{
	static char output[TELL_OUTPUT_MAX], long_name[DEFINITION_NAME_MAX + 1];
	static char long_jail[JAIL_NAME_SIZE];
	const struct tell_field fields[] = {TELL_NUMBER("run", INT64_MAX),
					    TELL_BYTES("output", output, sizeof(output)), TELL_END};
	json_t *event;

	memset(output, 1, sizeof(output));
	memset(long_name, 1, DEFINITION_NAME_MAX);
	probe.number = UINT64_MAX;
	probe.def.name = long_name;
	memset(long_jail, 1, JAIL_NAME_SIZE - 1);
	probe.def.jail.name = long_jail;
	print(TELL_KIND_RUN_OUTPUT, "run-output", &probe, fields);
	event = json_loads(line, JSON_DECODE_INT_AS_REAL, NULL);
	ck_assert_uint_eq(json_string_length(json_object_get(event, "output")), sizeof(output));
	json_decref(event);
}
END_TEST

START_TEST(long_texts_are_cut)
{
	static char text[100000];
	const struct tell_field fields[] = {TELL_BYTES("a", text, sizeof(text)),
					    TELL_BYTES("b", text, sizeof(text)), TELL_END};
	json_t *event;

	for (size_t i = 0; i + 3 < sizeof(text); i += 3)
		memcpy(text + i, "\xe2\x82\xac", 3);
	print(TELL_KIND_ERROR, "error", NULL, fields);
	event = json_loads(line, 0, NULL);
	ck_assert_uint_eq(json_string_length(json_object_get(event, "b")),
			  TELL_TEXT_MAX - TELL_TEXT_MAX % 3);
	json_decref(event);
}
END_TEST

/* ---- reading ---- */

START_TEST(what_was_printed_can_be_read)
{
	const struct tell_field fields[] = {TELL_BYTES("output", "a\0\"\n\xff", 5), TELL_END};
	struct codec_event_head head;

	probe.def.name = name;
	probe.def.jail.name = "www";
	print(TELL_KIND_RUN_OUTPUT, "run-output", &probe, fields);
	ck_assert_int_eq(codec_read_event(line, strlen(line), &head), 0);
	ck_assert_uint_eq(head.seq, 12);
	ck_assert_int_eq(head.kind, TELL_KIND_RUN_OUTPUT);
	ck_assert_uint_eq(head.probe, 7);
	ck_assert_str_eq(head.name, name);
	ck_assert_str_eq(head.jail_name, "www");
	ck_assert_int_eq(head.jail, 0);
}
END_TEST

START_TEST(what_has_no_probe_can_be_read)
{
	const struct tell_field fields[] = {TELL_END};
	struct codec_event_head head;

	print(TELL_KIND_DAEMON_STOPPING, "daemon-stopping", NULL, fields);
	ck_assert_int_eq(codec_read_event(line, strlen(line), &head), 0);
	ck_assert_uint_eq(head.probe, 0);
	ck_assert_str_eq(head.name, "");
	ck_assert_str_eq(head.jail_name, "");
}
END_TEST

static const char *const no_events[] = {
    "",
    "null\n",
    "{\"event\":\"armed\",\"seq\":12",
    "{\"event\":\"armed\",\"seq\":0,\"probe\":7,\"name\":null,\"jail\":\"www\"}",
    "{\"event\":\"unheard-of\",\"seq\":12,\"probe\":7,\"name\":null,\"jail\":\"www\"}",
    "{\"event\":\"armed\",\"seq\":12,\"probe\":7,\"name\":[],\"jail\":\"www\"}",
    "{\"event\":\"armed\",\"seq\":12,\"probe\":7,\"name\":null}",
    ("{\"event\":\"armed\",\"seq\":12,\"probe\":7,\"name\":"
     "\"0123456789012345678901234567890123456789012345678901234567890123456789\",\"jail\":\"www\"}"),
};

START_TEST(what_is_none_is_refused)
{
	struct codec_event_head head;

	ck_assert_int_eq(codec_read_event(no_events[_i], strlen(no_events[_i]), &head), -1);
}
END_TEST

Suite *
unit_codec_event(void)
{
	Suite *suite;
	TCase *tests = unit_case("codec_event", &suite);

	tcase_add_test(tests, of_a_named_probe);
	tcase_add_test(tests, of_a_jail_by_number);
	tcase_add_test(tests, of_the_daemon);
	tcase_add_test(tests, of_what_was_missed);
	tcase_add_test(tests, any_bytes_are_one_harmless_line);
	tcase_add_test(tests, characters_are_those_of_json);
	tcase_add_test(tests, characters_are_left_whole);
	tcase_add_test(tests, the_longest_fits);
	tcase_add_test(tests, long_texts_are_cut);
	tcase_add_test(tests, what_was_printed_can_be_read);
	tcase_add_test(tests, what_has_no_probe_can_be_read);
	tcase_add_loop_test(tests, what_is_none_is_refused, 0, UTIL_COUNT(no_events));
	return suite;
}
