/* An upgrade in place: whoever speaks with the daemon gets every answer, once and in order. */
#include "config.h"

#include "process_upgrade.h"

#include <check.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_file.h"
#include "fixture_inside.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "fixture_suites.h"
#include "fixture_wait.h"

#define CLIENTS	 20
#define UNREAD	 2000 /* answers, which no socket buffer holds */
#define PROBES	 200
#define PRESSES	 300
#define PACE_US	 20000 /* 50 presses a second */
#define BETWEEN	 50    /* presses from one upgrade to the next */
#define IN_A_ROW 3     /* requests that are sent at once */

/* The next answer must be ok and have this id; false otherwise. */
static bool
answers(struct ctl *ctl, int id)
{
	char *line = ctl_line(ctl), wanted[64];
	bool good;

	(void)snprintf(wanted, sizeof(wanted), "{\"id\":%d,\"ok\":true", id);
	good = line != NULL && strncmp(line, wanted, strlen(wanted)) == 0;
	if (!good)
		(void)fprintf(stderr, "answer %d: %s\n", id, line == NULL ? "none" : line);
	free(line);
	return (good);
}

static void
expect(struct ctl *ctl, int from, int to)
{
	for (; from <= to; from++)
		ck_assert(answers(ctl, from));
}

START_TEST(pipelined_requests_are_answered_in_order)
{
	struct jailfix *jail;
	char requests[1024];
	struct ctl ctl;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	(void)snprintf(requests, sizeof(requests),
		       "{\"op\":\"ping\",\"id\":1}\n"
		       "{\"op\":\"add\",\"jail\":%s,\"command\":\"true\",\"id\":2}\n"
		       "{\"op\":\"upgrade\",\"id\":3}\n"
		       "{\"op\":\"add\",\"jail\":%s,\"command\":\"true\",\"id\":4}\n"
		       "{\"op\":\"list\",\"id\":5}\n"
		       "{\"op\":\"upgrade\",\"id\":6}\n"
		       "{\"op\":\"ping\",\"id\":7}\n",
		       probe_jid(jail), probe_jid(jail));
	ctl_open(&ctl);
	(void)ctl_say(&ctl, requests);
	ctl_finish(&ctl);
	expect(&ctl, 1, 7);
	ctl_expect_end(&ctl);
	ctl_close(&ctl);
	ck_assert_int_eq(probe_listed(), 2);
}
END_TEST

START_TEST(half_a_line_is_kept)
{
	struct ctl ctl;

	NEEDS_ROOT;
	(void)daemon_start();
	ctl_open(&ctl);
	(void)ctl_say(&ctl, "{\"op\":\"ping\",\"id\":1,\"keep\":true}\n{\"op\":\"pi");
	expect(&ctl, 1, 1);
	upgrade_now();
	(void)ctl_say(&ctl, "ng\",\"i");
	upgrade_now();
	(void)ctl_say(&ctl, "d\":2}\n");
	expect(&ctl, 2, 2);
	(void)ctl_say(&ctl, "{\"op\":\"ping\",\"id\":3}\n");
	expect(&ctl, 3, 3);
	ctl_finish(&ctl);
	ctl_expect_end(&ctl);
	ctl_close(&ctl);
}
END_TEST

/* The rest of a line that was too long is no request in the new daemon either. */
START_TEST(a_line_too_long_stays_one)
{
	static char filler[80000];
	struct ctl ctl;

	NEEDS_ROOT;
	(void)daemon_start();
	memset(filler, 'x', sizeof(filler) - 1);
	ctl_open(&ctl);
	(void)ctl_say(&ctl, "{\"op\":\"ping\",\"id\":1,\"keep\":true}\n");
	expect(&ctl, 1, 1);
	(void)ctl_say(&ctl, filler);
	ctl_refused(ctl_answer(&ctl), "too-large", NULL);
	upgrade_now();
	(void)ctl_say(&ctl, "{\"op\":\"stop\"}\n{\"op\":\"ping\",\"id\":2}\n");
	expect(&ctl, 2, 2);
	ctl_close(&ctl);
}
END_TEST

START_TEST(answers_wait_to_be_read)
{
	char request[128];
	struct ctl ctl;
	int id;

	NEEDS_ROOT;
	(void)daemon_start();
	ctl_open(&ctl);
	for (id = 1; id <= UNREAD; id++) {
		(void)snprintf(request, sizeof(request), "{\"op\":\"status\",\"id\":%d,\"keep\":true}\n",
			       id);
		(void)ctl_say(&ctl, request);
		if (id == UNREAD / 2)
			upgrade_now();
	}
	upgrade_now();
	expect(&ctl, 1, UNREAD);
	ctl_close(&ctl);
}
END_TEST

/* They came while the daemon could not look: some before the upgrade was asked for, some after. */
START_TEST(whoever_waits_in_the_queue_is_served)
{
	struct ctl clients[CLIENTS], upgrade;
	pid_t daemon;
	int i;

	NEEDS_ROOT;
	daemon = daemon_start();
	ctl_open(&upgrade);
	(void)ctl_say(&upgrade, "{\"op\":\"ping\",\"id\":0,\"keep\":true}\n");
	expect(&upgrade, 0, 0);
	ck_assert_int_eq(kill(daemon, SIGSTOP), 0);
	for (i = 0; i < CLIENTS; i++) {
		char request[64];

		if (i == CLIENTS / 2)
			(void)ctl_say(&upgrade, "{\"op\":\"upgrade\",\"id\":1}\n");
		ctl_open(&clients[i]);
		(void)snprintf(request, sizeof(request), "{\"op\":\"ping\",\"id\":%d}\n", i);
		(void)ctl_say(&clients[i], request);
		ctl_finish(&clients[i]);
	}
	ck_assert_int_eq(kill(daemon, SIGCONT), 0);
	expect(&upgrade, 1, 1);
	ctl_close(&upgrade);
	for (i = 0; i < CLIENTS; i++) {
		expect(&clients[i], i, i);
		ctl_expect_end(&clients[i]);
		ctl_close(&clients[i]);
	}
}
END_TEST

/* A child of the daemon beside this one; 0: there is none. */
static pid_t
child_beside(pid_t daemon, pid_t known)
{
	char command[64], line[32];
	pid_t found = 0;
	FILE *list;

	(void)snprintf(command, sizeof(command), "pgrep -P %d", (int)daemon);
	list = popen(command, "r");
	ck_assert_ptr_nonnull(list);
	while (fgets(line, sizeof(line), list) != NULL)
		if ((pid_t)strtol(line, NULL, 10) != known)
			found = (pid_t)strtol(line, NULL, 10);
	(void)pclose(list);
	return (found);
}

/* An attach takes long, and the upgrade has to wait for it. Each client has its connection before that, and
 * then says all that it has to say. */
START_TEST(requests_wait_while_it_makes_way)
{
	struct ctl clients[CLIENTS], upgrade;
	pid_t daemon, launcher;
	struct jailfix *jail;
	int i, probe;

	NEEDS_ROOT;
	SKIP_UNLESS(place_tool("pgrep") != NULL, "needs pgrep");
	jail = probe_jail();
	daemon = daemon_start();
	probe = probe_add(jail, "{s:s,s:s,s:s,s:i}", "command", "true", "title", "T", "respawn",
			  "after", "cooldown", 0);
	launcher = child_beside(daemon, (pid_t)probe_int(probe, "pid"));
	SKIP_UNLESS(launcher != 0, "no process takes probes into jails here");
	ck_assert_int_eq(kill(launcher, SIGSTOP), 0);
	inside_press(jail, "jaildaemon: T");
	probe_wait_count(probe, "runs", 1);
	probe_wait_state(probe, "starting");
	for (i = 0; i < CLIENTS; i++)
		ctl_open(&clients[i]);
	ctl_open(&upgrade);
	(void)ctl_say(&upgrade, "{\"op\":\"upgrade\",\"id\":1}\n");
	for (i = 0; i < CLIENTS; i++) {
		(void)ctl_say(&clients[i], "{\"op\":\"ping\",\"id\":2}\n");
		ctl_finish(&clients[i]);
		wait_breath(); /* while the new binary is tried, and after it */
	}
	ck_assert_int_eq(kill(launcher, SIGCONT), 0);
	expect(&upgrade, 1, 1);
	ctl_close(&upgrade);
	for (i = 0; i < CLIENTS; i++) {
		expect(&clients[i], 2, 2);
		ctl_expect_end(&clients[i]);
		ctl_close(&clients[i]);
	}
	probe_wait_state(probe, "armed");
}
END_TEST

START_TEST(whoever_asks_may_go_away)
{
	struct ctl ctl;
	pid_t daemon;

	NEEDS_ROOT;
	daemon = daemon_start();
	ctl_open(&ctl);
	(void)ctl_say(&ctl, "{\"op\":\"upgrade\"}\n");
	ctl_close(&ctl);
	file_wait_text(place()->log, "event=daemon-upgraded");
	upgrade_now();
	daemon_end(daemon, SIGTERM);
}
END_TEST

/* ---- under load ---- */

/* Several requests at once, over one connection. */
static bool
ask_on(struct ctl *ctl, int id)
{
	char requests[IN_A_ROW * 64];
	size_t used = 0;
	int i;

	for (i = 0; i < IN_A_ROW; i++)
		used += (size_t)snprintf(requests + used, sizeof(requests) - used,
					 "{\"op\":\"ping\",\"id\":%d,\"keep\":true}\n", id + i);
	if (!ctl_send(ctl, requests, used))
		return (false);
	for (i = 0; i < IN_A_ROW; i++)
		if (!answers(ctl, id + i))
			return (false);
	return (true);
}

/* One request over a connection of its own, whose end is told at once. */
static bool
ask_once(int id)
{
	struct ctl ctl;
	char request[64], *line;
	bool good;

	if (!ctl_try(&ctl, place()->sock)) {
		perror("connect");
		return (false);
	}
	(void)snprintf(request, sizeof(request), "{\"op\":\"status\",\"id\":%d}\n", id);
	good = ctl_say(&ctl, request);
	ctl_finish(&ctl);
	good = good && answers(&ctl, id);
	line = ctl_line(&ctl);
	good = good && line == NULL;
	free(line);
	ctl_close(&ctl);
	return (good);
}

/* In a process of its own, until the file is there: 0 if every answer came. */
static pid_t
start_client(int number, const char *over)
{
	struct ctl ctl;
	pid_t child = fork();
	int id = 1;

	ck_assert_int_ne(child, -1);
	if (child != 0)
		return (child);
	if (!ctl_try(&ctl, place()->sock))
		_exit(2);
	while (!file_exists(over)) {
		if (!(number % 2 == 0 ? ask_on(&ctl, id) : ask_once(id)))
			_exit(1);
		id += IN_A_ROW;
		wait_breath();
	}
	_exit(0);
}

/* Presses an armed probe from the host, each process once, and each probe in its turn; false when none is armed
 * now. */
static bool
press_one(void)
{
	static pid_t pressed[PROBES + 1];
	static size_t last;
	json_t *answer = ctl_ask_ok("{\"op\":\"list\"}"), *probe;
	size_t i;

	json_array_foreach(ctl_member(answer, "probes"), i, probe) {
		size_t place = (size_t)ctl_int(probe, "probe");
		pid_t pid = (pid_t)json_integer_value(json_object_get(probe, "pid"));

		if (place <= last || strcmp(ctl_string(probe, "state"), "armed") != 0 || pressed[place] == pid)
			continue;
		pressed[place] = pid;
		last = place % PROBES;
		json_decref(answer);
		ck_assert_int_eq(kill(pid, SIGHUP), 0);
		return (true);
	}
	json_decref(answer);
	return (false);
}

static void
add_all(const struct jailfix *jail, const char *effect)
{
	char command[256];
	int i;

	(void)snprintf(command, sizeof(command), "echo $JAILDAEMON_PROBE >> %s", effect);
	for (i = 0; i < PROBES; i++)
		(void)probe_add(jail, "{s:s,s:s,s:i}", "command", command, "respawn", "after",
				"cooldown", 0);
}

static json_int_t
total(const char *member)
{
	json_t *answer = ctl_ask_ok("{\"op\":\"list\"}"), *probe;
	json_int_t sum = 0;
	size_t i;

	json_array_foreach(ctl_member(answer, "probes"), i, probe)
		sum += ctl_int(probe, member);
	json_decref(answer);
	return (sum);
}

START_TEST(nothing_is_lost_or_doubled_under_load)
{
	pid_t clients[CLIENTS];
	struct jailfix *jail;
	const char *effect, *over;
	int presses = 0, i;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	effect = strdup(place_at("effect"));
	over = strdup(place_at("over"));
	add_all(jail, effect);
	for (i = 0; i < CLIENTS; i++)
		clients[i] = start_client(i, over);
	while (presses < PRESSES) {
		if (press_one() && ++presses % BETWEEN == 0)
			upgrade_now();
		(void)usleep(PACE_US);
	}
	file_wait_lines(effect, presses);
	file_write(over, "");
	for (i = 0; i < CLIENTS; i++)
		ck_assert_msg(exec_wait(clients[i]) == 0, "client %d missed an answer", i);
	ck_assert_int_eq(total("triggers"), presses);
	ck_assert_int_eq(total("runs"), presses);
	ck_assert_int_eq(total("coalesced"), 0);
	ck_assert_int_eq(probe_listed(), PROBES);
	ck_assert_int_eq(file_lines(effect), presses);
	free((void *)(uintptr_t)effect);
	free((void *)(uintptr_t)over);
}
END_TEST

Suite *
process_upgrade_clients(void)
{
	Suite *suite = suite_create("upgrade_clients");

	PLACE_CASE(suite, pipelined_requests_are_answered_in_order);
	PLACE_CASE(suite, half_a_line_is_kept);
	PLACE_CASE(suite, a_line_too_long_stays_one);
	PLACE_CASE(suite, answers_wait_to_be_read);
	PLACE_CASE(suite, whoever_waits_in_the_queue_is_served);
	PLACE_CASE(suite, requests_wait_while_it_makes_way);
	PLACE_CASE(suite, whoever_asks_may_go_away);
	PLACE_CASE(suite, nothing_is_lost_or_doubled_under_load);
	return (suite);
}
