/* Events over the control socket: how long the connection lasts, and what one that doesn't read costs. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "unit.h"
#include "watch.h"

#define PING	  "{'op':'ping'}\n"
#define PONG	  "{'ok':true,'version':'" PACKAGE_VERSION "'}\n"
#define WATCH	  "{'op':'watch'}\n"
#define WATCHING  "{'ok':true,'seq':0}\n"
#define OTHERS	  5
#define FLOOD	  (WATCH_EVENTS + 6008)
#define AT_ONCE	  100 /* a part of it */

static struct unit_client client;
static const char *path;
static char tag[] = "t";
static struct probe probe = {.number = 7, .tag = tag, .def.jail.name = "www"};

static void
begin(void)
{
	ck_assert_int_eq(watch_init(), 0);
	path = unit_control_begin();
	unit_client_open(&client, path);
	unit_capture(); /* the log is not what is tested here */
}

static void
tell_some(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		tell(TELL_TRIGGERED, &probe, TELL_NUMBER("triggers", i), TELL_END);
}

static bool
nobody_left(void *arg)
{
	(void)arg;
	return control_clients() == 0 && watch_count() == 0;
}

static void
check_nobody_left(void)
{
	unit_wait(nobody_left, NULL, "the end of the watchers");
	control_close();
}

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

START_TEST(events_follow_the_answer)
{
	begin();
	unit_client_send(&client, "{'op':'watch','id':5}\n");
	unit_client_wait_lines(&client, 1);
	unit_client_check(&client, "{'id':5,'ok':true,'seq':0}\n");
	tell_some(2);
	unit_client_wait_lines(&client, 3);
	ck_assert_ptr_nonnull(strstr(client.text, "{\"event\":\"triggered\",\"seq\":1,"));
	ck_assert_ptr_nonnull(strstr(client.text, "{\"event\":\"triggered\",\"seq\":2,"));
	unit_client_close(&client);
	check_nobody_left();
}
END_TEST

START_TEST(what_is_kept_comes_at_once)
{
	begin();
	tell_some(3);
	unit_client_send(&client, "{'op':'watch','since':1}\n");
	unit_client_wait_lines(&client, 3);
	ck_assert_ptr_nonnull(strstr(client.text, "{\"ok\":true,\"seq\":3}\n{\"event\":\"triggered\",\"seq\":2,"));
	unit_client_close(&client);
	check_nobody_left();
}
END_TEST

START_TEST(filters_are_read)
{
	begin();
	unit_client_send(&client, "{'op':'watch','probe':7,'jail':'www','events':['armed','removed']}\n");
	unit_client_wait_lines(&client, 1);
	tell_some(1);
	tell(TELL_ARMED, &probe, TELL_END);
	tell_output(&probe, 1, "x", 1);
	probe.number = 8;
	tell(TELL_ARMED, &probe, TELL_END);
	probe.number = 7;
	tell(TELL_REMOVED, &probe, TELL_END);
	unit_client_wait_lines(&client, 3);
	ck_assert_ptr_nonnull(strstr(client.text, "{\"event\":\"armed\",\"seq\":2,"));
	ck_assert_ptr_nonnull(strstr(client.text, "{\"event\":\"removed\",\"seq\":4,"));
	unit_client_close(&client);
	check_nobody_left();
}
END_TEST

START_TEST(output_beside_others)
{
	static const char *const asks[] = {"{'op':'watch','output':true}\n",
					   "{'op':'watch','events':['run-output']}\n",
					   "{'op':'watch','events':['armed'],'output':true}\n"};

	begin();
	unit_client_send(&client, asks[_i]);
	unit_client_wait_lines(&client, 1);
	tell_output(&probe, 3, "x\ny", 3);
	unit_client_wait_lines(&client, 2);
	ck_assert_ptr_nonnull(strstr(client.text, "\"jail\":\"www\",\"run\":3,\"output\":\"x\\ny\"}\n"));
	unit_client_close(&client);
	check_nobody_left();
}
END_TEST

START_TEST(wrong_filters_are_refused)
{
	static const struct {
		const char *ask, *says;
	} cases[] = {
	    {"{'op':'watch','events':[]}\n", "\\\"events\\\" must be an array of names of events"},
	    {"{'op':'watch','events':'armed'}\n", "\\\"events\\\" must be an array of names of events"},
	    {"{'op':'watch','events':[1]}\n", "\\\"events\\\" must be an array of names of events"},
	    {"{'op':'watch','events':['armed','x']}\n", "no event is named \\\"x\\\""},
	    {"{'op':'watch','events':['attach-failed']}\n", "no event is named"},
	    {"{'op':'watch','since':-1}\n", "\\\"since\\\" must be from 0"},
	    {"{'op':'watch','since':'x'}\n", "\\\"since\\\" must be an integer"},
	    {"{'op':'watch','output':1}\n", "\\\"output\\\" must be true or false"},
	    {"{'op':'watch','probe':0}\n", "\\\"probe\\\" must be"},
	    {"{'op':'watch','follow':true}\n", "unknown member \\\"follow\\\""},
	};

	begin();
	unit_client_send(&client, cases[_i].ask);
	unit_client_wait_end(&client); /* so it does not watch */
	ck_assert_msg(strstr(client.text, cases[_i].says) != NULL, "%s", client.text);
	ck_assert_ptr_nonnull(strstr(client.text, "\"bad-request\""));
	unit_client_close(&client);
	check_nobody_left();
}
END_TEST

START_TEST(other_requests_may_come_meanwhile)
{
	begin();
	unit_client_send(&client, WATCH PING);
	unit_client_wait_lines(&client, 2);
	unit_client_check(&client, WATCHING PONG);
	tell_some(1);
	unit_client_wait_lines(&client, 3);
	unit_client_send(&client, PING);
	unit_client_wait_lines(&client, 4);
	unit_client_close(&client);
	check_nobody_left();
}
END_TEST

START_TEST(once_a_connection)
{
	begin();
	unit_client_send(&client, WATCH WATCH);
	unit_client_wait_lines(&client, 2);
	unit_client_check(&client, WATCHING "{'ok':false,'error':{'code':'bad-request',"
					    "'message':'a connection follows one thing only'}}\n");
	ck_assert_uint_eq(watch_count(), 1);
	unit_client_close(&client);
	check_nobody_left();
}
END_TEST

/* It is not silence that ends it, and neither is its own end of sending. */
START_TEST(stays_with_nothing_to_say)
{
	begin();
	unit_client_send(&client, WATCH);
	unit_client_end(&client);
	unit_client_wait_lines(&client, 1);
	ask_elsewhere();
	ask_elsewhere();
	ck_assert(!client.ended);
	tell_some(1);
	unit_client_wait_lines(&client, 2);
	unit_client_close(&client);
	check_nobody_left();
}
END_TEST

START_TEST(ends_with_the_peer)
{
	begin();
	unit_client_send(&client, WATCH);
	unit_client_wait_lines(&client, 1);
	unit_client_close(&client);
	check_nobody_left();
}
END_TEST

/* ---- one that doesn't read ---- */

static void
flood(void)
{
	for (unsigned i = 0; i < FLOOD / AT_ONCE; i++) {
		tell_some(AT_ONCE);
		unit_settle();
	}
}

/* Each line's number is the one before and 1, but for what was missed. Returns the count of that. */
static long long
check_sequence(const struct unit_client *watcher, long long last)
{
	const char *line = strchr(watcher->text, '\n') + 1; /* after the answer */
	long long missed = 0, seq = 0;

	while (seq < last) {
		ck_assert_msg(*line != '\0', "no more after %lld", seq);
		if (strncmp(line, "{\"event\":\"missed\"", 17) == 0) {
			long long count = atoll(strstr(line, "\"count\":") + 8);

			missed += count;
			seq += count;
		} else {
			ck_assert_int_eq(atoll(strstr(line, "\"seq\":") + 6), ++seq);
		}
		line = strchr(line, '\n') + 1;
	}
	return missed;
}

static bool
has_last(void *arg)
{
	const struct unit_client *watcher = arg;
	char last[32];
	const char *end = watcher->text + (watcher->length < 1000 ? 0 : watcher->length - 1000);

	snprintf(last, sizeof(last), "\"seq\":%d,", FLOOD);
	return strstr(end, last) != NULL && watcher->text[watcher->length - 1] == '\n';
}

START_TEST(one_that_does_not_read)
{
	static struct unit_client others[OTHERS];

	begin();
	unit_client_send(&client, WATCH);
	unit_client_wait_lines(&client, 1);
	event_del(client.readable);
	for (int i = 0; i < OTHERS; i++) {
		unit_client_open(&others[i], path);
		unit_client_send(&others[i], WATCH);
		unit_client_wait_lines(&others[i], 1);
	}
	flood();
	for (int i = 0; i < OTHERS; i++) {
		unit_wait(has_last, &others[i], "the last event");
		ck_assert_int_eq(check_sequence(&others[i], FLOOD), 0);
		unit_client_close(&others[i]);
	}
	event_add(client.readable, NULL);
	unit_wait(has_last, &client, "the last event, for the slow one");
	ck_assert_int_gt(check_sequence(&client, FLOOD), 0);
	unit_client_close(&client);
	check_nobody_left();
}
END_TEST

/* ---- the end of the daemon ---- */

static bool
is_not_busy(void *arg)
{
	(void)arg;
	return !control_is_busy();
}

START_TEST(watchers_see_the_daemon_stop)
{
	begin();
	unit_client_send(&client, WATCH);
	unit_client_wait_lines(&client, 1);
	tell(TELL_DAEMON_STOPPING, NULL, TELL_END);
	control_close();
	event_base_loop(unit_base(), EVLOOP_NONBLOCK);
	unit_wait(is_not_busy, NULL, "nothing left to send");
	control_drop_all();
	unit_client_wait_end(&client);
	ck_assert_ptr_nonnull(strstr(client.text, "{\"event\":\"daemon-stopping\",\"seq\":1,"));
	unit_client_close(&client);
	ck_assert_uint_eq(watch_count(), 0);
}
END_TEST

START_TEST(one_that_does_not_read_is_not_waited_for)
{
	begin();
	unit_client_send(&client, WATCH);
	unit_client_wait_lines(&client, 1);
	event_del(client.readable);
	flood();
	control_close();
	unit_settle();
	ck_assert(!control_is_busy());
	control_drop_all();
	unit_client_close(&client);
}
END_TEST

Suite *
unit_watch_control(void)
{
	Suite *suite;
	TCase *tests = unit_case("watch_control", &suite);

	tcase_add_test(tests, events_follow_the_answer);
	tcase_add_test(tests, what_is_kept_comes_at_once);
	tcase_add_test(tests, filters_are_read);
	tcase_add_loop_test(tests, output_beside_others, 0, 3);
	tcase_add_loop_test(tests, wrong_filters_are_refused, 0, 10);
	tcase_add_test(tests, other_requests_may_come_meanwhile);
	tcase_add_test(tests, once_a_connection);
	tcase_add_test(tests, stays_with_nothing_to_say);
	tcase_add_test(tests, ends_with_the_peer);
	tcase_add_test(tests, one_that_does_not_read);
	tcase_add_test(tests, watchers_see_the_daemon_stop);
	tcase_add_test(tests, one_that_does_not_read_is_not_waited_for);
	return suite;
}
