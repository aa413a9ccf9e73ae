/*
 * The control protocol between people of good will: framing, order, connections, the shape of what
 * is answered.
 */
#include "config.h"

#include <check.h>
#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_file.h"
#include "fixture_inside.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "fixture_suites.h"

#define PIPELINED 500

START_TEST(id_comes_back)
{
	static const char *const ids[] = {"7", "-1", "\"seven\"", "\"\"", "\"\\u00e4\\n\""};
	char request[128];
	json_t *answer, *id;
	size_t i;

	NEEDS_ROOT;
	(void)daemon_start();
	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		(void)snprintf(request, sizeof(request), "{\"op\":\"ping\",\"id\":%s}", ids[i]);
		answer = ctl_ask_ok(request);
		id = json_loads(ids[i], JSON_DECODE_ANY, NULL);
		ck_assert_msg(json_equal(id, ctl_member(answer, "id")), "%s", request);
		json_decref(id);
		json_decref(answer);
	}
	answer = ctl_ask_ok("{\"op\":\"ping\"}");
	ck_assert_ptr_null(json_object_get(answer, "id"));
	json_decref(answer);
}
END_TEST

START_TEST(id_comes_back_with_a_refusal)
{
	json_t *answer;

	NEEDS_ROOT;
	(void)daemon_start();
	answer = ctl_ask("{\"op\":\"get\",\"probe\":4711,\"id\":\"mine\"}");
	ck_assert_str_eq(ctl_string(answer, "id"), "mine");
	ctl_refused(answer, "no-such-probe", "4711");
	answer = ctl_ask("{\"op\":\"nonsense\",\"id\":3}");
	ck_assert_int_eq(ctl_int(answer, "id"), 3);
	ctl_refused(answer, "unknown-op", "nonsense");
}
END_TEST

START_TEST(pipelined_requests_are_answered_in_order)
{
	char request[64];
	struct ctl ctl;
	json_t *answer;
	int i;

	NEEDS_ROOT;
	(void)daemon_start();
	ctl_open(&ctl);
	for (i = 0; i < PIPELINED; i++) {
		(void)snprintf(request, sizeof(request), "{\"op\":\"%s\",\"id\":%d}\n",
			       i % 3 == 0 ? "list" : "ping", i);
		ck_assert(ctl_say(&ctl, request));
	}
	for (i = 0; i < PIPELINED; i++) {
		answer = ctl_answer(&ctl);
		ck_assert_int_eq(ctl_int(answer, "id"), i);
		ck_assert(ctl_true(answer, "ok"));
		json_decref(answer);
	}
	ctl_close(&ctl);
}
END_TEST

/* An add takes its time; what was asked behind it waits for its turn. */
START_TEST(slow_answers_keep_their_place)
{
	struct jailfix *jail;
	char request[256];
	struct ctl ctl;
	json_t *answer;
	int i;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	ctl_open(&ctl);
	for (i = 0; i < 5; i++) {
		(void)snprintf(request, sizeof(request),
			       "{\"op\":\"add\",\"jail\":%ld,\"command\":\"true\",\"id\":%d}\n"
			       "{\"op\":\"ping\",\"id\":%d}\n{\"op\":\"list\",\"id\":%d}\n",
			       jailfix_number(jail), 3 * i, 3 * i + 1, 3 * i + 2);
		ck_assert(ctl_say(&ctl, request));
	}
	for (i = 0; i < 15; i++) {
		answer = ctl_answer(&ctl);
		ck_assert_int_eq(ctl_int(answer, "id"), i);
		if (i % 3 == 2)
			ck_assert_uint_eq(json_array_size(ctl_member(answer, "probes")),
					  (size_t)i / 3 + 1);
		json_decref(answer);
	}
	ctl_close(&ctl);
}
END_TEST

/* What comes behind an add finds its probe armed. */
START_TEST(requests_see_what_those_before_them_did)
{
	struct jailfix *jail;
	char request[512];
	struct ctl ctl;
	json_t *answer;
	int i;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	ctl_open(&ctl);
	(void)snprintf(request, sizeof(request),
		       "{\"op\":\"add\",\"jail\":%ld,\"command\":\"true\",\"name\":\"n\"}\n"
		       "{\"op\":\"trigger\",\"probe\":\"n\"}\n{\"op\":\"ping\"}\n",
		       jailfix_number(jail));
	ck_assert(ctl_say(&ctl, request));
	for (i = 0; i < 3; i++) {
		answer = ctl_answer(&ctl);
		ck_assert_msg(ctl_true(answer, "ok"), "%s", json_dumps(answer, JSON_COMPACT));
		json_decref(answer);
	}
	ctl_close(&ctl);
}
END_TEST

START_TEST(request_may_come_byte_by_byte)
{
	const char *request = "{\"op\":\"ping\",\"id\":\"slow\"}\n", *byte;
	struct ctl ctl;
	json_t *answer;

	NEEDS_ROOT;
	(void)daemon_start();
	ctl_open(&ctl);
	for (byte = request; *byte != '\0'; byte++) {
		ck_assert(ctl_send(&ctl, byte, 1));
		ck_assert(ctl_alive()); /* the daemon has gone round meanwhile */
	}
	answer = ctl_answer(&ctl);
	ck_assert_str_eq(ctl_string(answer, "id"), "slow");
	json_decref(answer);
	ctl_close(&ctl);
}
END_TEST

START_TEST(half_closed_connection_gets_all_answers)
{
	struct jailfix *jail;
	char request[512];
	struct ctl ctl;
	json_t *answer;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	ctl_open(&ctl);
	(void)snprintf(
	    request, sizeof(request),
	    "{\"op\":\"ping\",\"id\":1,\"keep\":true}\n"
	    "{\"op\":\"add\",\"jail\":%ld,\"command\":\"true\",\"id\":2}\n{\"op\":\"list\",\"id\":3}\n",
	    jailfix_number(jail));
	ck_assert(ctl_say(&ctl, request));
	ctl_finish(&ctl);
	answer = ctl_answer(&ctl);
	ck_assert_int_eq(ctl_int(answer, "id"), 1);
	answer = ctl_answer(&ctl);
	ck_assert(ctl_true(answer, "ok"));
	answer = ctl_answer(&ctl);
	ck_assert_uint_eq(json_array_size(ctl_member(answer, "probes")), 1);
	ctl_expect_end(&ctl);
	ctl_close(&ctl);
}
END_TEST

START_TEST(daemon_hangs_up_when_no_more_comes)
{
	struct ctl ctl;

	NEEDS_ROOT;
	(void)daemon_start();
	ctl_open(&ctl);
	ck_assert(ctl_say(&ctl, "{\"op\":\"ping\"}\n"));
	json_decref(ctl_answer(&ctl));
	ctl_expect_end(&ctl);
	ctl_close(&ctl);
}
END_TEST

/* The other connection, opened later and not kept, is hung up first: so the kept one has been idle
 * long enough. */
START_TEST(keep_holds_the_connection)
{
	struct ctl kept, other;
	int round;

	NEEDS_ROOT;
	(void)daemon_start();
	ctl_open(&kept);
	ck_assert(ctl_say(&kept, "{\"op\":\"ping\",\"keep\":true}\n"));
	json_decref(ctl_answer(&kept));
	for (round = 0; round < 2; round++) {
		ctl_open(&other);
		ck_assert(ctl_say(&other, "{\"op\":\"ping\"}\n"));
		json_decref(ctl_answer(&other));
		ctl_expect_end(&other);
		ctl_close(&other);
		ck_assert(ctl_say(&kept, "{\"op\":\"ping\",\"keep\":true}\n"));
		json_decref(ctl_answer(&kept));
	}
	ctl_close(&kept);
}
END_TEST

START_TEST(many_connections_at_once)
{
	struct ctl ctls[20];
	json_t *answer;
	int i;

	NEEDS_ROOT;
	(void)daemon_start();
	for (i = 0; i < 20; i++) {
		ctl_open(&ctls[i]);
		ck_assert(ctl_say(&ctls[i], "{\"op\":\"ping\",\"keep\":true,\"id\":1}\n"));
	}
	for (i = 19; i >= 0; i--) {
		answer = ctl_answer(&ctls[i]);
		ck_assert(ctl_true(answer, "ok"));
		json_decref(answer);
		ctl_close(&ctls[i]);
	}
}
END_TEST

/* 2026-01-31T23:59:59.999Z */
static void
looks_like_a_time(const char *text)
{
	const char *pattern = "dddd-dd-ddTdd:dd:dd.dddZ";
	size_t i;

	ck_assert_msg(strlen(text) == strlen(pattern), "no time: %s", text);
	for (i = 0; pattern[i] != '\0'; i++)
		ck_assert_msg(pattern[i] == 'd' ? isdigit((unsigned char)text[i])
						: text[i] == pattern[i],
			      "no time: %s", text);
}

START_TEST(probe_object_has_every_member)
{
	static const char *const members[] = {
	    "probe",	   "name",  "jail",    "jid",	   "pid",      "title",	  "command",
	    "respawn",	   "uid",   "gid",     "sticky",   "cooldown", "timeout", "max_runs",
	    "show_status", "state", "created", "triggers", "runs",     "last"};
	struct jailfix *jail;
	json_t *answer, *object;
	size_t i;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	answer = probe_ask(jail, "{s:s}", "command", "echo x");
	object = ctl_member(answer, "probe");
	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		(void)ctl_member(object, members[i]);
	ck_assert(json_is_null(ctl_member(object, "name")));
	ck_assert(json_is_null(ctl_member(object, "last")));
	ck_assert(!ctl_true(object, "sticky"));
	ck_assert_str_eq(ctl_string(object, "command"), "echo x");
	ck_assert_str_eq(ctl_string(object, "respawn"), "no");
	ck_assert_str_eq(ctl_string(object, "state"), "armed");
	ck_assert_int_eq(ctl_int(object, "jid"), jailfix_number(jail));
	ck_assert_int_eq(kill((pid_t)ctl_int(object, "pid"), 0), 0);
	ck_assert_int_eq(ctl_int(object, "triggers"), 0);
	ck_assert_int_eq(ctl_int(object, "runs"), 0);
	looks_like_a_time(ctl_string(object, "created"));
	json_decref(answer);
}
END_TEST

START_TEST(last_has_every_member)
{
	static const char *const members[] = {"started", "finished", "exit",
					      "signal",	 "timeout",  "output_bytes"};
	struct jailfix *jail;
	json_t *last;
	size_t i;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	probe = probe_add(jail, "{s:s,s:s}", "command", "echo x", "title", "T");
	inside_press(jail, "jaildaemon: T");
	last = probe_wait_last(probe);
	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		(void)ctl_member(last, members[i]);
	ck_assert_uint_eq(json_object_size(last), sizeof(members) / sizeof(members[0]));
	looks_like_a_time(ctl_string(last, "started"));
	looks_like_a_time(ctl_string(last, "finished"));
	ck_assert_int_eq(ctl_int(last, "output_bytes"), 2);
	json_decref(last);
}
END_TEST

START_TEST(definition_comes_back_as_it_was_given)
{
	struct jailfix *jail;
	json_t *command, *object;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	probe = probe_add(jail, "{s:[sss],s:s,s:s,s:i,s:i,s:i,s:i,s:i,s:b,s:s}", "command",
			  "/bin/echo", "a b", "\xc3\xa4", "title", "T \xc3\xa4", "respawn", "now",
			  "uid", 501, "gid", 502, "cooldown", 3, "timeout", 60, "max_runs", 2,
			  "show_status", 1, "name", "everything");
	object = probe_get(probe);
	command = json_pack("[sss]", "/bin/echo", "a b", "\xc3\xa4");
	ck_assert(json_equal(command, ctl_member(object, "command")));
	ck_assert_str_eq(ctl_string(object, "title"), "T \xc3\xa4");
	ck_assert_str_eq(ctl_string(object, "respawn"), "now");
	ck_assert_str_eq(ctl_string(object, "name"), "everything");
	ck_assert_int_eq(ctl_int(object, "uid"), 501);
	ck_assert_int_eq(ctl_int(object, "gid"), 502);
	ck_assert(json_number_value(ctl_member(object, "cooldown")) == 3);
	ck_assert(json_number_value(ctl_member(object, "timeout")) == 60);
	ck_assert_int_eq(ctl_int(object, "max_runs"), 2);
	ck_assert(ctl_true(object, "show_status"));
	json_decref(object);
	json_decref(command);
}
END_TEST

START_TEST(status_tells_about_the_daemon)
{
	struct jailfix *jail;
	json_t *answer, *status;
	pid_t daemon;

	NEEDS_ROOT;
	jail = probe_jail();
	daemon = daemon_start();
	(void)probe_add(jail, "{s:s}", "command", "true");
	answer = ctl_ask_ok("{\"op\":\"status\"}");
	status = ctl_member(answer, "status");
	ck_assert_int_eq(ctl_int(status, "pid"), daemon);
	(void)ctl_string(status, "version");
	ck_assert(json_is_number(ctl_member(status, "uptime")));
	(void)ctl_member(status, "probes");
	json_decref(answer);
}
END_TEST

START_TEST(list_narrows_to_a_jail_by_number)
{
	struct jailfix *jail, *other;
	char request[96];
	json_t *answer;

	NEEDS_ROOT;
	jail = probe_jail();
	other = probe_jail();
	(void)daemon_start();
	(void)probe_add(jail, "{s:s,s:s}", "command", "true", "title", "HERE");
	(void)probe_add(other, "{s:s,s:s}", "command", "true", "title", "THERE");
	ck_assert_int_eq(probe_listed(), 2);
	(void)snprintf(request, sizeof(request), "{\"op\":\"list\",\"jail\":%ld}",
		       jailfix_number(jail));
	answer = ctl_ask_ok(request);
	ck_assert_uint_eq(json_array_size(ctl_member(answer, "probes")), 1);
	ck_assert_str_eq(ctl_string(json_array_get(ctl_member(answer, "probes"), 0), "title"),
			 "HERE");
	json_decref(answer);
}
END_TEST

START_TEST(stop_answers_before_the_end)
{
	struct jailfix *jail;
	pid_t daemon, probe;

	NEEDS_ROOT;
	jail = probe_jail();
	daemon = daemon_start();
	probe = (pid_t)probe_int(probe_add(jail, "{s:s}", "command", "true"), "pid");
	json_decref(ctl_ask_ok("{\"op\":\"stop\"}"));
	ck_assert_int_eq(exec_wait(daemon), 0);
	ck_assert(exec_gone(probe));
	ck_assert(!file_exists(place()->sock));
	ck_assert(!file_exists(place()->pidfile));
}
END_TEST

Suite *
process_protocol(void)
{
	Suite *suite = suite_create("protocol");

	PLACE_CASE(suite, id_comes_back);
	PLACE_CASE(suite, id_comes_back_with_a_refusal);
	PLACE_CASE(suite, pipelined_requests_are_answered_in_order);
	PLACE_CASE(suite, slow_answers_keep_their_place);
	PLACE_CASE(suite, requests_see_what_those_before_them_did);
	PLACE_CASE(suite, request_may_come_byte_by_byte);
	PLACE_CASE(suite, half_closed_connection_gets_all_answers);
	PLACE_CASE(suite, daemon_hangs_up_when_no_more_comes);
	PLACE_CASE(suite, keep_holds_the_connection);
	PLACE_CASE(suite, many_connections_at_once);
	PLACE_CASE(suite, probe_object_has_every_member);
	PLACE_CASE(suite, last_has_every_member);
	PLACE_CASE(suite, definition_comes_back_as_it_was_given);
	PLACE_CASE(suite, status_tells_about_the_daemon);
	PLACE_CASE(suite, list_narrows_to_a_jail_by_number);
	PLACE_CASE(suite, stop_answers_before_the_end);
	return (suite);
}
