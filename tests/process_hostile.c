/*
 * Clients of ill will, or broken ones: whatever comes over the socket, the daemon answers or hangs
 * up, and goes on.
 */
#include "config.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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

#define TITLE	  "jaildaemon: T"
#define MALFORMED 1000
#define BATCH	  20
#define SEED	  20260131u
#define LINE_SIZE 512

/* The same numbers everywhere, and every time. */
static uint32_t
dice(uint32_t *state, uint32_t sides)
{
	*state = *state * 1664525u + 1013904223u;
	return ((*state >> 8) % sides);
}

static const char *const good_requests[] = {
    "{\"op\":\"ping\",\"id\":1,\"keep\":true}",
    "{\"op\":\"add\",\"jail\":\"www\",\"command\":\"zfs snapshot jails/www@`date +%s`\",\"title\":\"Z\",\"respawn\":\"after\"}",
    "{\"op\":\"add\",\"jail\":23,\"command\":[\"/bin/echo\",\"x\"],\"uid\":501,\"gid\":501,\"name\":\"n\",\"timeout\":5}",
    "{\"op\":\"get\",\"probe\":1}",
    "{\"op\":\"remove\",\"probe\":\"name\",\"id\":\"\\u00e4\"}",
    "{\"op\":\"list\",\"jail\":\"www\",\"id\":{\"a\":[1,2.5e3,null]}}",
    "{\"op\":\"output\",\"probe\":2}",
    "{\"op\":\"status\"}",
};

/* One to four bytes of a good request are changed, left out, doubled, or the rest is cut off. */
static size_t
mutate(uint32_t *state, char *line)
{
	const char *good =
	    good_requests[dice(state, sizeof(good_requests) / sizeof(good_requests[0]))];
	size_t length = strlen(good), at;
	uint32_t times;

	memcpy(line, good, length + 1);
	for (times = 1 + dice(state, 4); times > 0 && length > 1; times--) {
		at = dice(state, (uint32_t)length);
		switch (dice(state, 5)) {
		case 0:
			line[at] = (char)dice(state, 256);
			break;
		case 1:
			memmove(line + at, line + at + 1, length - at);
			length--;
			break;
		case 2:
			memmove(line + at + 1, line + at, length - at);
			length++;
			break;
		case 3:
			line[at] = "{}[]\",:\\0"[dice(state, 9)];
			break;
		default:
			length = at + 1;
			break;
		}
	}
	return (length);
}

/* Is this one line, with something in it, that no JSON parser takes for an object? */
static bool
is_malformed(const char *line, size_t length)
{
	json_t *value;
	size_t i;

	if (memchr(line, '\n', length) != NULL)
		return (false);
	for (i = 0; i < length && (line[i] == ' ' || line[i] == '\t' || line[i] == '\r'); i++)
		;
	value = json_loadb(line, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	json_decref(value);
	return (i < length && value == NULL);
}

static size_t
malformed_line(uint32_t *state, char *line)
{
	size_t length;

	do {
		length = mutate(state, line);
	} while (!is_malformed(line, length));
	line[length] = '\n';
	return (length + 1);
}

static void
malformed_batch(uint32_t *state)
{
	char lines[BATCH][LINE_SIZE];
	size_t lengths[BATCH];
	struct ctl ctl;
	json_t *answer;
	int i;

	ctl_open(&ctl);
	for (i = 0; i < BATCH; i++) {
		lengths[i] = malformed_line(state, lines[i]);
		ck_assert_msg(ctl_send(&ctl, lines[i], lengths[i]), "hung up before: %s", lines[i]);
	}
	ctl_finish(&ctl);
	for (i = 0; i < BATCH; i++) {
		answer = ctl_answer(&ctl);
		ck_assert_msg(json_is_false(json_object_get(answer, "ok")), "accepted: %.*s",
			      (int)lengths[i], lines[i]);
		ctl_refused(answer, "bad-json", NULL);
	}
	ctl_expect_end(&ctl);
	ctl_close(&ctl);
}

START_TEST(thousand_malformed_requests)
{
	uint32_t state = SEED;
	struct jailfix *jail;
	int probe, batch, children;
	pid_t daemon;

	NEEDS_ROOT;
	jail = probe_jail();
	daemon = daemon_start();
	probe = probe_add(jail, "{s:s,s:s}", "command", "true", "title", "T", "name", "name");
	children = host_children(daemon);
	for (batch = 0; batch < MALFORMED / BATCH; batch++)
		malformed_batch(&state);
	ck_assert(ctl_alive());
	ck_assert_int_eq(probe_listed(), 1);
	ck_assert_str_eq(probe_state(probe), "armed");
	ck_assert_int_eq(host_children(daemon), children);
	probe_sentinel(jail);
	daemon_end(daemon, SIGTERM);
}
END_TEST

/* Bytes that cannot stand in a request, in the middle of one: refused, and the next line is read
 * again. */
START_TEST(nul_bytes_are_refused)
{
	static const char lines[] =
	    "{\"op\":\"ping\"\0}\n{\"op\":\"pi\0ng\"}\n\0\n{\"op\":\"ping\"}\0\n{\"op\":\"ping\",\"id\":9}\n";
	struct ctl ctl;
	json_t *answer;
	int i;

	NEEDS_ROOT;
	(void)daemon_start();
	ctl_open(&ctl);
	ck_assert(ctl_send(&ctl, lines, sizeof(lines) - 1));
	for (i = 0; i < 4; i++)
		ctl_refused(ctl_answer(&ctl), "bad-json", NULL);
	answer = ctl_answer(&ctl);
	ck_assert_int_eq(ctl_int(answer, "id"), 9);
	ck_assert(ctl_true(answer, "ok"));
	json_decref(answer);
	ctl_close(&ctl);
}
END_TEST

/* A value nested so deep, as the id of a ping. */
static void
nested(size_t depth, const char *open, const char *closed)
{
	size_t each = strlen(open) + strlen(closed), room = depth * each + 64;
	char *request = malloc(room), *end = request;
	json_t *answer;
	size_t i;

	end += snprintf(end, room, "{\"op\":\"ping\",\"id\":");
	for (i = 0; i < depth; i++)
		end = stpcpy(end, open);
	end = stpcpy(end, "1");
	for (i = 0; i < depth; i++)
		end = stpcpy(end, closed);
	(void)stpcpy(end, "}");
	answer = ctl_ask(request);
	ck_assert_msg(json_is_false(json_object_get(answer, "ok")), "%zu deep was accepted", depth);
	json_decref(answer);
	free(request);
	ck_assert(ctl_alive());
}

START_TEST(deep_nesting_is_refused)
{
	NEEDS_ROOT;
	(void)daemon_start();
	nested(100, "[", "]");
	nested(2047, "[", "]");
	nested(2050, "[", "]");
	nested(30000, "[", "]");
	nested(5000, "{\"a\":", "}");
}
END_TEST

/* A title or name may be long only within reason; a command may be longer. */
START_TEST(long_values)
{
	char *value = malloc(60001), *command = malloc(60200);
	struct jailfix *jail;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	memset(value, 'x', 60000);
	value[60000] = '\0';
	probe_add_refused(jail, "bad-request", "title", "{s:s,s:s}", "command", "true", "title",
			  value);
	probe_add_refused(jail, "bad-request", "name", "{s:s,s:s}", "command", "true", "name",
			  value);
	ck_assert(!inside_mentions(jail, "jaildaemon: "));
	value[25000] = '\0';
	(void)snprintf(command, 60200, ": %s; echo run >> %s", value, place_at("ran"));
	(void)probe_add(jail, "{s:s,s:s}", "command", command, "title", "T");
	inside_press(jail, TITLE);
	file_wait_lines(place_at("ran"), 1);
	free(value);
	free(command);
}
END_TEST

/* No line end, and no end of it. */
START_TEST(line_without_end_is_cut_off)
{
	char block[4096];
	struct ctl ctl;
	int i;

	NEEDS_ROOT;
	(void)daemon_start();
	memset(block, 'x', sizeof(block));
	ctl_open(&ctl);
	for (i = 0; i < 1024 && ctl_send(&ctl, block, sizeof(block)); i++)
		;
	ck_assert(ctl_alive());
	ctl_refused(ctl_answer(&ctl), "too-large", NULL);
	ctl_close(&ctl);
}
END_TEST

START_TEST(unfinished_requests_are_forgotten)
{
	struct jailfix *jail;
	struct ctl ctl;
	int i;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	for (i = 0; i < 50; i++) {
		ctl_open(&ctl);
		ck_assert(ctl_say(&ctl, "{\"op\":\"stop\""));
		ctl_close(&ctl);
	}
	probe_sentinel(jail);
}
END_TEST

/* A client that asks and does not wait for the answer: what it asked for may be done, but nothing
 * breaks. */
START_TEST(clients_that_leave_at_once)
{
	struct jailfix *jail;
	char request[128];
	struct ctl ctl;
	int i;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	(void)snprintf(request, sizeof(request),
		       "{\"op\":\"add\",\"jail\":%ld,\"command\":\"true\"}\n{\"op\":\"list\"}\n",
		       jailfix_number(jail));
	for (i = 0; i < 20; i++) {
		ctl_open(&ctl);
		(void)ctl_say(&ctl, request);
		ctl_close(&ctl);
	}
	probe_sentinel(jail);
	ck_assert(ctl_alive());
}
END_TEST

/* Asked anew each time: not every kernel wakes a poll that waits for nothing but the end. */
static bool
has_event(void *arg)
{
	return (poll(arg, 1, 0) == 1);
}

/* It asks for lists without end and reads none of them: others must not notice, and in the end it
 * has to go. */
START_TEST(client_that_does_not_read_is_cut_off)
{
	static const char request[] = "{\"op\":\"list\",\"keep\":true}\n";
	struct pollfd end = {.events = 0}; /* only what can't be asked for: the other side's end */
	struct jailfix *jail;
	struct ctl ctl;
	int i;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	for (i = 0; i < 20; i++)
		(void)probe_add(jail, "{s:s}", "command", "true");
	ctl_open(&ctl);
	ck_assert_int_eq(fcntl(ctl.fd, F_SETFL, O_NONBLOCK), 0);
	for (i = 0; i < 1000000 && ctl_send(&ctl, request, sizeof(request) - 1); i++)
		;
	ck_assert_msg(i < 1000000, "the daemon takes whatever comes");
	ck_assert(ctl_alive());
	probe_sentinel(jail);
	end.fd = ctl.fd;
	ck_assert_msg(wait_until(has_event, &end) || wait_until(has_event, &end),
		      "it was never cut off");
	ck_assert_int_ne(end.revents & (POLLHUP | POLLERR), 0);
	ck_assert(ctl_alive());
	ctl_close(&ctl);
}
END_TEST

/* A connection that does not wait for its turn: -1 when the daemon has no room for more. */
static int
silent_connection(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", place()->sock);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return (fd);
	(void)close(fd);
	return (-1);
}

/* More connections than anyone needs, none of which says a word. */
START_TEST(silent_connections_cost_nobody)
{
	struct jailfix *jail;
	int silent[400], i;
	struct ctl mine;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	ctl_open(&mine);
	ck_assert(ctl_say(&mine, "{\"op\":\"ping\",\"keep\":true}\n"));
	json_decref(ctl_answer(&mine));
	for (i = 0; i < 400 && (silent[i] = silent_connection()) != -1; i++)
		;
	ck_assert(ctl_say(&mine, "{\"op\":\"ping\",\"keep\":true}\n"));
	json_decref(ctl_answer(&mine));
	while (i-- > 0)
		(void)close(silent[i]);
	ctl_close(&mine);
	ck_assert(wait_until(ctl_serves, NULL));
	probe_sentinel(jail);
}
END_TEST

/* In a child, as another user: 0 refused, 1 served, 2 no way to the socket. */
static int
ask_as(uid_t uid)
{
	char answer[4096] = "";
	struct ctl ctl;

	if (setgid((gid_t)uid) != 0 || setuid(uid) != 0 || !ctl_try(&ctl, place()->sock))
		return (errno == EACCES || errno == EPERM ? 2 : 3);
	(void)ctl_say(&ctl, "{\"op\":\"list\"}\n");
	while (strlen(answer) < sizeof(answer) - 1 &&
	       read(ctl.fd, answer + strlen(answer), sizeof(answer) - 1 - strlen(answer)) > 0)
		;
	return (strstr(answer, "\"ok\":true") != NULL  ? 1
		: strstr(answer, "\"denied\"") != NULL ? 0
						       : 4);
}

START_TEST(other_users_are_denied)
{
	pid_t pid;
	int status;

	NEEDS_ROOT;
	(void)daemon_start();
	if ((pid = fork()) == 0)
		_exit(ask_as(501));
	status = exec_wait(pid);
	ck_assert_int_eq(WEXITSTATUS(status), 2); /* the file's mode */
	ck_assert_int_eq(chmod(place()->sock, 0666), 0);
	if ((pid = fork()) == 0)
		_exit(ask_as(501));
	status = exec_wait(pid);
	SKIP_UNLESS(WEXITSTATUS(status) != 2, "another user can't get to the temporary directory");
	ck_assert_int_eq(WEXITSTATUS(status), 0); /* the daemon's own look */
	ck_assert(ctl_alive());
}
END_TEST

Suite *
process_hostile(void)
{
	Suite *suite = suite_create("hostile");

	PLACE_CASE(suite, thousand_malformed_requests);
	PLACE_CASE(suite, nul_bytes_are_refused);
	PLACE_CASE(suite, deep_nesting_is_refused);
	PLACE_CASE(suite, long_values);
	PLACE_CASE(suite, line_without_end_is_cut_off);
	PLACE_CASE(suite, unfinished_requests_are_forgotten);
	PLACE_CASE(suite, clients_that_leave_at_once);
	PLACE_CASE(suite, client_that_does_not_read_is_cut_off);
	PLACE_CASE(suite, silent_connections_cost_nobody);
	PLACE_CASE(suite, other_users_are_denied);
	return (suite);
}
