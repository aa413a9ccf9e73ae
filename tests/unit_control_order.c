/* Answers that come later, clients that don't read, clients that are too many. */
#include "config.h"

#include <sys/resource.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "probe.h"
#include "registry.h"
#include "unit.h"

/* Without a configuration. */
#define REQUESTS_MAX 64
#define CLIENTS_MAX  512

#define PING	"{'op':'ping'}\n"
#define PONG	"{'ok':true,'version':'" PACKAGE_VERSION "'}\n"
#define ADD(id) "{'op':'add','id':" id ",'jail':'www','command':'x'}\n"
#define FAILED(id) \
	"{'id':" id ",'ok':false,'error':{'code':'attach-failed','message':'" UNIT_ATTACH_FAILED \
	"'}}\n"
#define PING_ID(id) "{'op':'ping','id':" id "}\n"
#define PONG_ID(id) "{'id':" id ",'ok':true,'version':'" PACKAGE_VERSION "'}\n"

static struct unit_client client;
static const char *path;

static void
begin(void)
{
	ck_assert_int_eq(probe_init(unit_base()), 0);
	unit_jail_begin("www", 4711);
	path = unit_control_begin();
	unit_client_open(&client, path);
}

/* The answer to a request of another client: all that the daemon could do was done before. */
static void
ask_elsewhere(void)
{
	struct unit_client other;

	unit_client_open(&other, path);
	unit_client_send(&other, PING);
	unit_client_wait_end(&other);
	unit_client_check(&other, PONG);
	unit_client_close(&other);
}

static void
check_all(const char *wanted)
{
	unit_client_wait_end(&client);
	unit_client_check(&client, wanted);
	unit_client_close(&client);
	unit_settle();
	ck_assert_uint_eq(control_clients(), 0);
	control_close();
}

/* Adds run side by side; what comes after them waits, and so do answers that are ready too early.
 */
START_TEST(answers_in_the_order_of_the_requests)
{
	begin();
	unit_client_send(&client, ADD("1") ADD("2") ADD("3") PING_ID("4") ADD("5"));
	unit_attach_wait(3);
	unit_attach_fail(1);
	unit_attach_fail(1);
	ask_elsewhere();
	ck_assert_str_eq(client.text, "");
	ck_assert_uint_eq(unit_attaches(), 1); /* the fifth waits behind the fourth */
	unit_attach_fail(0);
	unit_client_wait_lines(&client, 4);
	unit_attach_wait(1);
	unit_attach_fail(0);
	check_all(FAILED("1") FAILED("2") FAILED("3") PONG_ID("4") FAILED("5"));
}
END_TEST

START_TEST(an_answer_goes_as_soon_as_it_may)
{
	begin();
	unit_client_send(&client, ADD("1") ADD("2"));
	unit_attach_wait(2);
	unit_attach_fail(0);
	unit_client_wait_lines(&client, 1);
	unit_client_check(&client, FAILED("1"));
	unit_attach_fail(0);
	check_all(FAILED("1") FAILED("2"));
}
END_TEST

/* Waiting for an answer is no silence: another client comes and goes meanwhile. */
START_TEST(stays_open_until_the_answer)
{
	begin();
	unit_client_send(&client, ADD("1"));
	unit_attach_wait(1);
	ask_elsewhere();
	ask_elsewhere();
	ck_assert(!client.ended);
	unit_attach_fail(0);
	check_all(FAILED("1"));
}
END_TEST

START_TEST(half_closed_gets_its_answers)
{
	begin();
	unit_client_send(&client, ADD("1") ADD("2") PING_ID("3"));
	unit_client_end(&client);
	unit_attach_wait(2);
	ask_elsewhere();
	ck_assert(!client.ended);
	unit_attach_fail(1);
	unit_attach_fail(0);
	check_all(FAILED("1") FAILED("2") PONG_ID("3"));
}
END_TEST

static bool
nobody_left(void *arg)
{
	(void)arg;
	return control_clients() == 0;
}

/* A client that is killed while it waits costs nothing, and what it asked for is done. */
START_TEST(gone_before_its_answer)
{
	begin();
	unit_client_send(&client, ADD("1") ADD("2") PING_ID("3"));
	unit_attach_wait(2);
	unit_attach_fail(1); /* this answer is ready, and waits */
	unit_client_close(&client);
	control_close();
	unit_settle();
	unit_attach_fail(0);
	unit_wait(nobody_left, NULL, "the end of the client");
	ck_assert_uint_eq(registry_count(), 0);
}
END_TEST

static bool
are_known(void *arg)
{
	return registry_count() == *(size_t *)arg;
}

START_TEST(requests_without_an_answer_are_bounded)
{
	size_t most = REQUESTS_MAX;
	char line[128];

	begin();
	for (int i = 0; i < REQUESTS_MAX + 10; i++) {
		snprintf(line, sizeof(line), ADD("%d"), i);
		unit_client_send(&client, line);
	}
	unit_wait(are_known, &most, "as many probes as may be");
	ask_elsewhere();
	ck_assert_uint_eq(registry_count(), most);
	while (registry_count() > 0)
		unit_attach_fail(0);
	unit_client_wait_end(&client);
	ck_assert_uint_eq(unit_client_lines(&client), REQUESTS_MAX + 10);
	unit_client_close(&client);
	control_close();
}
END_TEST

START_TEST(closing_waits_for_answers)
{
	begin();
	unit_client_send(&client, ADD("1"));
	unit_attach_wait(1);
	control_close();
	unit_settle();
	ck_assert(!client.ended);
	unit_attach_fail(0);
	check_all(FAILED("1"));
}
END_TEST

/* ---- a client that does not read ---- */

#define BIG_ID	 60000
#define BIG_ASKS 40

static char *
big_request(int number)
{
	char *line = malloc(BIG_ID + 64);

	ck_assert_ptr_nonnull(line);
	memset(line, 'x', BIG_ID + 64);
	snprintf(line + BIG_ID, 64, "%02d\"}\n", number);
	memcpy(line, "{\"op\":\"ping\",\"id\":\"", 19);
	return line;
}

struct flood {
	struct event *writable;
	char *line;
	size_t sent;
	int number;
};

/* Sends as long as the daemon takes it, and reads nothing. */
static void
flood_on(evutil_socket_t fd, short what, void *arg)
{
	struct flood *flood = arg;
	ssize_t got;

	(void)what;
	if (flood->line == NULL && flood->number == BIG_ASKS) {
		event_del(flood->writable);
		return;
	}
	if (flood->line == NULL)
		flood->line = big_request(flood->number++);
	got = write(fd, flood->line + flood->sent, strlen(flood->line) - flood->sent);
	if (got > 0)
		flood->sent += (size_t)got;
	if (flood->line[flood->sent] == '\0') {
		free(flood->line);
		flood->line = NULL;
		flood->sent = 0;
	}
}

/* The numbers of the answers, in their order. */
static void
check_flood_answers(void)
{
	const char *text = client.text;

	for (int i = 0; i < BIG_ASKS; i++) {
		char wanted[48];

		snprintf(wanted, sizeof(wanted), "%02d\",\"ok\":true,\"version\":\"%s\"}\n", i,
			 PACKAGE_VERSION);
		text = strstr(text, "\",\"ok\"");
		ck_assert_msg(text != NULL, "answer %d is missing", i);
		text -= 2;
		ck_assert_int_eq(strncmp(text, wanted, strlen(wanted)), 0);
		text += strlen(wanted);
	}
}

/* A turn of the event loop ends when nothing is left to do: if the daemon went round and round for
 * the one that doesn't read, the waiting here would never end. */
START_TEST(unread_answers_are_bounded)
{
	struct flood flood = {0};

	begin();
	event_del(client.readable);
	flood.writable = event_new(unit_base(), client.fd, EV_WRITE | EV_PERSIST, flood_on, &flood);
	ck_assert_ptr_nonnull(flood.writable);
	event_add(flood.writable, NULL);
	/* The others are served meanwhile, and it is not. */
	for (int i = 0; i < 3; i++)
		ask_elsewhere();
	ck_assert_int_lt(flood.number, BIG_ASKS);
	event_add(client.readable, NULL);
	unit_client_wait_lines(&client, BIG_ASKS);
	check_flood_answers();
	unit_client_wait_end(&client);
	event_free(flood.writable);
	unit_client_close(&client);
	control_close();
}
END_TEST

/* ---- too many ---- */

static bool
may_open(rlim_t count)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_cur >= count)
		return true;
	if (limit.rlim_max < count)
		return false;
	limit.rlim_cur = count;
	return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

static bool
has_clients(void *arg)
{
	return control_clients() == *(unsigned *)arg;
}

START_TEST(clients_are_bounded)
{
	static struct unit_client others[CLIENTS_MAX];
	unsigned most = CLIENTS_MAX;

	if (!may_open(2 * CLIENTS_MAX + 50)) {
		unit_skip("clients_are_bounded", "the limit of descriptors is too low");
		return;
	}
	begin();
	for (size_t i = 0; i < CLIENTS_MAX - 1; i++) {
		unit_client_open(&others[i], path);
		unit_settle();
	}
	unit_wait(has_clients, &most, "all clients");
	unit_client_open(&others[CLIENTS_MAX - 1], path);
	unit_client_wait_end(&others[CLIENTS_MAX - 1]);
	unit_client_check(&others[CLIENTS_MAX - 1],
			  "{'ok':false,'error':{'code':'limit',"
			  "'message':'there are 512 clients already'}}\n");
	unit_client_send(&client, PING);
	unit_client_wait_lines(&client, 1);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		unit_client_close(&others[i]);
	check_all(PONG);
}
END_TEST

Suite *
unit_control_order(void)
{
	Suite *suite;
	TCase *tests = unit_case("control_order", &suite);

	tcase_add_test(tests, answers_in_the_order_of_the_requests);
	tcase_add_test(tests, an_answer_goes_as_soon_as_it_may);
	tcase_add_test(tests, stays_open_until_the_answer);
	tcase_add_test(tests, half_closed_gets_its_answers);
	tcase_add_test(tests, gone_before_its_answer);
	tcase_add_test(tests, requests_without_an_answer_are_bounded);
	tcase_add_test(tests, closing_waits_for_answers);
	tcase_add_test(tests, unread_answers_are_bounded);
	tcase_add_test(tests, clients_are_bounded);
	return suite;
}
