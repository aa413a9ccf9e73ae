/* Lines that are wrong as text: each gets an answer of one line that says so. */
#include "config.h"

#include "request.h"

#include <stdlib.h>
#include <string.h>

#include "registry.h"
#include "unit.h"
#include "unit_reply.h"
#include "util.h"

START_TEST(bad_json)
{
	char lines[] =
	    "|{|}|{]|ping|{'op'}|{'op':}|{'op':'ping'|{op:'ping'}|{'op':'ping'} x|'op'|null|7|"
	    "{'op':'ping',}|{'op':'ping'}{'op':'ping'}|{'op':'pi\nng'}|{op:ping}|"
	    "\xef\xbb\xbf{'op':'ping'}|{'op':'\xff'}|{'op':'\xc0\xaf'}|"
	    "{'op':'\xed\xa0\x80'}|{'op':'\\ud800'}|{'op':'ping','id':1e999}|"
	    "{'op':'ping','id':01}|{'op':'ping','id':99999999999999999999}|"
	    "{'op':'ping','id':NaN}|{'op':'\\u0000'}";
	char *quoted = unit_quotes(lines), *rest = quoted, *line;

	unit_reply_begin();
	while ((line = strsep(&rest, "|")) != NULL)
		unit_reply_code(line, strlen(line), "bad-json");
	unit_reply_code("{'op':'ping'}", 13, "bad-json"); /* no other quotes */
	unit_reply_code("{\"op\":\"pi\0ng\"}", 14, "bad-json");
	unit_reply_code("{\"op\":\"ping\"}\0", 14, "bad-json");
	free(quoted);
}
END_TEST

START_TEST(no_objects)
{
	unit_reply_begin();
	unit_reply_refused("[]", "bad-request", "a request is a JSON object");
	unit_reply_refused("[{'op':'ping'}]", "bad-request", "a request is a JSON object");
}
END_TEST

static void
check_depth(unsigned depth, bool good)
{
	char line[256] = "{\"op\":\"ping\",\"id\":", *end = line + strlen(line);
	struct unit_reply reply = {0};

	memset(end, '[', depth);
	memset(end + depth, ']', depth);
	end[2 * depth] = '}';
	if (good) {
		unit_reply_ask_bytes(line, strlen(line), &reply);
		ck_assert_ptr_nonnull(strstr(reply.text, "\"ok\":true"));
		free(reply.text);
		return;
	}
	unit_reply_code(line, strlen(line), "bad-json");
}

START_TEST(depth)
{
	unit_reply_begin();
	check_depth(REQUEST_DEPTH_MAX - 1, true);
	check_depth(REQUEST_DEPTH_MAX, false);
	check_depth(100, false);
	unit_reply_check("{'op':'ping','id':'[[[[[[[[[[[[{{{{{{{{{{'}",
			 "{'id':'[[[[[[[[[[[[{{{{{{{{{{'," UNIT_PING_ANSWER);
	unit_reply_check("{'op':'ping','id':[[],[],[],[],[],[],[],[],[],[]]}",
			 "{'id':[[],[],[],[],[],[],[],[],[],[]]," UNIT_PING_ANSWER);
	unit_reply_refused("[[[[[[[[[", "bad-json", "nested more than 8 levels deep");
}
END_TEST

/* A quote within a string hides no bracket, and none outside is hidden by one. */
START_TEST(depth_and_strings)
{
	static const char hidden[] = "{\"op\":\"ping\",\"id\":\"\\\"[[[[[[[[[[[[\"}";
	static const char open[] = "{\"op\":\"ping\",\"id\":[\"\\\\\",[[[[[[[[[]]]]]]]]]]}";
	struct unit_reply reply = {0};

	unit_reply_begin();
	unit_reply_ask_bytes(hidden, sizeof(hidden) - 1, &reply);
	ck_assert_ptr_nonnull(strstr(reply.text, "\"ok\":true"));
	free(reply.text);
	unit_reply_code(open, sizeof(open) - 1, "bad-json");
}
END_TEST

START_TEST(depth_of_a_whole_line)
{
	char *line = malloc(REQUEST_LINE_MAX);

	unit_reply_begin();
	ck_assert_ptr_nonnull(line);
	memset(line, '[', REQUEST_LINE_MAX);
	unit_reply_code(line, REQUEST_LINE_MAX, "bad-json");
	free(line);
}
END_TEST

START_TEST(duplicates_are_named)
{
	static const char *const lines[] = {"{\"op\":\"ping\",\"op\":\"ping\"}",
					    "{\"op\":\"ping\",\"op\":\"stop\"}",
					    "{\"id\":1,\"op\":\"ping\",\"op\":\"ping\"}",
					    "{\"op\":\"ping\",\"o\\u0070\":\"stop\"}"};
	struct unit_reply reply = {0};

	unit_reply_begin();
	for (size_t i = 0; i < UTIL_COUNT(lines); i++) {
		unit_reply_code(lines[i], strlen(lines[i]), "bad-request");
		unit_reply_ask_bytes(lines[i], strlen(lines[i]), &reply);
		ck_assert_msg(strstr(reply.text, "uplicate") != NULL, "%s", reply.text);
		ck_assert_msg(strstr(reply.text, strstr(lines[i], "\"o\\") ? "o\\" : "op") != NULL,
			      "%s", reply.text);
	}
	free(reply.text);
	ck_assert_uint_eq(unit_reply_stops(), 0);
}
END_TEST

START_TEST(lines_that_could_not_be_read)
{
	struct request *request = request_refuse(ERR_TOO_LARGE, "much % too \"large\"");
	struct unit_reply reply = {0};

	ck_assert_ptr_nonnull(request);
	ck_assert(!request_may_overlap(request));
	request_run(request, unit_reply_take, &reply);
	ck_assert_str_eq(reply.text, "{\"ok\":false,\"error\":{\"code\":\"too-large\","
				     "\"message\":\"much % too \\\"large\\\"\"}}\n");
	free(reply.text);
}
END_TEST

/* Each line has something wrong with it: one byte of a good one is another, or missing. Each gets
 * one line of JSON; those that are still good, by chance, are no harm. */
START_TEST(malformed_lines)
{
	static const char good[] =
	    "{\"op\":\"add\",\"jail\":\"www\",\"command\":[\"x\"],\"uid\":80}";
	struct unit_reply reply = {0};
	unsigned asked = 0;
	char line[sizeof(good)];

	unit_reply_begin();
	for (size_t at = 0; at < sizeof(good) - 1; at++)
		for (int byte = 1; byte < 256; byte += 6) {
			json_t *answer;

			memcpy(line, good, sizeof(good));
			line[at] = (char)byte;
			unit_reply_ask_bytes(line, byte % 4 == 1 ? sizeof(good) - 1 : at + 1,
					     &reply);
			ck_assert_uint_eq(reply.count, ++asked);
			answer = json_loads(reply.text, JSON_REJECT_DUPLICATES, NULL);
			ck_assert_msg(json_is_false(json_object_get(answer, "ok")), "%s: %s", line,
				      reply.text);
			json_decref(answer);
		}
	ck_assert_uint_gt(asked, 1000);
	ck_assert_uint_eq(registry_count(), 0);
	unit_reply_check("{'op':'ping'}", "{" UNIT_PING_ANSWER);
	free(reply.text);
}
END_TEST

Suite *
unit_request_line(void)
{
	Suite *suite;
	TCase *tests = unit_case("request_line", &suite);

	tcase_add_test(tests, bad_json);
	tcase_add_test(tests, no_objects);
	tcase_add_test(tests, depth);
	tcase_add_test(tests, depth_and_strings);
	tcase_add_test(tests, depth_of_a_whole_line);
	tcase_add_test(tests, duplicates_are_named);
	tcase_add_test(tests, lines_that_could_not_be_read);
	tcase_add_test(tests, malformed_lines);
	return suite;
}
