/* Many who watch, those who read slowly, and all of them over an upgrade: nothing is lost unnoticed, and
 * the cost is bounded. */
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
#include "fixture_place.h"
#include "fixture_probe.h"
#include "fixture_suites.h"
#include "fixture_wait.h"
#include "fixture_watch.h"
#include "jailfix.h"

#define WATCHERS 100
#define PROBES	 3400 /* three events each: more than the daemon keeps */
#define EVENTS	 (3 * PROBES)
#define UPGRADES 3

struct watcher {
	struct ctl ctl;
	char line[1024]; /* the one that has not ended */
	size_t used;
	long long seq;
};

/* No assertion that holds costs as much as one of Check's, and there are a million lines. */
static void
take_line(struct watcher *watcher)
{
	const char *seq = strstr(watcher->line, "\"seq\":");

	if (seq == NULL || atoll(seq + 6) != watcher->seq + 1)
		ck_abort_msg("after %lld: %s", watcher->seq, watcher->line);
	watcher->seq++;
}

static void
take_bytes(struct watcher *watcher, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (watcher->used == sizeof(watcher->line) - 1)
			ck_abort_msg("a line without an end");
		watcher->line[watcher->used++] = bytes[i];
		if (bytes[i] != '\n')
			continue;
		watcher->line[watcher->used] = '\0';
		take_line(watcher);
		watcher->used = 0;
	}
}

/* What has come by now. */
static void
read_some(struct watcher *watcher)
{
	static char bytes[65536];
	ssize_t got;

	while ((got = recv(watcher->ctl.fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		take_bytes(watcher, bytes, (size_t)got);
	if (got == 0)
		ck_abort_msg("the daemon has closed");
}

static bool
have_all(void *arg)
{
	struct watcher *watchers = arg;

	for (int i = 1; i < WATCHERS; i++) {
		read_some(&watchers[i]);
		if (watchers[i].seq < EVENTS)
			return false;
	}
	return true;
}

/* Over one connection: it is events that are wanted here, and many. */
static void
add_and_remove(struct ctl *ctl, const struct jailfix *jail)
{
	char request[96];
	json_t *answer;

	(void)snprintf(request, sizeof(request),
		       "{\"op\":\"add\",\"jail\":%s,\"command\":\"true\",\"keep\":true}\n",
		       probe_jid(jail));
	ck_assert(ctl_say(ctl, request));
	answer = ctl_answer(ctl);
	(void)snprintf(request, sizeof(request), "{\"op\":\"remove\",\"probe\":%d}\n",
		       (int)ctl_int(ctl_member(answer, "probe"), "probe"));
	json_decref(answer);
	ck_assert(ctl_say(ctl, request));
	json_decref(ctl_answer(ctl));
}

static long
resident_kib(pid_t pid)
{
	struct outcome outcome;
	char number[16];
	long kib;

	(void)snprintf(number, sizeof(number), "%d", (int)pid);
	exec_words(&outcome, "ps", "-o", "rss=", "-p", number, NULL);
	kib = atol(outcome.out);
	outcome_free(&outcome);
	ck_assert_int_gt(kib, 0);
	return kib;
}

/* As many as there were, told or missed; and some of each. */
static void
check_sum(struct watcher *slow)
{
	long long told = 0, missed = 0, seq = 0;

	while (told + missed < EVENTS) {
		json_t *event = ctl_answer(&slow->ctl);

		if (strcmp(ctl_string(event, "event"), "missed") == 0) {
			missed += ctl_int(event, "count");
		} else {
			told++;
			ck_assert_int_gt(ctl_int(event, "seq"), seq);
			seq = ctl_int(event, "seq");
		}
		json_decref(event);
	}
	ck_assert_int_eq(told + missed, EVENTS);
	ck_assert_int_gt(missed, 0);
}

/* The slow one's first line that is not an event in order: how many went by. The count fits. */
static void
check_missed(struct watcher *slow)
{
	long long seq = 0, missed = 0;

	while (seq < EVENTS) {
		json_t *event = ctl_answer(&slow->ctl);

		if (strcmp(ctl_string(event, "event"), "missed") == 0) {
			missed += ctl_int(event, "count");
			seq += ctl_int(event, "count");
		} else {
			ck_assert_int_eq(ctl_int(event, "seq"), ++seq);
		}
		json_decref(event);
	}
	ck_assert_int_gt(missed, 0);
}

/* One that doesn't read: each event comes, in order, or is counted, whatever the daemons. */
START_TEST(the_slow_miss_nothing_unnoticed)
{
	struct watcher slow = {.seq = 0};
	struct jailfix *jail;
	struct ctl adder;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	watch_open(&slow.ctl, "{\"op\":\"watch\",\"events\":[\"probe-added\",\"armed\",\"removed\"]}\n");
	ctl_open(&adder);
	for (int i = 0; i < PROBES; i++) {
		add_and_remove(&adder, jail);
		if (i % (PROBES / UPGRADES) == 0)
			json_decref(ctl_ask_ok("{\"op\":\"upgrade\"}"));
	}
	check_sum(&slow);
	ctl_close(&adder);
	ctl_close(&slow.ctl);
}
END_TEST

START_TEST(one_of_many_does_not_read)
{
	static struct watcher watchers[WATCHERS];
	struct jailfix *jail;
	long before, after;
	struct ctl adder;
	pid_t daemon;

	NEEDS_ROOT;
	jail = probe_jail();
	daemon = daemon_start();
	before = resident_kib(daemon);
	for (int i = 0; i < WATCHERS; i++)
		watch_open(&watchers[i].ctl, "{\"op\":\"watch\"}\n");
	ctl_open(&adder);
	for (int i = 0; i < PROBES; i++) {
		add_and_remove(&adder, jail);
		for (int reader = 1; reader < WATCHERS; reader++)
			read_some(&watchers[reader]);
	}
	ck_assert(wait_until(have_all, watchers));
	after = resident_kib(daemon);
	ck_assert_msg(!daemon_memory_tells() || after - before < 16 * 1024, "from %ld to %ld KiB", before,
		      after);
	check_missed(&watchers[0]);
	ctl_close(&adder);
	for (int i = 0; i < WATCHERS; i++)
		ctl_close(&watchers[i].ctl);
	ck_assert(ctl_alive());
}
END_TEST

static json_int_t
count_clients(void)
{
	json_t *answer = ctl_ask_ok("{\"op\":\"status\"}\n");
	json_int_t count = ctl_int(ctl_member(answer, "status"), "clients");

	json_decref(answer);
	return count;
}

static bool
is_alone(void *arg)
{
	(void)arg;
	return count_clients() == 1; /* who asks */
}

/* Whoever watched and has gone leaves no connection behind, though nothing happens. */
START_TEST(watchers_that_are_killed_are_forgotten)
{
	struct ctl ctl;

	NEEDS_ROOT;
	(void)daemon_start();
	for (int i = 0; i < 600; i++) { /* more than there may be clients */
		watch_open(&ctl, i % 2 == 0 ? "{\"op\":\"watch\"}\n" : "{\"op\":\"watch\",\"output\":true}\n");
		ctl_close(&ctl);
	}
	ck_assert(wait_until(is_alone, NULL));
}
END_TEST

static void
upgrade(struct ctl *ctl, json_int_t *seq)
{
	json_t *event;

	json_decref(ctl_ask_ok("{\"op\":\"upgrade\"}"));
	event = watch_next(ctl, "daemon-upgraded");
	ck_assert_int_eq(ctl_int(event, "seq"), ++*seq);
	json_decref(event);
}

/* Whoever watches notices an upgrade by its event alone. */
START_TEST(an_upgrade_is_told)
{
	static const char *const kinds[] = {"probe-added", "armed",	"triggered",
					    "run-started", "run-ended", "removed"};
	struct jailfix *jail;
	json_int_t seq = 0;
	struct ctl ctl;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	watch_open(&ctl, "{\"op\":\"watch\"}\n");
	for (int i = 0; i < UPGRADES; i++) {
		int probe = probe_add(jail, "{s:s}", "command", "true");

		json_decref(probe_op("trigger", probe));
		for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++) {
			json_t *event = watch_next(&ctl, kinds[kind]);

			ck_assert_int_eq(ctl_int(event, "seq"), ++seq);
			ck_assert_int_eq(ctl_int(event, "probe"), probe);
			json_decref(event);
		}
		upgrade(&ctl, &seq);
	}
	ctl_close(&ctl);
}
END_TEST

/* What it writes comes once and whole, a character that the upgrade divides included. */
START_TEST(output_is_followed_over_an_upgrade)
{
	char command[512];
	struct jailfix *jail;
	json_int_t seq = 0;
	json_t *event;
	struct ctl ctl;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	watch_open(&ctl, "{\"op\":\"watch\",\"events\":[\"run-output\",\"run-ended\"]}\n");
	(void)snprintf(command, sizeof(command),
		       "printf 'h\\303'; until [ -e %s ]; do sleep 0.01; done; printf '\\244llo'",
		       place_at("go"));
	probe = probe_add(jail, "{s:s}", "command", command);
	json_decref(probe_op("trigger", probe));
	event = watch_next(&ctl, "run-output");
	ck_assert_str_eq(ctl_string(event, "output"), "h");
	seq = ctl_int(event, "seq");
	json_decref(event);
	json_decref(ctl_ask_ok("{\"op\":\"upgrade\"}"));
	file_write(place_at("go"), "");
	event = watch_next(&ctl, "run-output");
	ck_assert_str_eq(ctl_string(event, "output"), "\xc3\xa4llo");
	ck_assert_int_eq(ctl_int(event, "seq"), seq + 2); /* after daemon-upgraded */
	json_decref(event);
	watch_expect(&ctl, "run-ended");
	ctl_close(&ctl);
}
END_TEST

Suite *
process_watch_many(void)
{
	Suite *suite = suite_create("watch_many");

	PLACE_CASE(suite, an_upgrade_is_told);
	PLACE_CASE(suite, output_is_followed_over_an_upgrade);
	PLACE_CASE(suite, the_slow_miss_nothing_unnoticed);
	PLACE_CASE(suite, one_of_many_does_not_read);
	PLACE_CASE(suite, watchers_that_are_killed_are_forgotten);
	return suite;
}
