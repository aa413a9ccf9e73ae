/* Lines in and out of the control socket: where one ends, and where a connection ends. */
#include "config.h"

#include "control.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "limit.h"
#include "request.h"
#include "unit.h"

#define PING	    "{'op':'ping'}\n"
#define PING_ANSWER "{'ok':true,'version':'" PACKAGE_VERSION "'}\n"
#define PING_ID(id) "{'op':'ping','id':" id "}\n"
#define PONG_ID(id) "{'id':" id ",'ok':true,'version':'" PACKAGE_VERSION "'}\n"
#define STOPPING    "{'ok':false,'error':{'code':'stopping','message':'the daemon is stopping'}}\n"
#define TOO_LARGE \
	"{'ok':false,'error':{'code':'too-large'," \
	"'message':'a request may have 65536 bytes at most'}}\n"

static struct unit_client client;

static void
begin(void)
{
	unit_client_open(&client, unit_control_begin());
}

/* The daemon has closed by itself, and has no client left. */
static void
check_all(const char *wanted)
{
	unit_client_wait_end(&client);
	unit_client_check(&client, wanted);
	unit_settle();
	ck_assert_uint_eq(control_clients(), 0);
	unit_client_close(&client);
	control_close();
}

START_TEST(one_line)
{
	begin();
	unit_client_send(&client, PING);
	check_all(PING_ANSWER);
}
END_TEST

START_TEST(a_line_in_pieces)
{
	begin();
	for (const char *c = PING; *c != '\0'; c++) {
		char piece[2] = {*c, '\0'};

		unit_settle();
		ck_assert_uint_eq(client.length, 0);
		unit_client_send(&client, piece);
	}
	check_all(PING_ANSWER);
}
END_TEST

START_TEST(several_lines_at_once)
{
	begin();
	unit_client_send(&client, PING_ID("1") PING_ID("2") PING_ID("3"));
	check_all(PONG_ID("1") PONG_ID("2") PONG_ID("3"));
}
END_TEST

START_TEST(lines_and_a_half)
{
	begin();
	unit_client_send(&client, PING_ID("1") "{'op':'pi");
	unit_client_wait_lines(&client, 1);
	unit_client_send(&client, "ng','id':2}\n" PING_ID("3"));
	check_all(PONG_ID("1") PONG_ID("2") PONG_ID("3"));
}
END_TEST

START_TEST(last_line_without_newline)
{
	begin();
	unit_client_send(&client, PING_ID("1") "{'op':'ping','id':2}");
	unit_client_end(&client);
	check_all(PONG_ID("1") PONG_ID("2"));
}
END_TEST

START_TEST(half_a_line_is_no_request)
{
	begin();
	unit_client_send(&client, "{'op':'ping'}");
	unit_settle();
	ck_assert_uint_eq(client.length, 0);
	unit_client_send(&client, "\n");
	check_all(PING_ANSWER);
}
END_TEST

START_TEST(windows_newlines)
{
	begin();
	unit_client_send(&client, "{'op':'ping'}\r\n{'op':'ping'}\r\n");
	check_all(PING_ANSWER PING_ANSWER);
}
END_TEST

START_TEST(nothing_said)
{
	begin();
	unit_settle();
	ck_assert_uint_eq(control_clients(), 1);
	unit_client_end(&client);
	check_all("");
}
END_TEST

START_TEST(errors_end_no_connection)
{
	begin();
	unit_client_send(&client, "[]\n" PING);
	check_all(
	    "{'ok':false,'error':{'code':'bad-request','message':'a request is a JSON object'}}\n" PING_ANSWER);
}
END_TEST

/* Answers fill all the room that there is for them, and are taken at once: the rest is not forgotten. */
START_TEST(more_than_there_is_room_for)
{
	struct limits narrow = limits_default;

	narrow.client_backlog = 1; /* one answer */
	limits_set(&narrow);
	begin();
	unit_client_send(&client, PING_ID("1") PING_ID("2") PING_ID("3") PING_ID("4"));
	unit_client_end(&client);
	check_all(PONG_ID("1") PONG_ID("2") PONG_ID("3") PONG_ID("4"));
}
END_TEST

/* ---- length ---- */

/* A ping of that many bytes, without its newline. */
static void
send_ping_of(size_t length)
{
	char *line = malloc(length);

	ck_assert_ptr_nonnull(line);
	memset(line, ' ', length);
	memcpy(line, "{\"op\":\"ping\"", 12);
	line[length - 1] = '}';
	unit_client_send_bytes(&client, line, length);
	free(line);
}

START_TEST(as_long_as_may_be)
{
	begin();
	send_ping_of(REQUEST_LINE_MAX);
	unit_client_send(&client, "\n");
	check_all(PING_ANSWER);
}
END_TEST

START_TEST(as_long_as_may_be_at_the_end)
{
	begin();
	send_ping_of(REQUEST_LINE_MAX);
	unit_client_end(&client);
	check_all(PING_ANSWER);
}
END_TEST

START_TEST(too_long_and_then_a_good_one)
{
	static const size_t lengths[] = {REQUEST_LINE_MAX + 1, 100000, 131072, 131073, 1000000};

	begin();
	send_ping_of(lengths[_i]);
	unit_client_send(&client, "\n" PING_ID("1") PING_ID("2"));
	check_all(TOO_LARGE PONG_ID("1") PONG_ID("2"));
}
END_TEST

/* Refused as soon as it is too long, without waiting for its end. */
START_TEST(too_long_is_told_at_once)
{
	begin();
	send_ping_of(REQUEST_LINE_MAX + 1);
	unit_client_wait_lines(&client, 1);
	send_ping_of(REQUEST_LINE_MAX);
	unit_client_send(&client, "\n" PING);
	check_all(TOO_LARGE PING_ANSWER);
}
END_TEST

START_TEST(too_long_twice)
{
	begin();
	send_ping_of(70000);
	unit_client_send(&client, "\n");
	send_ping_of(80000);
	unit_client_send(&client, "\n" PING);
	check_all(TOO_LARGE TOO_LARGE PING_ANSWER);
}
END_TEST

START_TEST(too_long_and_without_an_end)
{
	begin();
	send_ping_of(REQUEST_LINE_MAX + 1);
	unit_client_end(&client);
	check_all(TOO_LARGE);
}
END_TEST

/* ---- how long a connection lasts ---- */

static const char *path;

START_TEST(closes_after_the_last_answer)
{
	begin();
	unit_client_send(&client, PING);
	unit_client_wait_lines(&client, 1);
	ck_assert(!client.ended); /* not with the answer, but soon */
	check_all(PING_ANSWER);
}
END_TEST

/* It was asked to keep the first; a second that came later and was closed shows that time enough
 * has passed. */
START_TEST(keeps_where_asked_to)
{
	struct unit_client other;

	path = unit_control_begin();
	unit_client_open(&client, path);
	unit_client_send(&client, "{'op':'ping','keep':true}\n");
	unit_client_wait_lines(&client, 1);
	for (int i = 0; i < 2; i++) {
		unit_client_open(&other, path);
		unit_client_send(&other, PING);
		unit_client_wait_end(&other);
		unit_client_close(&other);
	}
	ck_assert(!client.ended);
	unit_client_send(&client, PING); /* and it still is kept */
	unit_client_wait_lines(&client, 2);
	unit_client_end(&client);
	check_all(PING_ANSWER PING_ANSWER);
}
END_TEST

START_TEST(keep_does_not_outlast_the_peer)
{
	begin();
	unit_client_send(&client, "{'op':'ping','keep':true}\n");
	unit_client_end(&client);
	check_all(PING_ANSWER);
}
END_TEST

static bool
nobody_left(void *arg)
{
	(void)arg;
	return control_clients() == 0;
}

START_TEST(peers_that_vanish)
{
	path = unit_control_begin();
	unit_client_open(&client, path);
	unit_client_send(&client, PING_ID("1") "{'op'");
	unit_client_close(&client);
	unit_wait(nobody_left, NULL, "the end of the client");
	unit_client_open(&client, path);
	unit_client_send(&client, PING);
	check_all(PING_ANSWER);
}
END_TEST

START_TEST(several_clients)
{
	static struct unit_client clients[20];

	path = unit_control_begin();
	for (size_t i = 0; i < 20; i++)
		unit_client_open(&clients[i], path);
	for (size_t i = 0; i < 20; i++)
		unit_client_send(&clients[i], PING);
	for (size_t i = 0; i < 20; i++) {
		unit_client_wait_end(&clients[i]);
		unit_client_check(&clients[i], PING_ANSWER);
		unit_client_close(&clients[i]);
	}
	ck_assert_uint_eq(control_clients(), 0);
	control_close();
}
END_TEST

/* ---- the end of the daemon ---- */

START_TEST(closing_ends_the_idle)
{
	struct stat st;

	path = unit_control_begin();
	unit_client_open(&client, path);
	unit_settle();
	ck_assert_uint_eq(control_clients(), 1);
	control_close();
	ck_assert_int_eq(lstat(path, &st), -1);
	check_all("");
}
END_TEST

START_TEST(closing_refuses_what_comes)
{
	begin();
	unit_client_send(&client, "{'op':'ping'"); /* half */
	unit_settle();
	control_close();
	check_all(STOPPING);
}
END_TEST

/* So they learn when the daemon has ended. */
START_TEST(closing_leaves_those_who_keep)
{
	begin();
	unit_client_send(&client, "{'op':'ping','keep':true}\n");
	unit_client_wait_lines(&client, 1);
	control_close();
	unit_settle();
	ck_assert(!control_is_busy());
	unit_client_send(&client, PING);
	unit_client_wait_lines(&client, 2);
	ck_assert(!client.ended);
	control_drop_all();
	check_all(PING_ANSWER STOPPING);
}
END_TEST

Suite *
unit_control(void)
{
	Suite *suite;
	TCase *tests = unit_case("control", &suite);

	tcase_add_test(tests, one_line);
	tcase_add_test(tests, a_line_in_pieces);
	tcase_add_test(tests, several_lines_at_once);
	tcase_add_test(tests, lines_and_a_half);
	tcase_add_test(tests, last_line_without_newline);
	tcase_add_test(tests, half_a_line_is_no_request);
	tcase_add_test(tests, windows_newlines);
	tcase_add_test(tests, nothing_said);
	tcase_add_test(tests, errors_end_no_connection);
	tcase_add_test(tests, more_than_there_is_room_for);
	tcase_add_test(tests, as_long_as_may_be);
	tcase_add_test(tests, as_long_as_may_be_at_the_end);
	tcase_add_loop_test(tests, too_long_and_then_a_good_one, 0, 5);
	tcase_add_test(tests, too_long_is_told_at_once);
	tcase_add_test(tests, too_long_twice);
	tcase_add_test(tests, too_long_and_without_an_end);
	tcase_add_test(tests, closes_after_the_last_answer);
	tcase_add_test(tests, keeps_where_asked_to);
	tcase_add_test(tests, keep_does_not_outlast_the_peer);
	tcase_add_test(tests, peers_that_vanish);
	tcase_add_test(tests, several_clients);
	tcase_add_test(tests, closing_ends_the_idle);
	tcase_add_test(tests, closing_refuses_what_comes);
	tcase_add_test(tests, closing_leaves_those_who_keep);
	return suite;
}
