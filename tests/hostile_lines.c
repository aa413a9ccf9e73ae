/*
 * Lines that no honest client sends: each is refused, adds nothing, and the next one is served.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "hostile.h"
#include "hostile_adds.h"

#define LINE_MAX_BYTES 65536

/* Sends one line, which must be refused, and then a ping on the same connection, which must not. */
static void
expect_refused(const char *line, size_t length, const char *code)
{
	struct ctl ctl;
	json_t *answer;

	ctl_open(&ctl);
	ck_assert(ctl_send(&ctl, line, length));
	ck_assert(ctl_say(&ctl, "\n{\"op\":\"ping\"}\n"));
	ctl_refused(ctl_answer(&ctl), code, NULL);
	answer = ctl_answer(&ctl);
	ck_assert(ctl_true(answer, "ok"));
	json_decref(answer);
	ctl_close(&ctl);
}

static void
expect_text_refused(const char *line, const char *code)
{
	expect_refused(line, strlen(line), code);
}

static void
nothing_was_added(void)
{
	ck_assert_int_eq(probe_listed(), 0);
}

/* A ping, as long as asked for. */
static char *
long_ping(size_t length)
{
	static const char head[] = "{\"op\":\"ping\",\"id\":\"", tail[] = "\"}";
	char *line = malloc(length + 1);

	memset(line, 'x', length);
	memcpy(line, head, sizeof(head) - 1);
	memcpy(line + length - (sizeof(tail) - 1), tail, sizeof(tail));
	return (line);
}

START_TEST(line_that_is_too_long_is_refused)
{
	static const size_t lengths[] = {LINE_MAX_BYTES + 1, LINE_MAX_BYTES * 2 + 1, 5000000};
	char *line = long_ping(LINE_MAX_BYTES);
	json_t *answer;
	size_t i;

	NEEDS_ROOT;
	(void)daemon_start();
	answer = ctl_ask(line);
	ck_assert_msg(ctl_true(answer, "ok"), "the longest line that may be is refused");
	json_decref(answer);
	free(line);
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		line = long_ping(lengths[i]);
		expect_refused(line, lengths[i], "too-large");
		free(line);
	}
}
END_TEST

static void
expect_nested_refused(size_t depth, const char *open, const char *closed)
{
	size_t room = depth * (strlen(open) + strlen(closed)) + 64, i;
	char *line = malloc(room), *end = line;

	end += snprintf(end, room, "{\"op\":\"ping\",\"id\":");
	for (i = 0; i < depth; i++)
		end = stpcpy(end, open);
	end = stpcpy(end, "1");
	for (i = 0; i < depth; i++)
		end = stpcpy(end, closed);
	(void)stpcpy(end, "}");
	expect_text_refused(line, "bad-json");
	free(line);
}

START_TEST(line_that_is_nested_too_deep_is_refused)
{
	NEEDS_ROOT;
	(void)daemon_start();
	expect_nested_refused(100, "[", "]");
	expect_nested_refused(2048, "[", "]");
	expect_nested_refused(32000, "[", "]");
	expect_nested_refused(9000, "{\"a\":", "}");
	expect_text_refused("{\"op\":\"ping\",\"id\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
			    "bad-json");
}
END_TEST

/* Two commands in one request: nobody guesses which of them was meant. */
START_TEST(duplicate_keys_are_refused)
{
	struct jailfix *jail;
	char line[256];

	NEEDS_JAIL(jail, false);
	(void)daemon_start();
	expect_text_refused("{\"op\":\"ping\",\"op\":\"list\"}", "bad-request");
	expect_text_refused("{\"op\":\"ping\",\"\\u006fp\":\"list\"}", "bad-request");
	(void)snprintf(line, sizeof(line),
		       "{\"op\":\"add\",\"jail\":%ld,\"command\":\"true\",\"command\":\"false\"}",
		       jailfix_number(jail));
	expect_text_refused(line, "bad-request");
	nothing_was_added();
}
END_TEST

START_TEST(nul_is_refused)
{
	static const char raw[] = "{\"op\":\"pi\0ng\"}";
	struct jailfix *jail;
	char line[256];

	NEEDS_JAIL(jail, false);
	(void)daemon_start();
	expect_refused(raw, sizeof(raw) - 1, "bad-json");
	expect_text_refused("{\"op\":\"ping\\u0000\"}", "bad-json");
	(void)snprintf(line, sizeof(line),
		       "{\"op\":\"add\",\"jail\":%ld,\"command\":\"true\\u0000; false\"}",
		       jailfix_number(jail));
	expect_text_refused(line, "bad-json");
	nothing_was_added();
}
END_TEST

/* Overlong forms, halves of pairs, beyond the last, cut short, and bytes that never occur. */
START_TEST(invalid_utf8_is_refused)
{
	static const char *const bad[] = {
	    "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",    "\xc3",
	    "\x80",	"\xff",		"\xfe\xff",	"\xf8\x88\x80\x80\x80"};
	struct jailfix *jail;
	char line[256];
	size_t i;

	NEEDS_JAIL(jail, false);
	(void)daemon_start();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(
		    line, sizeof(line),
		    "{\"op\":\"add\",\"jail\":%ld,\"command\":\"true\",\"title\":\"%s\"}",
		    jailfix_number(jail), bad[i]);
		expect_text_refused(line, "bad-json");
	}
	expect_text_refused("{\"op\":\"ping\",\"id\":\"\\ud800\"}", "bad-json");
	expect_text_refused("{\"op\":\"ping\",\"id\":\"\\udc00\\ud800\"}", "bad-json");
	nothing_was_added();
}
END_TEST

/* Numbers that do not fit, or that are none. */
START_TEST(numbers_out_of_range_are_refused)
{
	static const char *const bad[] = {"\"uid\":4294967295", "\"uid\":-1",
					  "\"uid\":4294967296", "\"gid\":18446744073709551616",
					  "\"uid\":1.0",	"\"gid\":true",
					  "\"max_runs\":0",	"\"cooldown\":-1",
					  "\"timeout\":1e400",	"\"max_runs\":1e3"};
	struct jailfix *jail;
	char line[256];
	json_t *answer;
	size_t i;

	NEEDS_JAIL(jail, false);
	(void)daemon_start();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(line, sizeof(line),
			       "{\"op\":\"add\",\"jail\":%ld,\"command\":\"true\",%s}",
			       jailfix_number(jail), bad[i]);
		answer = ctl_ask(line);
		ck_assert_msg(!ctl_true(answer, "ok"), "%s is taken", bad[i]);
		json_decref(answer);
	}
	nothing_was_added();
}
END_TEST

Suite *
hostile_lines(void)
{
	Suite *suite = suite_create("lines");

	PLACE_CASE(suite, line_that_is_too_long_is_refused);
	PLACE_CASE(suite, line_that_is_nested_too_deep_is_refused);
	PLACE_CASE(suite, duplicate_keys_are_refused);
	PLACE_CASE(suite, nul_is_refused);
	PLACE_CASE(suite, invalid_utf8_is_refused);
	PLACE_CASE(suite, numbers_out_of_range_are_refused);
	return (suite);
}
