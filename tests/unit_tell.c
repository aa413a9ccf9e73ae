/* A fact in the log and for the sink. */
#include "config.h"

#include "tell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "unit.h"

static char tag[] = "probe=7 name=\"n\" jail=\"www\"";
static struct probe probe = {.number = 7, .tag = tag};

static unsigned told;
static char outputs[4 * TELL_OUTPUT_MAX];
static size_t outputs_used, longest;

static void
begin(void)
{
	unsetenv("JOURNAL_STREAM");
	log_open(true);
	unit_capture();
}

static void
check_log(const char *wanted)
{
	ck_assert_str_eq(unit_captured(), wanted);
}

START_TEST(a_line_each)
{
	begin();
	tell(TELL_PROBE_ADDED, &probe, TELL_END);
	tell(TELL_ARMED, &probe, TELL_NUMBER("pid", 4711), TELL_NUMBER("jid", 23), TELL_END);
	tell(TELL_REMOVED, &probe, TELL_TEXT("why", "asked for"), TELL_END);
	tell(TELL_DAEMON_STOPPING, NULL, TELL_END);
	check_log("jaildaemon: event=probe-added probe=7 name=\"n\" jail=\"www\"\n"
		  "jaildaemon: event=armed probe=7 name=\"n\" jail=\"www\" pid=4711 jid=23\n"
		  "jaildaemon: event=removed probe=7 name=\"n\" jail=\"www\" why=\"asked for\"\n"
		  "jaildaemon: event=daemon-stopping\n");
}
END_TEST

/* Of one that is no probe, yet or any more. */
START_TEST(of_a_definition)
{
	char name[] = "n";
	const struct definition def = {.name = name, .jail.name = "www"};

	begin();
	tell_of(TELL_REMOVED, &def, 7, TELL_TEXT("why", "w"), TELL_END);
	tell_of(TELL_CONFIGURED_FAILED, &def, 0, TELL_TEXT("why", "w"), TELL_END);
	check_log("jaildaemon: event=removed probe=7 name=\"n\" jail=\"www\" why=\"w\"\n"
		  "jaildaemon: event=configured-probe-failed name=\"n\" jail=\"www\" why=\"w\"\n");
}
END_TEST

START_TEST(warnings_are_such)
{
	setenv("JOURNAL_STREAM", "1:1", 1);
	log_open(true);
	unit_capture();
	tell(TELL_TRIGGERED, &probe, TELL_END);
	tell(TELL_ERROR, &probe, TELL_END);
	tell(TELL_PROBE_KILLED, &probe, TELL_END);
	tell(TELL_NOT_SAVED, &probe, TELL_END);
	check_log("<6>event=triggered probe=7 name=\"n\" jail=\"www\"\n"
		  "<4>event=error probe=7 name=\"n\" jail=\"www\"\n"
		  "<4>event=probe-killed probe=7 name=\"n\" jail=\"www\"\n"
		  "<3>event=error probe=7 name=\"n\" jail=\"www\"\n");
}
END_TEST

START_TEST(texts_forge_nothing)
{
	begin();
	tell(TELL_ERROR, &probe, TELL_TEXT("why", "x\" event=removed why=\"y\nevent=armed"),
	     TELL_BYTES("program", "a\0b\xff", 4), TELL_END);
	check_log("jaildaemon: event=error probe=7 name=\"n\" jail=\"www\" "
		  "why=\"x\\\" event=removed why=\\\"y\\x0aevent=armed\" "
		  "program=\"a\\x00b\\xff\"\n");
}
END_TEST

START_TEST(numbers_are_signed_and_wide)
{
	begin();
	tell(TELL_THROTTLED, &probe, TELL_NUMBER("a", INT64_MAX), TELL_NUMBER("b", -1), TELL_END);
	check_log("jaildaemon: event=throttled probe=7 name=\"n\" jail=\"www\" "
		  "a=9223372036854775807 b=-1\n");
}
END_TEST

/* Cut, and never past its end; what comes behind may be lost. */
START_TEST(long_texts_are_cut)
{
	static char text[100000];
	const char *line;

	memset(text, '\x01', sizeof(text) - 1);
	begin();
	tell(TELL_ERROR, &probe, TELL_TEXT("a", text), TELL_TEXT("b", text), TELL_NUMBER("c", 1),
	     TELL_END);
	line = unit_captured();
	ck_assert_uint_lt(strlen(line), 4200);
	ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
}
END_TEST

static void
look_at_fields(const struct tell_event *event)
{
	told++;
	ck_assert_int_eq(event->kind, TELL_KIND_ERROR);
	ck_assert_str_eq(event->name, "attach-failed");
	ck_assert_ptr_eq(event->probe, &probe);
	ck_assert_str_eq(event->fields[0].name, "why");
	ck_assert_str_eq(event->fields[0].text, "no");
	ck_assert_str_eq(event->fields[1].name, "n");
	ck_assert_int_eq(event->fields[1].number, 5);
	ck_assert_ptr_null(event->fields[2].name);
	ck_assert_int_gt(event->wall_ms, 1500000000000);
	errno = ENOTTY;
}

START_TEST(the_sink_gets_the_same)
{
	begin();
	tell_set_sink(look_at_fields);
	errno = EAGAIN;
	tell(TELL_ATTACH_FAILED, &probe, TELL_TEXT("why", "no"), TELL_NUMBER("n", 5), TELL_END);
	ck_assert_int_eq(errno, EAGAIN);
	tell_set_sink(NULL);
	tell(TELL_ATTACH_FAILED, &probe, TELL_TEXT("why", "no"), TELL_NUMBER("n", 5), TELL_END);
	ck_assert_uint_eq(told, 1);
	check_log(
	    "jaildaemon: event=attach-failed probe=7 name=\"n\" jail=\"www\" why=\"no\" n=5\n"
	    "jaildaemon: event=attach-failed probe=7 name=\"n\" jail=\"www\" why=\"no\" n=5\n");
}
END_TEST

static void
gather_output(const struct tell_event *event)
{
	const struct tell_field *output = &event->fields[1];

	told++;
	ck_assert_int_eq(event->kind, TELL_KIND_RUN_OUTPUT);
	ck_assert_int_eq(event->fields[0].number, 3);
	ck_assert_uint_le(outputs_used + output->length, sizeof(outputs));
	memcpy(outputs + outputs_used, output->text, output->length);
	outputs_used += output->length;
	longest = output->length > longest ? output->length : longest;
}

START_TEST(output_is_for_those_who_want_it)
{
	begin();
	tell_set_sink(gather_output);
	tell_output(&probe, 3, "one", 3);
	ck_assert_uint_eq(told, 0);
	tell_want_output(true);
	tell_output(&probe, 3, "two", 3);
	tell_output(&probe, 3, "", 0);
	ck_assert_uint_eq(told, 1);
	tell_want_output(false);
	tell_output(&probe, 3, "three", 5);
	ck_assert_uint_eq(told, 1);
	ck_assert_int_eq(strncmp(outputs, "two", outputs_used), 0);
	check_log(""); /* which has it by lines */
}
END_TEST

/* No piece ends within a character, nothing is lost, and none is longer than may be. */
START_TEST(output_comes_in_pieces)
{
	static char text[3 * TELL_OUTPUT_MAX];

	for (size_t i = 0; i < sizeof(text); i += 3)
		memcpy(text + i, "\xe2\x82\xac", 3);
	tell_set_sink(gather_output);
	tell_want_output(true);
	tell_output(&probe, 3, text, sizeof(text));
	ck_assert_uint_eq(told, 4);
	ck_assert_uint_eq(longest, TELL_OUTPUT_MAX - TELL_OUTPUT_MAX % 3);
	ck_assert_uint_eq(outputs_used, sizeof(text));
	ck_assert_mem_eq(outputs, text, sizeof(text));
}
END_TEST

START_TEST(kinds_have_names)
{
	for (int kind = 0; kind < TELL_KINDS; kind++)
		ck_assert_int_eq(tell_find_kind(tell_kind_name((enum tell_kind)kind)), kind);
	ck_assert_int_eq(tell_find_kind("attach-failed"), TELL_KINDS);
	ck_assert_int_eq(tell_find_kind(""), TELL_KINDS);
}
END_TEST

Suite *
unit_tell(void)
{
	Suite *suite;
	TCase *tests = unit_case("tell", &suite);

	tcase_add_test(tests, a_line_each);
	tcase_add_test(tests, of_a_definition);
	tcase_add_test(tests, warnings_are_such);
	tcase_add_test(tests, texts_forge_nothing);
	tcase_add_test(tests, numbers_are_signed_and_wide);
	tcase_add_test(tests, long_texts_are_cut);
	tcase_add_test(tests, the_sink_gets_the_same);
	tcase_add_test(tests, output_is_for_those_who_want_it);
	tcase_add_test(tests, output_comes_in_pieces);
	tcase_add_test(tests, kinds_have_names);
	return suite;
}
