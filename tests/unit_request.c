/* From a line to the exact line of its answer, through the real table of operations. */
#include "config.h"

#include "request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry.h"
#include "unit.h"
#include "unit_reply.h"
#include "util.h"

START_TEST(ping)
{
	unit_reply_begin();
	unit_reply_check("{'op':'ping'}", "{" UNIT_PING_ANSWER);
	unit_reply_check(" { \t'op' : 'ping' }\r", "{" UNIT_PING_ANSWER);
	unit_reply_check("{'op':'p\\u0069ng'}", "{" UNIT_PING_ANSWER);
}
END_TEST

START_TEST(ids_come_back)
{
	char ids[] =
	    "1|-1|0|9223372036854775807|1.5|0.30000000000000004|null|true|false|''|' '|'a'|'ä €'|'\\\\\\n\\u0001'|"
	    "[]|{}|[1,[2]]|{'a':{'b':[]}}|[null,'x',{}]|{'ok':false,'id':1}";
	char line[128], wanted[128], *rest = ids, *id;

	unit_reply_begin();
	while ((id = strsep(&rest, "|")) != NULL) {
		snprintf(line, sizeof(line), "{'op':'ping','id':%s}", id);
		snprintf(wanted, sizeof(wanted), "{'id':%s," UNIT_PING_ANSWER, id);
		unit_reply_check(line, wanted);
	}
}
END_TEST

START_TEST(ids_come_back_with_errors)
{
	unit_reply_begin();
	unit_reply_check("{'id':7,'op':'nope'}",
			 "{'id':7,'ok':false,'error':{'code':'unknown-op',"
			 "'message':'there is no operation \\'nope\\''}}\n");
	unit_reply_check("{'id':[7]}", "{'id':[7],'ok':false,'error':{'code':'bad-request',"
				       "'message':'the member \\'op\\' is missing'}}\n");
	unit_reply_check("{'id':null,'op':'get','probe':5}",
			 "{'id':null,'ok':false,'error':{'code':'no-such-probe',"
			 "'message':'there is no probe 5'}}\n");
}
END_TEST

START_TEST(operations)
{
	unit_reply_begin();
	unit_reply_refused("{}", "bad-request", "the member \\'op\\' is missing");
	unit_reply_refused("{'op':7}", "bad-request", "\\'op\\' must be a string");
	unit_reply_refused("{'op':null}", "bad-request", "\\'op\\' must be a string");
	unit_reply_refused("{'op':''}", "bad-request",
			   "\\'op\\' must be a string that is not empty");
	unit_reply_refused("{'op':'Ping'}", "unknown-op", "there is no operation \\'Ping\\'");
	unit_reply_refused("{'op':'pin'}", "unknown-op", "there is no operation \\'pin\\'");
	unit_reply_refused("{'op':'pingg'}", "unknown-op", "there is no operation \\'pingg\\'");
	unit_reply_refused("{'op':'ä%s'}", "unknown-op", "there is no operation \\'ä%s\\'");
}
END_TEST

START_TEST(members_are_checked)
{
	unit_reply_begin();
	unit_reply_refused("{'op':'ping','probe':1}", "bad-request", "unknown member \\'probe\\'");
	unit_reply_refused("{'op':'list','probe':1}", "bad-request", "unknown member \\'probe\\'");
	unit_reply_refused("{'op':'ping','keep':1}", "bad-request",
			   "\\'keep\\' must be true or false");
	unit_reply_refused("{'op':'get'}", "bad-request", "the member \\'probe\\' is missing");
	unit_reply_code("{\"op\":\"trigger\",\"probe\":1.0}", 28, "bad-request");
	unit_reply_refused("{'op':'get','probe':1,'kill':true}", "bad-request",
			   "unknown member \\'kill\\'");
	unit_reply_refused("{'op':'remove','probe':1,'kill':'yes'}", "bad-request",
			   "\\'kill\\' must be true or false");
	unit_reply_refused("{'op':'add'}", "bad-request", "the member \\'jail\\' is missing");
	unit_reply_refused("{'op':'add','jail':1,'command':'x','uid':-1}", "bad-request",
			   "\\'uid\\' must be from 0 to 4294967294");
	unit_reply_refused("{'op':'add','jail':1,'command':'x','replace':0}", "bad-request",
			   "\\'replace\\' must be true or false");
	ck_assert_uint_eq(registry_count(), 0);
}
END_TEST

START_TEST(probes_that_are_not_there)
{
	static const char *const ops[] = {"get", "remove", "trigger", "output"};
	char line[64];

	unit_reply_begin();
	for (size_t i = 0; i < UTIL_COUNT(ops); i++) {
		snprintf(line, sizeof(line), "{'op':'%s','probe':7}", ops[i]);
		unit_reply_refused(line, "no-such-probe", "there is no probe 7");
		snprintf(line, sizeof(line), "{'op':'%s','probe':'snap'}", ops[i]);
		unit_reply_refused(line, "no-such-probe", "no probe is named \\'snap\\'");
	}
	unit_reply_check("{'op':'list'}", "{'ok':true,'probes':[]}\n");
	unit_reply_check("{'op':'list','jail':'www'}", "{'ok':true,'probes':[]}\n");
	unit_reply_refused("{'op':'add','jail':'www','command':'x'}", "no-such-jail",
			   "no jail is named \\'www\\'");
}
END_TEST

START_TEST(stop_answers_and_stops)
{
	unit_reply_begin();
	unit_reply_check("{'op':'stop','id':9}", "{'id':9,'ok':true}\n");
	ck_assert_uint_eq(unit_reply_stops(), 1);
}
END_TEST

START_TEST(status)
{
	struct unit_reply reply = {0};
	json_t *answer, *got, *wanted, *value;
	const char *name;

	unit_reply_begin();
	unit_reply_ask("{'op':'status'}", &reply);
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

/* ---- answers that come later ---- */

START_TEST(add_answers_when_armed)
{
	pid_t pid = unit_probe_process();
	struct unit_reply reply = {0};
	json_t *answer, *probe;

	unit_reply_begin();
	unit_jail_begin("www", 4711);
	unit_reply_ask("{'op':'add','jail':'www','command':'x','id':5,'uid':80,'title':'T'}",
		       &reply);
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
	unit_reply_ask("{'op':'remove','probe':1}", &reply);
	ck_assert_ptr_nonnull(strstr(reply.text, "\"state\":\"gone\""));
	ck_assert_ptr_nonnull(strstr(reply.text, "\"pid\":null"));
	free(reply.text);
}
END_TEST

START_TEST(add_answers_when_it_never_will_be)
{
	struct unit_reply reply = {0};

	unit_reply_begin();
	unit_jail_begin("www", 4711);
	unit_reply_ask("{'op':'add','jail':4711,'command':'x'}", &reply);
	unit_attach_wait(1);
	unit_attach_fail(0);
	ck_assert_uint_eq(reply.count, 1);
	ck_assert_str_eq(reply.text, "{\"ok\":false,\"error\":{\"code\":\"attach-failed\","
				     "\"message\":\"" UNIT_ATTACH_FAILED "\"}}\n");
	free(reply.text);
	ck_assert_uint_eq(registry_count(), 0);
	ck_assert_uint_eq(jail_count(), 0);
	unit_reply_check("{'op':'list'}", "{'ok':true,'probes':[]}\n");
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
	tcase_add_test(tests, operations);
	tcase_add_test(tests, members_are_checked);
	tcase_add_test(tests, probes_that_are_not_there);
	tcase_add_test(tests, stop_answers_and_stops);
	tcase_add_test(tests, status);
	tcase_add_test(tests, keep_and_overlap);
	tcase_add_test(tests, add_answers_when_armed);
	tcase_add_test(tests, add_answers_when_it_never_will_be);
	return suite;
}
