/*
 * What is told to those who watch: everything once, in order, and at a bounded cost.
 */
#include "config.h"

#include <sys/socket.h>

#include <check.h>
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
#include "fixture_wait.h"
#include "fixture_watch.h"
#include "jailfix.h"

#define TITLE "jaildaemon: T"

/* The life of a probe, as told; each event names the probe, and has the next number. */
START_TEST(a_life_is_told)
{
	static const char *const kinds[] = {"probe-added", "armed",	"triggered", "run-started",
					    "run-ended",   "armed",	"removed"};
	struct jailfix *jail;
	struct ctl ctl;
	int probe = 0;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	watch_open(&ctl, "{\"op\":\"watch\"}\n");
	for (int i = 0; i < 7; i++) {
		json_t *event;

		if (i == 0)
			probe = probe_add(jail, "{s:s,s:s,s:s,s:s}", "command", "exit 3", "title", "T",
					  "respawn", "after", "name", "press");
		if (i == 2)
			inside_press(jail, TITLE);
		if (i == 6)
			json_decref(probe_op("remove", probe));
		event = watch_next(&ctl, kinds[i]);
		ck_assert_int_eq(ctl_int(event, "seq"), i + 1);
		ck_assert_int_eq(ctl_int(event, "probe"), probe);
		ck_assert_str_eq(ctl_string(event, "name"), "press");
		ck_assert_int_eq(ctl_int(event, "jail"), atoi(probe_jid(jail)));
		ck_assert_uint_eq(strlen(ctl_string(event, "time")), strlen("2026-11-21T12:00:00.250Z"));
		if (i == 4)
			ck_assert_int_eq(ctl_int(event, "exit"), 3);
		json_decref(event);
	}
	ctl_close(&ctl);
}
END_TEST

START_TEST(throttled_and_coalesced_are_told)
{
	struct jailfix *jail;
	struct ctl ctl;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	watch_open(&ctl, "{\"op\":\"watch\",\"events\":[\"throttled\",\"coalesced\"]}\n");
	probe = probe_add(jail, "{s:s,s:s,s:f}", "command", "true", "respawn", "after", "cooldown",
			  1000.0);
	json_decref(probe_op("trigger", probe));
	watch_expect(&ctl, "throttled");
	probe = probe_add(jail, "{s:s,s:s,s:i,s:i}", "command", "sleep 60", "respawn", "now",
			  "max_runs", 1, "cooldown", 0);
	for (int i = 0; i < 3; i++) {
		probe_wait_state(probe, "armed");
		json_decref(probe_op("trigger", probe));
	}
	watch_expect(&ctl, "coalesced");
	ctl_close(&ctl);
}
END_TEST

START_TEST(failures_are_told)
{
	struct jailfix *jail;
	json_t *event;
	struct ctl ctl;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	watch_open(&ctl, "{\"op\":\"watch\",\"events\":[\"error\"]}\n");
	probe = probe_add(jail, "{s:[s]}", "command", "/nowhere/\x1b[31m");
	json_decref(probe_op("trigger", probe));
	event = watch_next(&ctl, "error");
	ck_assert_str_eq(ctl_string(event, "program"), "/nowhere/\x1b[31m");
	ck_assert_ptr_nonnull(strstr(ctl_string(event, "why"), "No such file"));
	json_decref(event);
	ctl_close(&ctl);
}
END_TEST

/* One that watches sees the end; so does the utility, which ends well. */
START_TEST(the_stop_is_told)
{
	struct ctl ctl;
	pid_t daemon;

	NEEDS_ROOT;
	daemon = daemon_start();
	watch_open(&ctl, "{\"op\":\"watch\",\"events\":[\"daemon-stopping\"]}\n");
	daemon_end(daemon, SIGTERM);
	watch_expect(&ctl, "daemon-stopping");
	ctl_expect_end(&ctl);
	ctl_close(&ctl);
}
END_TEST

/* A single shot that was pressed: whether its command had started is told when the next daemon finds
 * it. */
START_TEST(a_run_of_a_former_daemon_is_told)
{
	struct jailfix *jail;
	json_t *event;
	struct ctl ctl;
	pid_t daemon;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	daemon = daemon_start();
	probe = probe_add(jail, "{s:s,s:s}", "command", "read x < /dev/zero", "name", "once");
	json_decref(probe_op("trigger", probe));
	probe_wait_state(probe, "running");
	ck_assert_int_eq(kill(daemon, SIGKILL), 0);
	(void)exec_wait(daemon);
	(void)daemon_start();
	watch_open(&ctl, "{\"op\":\"watch\",\"since\":0}\n");
	event = watch_next(&ctl, "removed");
	ck_assert_int_eq(ctl_int(event, "seq"), 1);
	ck_assert_int_eq(ctl_int(event, "probe"), probe);
	ck_assert_str_eq(ctl_string(event, "name"), "once");
	ck_assert_int_eq(ctl_int(event, "runs"), 1);
	json_decref(event);
	ctl_close(&ctl);
}
END_TEST

/* ---- output ---- */

/* Byte for byte, and split nowhere within a character. */
START_TEST(output_is_told_whole)
{
	const char *const text = "h\xc3\xa4llo w\xe2\x82\xacrld\n";
	struct jailfix *jail;
	size_t got = 0, length = strlen(text);
	struct ctl ctl;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	watch_open(&ctl, "{\"op\":\"watch\",\"events\":[\"run-output\",\"run-ended\"]}\n");
	probe = probe_add(jail, "{s:s}", "command",
			  "i=0; while [ $i -lt 3000 ]; do echo 'h\xc3\xa4llo w\xe2\x82\xacrld'; "
			  "i=$((i + 1)); done");
	json_decref(probe_op("trigger", probe));
	while (got < 3000 * length) {
		json_t *event = watch_next(&ctl, "run-output"), *output = ctl_member(event, "output");

		for (size_t i = 0; i < json_string_length(output); i++, got++)
			if (json_string_value(output)[i] != text[got % length])
				ck_abort_msg("byte %zu is another", got);
		json_decref(event);
	}
	watch_expect(&ctl, "run-ended");
	ctl_close(&ctl);
}
END_TEST

/* What it has written by now, and then the rest, nothing twice. */
START_TEST(output_can_be_followed)
{
	char request[96], command[256];
	const char *go = place_at("go");
	struct jailfix *jail;
	json_t *answer;
	struct ctl ctl;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	(void)snprintf(command, sizeof(command),
		       "printf one; echo; printf tw; until [ -e %s ]; do sleep 0.01; done; echo o", go);
	probe = probe_add(jail, "{s:s}", "command", command);
	json_decref(probe_op("trigger", probe));
	file_wait_text(place()->log, "line=\"one\"");
	(void)snprintf(request, sizeof(request), "{\"op\":\"output\",\"probe\":%d,\"follow\":true}\n",
		       probe);
	ctl_open(&ctl);
	ck_assert(ctl_say(&ctl, request));
	answer = ctl_answer(&ctl);
	ck_assert_str_eq(ctl_string(answer, "output"), "one\ntw");
	json_decref(answer);
	file_write(go, "");
	answer = watch_next(&ctl, "run-output");
	ck_assert_str_eq(ctl_string(answer, "output"), "o\n");
	json_decref(answer);
	ctl_close(&ctl);
}
END_TEST

/* ---- the utility ---- */

/* The utility with -f for this place's socket, printing into a file. */
static pid_t
start_utility(const char *to, char *first, char *second, char *third)
{
	char binary[256], sock[128], dash_f[] = "-f";
	char *argv[] = {binary, dash_f, sock, first, second, third, NULL};

	(void)snprintf(binary, sizeof(binary), "%s", daemon_binary());
	(void)snprintf(sock, sizeof(sock), "%s", place()->sock);
	return exec_start(&(struct launch){.argv = argv, .log = to});
}

static json_int_t
count_clients(void)
{
	json_t *answer = ctl_ask_ok("{\"op\":\"status\"}\n");
	json_int_t count = ctl_int(ctl_member(answer, "status"), "clients");

	json_decref(answer);
	return count;
}

static bool
is_watched(void *arg)
{
	(void)arg;
	return count_clients() == 2;
}

START_TEST(utility_shows_events)
{
	char dash_w[] = "-w", dash_j[] = "-j", jid[32];
	const char *seen = place_at("seen");
	struct jailfix *jail, *other;
	pid_t daemon, utility;
	char wanted[96];
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	other = probe_jail();
	daemon = daemon_start();
	(void)snprintf(jid, sizeof(jid), "%s", probe_jid(jail));
	utility = start_utility(seen, dash_w, dash_j, jid);
	ck_assert(wait_until(is_watched, NULL));
	(void)probe_add(other, "{s:s}", "command", "true");
	probe = probe_add(jail, "{s:s,s:s}", "command", "exit 3", "name", "press");
	json_decref(probe_op("trigger", probe));
	(void)snprintf(wanted, sizeof(wanted), " %d/press %s run-ended run=1 exit=3 ", probe, jid);
	file_wait_text(seen, wanted);
	file_wait_text(seen, " removed triggers=1 runs=1 why=\"its one run has ended\"\n");
	daemon_end(daemon, SIGTERM);
	ck_assert_int_eq(exec_wait(utility), 0);
	file_wait_text(seen, " - - daemon-stopping\n");
	ck_assert_int_eq(file_lines(seen), 7);
}
END_TEST

START_TEST(utility_prints_lines_of_json)
{
	char dash_w[] = "-w", json[] = "--json";
	const char *seen = place_at("seen");
	pid_t daemon, utility;

	NEEDS_ROOT;
	daemon = daemon_start();
	utility = start_utility(seen, dash_w, json, NULL);
	file_wait_lines(seen, 1);
	daemon_end(daemon, SIGTERM);
	ck_assert_int_eq(exec_wait(utility), 0);
	ck_assert_int_eq(file_count(seen, "{\"ok\":true,\"seq\":0}"), 1);
	file_wait_text(seen, "\n{\"event\":\"daemon-stopping\",\"seq\":1,");
	ck_assert_int_eq(file_lines(seen), 2);
}
END_TEST

/* Until the daemon ends; one that is killed is no good end. */
START_TEST(utility_follows_output)
{
	char dash_o[] = "-o", name[] = "talk", follow[] = "--follow";
	const char *seen = place_at("seen");
	struct jailfix *jail;
	pid_t daemon, utility;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	daemon = daemon_start();
	probe = probe_add(jail, "{s:s,s:s,s:s}", "command", "echo $JAILDAEMON_RUN", "name", "talk",
			  "respawn", "after");
	json_decref(probe_op("trigger", probe));
	json_decref(probe_wait_last(probe));
	utility = start_utility(seen, dash_o, name, follow);
	file_wait_text(seen, "1\n");
	probe_wait_state(probe, "armed");
	json_decref(probe_op("trigger", probe));
	file_wait_text(seen, "1\n2\n");
	ck_assert_int_eq(kill(daemon, SIGKILL), 0);
	ck_assert_int_eq(exec_wait(utility), 3 << 8);
	file_wait_text(seen, "the daemon has gone");
}
END_TEST

Suite *
process_watch(void)
{
	Suite *suite = suite_create("watch");

	PLACE_CASE(suite, a_life_is_told);
	PLACE_CASE(suite, throttled_and_coalesced_are_told);
	PLACE_CASE(suite, failures_are_told);
	PLACE_CASE(suite, the_stop_is_told);
	PLACE_CASE(suite, a_run_of_a_former_daemon_is_told);
	PLACE_CASE(suite, output_is_told_whole);
	PLACE_CASE(suite, output_can_be_followed);
	PLACE_CASE(suite, utility_shows_events);
	PLACE_CASE(suite, utility_prints_lines_of_json);
	PLACE_CASE(suite, utility_follows_output);
	return suite;
}
