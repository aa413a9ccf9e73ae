/*
 * Requests that are refused: with a code, with a message that names the member, and with nothing
 * half done.
 */
#include "config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_inside.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "fixture_suites.h"
#include "fixture_wait.h"

#define LINE_LIMIT (64 * 1024)

struct refusal {
	const char *request, *code, *mentions;
};

static void
refuse_all(const struct refusal *refusals, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		ctl_ask_refused(refusals[i].request, refusals[i].code, refusals[i].mentions);
	ck_assert(ctl_alive());
}

#define REFUSE_ALL(refusals) refuse_all((refusals), sizeof(refusals) / sizeof((refusals)[0]))

START_TEST(what_is_no_json_is_bad_json)
{
	static const struct refusal refusals[] = {
	    {"nonsense", "bad-json", NULL},
	    {"{\"op\":\"ping\"", "bad-json", NULL},
	    {"{\"op\":\"ping\"}}", "bad-json", NULL},
	    {"{\"op\":\"ping\"} {\"op\":\"ping\"}", "bad-json", NULL},
	    {"{'op':'ping'}", "bad-json", NULL},
	    {"{\"op\":\"ping\",}", "bad-json", NULL},
	    {"{\"op\":\"pi\xff\xfeng\"}", "bad-json", NULL},
	    {"{\"op\":\"pi\xc0\xafng\"}", "bad-json", NULL},
	    {"{\"op\":\"ping\",\"id\":\"\xed\xa0\x80\"}", "bad-json", NULL},
	    {"{\"op\":\"ping\",\"id\":\"\\ud800\"}", "bad-json", NULL},
	    {"{\"op\":\"ping\",\"id\":\"a\tb\"}", "bad-json", NULL},
	    {"{\"op\":\"ping\",\"id\":1e999}", "bad-json", NULL},
	    {"{\"op\":\"ping\",\"id\":99999999999999999999999}", "bad-json", NULL},
	};

	NEEDS_ROOT;
	(void)daemon_start();
	REFUSE_ALL(refusals);
}
END_TEST

static void
refused_either(const char *request, const char *one, const char *other, const char *mentions)
{
	json_t *answer = ctl_ask(request);
	const char *code = ctl_string(ctl_member(answer, "error"), "code");

	ctl_refused(answer, strcmp(code, other) == 0 ? other : one, mentions);
}

START_TEST(duplicate_members_are_refused)
{
	NEEDS_ROOT;
	(void)daemon_start();
	refused_either("{\"op\":\"ping\",\"op\":\"stop\"}", "bad-json", "bad-request", "op");
	refused_either("{\"op\":\"add\",\"jail\":1,\"jail\":2,\"command\":\"x\"}", "bad-json",
		       "bad-request", "jail");
	refused_either("{\"op\":\"ping\",\"id\":{\"a\":1,\"a\":2}}", "bad-json", "bad-request",
		       NULL);
	ck_assert(ctl_alive());
}
END_TEST

START_TEST(what_is_no_request_is_a_bad_request)
{
	static const struct refusal refusals[] = {
	    {"{}", "bad-request", "op"},
	    {"{\"op\":7}", "bad-request", "op"},
	    {"{\"op\":null}", "bad-request", "op"},

	    {"{\"op\":\"pings\"}", "unknown-op", "pings"},
	    {"{\"op\":\"PING\"}", "unknown-op", "PING"},
	    {"{\"op\":\"ping\",\"surplus\":1}", "bad-request", "surplus"},
	    {"{\"op\":\"list\",\"probe\":1}", "bad-request", "probe"},
	    {"{\"op\":\"ping\",\"keep\":1}", "bad-request", "keep"},
	    {"{\"op\":\"ping\",\"keep\":\"true\"}", "bad-request", "keep"},
	};

	NEEDS_ROOT;
	(void)daemon_start();
	refused_either("[]", "bad-request", "bad-json", NULL);
	refused_either("\"ping\"", "bad-request", "bad-json", NULL);
	refused_either("7", "bad-request", "bad-json", NULL);
	refused_either("null", "bad-request", "bad-json", NULL);
	refused_either("{\"op\":\"\"}", "bad-request", "unknown-op", NULL);
	REFUSE_ALL(refusals);
}
END_TEST

START_TEST(probe_argument_is_checked)
{
	static const char *const ops[] = {"get", "remove", "trigger", "output"};
	static const struct refusal rest[] = {
	    {"", "bad-request", "probe"},
	    {",\"probe\":true", "bad-request", "probe"},
	    {",\"probe\":null", "bad-request", "probe"},
	    {",\"probe\":1.0", "bad-request", "probe"},
	    {",\"probe\":[1]", "bad-request", "probe"},
	    {",\"probe\":4711", "no-such-probe", "4711"},
	    {",\"probe\":\"nobody\"", "no-such-probe", "nobody"},
	    {",\"probe\":1,\"surplus\":2", "bad-request", "surplus"},
	};
	char request[128];
	size_t i, k;

	NEEDS_ROOT;
	(void)daemon_start();
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		for (k = 0; k < sizeof(rest) / sizeof(rest[0]); k++) {
			(void)snprintf(request, sizeof(request), "{\"op\":\"%s\"%s}", ops[i],
				       rest[k].request);
			ctl_ask_refused(request, rest[k].code, rest[k].mentions);
		}
}
END_TEST

/* The members of an add that are wrong, each in an otherwise good request. */
static const struct refusal bad_members[] = {
    {"\"respawn\":\"sometimes\"", "bad-request", "respawn"},
    {"\"respawn\":true", "bad-request", "respawn"},
    {"\"respawn\":\"No\"", "bad-request", "respawn"},
    {"\"uid\":-1", "bad-request", "uid"},
    {"\"uid\":4294967295", "bad-request", "uid"},
    {"\"uid\":4294967296", "bad-request", "uid"},
    {"\"uid\":1.5", "bad-request", "uid"},
    {"\"uid\":1.0", "bad-request", "uid"},
    {"\"uid\":true", "bad-request", "uid"},
    {"\"gid\":-1", "bad-request", "gid"},
    {"\"gid\":4294967296", "bad-request", "gid"},
    {"\"gid\":[]", "bad-request", "gid"},
    {"\"title\":7", "bad-request", "title"},
    {"\"title\":\"two\\nlines\"", "bad-request", "title"},
    {"\"name\":7", "bad-request", "name"},
    {"\"name\":\"\"", "bad-request", "name"},
    {"\"sticky\":1", "bad-request", "sticky"},
    {"\"replace\":\"yes\"", "bad-request", "replace"},
    {"\"cooldown\":-1", "bad-request", "cooldown"},
    {"\"cooldown\":\"1\"", "bad-request", "cooldown"},
    {"\"timeout\":-1", "bad-request", "timeout"},
    {"\"timeout\":\"1\"", "bad-request", "timeout"},
    {"\"max_runs\":0", "bad-request", "max_runs"},
    {"\"max_runs\":-1", "bad-request", "max_runs"},
    {"\"max_runs\":1.5", "bad-request", "max_runs"},
    {"\"show_status\":0", "bad-request", "show_status"},
    {"\"surplus\":0", "bad-request", "surplus"},
    {"\"Title\":\"T\"", "bad-request", "Title"},
};

static const struct refusal bad_commands[] = {
    {"", "bad-request", "command"},
    {",\"command\":7", "bad-request", "command"},
    {",\"command\":null", "bad-request", "command"},
    {",\"command\":\"\"", "bad-request", "command"},
    {",\"command\":[]", "bad-request", "command"},
    {",\"command\":[\"\"]", "bad-request", "command"},
    {",\"command\":[7]", "bad-request", "command"},
    {",\"command\":[\"/bin/echo\",7]", "bad-request", "command"},
    {",\"command\":{\"a\":\"b\"}", "bad-request", "command"},
};

/* What may not change by a request that was refused. */
struct traces {
	pid_t daemon;
	int children, descriptors;
};

static bool
traces_are_gone(void *arg)
{
	const struct traces *traces = arg;

	return (host_children(traces->daemon) == traces->children &&
		host_descriptors(traces->daemon) <= traces->descriptors);
}

static void
traces_must_go(struct traces *traces, const struct jailfix *jail)
{
	ck_assert_msg(wait_until(traces_are_gone, traces),
		      "children: %d, and %d before; descriptors: %d, and %d before",
		      host_children(traces->daemon), traces->children,
		      host_descriptors(traces->daemon), traces->descriptors);
	ck_assert(!inside_mentions(jail, "jaildaemon: "));
	ck_assert_int_eq(probe_listed(), 0);
}

/* After a good add: what the daemon sets up once and for all is no trace. */
static void
traces_take(struct traces *traces, const struct jailfix *jail)
{
	traces->daemon = daemon_start();
	probe_warm_up(jail);
	traces->children = host_children(traces->daemon);
	traces->descriptors = host_descriptors(traces->daemon);
}

START_TEST(refused_adds_leave_nothing)
{
	struct traces traces;
	struct jailfix *jail;
	char request[256];
	size_t i;

	NEEDS_ROOT;
	jail = probe_jail();
	traces_take(&traces, jail);
	for (i = 0; i < sizeof(bad_members) / sizeof(bad_members[0]); i++) {
		(void)snprintf(request, sizeof(request),
			       "{\"op\":\"add\",\"jail\":%ld,\"command\":\"true\",%s}",
			       jailfix_number(jail), bad_members[i].request);
		ctl_ask_refused(request, bad_members[i].code, bad_members[i].mentions);
		traces_must_go(&traces, jail);
	}
	for (i = 0; i < sizeof(bad_commands) / sizeof(bad_commands[0]); i++) {
		(void)snprintf(request, sizeof(request), "{\"op\":\"add\",\"jail\":%ld%s}",
			       jailfix_number(jail), bad_commands[i].request);
		ctl_ask_refused(request, bad_commands[i].code, bad_commands[i].mentions);
		traces_must_go(&traces, jail);
	}
}
END_TEST

START_TEST(jails_that_are_not_there_leave_nothing)
{
	static const struct refusal refusals[] = {
	    {"{\"op\":\"add\",\"command\":\"true\"}", "bad-request", "jail"},
	    {"{\"op\":\"add\",\"jail\":null,\"command\":\"true\"}", "bad-request", "jail"},
	    {"{\"op\":\"add\",\"jail\":1.5,\"command\":\"true\"}", "bad-request", "jail"},
	    {"{\"op\":\"add\",\"jail\":[1],\"command\":\"true\"}", "bad-request", "jail"},
	    {"{\"op\":\"add\",\"jail\":999999999,\"command\":\"true\"}", "no-such-jail",
	     "999999999"},
	    {"{\"op\":\"add\",\"jail\":\"nobody-is-called-so\",\"command\":\"true\"}",
	     "no-such-jail", "nobody-is-called-so"},
	    {"{\"op\":\"add\",\"jail\":\"../../etc\",\"command\":\"true\"}", NULL, NULL},
	    {"{\"op\":\"add\",\"jail\":\"\",\"command\":\"true\"}", NULL, NULL},
	    {"{\"op\":\"add\",\"jail\":-1,\"command\":\"true\"}", NULL, NULL},
	    {"{\"op\":\"add\",\"jail\":0,\"command\":\"true\"}", NULL, NULL},
	    {"{\"op\":\"add\",\"jail\":4294967297,\"command\":\"true\"}", NULL, NULL},
	};
	struct traces traces;
	struct jailfix *jail;
	size_t i;

	NEEDS_ROOT;
	jail = probe_jail();
	traces_take(&traces, jail);
	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (refusals[i].code != NULL)
			ctl_ask_refused(refusals[i].request, refusals[i].code,
					refusals[i].mentions);
		else
			refused_either(refusals[i].request, "bad-request", "no-such-jail", NULL);
		traces_must_go(&traces, jail);
	}
}
END_TEST

START_TEST(same_name_same_definition_is_the_same_probe)
{
	struct jailfix *jail;
	int first, second;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	first = probe_add(jail, "{s:s,s:s,s:s}", "command", "true", "name", "mine", "title", "T");
	second = probe_add(jail, "{s:s,s:s,s:s}", "command", "true", "name", "mine", "title", "T");
	ck_assert_int_eq(first, second);
	ck_assert_int_eq(probe_listed(), 1);
	ck_assert_int_eq(inside_count(jail, "jaildaemon: T", NULL), 1);
}
END_TEST

START_TEST(same_name_other_definition_exists)
{
	struct jailfix *jail, *other;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	other = probe_jail();
	(void)daemon_start();
	probe = probe_add(jail, "{s:s,s:s,s:s}", "command", "true", "name", "mine", "title", "T");
	probe_add_refused(jail, "exists", "mine", "{s:s,s:s,s:s}", "command", "false", "name",
			  "mine", "title", "T");
	probe_add_refused(jail, "exists", "mine", "{s:s,s:s,s:s}", "command", "true", "name",
			  "mine", "title", "U");
	probe_add_refused(jail, "exists", "mine", "{s:s,s:s,s:s,s:i}", "command", "true", "name",
			  "mine", "title", "T", "uid", 5);
	probe_add_refused(jail, "exists", "mine", "{s:s,s:s,s:s,s:s}", "command", "true", "name",
			  "mine", "title", "T", "respawn", "now");
	probe_add_refused(other, "exists", "mine", "{s:s,s:s,s:s}", "command", "true", "name",
			  "mine", "title", "T");
	ck_assert_str_eq(probe_state(probe), "armed");
	ck_assert_int_eq(inside_count(jail, "jaildaemon: T", NULL), 1);
	ck_assert(!inside_mentions(jail, "jaildaemon: U"));
	ck_assert(!inside_mentions(other, "jaildaemon: "));
}
END_TEST

START_TEST(replace_puts_another_in_its_place)
{
	struct jailfix *jail;
	int first, second;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	first = probe_add(jail, "{s:s,s:s,s:s}", "command", "true", "name", "mine", "title", "OLD");
	second = probe_add(jail, "{s:s,s:s,s:s,s:b}", "command", "false", "name", "mine", "title",
			   "NEW", "replace", 1);
	ck_assert_int_ne(first, second);
	ck_assert_int_eq(probe_listed(), 1);
	inside_wait_count(jail, "jaildaemon: OLD", 0);
	ck_assert_int_eq(inside_count(jail, "jaildaemon: NEW", NULL), 1);
}
END_TEST

/* A replacement that fails leaves the one that was there. */
START_TEST(failed_replace_changes_nothing)
{
	struct jailfix *jail;
	json_t *answer;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	probe = probe_add(jail, "{s:s,s:s,s:s}", "command", "true", "name", "mine", "title", "OLD");
	answer = ctl_ask(
	    "{\"op\":\"add\",\"jail\":999999999,\"command\":\"false\",\"name\":\"mine\",\"replace\":true}");
	ctl_refused(answer, "no-such-jail", "999999999");
	ck_assert_str_eq(probe_state(probe), "armed");
	ck_assert_int_eq(inside_count(jail, "jaildaemon: OLD", NULL), 1);
	ck_assert_int_eq(probe_listed(), 1);
}
END_TEST

/* A request of exactly this many bytes, its line end included. */
static char *
request_of(size_t bytes)
{
	static const char start[] = "{\"op\":\"ping\",\"id\":\"", end[] = "\"}";
	char *request = malloc(bytes);

	memset(request, 'x', bytes);
	memcpy(request, start, sizeof(start) - 1);
	memcpy(request + bytes - sizeof(end), end, sizeof(end) - 1);
	request[bytes - 1] = '\0';
	return (request);
}

START_TEST(lines_have_a_limit)
{
	char *request;

	NEEDS_ROOT;
	(void)daemon_start();
	request = request_of(LINE_LIMIT);
	json_decref(ctl_ask_ok(request));
	free(request);
	request = request_of(LINE_LIMIT + 2);
	ctl_ask_refused(request, "too-large", NULL);
	free(request);
	request = request_of(20 * LINE_LIMIT);
	ctl_ask_refused(request, "too-large", NULL);
	free(request);
	ck_assert(ctl_alive());
}
END_TEST

Suite *
process_refusals(void)
{
	Suite *suite = suite_create("refusals");

	PLACE_CASE(suite, what_is_no_json_is_bad_json);
	PLACE_CASE(suite, duplicate_members_are_refused);
	PLACE_CASE(suite, what_is_no_request_is_a_bad_request);
	PLACE_CASE(suite, probe_argument_is_checked);
	PLACE_CASE(suite, refused_adds_leave_nothing);
	PLACE_CASE(suite, jails_that_are_not_there_leave_nothing);
	PLACE_CASE(suite, same_name_same_definition_is_the_same_probe);
	PLACE_CASE(suite, same_name_other_definition_exists);
	PLACE_CASE(suite, replace_puts_another_in_its_place);
	PLACE_CASE(suite, failed_replace_changes_nothing);
	PLACE_CASE(suite, lines_have_a_limit);
	return (suite);
}
