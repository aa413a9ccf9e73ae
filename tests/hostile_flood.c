/*
 * Too much of everything at the control socket: connections, silence, unread answers, and clients
 * that leave in the middle. Others are served meanwhile, and nothing stays behind.
 */
#include "config.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_exec.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "fixture_wait.h"
#include "hostile.h"
#include "hostile_adds.h"
#include "hostile_host.h"

#define CONNECTIONS 2000
#define LEAVERS	    500
#define UNREADERS   8
#define PROMPT_MS   1500
#define GROWTH_KIB  1024
#define UNREAD_KIB  8192 /* for all that do not read, together */

/* Connects without waiting for long; -1 when there is no room in the queue. */
static int
connect_now(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", place()->sock);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return (fd);
	(void)close(fd);
	return (-1);
}

/* As many as asked for, each as soon as the queue has room; each says the same. */
static void
connect_all(int *fds, int count, const char *text)
{
	long long deadline = wait_now() + WAIT_PATIENCE_MS;
	int i;

	for (i = 0; i < count; i++) {
		while ((fds[i] = connect_now()) == -1) {
			ck_assert_msg(wait_left(deadline) > 0, "only %d connections", i);
			wait_breath();
		}
		(void)send(fds[i], text, strlen(text), MSG_NOSIGNAL);
	}
}

static void
close_all(const int *fds, int count)
{
	while (count-- > 0)
		(void)close(fds[count]);
}

/* Those who were there before are served during it, and everybody is after it. */
static void
flood(const char *text)
{
	static int fds[CONNECTIONS];
	struct hostile_cost before;
	struct jailfix *jail = probe_jail();
	pid_t daemon = daemon_start();
	struct ctl mine;
	long long asked;

	probe_sentinel(jail);
	connect_all(fds, 600, "");
	close_all(fds, 600);
	ck_assert(wait_until(ctl_serves, NULL));
	hostile_open(&mine);
	hostile_note(daemon, &before);
	connect_all(fds, CONNECTIONS, text);
	asked = wait_now();
	ck_assert(ctl_say(&mine, "{\"op\":\"list\",\"keep\":true}\n"));
	json_decref(ctl_answer(&mine));
	ck_assert_int_lt(wait_now() - asked, PROMPT_MS);
	close_all(fds, CONNECTIONS);
	ck_assert(wait_until(ctl_serves, NULL));
	probe_sentinel(jail);
	hostile_expect(daemon, &before, GROWTH_KIB);
}

START_TEST(two_thousand_silent_connections_are_survived)
{
	NEEDS_ROOT;
	SKIP_UNLESS(hostile_can_open(CONNECTIONS + 100), "so many descriptors may not be opened here");
	flood("");
}
END_TEST

START_TEST(two_thousand_half_lines_are_survived)
{
	NEEDS_ROOT;
	SKIP_UNLESS(hostile_can_open(CONNECTIONS + 100), "so many descriptors may not be opened here");
	flood("{\"op\":\"stop\"");
}
END_TEST

/* Sends as long as it is taken; true when that came to an end. */
static bool
send_until_full(int fd, const char *text)
{
	struct pollfd ready = {.fd = fd, .events = POLLOUT};
	int i;

	for (i = 0; i < 200000; i++)
		if (send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) <= 0 &&
		    poll(&ready, 1, 200) == 0)
			return (true);
	return (false);
}

/* They ask for large lists and read none: what the daemon keeps for them has a bound. */
START_TEST(clients_that_never_read_cost_a_bounded_memory)
{
	int fds[UNREADERS], numbers[50], i;
	struct hostile_cost before, after;
	struct jailfix *jail;
	struct ctl ctl;
	pid_t daemon;

	NEEDS_JAIL(jail, false);
	daemon = daemon_start();
	hostile_open(&ctl);
	hostile_say_adds(&ctl, jail, 50);
	ck_assert_int_eq(hostile_hear_adds(&ctl, 50, numbers), 50);
	for (i = 0; i < 20; i++)
		json_decref(ctl_ask_ok("{\"op\":\"list\"}"));
	hostile_note(daemon, &before);
	connect_all(fds, UNREADERS, "");
	for (i = 0; i < UNREADERS; i++)
		ck_assert_msg(send_until_full(fds[i], "{\"op\":\"list\",\"keep\":true}\n"),
			      "the daemon takes whatever comes");
	ck_assert_int_lt(hostile_ping_ms(), PROMPT_MS);
	hostile_note(daemon, &after);
	ck_assert_msg(!daemon_memory_tells() || after.memory - before.memory < UNREAD_KIB,
		      "from %ld to %ld KiB", before.memory, after.memory);
	probe_sentinel(jail);
	close_all(fds, UNREADERS);
	ck_assert(wait_until(ctl_serves, NULL));
}
END_TEST

/* Every process with the title is listed and armed, and the other way round. */
struct census {
	const struct jailfix *jail;
	int listed, armed, processes;
};

static bool
census_agrees(void *arg)
{
	struct census *census = arg;
	json_t *answer = ctl_ask_ok("{\"op\":\"list\"}"), *probe;
	size_t i;

	census->listed = census->armed = 0;
	json_array_foreach(ctl_member(answer, "probes"), i, probe) {
		census->listed++;
		census->armed += strcmp(ctl_string(probe, "state"), "armed") == 0;
	}
	json_decref(answer);
	census->processes = hostile_titled(hostile_inside());
	return (census->listed == census->armed && census->listed == census->processes);
}

/* Some are gone before the daemon has seen them, some after their add has begun. */
static void
leave(const struct jailfix *jail, int turn)
{
	struct pollfd answer = {.events = POLLIN};
	struct ctl ctl;

	ctl_open(&ctl);
	hostile_say_adds(&ctl, jail, 1);
	if (turn % 4 == 1)
		ctl_finish(&ctl);
	answer.fd = ctl.fd;
	if (turn % 4 == 2)
		(void)poll(&answer, 1, 1);
	if (turn % 4 == 3)
		(void)ctl_alive(); /* by now the daemon has read it */
	ctl_close(&ctl);
}

START_TEST(clients_that_leave_during_their_add_leave_no_half_probe)
{
	struct census census = {.jail = NULL};
	struct hostile_cost before;
	struct jailfix *jail;
	pid_t daemon;
	int turn;

	NEEDS_JAIL(jail, false);
	daemon = daemon_start();
	(void)hostile_attach_many(jail, 50, true);
	probe_sentinel(jail);
	(void)hostile_target(jail); /* what the jail itself costs is there from now on */
	hostile_note(daemon, &before);
	for (turn = 0; turn < LEAVERS; turn++)
		leave(jail, turn);
	ck_assert_msg(wait_until(census_agrees, &census), "%d listed, %d armed, %d processes",
		      census.listed, census.armed, census.processes);
	ck_assert_int_gt(census.listed, LEAVERS / 4);
	before.children += census.listed - 1;
	hostile_expect(daemon, &before, 4 * GROWTH_KIB);
	hostile_expect_no_run();
}
END_TEST

Suite *
hostile_flood(void)
{
	Suite *suite = suite_create("flood");

	PLACE_CASE(suite, two_thousand_silent_connections_are_survived);
	PLACE_CASE(suite, two_thousand_half_lines_are_survived);
	PLACE_CASE(suite, clients_that_never_read_cost_a_bounded_memory);
	PLACE_CASE(suite, clients_that_leave_during_their_add_leave_no_half_probe);
	return (suite);
}
