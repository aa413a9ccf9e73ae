#include "config.h"

#include "watch.h"

#include <sys/queue.h>

#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "ring.h"
#include "stats.h"
#include "util.h"

enum { FACTS, OUTPUTS, RINGS };

/* What an entry begins with; the name, the jail's name and the line follow. */
struct head {
	uint64_t probe; /* 0: the daemon's own */
	int64_t jail;	/* its number, where the probe has it by number */
	int64_t jid;	/* 0: none */
	enum tell_kind kind;
	size_t name_size; /* with their NULs */
	size_t jail_size;
};

struct record {
	uint64_t seq;
	struct head head;
	const char *name;
	const char *jail;
	const char *line;
	size_t length;
};

struct watcher {
	struct request_feed feed;
	LIST_ENTRY(watcher) link;
	struct watch_filter filter;
	int rings; /* those it reads: FACTS, or both */
	uint64_t place[RINGS];
	uint64_t missed;
	bool asleep; /* it was told that there is nothing more */
};

static LIST_HEAD(, watcher) watchers = LIST_HEAD_INITIALIZER(watchers);
static unsigned watcher_count, output_watchers;
static struct ring rings[RINGS];
static uint64_t last_seq;
static uint64_t last_dropped[RINGS]; /* the latest of each that is no longer kept */

/* ---- entries ---- */

static char entry[sizeof(struct head) + DEFINITION_NAME_MAX + JAIL_NAME_SIZE + 2 + CODEC_EVENT_SIZE];

static size_t
put_bytes(size_t used, const char *bytes, size_t size)
{
	memcpy(entry + used, bytes, size);
	return used + size;
}

/* All but the line. Returns where that begins. */
static size_t
begin_entry(struct head *head, const char *name, const char *jail)
{
	size_t used = sizeof(*head);

	head->name_size = strlen(name) + 1;
	head->jail_size = strlen(jail) + 1;
	memcpy(entry, head, sizeof(*head));
	used = put_bytes(used, name, head->name_size);
	return put_bytes(used, jail, head->jail_size);
}

/* Returns the length. */
static size_t
compose_entry(const struct tell_event *event, uint64_t seq)
{
	const struct probe *probe = event->probe;
	const char *name = probe == NULL || probe->def.name == NULL ? "" : probe->def.name;
	const char *jail = probe == NULL || probe->def.jail.name == NULL ? "" : probe->def.jail.name;
	struct head head = {.kind = event->kind};
	size_t used;

	if (probe != NULL) {
		head.probe = probe->number;
		head.jail = probe->def.jail.number;
		head.jid = probe->jail == NULL ? 0 : probe->jail->jid;
	}
	used = begin_entry(&head, name, jail);
	return used + codec_event(event, seq, entry + used);
}

static struct record
record_at(const struct ring *ring, uint64_t place)
{
	struct record record;
	size_t length;
	const char *bytes = ring_get(ring, place, &length);

	record.seq = ring_seq(ring, place);
	memcpy(&record.head, bytes, sizeof(record.head));
	record.name = bytes + sizeof(record.head);
	record.jail = record.name + record.head.name_size;
	record.line = record.jail + record.head.jail_size;
	record.length = length - (size_t)(record.line - bytes);
	return record;
}

static bool
passes(const struct watch_filter *filter, const struct record *record)
{
	const struct head *head = &record->head;

	if ((filter->kinds & WATCH_KIND(head->kind)) == 0)
		return false;
	if (head->probe == 0 && record->name[0] == '\0')
		return true;
	if (filter->probe != 0 && filter->probe != head->probe)
		return false;
	if (filter->name[0] != '\0' && strcmp(filter->name, record->name) != 0)
		return false;
	if (filter->jail != 0)
		return filter->jail == head->jail || filter->jail == head->jid;
	return filter->jail_name[0] == '\0' || strcmp(filter->jail_name, record->jail) == 0;
}

/* ---- what happens ---- */

/* Those who have not read it yet have missed it. Without them nobody looks at it any more: it has been out of the
 * processor's caches for long. */
static void
drop_oldest(int which)
{
	struct ring *ring = &rings[which];
	struct watcher *watcher;
	struct record record;

	LIST_FOREACH(watcher, &watchers, link) {
		if (which >= watcher->rings || watcher->place[which] != ring->first)
			continue;
		watcher->place[which]++;
		record = record_at(ring, ring->first);
		if (passes(&watcher->filter, &record)) {
			watcher->missed++;
			stats.events_dropped++;
		}
	}
	last_dropped[which] = ring_seq(ring, ring->first);
	ring_drop_oldest(ring);
}

/* Once for all that happens until it reads again. */
static void
wake(const struct record *record)
{
	struct watcher *watcher;

	LIST_FOREACH(watcher, &watchers, link) {
		if (!watcher->asleep || !passes(&watcher->filter, record))
			continue;
		watcher->asleep = false;
		watcher->feed.wake(watcher->feed.client);
	}
}

static int
ring_of(enum tell_kind kind)
{
	return kind == TELL_KIND_RUN_OUTPUT ? OUTPUTS : FACTS;
}

static void
append_entry(int which, uint64_t seq, size_t length)
{
	while (!ring_has_room(&rings[which], length))
		drop_oldest(which);
	ring_append(&rings[which], seq, entry, length);
}

static void
take_event(const struct tell_event *event)
{
	int which = ring_of(event->kind);
	struct record record;

	last_seq++;
	append_entry(which, last_seq, compose_entry(event, last_seq));
	record = record_at(&rings[which], rings[which].next - 1);
	wake(&record);
}

int
watch_init(void)
{
	if (ring_init(&rings[FACTS], WATCH_EVENTS, WATCH_BYTES) != 0)
		return -1;
	tell_set_sink(take_event);
	return 0;
}

uint64_t
watch_last(void)
{
	return last_seq;
}

unsigned
watch_count(void)
{
	return watcher_count;
}

/* ---- who watches ---- */

static const char *
missed_line(struct watcher *watcher, size_t *length)
{
	*length = codec_missed(watcher->missed, last_seq, util_wall_ms(), entry);
	watcher->missed = 0;
	return entry;
}

/* The older one of those at the places in both rings. False: it has come to the end of both. */
static bool
take_oldest(struct watcher *watcher, struct record *oldest)
{
	int from = RINGS;

	for (int which = 0; which < watcher->rings; which++) {
		struct record record;

		if (watcher->place[which] == rings[which].next)
			continue;
		record = record_at(&rings[which], watcher->place[which]);
		if (from != RINGS && record.seq > oldest->seq)
			continue;
		*oldest = record;
		from = which;
	}
	if (from != RINGS)
		watcher->place[from]++;
	return from != RINGS;
}

static const char *
next_line(struct request_feed *feed, size_t *length)
{
	struct watcher *watcher = (struct watcher *)feed; /* its first member */
	struct record record;

	if (watcher->missed > 0)
		return missed_line(watcher, length);
	while (take_oldest(watcher, &record)) {
		if (!passes(&watcher->filter, &record))
			continue;
		*length = record.length;
		return record.line;
	}
	watcher->asleep = true;
	return NULL;
}

static bool
reads_output(const struct watch_filter *filter)
{
	return (filter->kinds & WATCH_KIND(TELL_KIND_RUN_OUTPUT)) != 0;
}

/* The latest that it has been told of, or has missed and was counted. */
static uint64_t
reached(const struct watcher *watcher, int which)
{
	if (which >= watcher->rings || watcher->place[which] == rings[which].next)
		return last_seq;
	return ring_seq(&rings[which], watcher->place[which]) - 1;
}

static void
save(const struct request_feed *feed, struct handover_feed *saved)
{
	const struct watcher *watcher = (const struct watcher *)feed;
	const struct watch_filter *filter = &watcher->filter;

	*saved = (struct handover_feed){.probe = filter->probe,
					.jail = filter->jail,
					.kinds = filter->kinds,
					.since = reached(watcher, FACTS),
					.output_since = reached(watcher, OUTPUTS),
					.missed = watcher->missed};
	memcpy(saved->name, filter->name, sizeof(saved->name));
	memcpy(saved->jail_name, filter->jail_name, sizeof(saved->jail_name));
}

static void
closed(struct request_feed *feed)
{
	struct watcher *watcher = (struct watcher *)feed;

	LIST_REMOVE(watcher, link);
	watcher_count--;
	if (reads_output(&watcher->filter) && --output_watchers == 0) {
		tell_want_output(false);
		ring_free(&rings[OUTPUTS]);
	}
	free(watcher);
}

static int
open_outputs(void)
{
	if (rings[OUTPUTS].bytes != NULL)
		return 0;
	return ring_init(&rings[OUTPUTS], WATCH_OUTPUTS, WATCH_OUTPUT_BYTES);
}

static int
begin_output(void)
{
	if (open_outputs() != 0)
		return -1;
	output_watchers++;
	tell_want_output(true);
	return 0;
}

/* Nobody remembers what those were that are no longer kept, so all of them count. */
static void
go_back(struct watcher *watcher, int which, uint64_t since)
{
	const struct ring *ring = &rings[which];

	if (since > last_seq)
		since = 0;
	if (since < last_dropped[which])
		watcher->missed += last_dropped[which] - since;
	watcher->place[which] = ring->first;
	while (watcher->place[which] < ring->next &&
	       ring_seq(ring, watcher->place[which]) <= since)
		watcher->place[which]++;
}

static struct watcher *
create_watcher(const struct watch_filter *filter)
{
	struct watcher *watcher = calloc(1, sizeof(*watcher));

	if (watcher == NULL || (reads_output(filter) && begin_output() != 0)) {
		free(watcher);
		return NULL;
	}
	watcher->feed = (struct request_feed){.next = next_line, .closed = closed, .save = save};
	watcher->filter = *filter;
	watcher->rings = reads_output(filter) ? RINGS : OUTPUTS;
	for (int which = 0; which < watcher->rings; which++)
		watcher->place[which] = rings[which].next;
	LIST_INSERT_HEAD(&watchers, watcher, link);
	watcher_count++;
	return watcher;
}

struct request_feed *
watch_begin(const struct watch_filter *filter, int64_t since)
{
	struct watcher *watcher = create_watcher(filter);

	if (watcher == NULL)
		return NULL;
	if (since >= 0)
		go_back(watcher, FACTS, (uint64_t)since);
	return &watcher->feed;
}

/* ---- from one daemon to the next ---- */

/* All that somebody who is there has not had, and of the others the latest: each one that is handed over
 * keeps everybody waiting. */
static uint64_t
first_to_hand(int which)
{
	const struct ring *ring = &rings[which];
	uint64_t first = ring->next - ring->first > WATCH_HANDED ? ring->next - WATCH_HANDED : ring->first;
	const struct watcher *watcher;

	LIST_FOREACH(watcher, &watchers, link)
		if (which < watcher->rings && watcher->place[which] < first)
			first = watcher->place[which] > ring->first ? watcher->place[which] : ring->first;
	return first;
}

uint64_t
watch_dropped(void)
{
	uint64_t first = first_to_hand(FACTS);

	return first == rings[FACTS].first ? last_dropped[FACTS] : ring_seq(&rings[FACTS], first - 1);
}

void
watch_each(handover_event_cb *callback, void *arg)
{
	for (int which = 0; which < RINGS; which++)
		for (uint64_t place = first_to_hand(which); place < rings[which].next; place++) {
			struct record record = record_at(&rings[which], place);

			callback(arg, record.line, record.length, record.head.jid);
		}
}

void
watch_go_on(uint64_t last, uint64_t dropped)
{
	last_seq = last;
	last_dropped[FACTS] = dropped;
}

int
watch_keep(const struct codec_event_head *from, const char *line, size_t length)
{
	int which = ring_of(from->kind);
	struct head head = {.probe = from->probe,
			    .jail = from->jail,
			    .jid = from->jid,
			    .kind = from->kind};
	size_t used;

	if (length > CODEC_EVENT_SIZE) { /* of a daemon that had longer ones */
		last_dropped[which] = from->seq;
		return 0;
	}
	if (which == OUTPUTS && open_outputs() != 0)
		return -1;
	used = begin_entry(&head, from->name, from->jail_name);
	append_entry(which, from->seq, put_bytes(used, line, length));
	return 0;
}

struct request_feed *
watch_resume(const struct handover_feed *saved)
{
	struct watch_filter filter = {.probe = saved->probe, .jail = saved->jail, .kinds = saved->kinds};
	struct watcher *watcher;

	memcpy(filter.name, saved->name, sizeof(filter.name));
	memcpy(filter.jail_name, saved->jail_name, sizeof(filter.jail_name));
	if ((watcher = create_watcher(&filter)) == NULL)
		return NULL;
	watcher->missed = saved->missed;
	go_back(watcher, FACTS, saved->since);
	if (watcher->rings == RINGS)
		go_back(watcher, OUTPUTS, saved->output_since);
	return &watcher->feed;
}
