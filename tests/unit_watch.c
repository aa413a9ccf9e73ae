/* What watchers are told, without a socket. */
#include "config.h"

#include "watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "stats.h"
#include "unit.h"

static char restart[] = "restart";
static struct jail_instance instance = {.jid = 99};
static struct probe in_www = {.number = 7, .tag = restart, .def = {.name = restart, .jail.name = "www"}};
static struct probe in_99 = {.number = 8, .tag = restart, .def.jail.number = 4711, .jail = &instance};

static unsigned woken;

static void
note_wake(void *client)
{
	(void)client;
	woken++;
}

static struct request_feed *
watch(struct watch_filter filter, int64_t since)
{
	struct request_feed *feed;

	if (filter.kinds == 0)
		filter.kinds = WATCH_ALL_KINDS & ~WATCH_KIND(TELL_KIND_RUN_OUTPUT);
	feed = watch_begin(&filter, since);
	ck_assert_ptr_nonnull(feed);
	feed->wake = note_wake;
	return feed;
}

static void
begin(void)
{
	ck_assert_int_eq(watch_init(), 0);
	unit_capture(); /* the log is not what is tested here */
}

/* The next line; NULL: none. With one reference. */
static json_t *
take(struct request_feed *feed)
{
	size_t length;
	const char *line = feed->next(feed, &length);
	json_t *event = line == NULL ? NULL : json_loadb(line, length, JSON_ALLOW_NUL, NULL);

	ck_assert(line == NULL || (event != NULL && line[length - 1] == '\n'));
	return event;
}

/* The numbers of all that come, and "missed" with a count. */
static void
check_all(struct request_feed *feed, const char *wanted)
{
	char text[512] = "";
	size_t used = 0;
	json_t *event;

	while ((event = take(feed)) != NULL) {
		json_t *count = json_object_get(event, "count");

		ck_assert_uint_lt(used, sizeof(text) - 32);
		used += (size_t)snprintf(
		    text + used, sizeof(text) - used, "%s%lld ", count == NULL ? "" : "missed ",
		    (long long)json_integer_value(count != NULL ? count : json_object_get(event, "seq")));
		json_decref(event);
	}
	ck_assert_str_eq(text, wanted);
}

static void
end(struct request_feed *feed)
{
	feed->closed(feed);
	ck_assert_uint_eq(watch_count(), 0);
}

static void
tell_some(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		tell(TELL_TRIGGERED, &in_www, TELL_NUMBER("triggers", i), TELL_END);
}

START_TEST(told_from_now_on)
{
	struct request_feed *feed;

	begin();
	tell_some(2);
	feed = watch((struct watch_filter){0}, -1);
	check_all(feed, "");
	tell_some(3);
	check_all(feed, "3 4 5 ");
	ck_assert_uint_eq(watch_last(), 5);
	check_all(feed, "");
	end(feed);
}
END_TEST

START_TEST(an_event_is_what_was_told)
{
	struct request_feed *feed;
	json_t *event, *wanted;

	begin();
	feed = watch((struct watch_filter){0}, -1);
	tell(TELL_ARMED, &in_www, TELL_NUMBER("pid", 5), TELL_END);
	event = take(feed);
	json_object_del(event, "time");
	wanted = unit_json("{'event':'armed','seq':1,'probe':7,'name':'restart','jail':'www','pid':5}");
	ck_assert(json_equal(event, wanted));
	json_decref(event);
	json_decref(wanted);
	end(feed);
}
END_TEST

/* 1: armed in www, 2: error in www, 3: armed in 99, 4: the daemon's own. */
static const struct {
	struct watch_filter filter;
	const char *passed;
} filter_cases[] = {
    {{.kinds = 0}, "1 2 3 4 "},
    {{.probe = 7}, "1 2 4 "},
    {{.probe = 9}, "4 "},
    {{.name = "restart"}, "1 2 4 "},
    {{.name = "start"}, "4 "},
    {{.jail_name = "www"}, "1 2 4 "},
    {{.jail_name = "ww"}, "4 "},
    {{.jail = 4711}, "3 4 "},
    {{.jail = 99}, "3 4 "}, /* its jid */
    {{.kinds = WATCH_KIND(TELL_KIND_ARMED)}, "1 3 "},
    {{.kinds = WATCH_KIND(TELL_KIND_ERROR) | WATCH_KIND(TELL_KIND_DAEMON_STOPPING)}, "2 4 "},
    {{.kinds = WATCH_KIND(TELL_KIND_ARMED), .jail_name = "www"}, "1 "},
    {{.probe = 7, .jail = 99}, "4 "},
};

START_TEST(what_passes)
{
	struct request_feed *feed;

	begin();
	feed = watch(filter_cases[_i].filter, -1);
	tell(TELL_ARMED, &in_www, TELL_END);
	tell(TELL_PROBE_KILLED, &in_www, TELL_END);
	tell(TELL_ARMED, &in_99, TELL_END);
	tell(TELL_DAEMON_STOPPING, NULL, TELL_END);
	check_all(feed, filter_cases[_i].passed);
	end(feed);
	feed = watch(filter_cases[_i].filter, 0);
	check_all(feed, filter_cases[_i].passed);
	end(feed);
}
END_TEST

START_TEST(wakes_once)
{
	struct request_feed *feed;

	begin();
	feed = watch((struct watch_filter){.jail_name = "www"}, -1);
	tell_some(2);
	ck_assert_uint_eq(woken, 0); /* it has not asked yet, and will */
	check_all(feed, "1 2 ");
	tell(TELL_ARMED, &in_99, TELL_END);
	ck_assert_uint_eq(woken, 0); /* nothing for it */
	tell_some(3);
	ck_assert_uint_eq(woken, 1);
	check_all(feed, "4 5 6 ");
	tell_some(1);
	ck_assert_uint_eq(woken, 2);
	end(feed);
	tell_some(1);
	ck_assert_uint_eq(woken, 2);
}
END_TEST

START_TEST(since)
{
	static const struct {
		int64_t since;
		const char *told;
	} cases[] = {{-1, ""}, {0, "1 2 3 "}, {1, "2 3 "}, {3, ""}, {4, "1 2 3 "}, {INT64_MAX, "1 2 3 "}};

	begin();
	tell_some(3);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct request_feed *feed = watch((struct watch_filter){0}, cases[i].since);

		check_all(feed, cases[i].told);
		end(feed);
	}
}
END_TEST

START_TEST(since_before_what_is_kept)
{
	struct request_feed *feed;
	json_t *event;

	begin();
	tell_some(WATCH_EVENTS + 10);
	feed = watch((struct watch_filter){0}, 4);
	event = take(feed);
	ck_assert_str_eq(json_string_value(json_object_get(event, "event")), "missed");
	ck_assert_int_eq(json_integer_value(json_object_get(event, "count")), 6);
	json_decref(event);
	event = take(feed);
	ck_assert_int_eq(json_integer_value(json_object_get(event, "seq")), 11);
	json_decref(event);
	end(feed);
	feed = watch((struct watch_filter){0}, 10); /* nothing was missed */
	event = take(feed);
	ck_assert_int_eq(json_integer_value(json_object_get(event, "seq")), 11);
	json_decref(event);
	end(feed);
}
END_TEST

/* Exactly those that it would have been told count; then it goes on. */
START_TEST(the_slow_are_told_how_many)
{
	struct request_feed *slow, *other;
	json_t *event;

	begin();
	slow = watch((struct watch_filter){.jail_name = "www"}, -1);
	other = watch((struct watch_filter){.jail = 99}, -1);
	for (unsigned i = 0; i < WATCH_EVENTS; i++) {
		tell(TELL_ARMED, &in_99, TELL_END);
		tell(TELL_ARMED, &in_www, TELL_END);
		event = take(other);
		ck_assert_int_eq(json_integer_value(json_object_get(event, "seq")), 2 * i + 1);
		json_decref(event);
	}
	event = take(slow);
	ck_assert_int_eq(json_integer_value(json_object_get(event, "count")), WATCH_EVENTS / 2);
	ck_assert_int_eq(stats.events_dropped, WATCH_EVENTS / 2);
	json_decref(event);
	for (unsigned i = WATCH_EVENTS / 2; i < WATCH_EVENTS; i++) {
		event = take(slow);
		ck_assert_int_eq(json_integer_value(json_object_get(event, "seq")), 2 * i + 2);
		json_decref(event);
	}
	ck_assert_ptr_null(take(slow));
	ck_assert_ptr_null(take(other));
	other->closed(other);
	end(slow);
}
END_TEST

/* ---- output ---- */

START_TEST(output_only_where_asked_for)
{
	struct request_feed *plain, *output;

	begin();
	plain = watch((struct watch_filter){0}, -1);
	tell_output(&in_www, 1, "before", 6);
	output = watch((struct watch_filter){.kinds = WATCH_ALL_KINDS}, -1);
	tell_some(1);
	tell_output(&in_www, 1, "x", 1);
	tell_some(1);
	tell_output(&in_www, 1, "y", 1);
	check_all(plain, "1 3 ");
	check_all(output, "1 2 3 4 "); /* in their order */
	output->closed(output);
	tell_output(&in_www, 1, "after", 5);
	ck_assert_uint_eq(watch_last(), 4);
	/* Not for those who come later. */
	output = watch((struct watch_filter){.kinds = WATCH_ALL_KINDS}, 0);
	check_all(output, "1 3 ");
	output->closed(output);
	end(plain);
}
END_TEST

/* A run that floods takes nothing from those who watch something else. */
START_TEST(output_pushes_nothing_out)
{
	static char text[TELL_OUTPUT_MAX];
	struct request_feed *plain, *output;
	unsigned pieces = 2 * WATCH_OUTPUT_BYTES / TELL_OUTPUT_MAX;
	json_t *event;

	begin();
	memset(text, 'x', sizeof(text));
	plain = watch((struct watch_filter){0}, -1);
	output = watch((struct watch_filter){.kinds = WATCH_KIND(TELL_KIND_RUN_OUTPUT)}, -1);
	tell_some(1);
	for (unsigned i = 0; i < pieces; i++)
		tell_output(&in_www, 1, text, sizeof(text));
	tell_some(1);
	event = take(output);
	ck_assert_int_ge(json_integer_value(json_object_get(event, "count")), pieces / 2);
	ck_assert_int_lt(json_integer_value(json_object_get(event, "count")), pieces);
	pieces -= (unsigned)json_integer_value(json_object_get(event, "count"));
	json_decref(event);
	while ((event = take(output)) != NULL) {
		pieces--;
		json_decref(event);
	}
	ck_assert_uint_eq(pieces, 0);
	event = take(plain);
	ck_assert_int_eq(json_integer_value(json_object_get(event, "seq")), 1);
	json_decref(event);
	event = take(plain);
	ck_assert_int_eq(json_integer_value(json_object_get(event, "seq")), (json_int_t)watch_last());
	json_decref(event);
	output->closed(output);
	end(plain);
}
END_TEST

Suite *
unit_watch(void)
{
	Suite *suite;
	TCase *tests = unit_case("watch", &suite);

	tcase_add_test(tests, told_from_now_on);
	tcase_add_test(tests, an_event_is_what_was_told);
	tcase_add_loop_test(tests, what_passes, 0,
			    sizeof(filter_cases) / sizeof(filter_cases[0]));
	tcase_add_test(tests, wakes_once);
	tcase_add_test(tests, since);
	tcase_add_test(tests, since_before_what_is_kept);
	tcase_add_test(tests, the_slow_are_told_how_many);
	tcase_add_test(tests, output_only_where_asked_for);
	tcase_add_test(tests, output_pushes_nothing_out);
	return suite;
}
