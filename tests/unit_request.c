/* From a line to the exact line of its answer, through the real table of operations. */
#include "config.h"

#include "request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "registry.h"
#include "unit.h"
#include "util.h"

#define PING_ANSWER "'ok':true,'version':'" PACKAGE_VERSION "'}\n"

/* What one request was answered. */
struct reply {
	char *text;
	unsigned count;
};

static unsigned stopped;

static void
stop(void)
{
	stopped++;
}

static void
describe(struct commands_server_state *state)
{
	*state = (struct commands_server_state){
	    .pid = 4711, .started_ms = 1795262400250, .clients = 3, .socket = "/s"};
}

static void
begin(void)
{
	static const struct commands_server server = {.stop = stop, .describe = describe};

	commands_init(&server);
	ck_assert_int_eq(probe_init(unit_base()), 0);
}

static void
replied(void *arg, const char *text, size_t length)
{
	struct reply *reply = arg;

	ck_assert_int_eq(text[length - 1], '\n');
	ck_assert_ptr_eq(memchr(text, '\n', length), text + length - 1);
	free(reply->text);
	reply->text = strndup(text, length);
	ck_assert_ptr_nonnull(reply->text);
	reply->count++;
}

static void
ask_bytes(const char *line, size_t length, struct reply *reply)
{
	struct request *request = request_parse(line, length);

	ck_assert_ptr_nonnull(request);
	request_run(request, replied, reply);
}

static void
ask(const char *line, struct reply *reply)
{
	char *real = unit_quotes(line);

	ask_bytes(real, strlen(real), reply);
	free(real);
}

/* Both with ' for ". */
static void
check(const char *line, const char *wanted)
{
	struct reply reply = {0};
	char *real = unit_quotes(wanted);

	ask(line, &reply);
	ck_assert_uint_eq(reply.count, 1);
	ck_assert_str_eq(reply.text, real);
	free(reply.text);
	free(real);
}

static void
check_refused(const char *line, const char *code, const char *message)
{
	char wanted[1024];

	snprintf(wanted, sizeof(wanted), "{'ok':false,'error':{'code':'%s','message':'%s'}}\n",
		 code, message);
	check(line, wanted);
}

static void
check_code(const char *line, size_t length, const char *code)
{
	struct reply reply = {0};
	json_t *answer, *error;

	ask_bytes(line, length, &reply);
	ck_assert_uint_eq(reply.count, 1);
	answer = json_loads(reply.text, 0, NULL);
	error = json_object_get(answer, "error");
	ck_assert_msg(json_is_false(json_object_get(answer, "ok")), "%s", reply.text);
	ck_assert_msg(strcmp(json_string_value(json_object_get(error, "code")), code) == 0, "%s",
		      reply.text);
	ck_assert_uint_gt(json_string_length(json_object_get(error, "message")), 0);
	json_decref(answer);
	free(reply.text);
}

START_TEST(ping)
{
	begin();
	check("{'op':'ping'}", "{" PING_ANSWER);
	check(" { \t'op' : 'ping' }\r", "{" PING_ANSWER);
	check("{'op':'p\\u0069ng'}", "{" PING_ANSWER);
}
END_TEST

START_TEST(ids_come_back)
{
	char ids[] =
	    "1|-1|0|9223372036854775807|1.5|0.30000000000000004|null|true|false|''|' '|'a'|'ä €'|'\\\\\\n\\u0001'|"
	    "[]|{}|[1,[2]]|{'a':{'b':[]}}|[null,'x',{}]|{'ok':false,'id':1}";
	char line[128], wanted[128], *rest = ids, *id;

	begin();
	while ((id = strsep(&rest, "|")) != NULL) {
		snprintf(line, sizeof(line), "{'op':'ping','id':%s}", id);
		snprintf(wanted, sizeof(wanted), "{'id':%s," PING_ANSWER, id);
		check(line, wanted);
	}
}
END_TEST

START_TEST(ids_come_back_with_errors)
{
	begin();
	check("{'id':7,'op':'nope'}", "{'id':7,'ok':false,'error':{'code':'unknown-op',"
				      "'message':'there is no operation \\'nope\\''}}\n");
	check("{'id':[7]}", "{'id':[7],'ok':false,'error':{'code':'bad-request',"
			    "'message':'the member \\'op\\' is missing'}}\n");
	check("{'id':null,'op':'get','probe':5}",
	      "{'id':null,'ok':false,'error':{'code':'no-such-probe',"
	      "'message':'there is no probe 5'}}\n");
}
END_TEST

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

	begin();
	while ((line = strsep(&rest, "|")) != NULL)
		check_code(line, strlen(line), "bad-json");
	check_code("{'op':'ping'}", 13, "bad-json"); /* no other quotes */
	check_code("{\"op\":\"pi\0ng\"}", 14, "bad-json");
	check_code("{\"op\":\"ping\"}\0", 14, "bad-json");
	free(quoted);
}
END_TEST

START_TEST(no_objects)
{
	begin();
	check_refused("[]", "bad-request", "a request is a JSON object");
	check_refused("[{'op':'ping'}]", "bad-request", "a request is a JSON object");
}
END_TEST

static void
check_depth(unsigned depth, bool good)
{
	char line[256] = "{\"op\":\"ping\",\"id\":", *end = line + strlen(line);
	struct reply reply = {0};

	memset(end, '[', depth);
	memset(end + depth, ']', depth);
	end[2 * depth] = '}';
	if (good) {
		ask_bytes(line, strlen(line), &reply);
		ck_assert_ptr_nonnull(strstr(reply.text, "\"ok\":true"));
		free(reply.text);
		return;
	}
	check_code(line, strlen(line), "bad-json");
}

START_TEST(depth)
{
	begin();
	check_depth(REQUEST_DEPTH_MAX - 1, true);
	check_depth(REQUEST_DEPTH_MAX, false);
	check_depth(100, false);
	check("{'op':'ping','id':'[[[[[[[[[[[[{{{{{{{{{{'}",
	      "{'id':'[[[[[[[[[[[[{{{{{{{{{{'," PING_ANSWER);
	check("{'op':'ping','id':[[],[],[],[],[],[],[],[],[],[]]}",
	      "{'id':[[],[],[],[],[],[],[],[],[],[]]," PING_ANSWER);
	check_refused("[[[[[[[[[", "bad-json", "nested more than 8 levels deep");
}
END_TEST

/* A quote within a string hides no bracket, and none outside is hidden by one. */
START_TEST(depth_and_strings)
{
	static const char hidden[] = "{\"op\":\"ping\",\"id\":\"\\\"[[[[[[[[[[[[\"}";
	static const char open[] = "{\"op\":\"ping\",\"id\":[\"\\\\\",[[[[[[[[[]]]]]]]]]]}";
	struct reply reply = {0};

	begin();
	ask_bytes(hidden, sizeof(hidden) - 1, &reply);
	ck_assert_ptr_nonnull(strstr(reply.text, "\"ok\":true"));
	free(reply.text);
	check_code(open, sizeof(open) - 1, "bad-json");
}
END_TEST

START_TEST(depth_of_a_whole_line)
{
	char *line = malloc(REQUEST_LINE_MAX);

	begin();
	ck_assert_ptr_nonnull(line);
	memset(line, '[', REQUEST_LINE_MAX);
	check_code(line, REQUEST_LINE_MAX, "bad-json");
	free(line);
}
END_TEST

START_TEST(duplicates_are_named)
{
	static const char *const lines[] = {"{\"op\":\"ping\",\"op\":\"ping\"}",
					    "{\"op\":\"ping\",\"op\":\"stop\"}",
					    "{\"id\":1,\"op\":\"ping\",\"op\":\"ping\"}",
					    "{\"op\":\"ping\",\"o\\u0070\":\"stop\"}"};
	struct reply reply = {0};

	begin();
	for (size_t i = 0; i < UTIL_COUNT(lines); i++) {
		check_code(lines[i], strlen(lines[i]), "bad-request");
		ask_bytes(lines[i], strlen(lines[i]), &reply);
		ck_assert_msg(strstr(reply.text, "uplicate") != NULL, "%s", reply.text);
		ck_assert_msg(strstr(reply.text, strstr(lines[i], "\"o\\") ? "o\\" : "op") != NULL,
			      "%s", reply.text);
	}
	free(reply.text);
	ck_assert_uint_eq(stopped, 0);
}
END_TEST

START_TEST(operations)
{
	begin();
	check_refused("{}", "bad-request", "the member \\'op\\' is missing");
	check_refused("{'op':7}", "bad-request", "\\'op\\' must be a string");
	check_refused("{'op':null}", "bad-request", "\\'op\\' must be a string");
	check_refused("{'op':''}", "bad-request", "\\'op\\' must be a string that is not empty");
	check_refused("{'op':'Ping'}", "unknown-op", "there is no operation \\'Ping\\'");
	check_refused("{'op':'pin'}", "unknown-op", "there is no operation \\'pin\\'");
	check_refused("{'op':'pingg'}", "unknown-op", "there is no operation \\'pingg\\'");
	check_refused("{'op':'ä%s'}", "unknown-op", "there is no operation \\'ä%s\\'");
}
END_TEST

START_TEST(members_are_checked)
{
	begin();
	check_refused("{'op':'ping','probe':1}", "bad-request", "unknown member \\'probe\\'");
	check_refused("{'op':'list','probe':1}", "bad-request", "unknown member \\'probe\\'");
	check_refused("{'op':'ping','keep':1}", "bad-request", "\\'keep\\' must be true or false");
	check_refused("{'op':'get'}", "bad-request", "the member \\'probe\\' is missing");
	check_code("{\"op\":\"trigger\",\"probe\":1.0}", 28, "bad-request");
	check_refused("{'op':'get','probe':1,'kill':true}", "bad-request",
		      "unknown member \\'kill\\'");
	check_refused("{'op':'remove','probe':1,'kill':'yes'}", "bad-request",
		      "\\'kill\\' must be true or false");
	check_refused("{'op':'add'}", "bad-request", "the member \\'jail\\' is missing");
	check_refused("{'op':'add','jail':1,'command':'x','uid':-1}", "bad-request",
		      "\\'uid\\' must be from 0 to 4294967294");
	check_refused("{'op':'add','jail':1,'command':'x','replace':0}", "bad-request",
		      "\\'replace\\' must be true or false");
	ck_assert_uint_eq(registry_count(), 0);
}
END_TEST

START_TEST(probes_that_are_not_there)
{
	static const char *const ops[] = {"get", "remove", "trigger", "output"};
	char line[64];

	begin();
	for (size_t i = 0; i < UTIL_COUNT(ops); i++) {
		snprintf(line, sizeof(line), "{'op':'%s','probe':7}", ops[i]);
		check_refused(line, "no-such-probe", "there is no probe 7");
		snprintf(line, sizeof(line), "{'op':'%s','probe':'snap'}", ops[i]);
		check_refused(line, "no-such-probe", "no probe is named \\'snap\\'");
	}
	check("{'op':'list'}", "{'ok':true,'probes':[]}\n");
	check("{'op':'list','jail':'www'}", "{'ok':true,'probes':[]}\n");
	check_refused("{'op':'add','jail':'www','command':'x'}", "no-such-jail",
		      "no jail is named \\'www\\'");
}
END_TEST

START_TEST(stop_answers_and_stops)
{
	begin();
	check("{'op':'stop','id':9}", "{'id':9,'ok':true}\n");
	ck_assert_uint_eq(stopped, 1);
}
END_TEST

START_TEST(status)
{
	struct reply reply = {0};
	json_t *answer, *got, *wanted, *value;
	const char *name;

	begin();
	ask("{'op':'status'}", &reply);
	answer = json_loads(reply.text, 0, NULL);
	got = json_object_get(answer, "status");
	wanted = unit_json("{'pid':4711,'started':'2026-11-21T12:00:00.250Z','clients':3,"
			   "'socket':'/s','probes':0,'runs_in_progress':0,'runs_waiting':0,"
			   "'version':'" PACKAGE_VERSION "','states':{'waiting':0,'starting':0,"
			   "'armed':0,'queued':0,'running':0,'cooling':0}}");
	ck_assert(json_is_integer(json_object_get(got, "uptime")));
	json_object_foreach(wanted, name, value)
		ck_assert_msg(json_equal(json_object_get(got, name), value), "%s: %s", name, reply.text);
	json_decref(answer);
	json_decref(wanted);
	free(reply.text);
}
END_TEST

START_TEST(keep_and_overlap)
{
	static const struct {
		const char *line;
		bool keep;
		bool overlap;
	} lines[] = {
	    {"{\"op\":\"ping\"}", false, false},
	    {"{\"op\":\"ping\",\"keep\":true}", true, false},
	    {"{\"op\":\"ping\",\"keep\":false}", false, false},
	    {"{\"op\":\"add\",\"jail\":1,\"command\":\"x\"}", false, true},
	    {"{\"op\":\"add\",\"jail\":1,\"command\":\"x\",\"keep\":true}", true, true},
	    {"{\"op\":\"nope\",\"keep\":true}", false, false},
	    {"{\"op\":\"ping\",\"keep\":1}", false, false},
	    {"{", false, false},
	};

	for (size_t i = 0; i < UTIL_COUNT(lines); i++) {
		struct request *request = request_parse(lines[i].line, strlen(lines[i].line));

		ck_assert_ptr_nonnull(request);
		ck_assert_msg(request->keep == lines[i].keep, "%s", lines[i].line);
		ck_assert_msg(request_may_overlap(request) == lines[i].overlap, "%s",
			      lines[i].line);
		request_discard(request);
	}
}
END_TEST

START_TEST(lines_that_could_not_be_read)
{
	struct request *request = request_refuse(ERR_TOO_LARGE, "much % too \"large\"");
	struct reply reply = {0};

	ck_assert_ptr_nonnull(request);
	ck_assert(!request_may_overlap(request));
	request_run(request, replied, &reply);
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
	struct reply reply = {0};
	unsigned asked = 0;
	char line[sizeof(good)];

	begin();
	for (size_t at = 0; at < sizeof(good) - 1; at++)
		for (int byte = 1; byte < 256; byte += 6) {
			json_t *answer;

			memcpy(line, good, sizeof(good));
			line[at] = (char)byte;
			ask_bytes(line, byte % 4 == 1 ? sizeof(good) - 1 : at + 1, &reply);
			ck_assert_uint_eq(reply.count, ++asked);
			answer = json_loads(reply.text, JSON_REJECT_DUPLICATES, NULL);
			ck_assert_msg(json_is_false(json_object_get(answer, "ok")), "%s: %s", line,
				      reply.text);
			json_decref(answer);
		}
	ck_assert_uint_gt(asked, 1000);
	ck_assert_uint_eq(registry_count(), 0);
	check("{'op':'ping'}", "{" PING_ANSWER);
	free(reply.text);
}
END_TEST

/* ---- answers that come later ---- */

START_TEST(add_answers_when_armed)
{
	pid_t pid = unit_probe_process();
	struct reply reply = {0};
	json_t *answer, *probe;

	begin();
	unit_jail_begin("www", 4711);
	ask("{'op':'add','jail':'www','command':'x','id':5,'uid':80,'title':'T'}", &reply);
	ck_assert_uint_eq(reply.count, 0);
	unit_attach_wait(1);
	unit_attach_succeed(0, pid);
	ck_assert_uint_eq(reply.count, 1);
	answer = json_loads(reply.text, 0, NULL);
	probe = json_object_get(answer, "probe");
	ck_assert_int_eq(json_integer_value(json_object_get(answer, "id")), 5);
	ck_assert_int_eq(json_integer_value(json_object_get(probe, "probe")), 1);
	ck_assert_int_eq(json_integer_value(json_object_get(probe, "pid")), pid);
	ck_assert_int_eq(json_integer_value(json_object_get(probe, "jid")), 4711);
	ck_assert_str_eq(json_string_value(json_object_get(probe, "state")), "armed");
	json_decref(answer);
	ask("{'op':'remove','probe':1}", &reply);
	ck_assert_ptr_nonnull(strstr(reply.text, "\"state\":\"gone\""));
	ck_assert_ptr_nonnull(strstr(reply.text, "\"pid\":null"));
	free(reply.text);
}
END_TEST

START_TEST(add_answers_when_it_never_will_be)
{
	struct reply reply = {0};

	begin();
	unit_jail_begin("www", 4711);
	ask("{'op':'add','jail':4711,'command':'x'}", &reply);
	unit_attach_wait(1);
	unit_attach_fail(0);
	ck_assert_uint_eq(reply.count, 1);
	ck_assert_str_eq(reply.text, "{\"ok\":false,\"error\":{\"code\":\"attach-failed\","
				     "\"message\":\"" UNIT_ATTACH_FAILED "\"}}\n");
	free(reply.text);
	ck_assert_uint_eq(registry_count(), 0);
	ck_assert_uint_eq(jail_count(), 0);
	check("{'op':'list'}", "{'ok':true,'probes':[]}\n");
}
END_TEST

Suite *
unit_request(void)
{
	Suite *suite;
	TCase *tests = unit_case("request", &suite);

	tcase_add_test(tests, ping);
	tcase_add_test(tests, ids_come_back);
	tcase_add_test(tests, ids_come_back_with_errors);
	tcase_add_test(tests, bad_json);
	tcase_add_test(tests, no_objects);
	tcase_add_test(tests, depth);
	tcase_add_test(tests, depth_and_strings);
	tcase_add_test(tests, depth_of_a_whole_line);
	tcase_add_test(tests, duplicates_are_named);
	tcase_add_test(tests, operations);
	tcase_add_test(tests, members_are_checked);
	tcase_add_test(tests, probes_that_are_not_there);
	tcase_add_test(tests, stop_answers_and_stops);
	tcase_add_test(tests, status);
	tcase_add_test(tests, keep_and_overlap);
	tcase_add_test(tests, lines_that_could_not_be_read);
	tcase_add_test(tests, malformed_lines);
	tcase_add_test(tests, add_answers_when_armed);
	tcase_add_test(tests, add_answers_when_it_never_will_be);
	return suite;
}
