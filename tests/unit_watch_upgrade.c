/* Those who watch go from one daemon to the next: another process, to which this one hands over. */
#include "config.h"

#include <sys/wait.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "handover.h"
#include "unit.h"
#include "watch.h"

static char name[] = "restart", tag[] = "t";
static struct jail_instance instance = {.jid = 99};
static struct probe in_www = {.number = 7, .tag = tag, .def = {.name = name, .jail.name = "www"}};
static struct probe in_99 = {.number = 8, .tag = tag, .def.jail.number = 4711, .jail = &instance};

static void
ignore_wake(void *client)
{
	(void)client;
}

static struct request_feed *
watch(struct watch_filter filter)
{
	struct request_feed *feed;

	if (filter.kinds == 0)
		filter.kinds = WATCH_ALL_KINDS & ~WATCH_KIND(TELL_KIND_RUN_OUTPUT);
	feed = watch_begin(&filter, -1);
	ck_assert_ptr_nonnull(feed);
	feed->wake = ignore_wake;
	return feed;
}

static void
tell_some(const struct probe *probe, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		tell(TELL_TRIGGERED, probe, TELL_NUMBER("triggers", i), TELL_END);
}

/* Takes so many lines; they must have the numbers from first on. */
static void
take(struct request_feed *feed, unsigned first, unsigned count)
{
	char wanted[32];
	size_t length;

	for (; count > 0; count--, first++) {
		const char *line = feed->next(feed, &length);

		ck_assert_ptr_nonnull(line);
		snprintf(wanted, sizeof(wanted), "\"seq\":%u,", first);
		ck_assert_msg(memmem(line, length, wanted, strlen(wanted)) != NULL, "not %u but %.*s", first,
			      (int)length, line);
	}
}

static void
take_missed(struct request_feed *feed, unsigned count)
{
	char wanted[32];
	size_t length;
	const char *line = feed->next(feed, &length);

	ck_assert_ptr_nonnull(line);
	snprintf(wanted, sizeof(wanted), "\"count\":%u}", count);
	ck_assert(memmem(line, length, "\"missed\"", 8) != NULL && memmem(line, length, wanted, strlen(wanted)));
}

static void
take_end(struct request_feed *feed)
{
	size_t length;

	ck_assert_ptr_null(feed->next(feed, &length));
}

/* ---- what is handed over; all else of the handover is empty ---- */

static void
no_spent(handover_spent_cb *callback, void *arg)
{
	(void)callback;
	(void)arg;
}

static struct handover_client *clients;
static size_t client_count;

static void
add_client(struct request_feed *feed)
{
	clients = reallocarray(clients, client_count + 1, sizeof(*clients));
	clients[client_count] = (struct handover_client){.fd = -1, .follows = true};
	feed->save(feed, &clients[client_count++].feed);
}

/* The memory of the handover ends with the process that wrote it; a file doesn't. */
static void
copy_to_file(int fd)
{
	FILE *file = fopen(unit_path("handover"), "w");
	char bytes[65536];
	ssize_t got;

	ck_assert_ptr_nonnull(file);
	while ((got = read(fd, bytes, sizeof(bytes))) > 0)
		ck_assert_uint_eq(fwrite(bytes, 1, (size_t)got, file), (size_t)got);
	ck_assert_int_eq(got, 0);
	ck_assert_int_eq(fclose(file), 0);
}

static void
write_handover(void)
{
	struct handover h = {.each_spent = no_spent,
			     .each_event = watch_each,
			     .last_event = (int64_t)watch_last(),
			     .dropped_event = (int64_t)watch_dropped(),
			     .listener_fd = -1,
			     .store_fd = -1,
			     .clients = clients,
			     .client_count = client_count};
	size_t count;
	int *inherit;
	struct error e;
	int fd = handover_write(&h, &inherit, &count, &e);

	ck_assert_int_ge(fd, 0);
	copy_to_file(fd);
}

/* The old daemon is another process: nothing of it is here but what it hands over. */
static void
upgrade_from(void (*live)(void))
{
	pid_t pid;
	int status;

	unit_directory();
	unit_capture(); /* the log is not what is tested here */
	if ((pid = fork()) == 0) {
		ck_assert_int_eq(watch_init(), 0);
		live();
		write_handover();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

static struct request_feed *feeds[4];

static void
go_on(void)
{
	int fd = open(unit_path("handover"), O_RDONLY);
	struct handover h;
	struct error e;

	ck_assert_int_eq(watch_init(), 0);
	ck_assert_msg(handover_read(fd, &h, &e) == 0, "%s", e.text);
	h.note_event = watch_keep;
	watch_go_on((uint64_t)h.last_event, (uint64_t)h.dropped_event);
	ck_assert_msg(handover_resume(&h, false, &e) == 0, "%s", e.text); /* changes nothing */
	ck_assert_msg(handover_resume(&h, true, &e) == 0, "%s", e.text);
	ck_assert_uint_le(h.client_count, 4);
	for (size_t i = 0; i < h.client_count; i++) {
		feeds[i] = watch_resume(&h.clients[i].feed);
		ck_assert_ptr_nonnull(feeds[i]);
		feeds[i]->wake = ignore_wake;
	}
	handover_clear(&h);
	close(fd);
}

/* ---- */

static void
with_two_that_read_some(void)
{
	struct request_feed *all = watch((struct watch_filter){0}), *slow = watch((struct watch_filter){0});

	tell_some(&in_www, 5);
	take(all, 1, 5);
	take_end(all);
	take(slow, 1, 2);
	add_client(all);
	add_client(slow);
}

START_TEST(nothing_is_lost_nor_told_twice)
{
	upgrade_from(with_two_that_read_some);
	go_on();
	ck_assert_uint_eq(watch_last(), 5);
	take_end(feeds[0]);
	tell_some(&in_www, 3);
	take(feeds[0], 6, 3);
	take_end(feeds[0]);
	take(feeds[1], 3, 6);
	take_end(feeds[1]);
}
END_TEST

static void
with_filters(void)
{
	add_client(watch((struct watch_filter){.jail_name = "www"}));
	add_client(watch((struct watch_filter){.jail = 99})); /* its jid */
	add_client(watch((struct watch_filter){.name = "restart"}));
	add_client(watch((struct watch_filter){.probe = 8, .kinds = WATCH_KIND(TELL_KIND_TRIGGERED)}));
	tell_some(&in_www, 1);
	tell_some(&in_99, 1);
}

START_TEST(filters_go_on)
{
	upgrade_from(with_filters);
	go_on();
	tell(TELL_ARMED, &in_www, TELL_END);
	tell(TELL_ARMED, &in_99, TELL_END);
	tell_some(&in_99, 1);
	for (int i = 0; i < 4; i += 2) {
		take(feeds[i], 1, 1);
		take(feeds[i], 3, 1);
		take_end(feeds[i]);
	}
	take(feeds[1], 2, 1);
	take(feeds[1], 4, 2);
	take_end(feeds[1]);
	take(feeds[3], 2, 1);
	take(feeds[3], 5, 1);
	take_end(feeds[3]);
}
END_TEST

static void
with_one_that_missed(void)
{
	struct request_feed *slow = watch((struct watch_filter){0});

	tell_some(&in_www, WATCH_EVENTS + 10);
	add_client(slow);
}

/* Those that were missed in both lives count once. */
START_TEST(what_was_missed_is_told)
{
	upgrade_from(with_one_that_missed);
	go_on();
	tell_some(&in_www, 5);
	take_missed(feeds[0], 15);
	take(feeds[0], 16, WATCH_EVENTS);
	take_end(feeds[0]);
}
END_TEST

START_TEST(what_is_kept_can_still_be_asked_for)
{
	const struct watch_filter any = {.kinds = WATCH_ALL_KINDS};
	struct request_feed *feed;

	upgrade_from(with_one_that_missed);
	go_on();
	feed = watch_begin(&any, 5);
	take_missed(feed, 5);
	take(feed, 11, WATCH_EVENTS);
	feed = watch_begin(&any, WATCH_EVENTS);
	take(feed, WATCH_EVENTS + 1, 10);
	take_end(feed);
}
END_TEST

static void
with_output(void)
{
	struct request_feed *output = watch((struct watch_filter){.kinds = WATCH_ALL_KINDS});

	tell_output(&in_www, 1, "a\0\"\n", 4);
	tell_some(&in_www, 1);
	tell_output(&in_www, 1, "b", 1);
	tell_some(&in_www, 1);
	take(output, 1, 1);
	add_client(output);
	add_client(watch((struct watch_filter){.kinds = WATCH_KIND(TELL_KIND_RUN_OUTPUT)}));
}

START_TEST(output_goes_on_in_its_order)
{
	upgrade_from(with_output);
	go_on();
	tell_output(&in_www, 1, "c", 1);
	take(feeds[0], 2, 4);
	take_end(feeds[0]);
	take(feeds[1], 5, 1);
	take_end(feeds[1]);
	feeds[0]->closed(feeds[0]);
	feeds[1]->closed(feeds[1]);
	tell_output(&in_www, 1, "d", 1); /* nobody wants it any more */
	ck_assert_uint_eq(watch_last(), 5);
}
END_TEST

Suite *
unit_watch_upgrade(void)
{
	Suite *suite;
	TCase *tests = unit_case("watch_upgrade", &suite);

	tcase_add_test(tests, nothing_is_lost_nor_told_twice);
	tcase_add_test(tests, filters_go_on);
	tcase_add_test(tests, what_was_missed_is_told);
	tcase_add_test(tests, what_is_kept_can_still_be_asked_for);
	tcase_add_test(tests, output_goes_on_in_its_order);
	return suite;
}
