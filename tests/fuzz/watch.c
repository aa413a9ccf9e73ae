/*
 * Who watches is told what he asked for, all of it, in order, and nothing else; or how much of it he missed.
 * A line is a request to watch, or one of
 *	!tell KIND WHO TEXT	something happens to one of the probes below, or to the daemon (-)
 *	!many KIND WHO		so often that not all of it can be kept
 *	!read N	!close N	the Nth watcher reads all there is, or goes
 */
#include "config.h"

#include "watch.h"

#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "fuzz.h"
#include "util.h"

#define WATCHERS 4
#define PROBES	 6
#define MANY	 100 /* more than are kept */

/* What is told, and by which fact of that kind. */
static const enum tell_fact facts[TELL_KINDS] = {
    [TELL_KIND_PROBE_ADDED] = TELL_PROBE_RESTORED,
    [TELL_KIND_ARMED] = TELL_ARMED,
    [TELL_KIND_TRIGGERED] = TELL_TRIGGERED,
    [TELL_KIND_RUN_STARTED] = TELL_RUN_STARTED,
    [TELL_KIND_RUN_OUTPUT] = TELL_RUN_OUTPUT,
    [TELL_KIND_RUN_ENDED] = TELL_RUN_ENDED,
    [TELL_KIND_THROTTLED] = TELL_THROTTLED,
    [TELL_KIND_COALESCED] = TELL_COALESCED,
    [TELL_KIND_JAIL_GONE] = TELL_JAIL_GONE,
    [TELL_KIND_JAIL_BACK] = TELL_JAIL_BACK,
    [TELL_KIND_REMOVED] = TELL_REMOVED,
    [TELL_KIND_ERROR] = TELL_TRIGGER_DROPPED,
    [TELL_KIND_DAEMON_STOPPING] = TELL_DAEMON_STOPPING,
    [TELL_KIND_DAEMON_UPGRADED] = TELL_DAEMON_UPGRADED,
};

static char name_a[] = "a", name_b[] = "b", tag[] = "probe=1";
static struct jail_instance jails[2] = {{.jid = 101}, {.jid = 102}};
static struct probe probes[PROBES] = {
    {.tag = tag, .number = 0, .def = {.name = name_a, .jail = {0, "www"}}}, /* it never came to be */
    {.tag = tag, .number = 1, .def = {.name = name_a, .jail = {0, "www"}}, .jail = &jails[0]},
    {.tag = tag, .number = 2, .def = {.jail = {0, "www"}}, .jail = &jails[0]},
    {.tag = tag, .number = 3, .def = {.name = name_b, .jail = {0, "db"}}, .jail = &jails[1]},
    {.tag = tag, .number = 4, .def = {.name = name_b, .jail = {102, ""}}, .jail = &jails[1]},
    {.tag = tag, .number = 5, .def = {.name = name_a, .jail = {7, ""}}}};

/* All that was told, in the order of its numbers, which begin with 1. */
struct told {
	enum tell_kind kind;
	const struct probe *who; /* NULL: the daemon */
};

static struct told *told;
static size_t told_count, told_room;

struct watcher_model {
	json_t *request;
	struct request_feed *feed; /* NULL: it is none, or was closed */
	uint64_t reached;	   /* the event that it was told of last */
	uint64_t got;		   /* events, */
	uint64_t missed;	   /* and those that it was told of by their number only */
	uint64_t due;		   /* since it came */
};

static struct watcher_model watchers[WATCHERS];
static int watcher_total;
static struct request_feed *given; /* by the request under way */

/* ---- the model: who wants what ---- */

static bool
wants_kind(json_t *request, enum tell_kind kind)
{
	json_t *events = json_object_get(request, "events"), *event;
	size_t i;

	if (kind == TELL_KIND_RUN_OUTPUT && json_is_true(json_object_get(request, "output")))
		return true;
	json_array_foreach(events, i, event)
		if (strcmp(json_string_value(event), tell_kind_name(kind)) == 0)
			return true;
	return events == NULL && kind != TELL_KIND_RUN_OUTPUT;
}

static bool
is_probe(json_t *wanted, const struct probe *probe)
{
	if (json_is_integer(wanted))
		return (uint64_t)json_integer_value(wanted) == probe->number;
	return probe->def.name != NULL && strcmp(json_string_value(wanted), probe->def.name) == 0;
}

static bool
is_jail(json_t *wanted, const struct probe *probe)
{
	const struct jail_ref *jail = &probe->def.jail;
	json_int_t number = json_integer_value(wanted);

	if (json_is_string(wanted))
		return jail->name != NULL && strcmp(json_string_value(wanted), jail->name) == 0;
	return number == jail->number || (probe->jail != NULL && number == probe->jail->jid);
}

static bool
wants(json_t *request, const struct told *what)
{
	json_t *probe = json_object_get(request, "probe"), *jail = json_object_get(request, "jail");

	if (!wants_kind(request, what->kind))
		return false;
	if (what->who == NULL)
		return true;
	return (probe == NULL || is_probe(probe, what->who)) && (jail == NULL || is_jail(jail, what->who));
}

static bool
is_output_wanted(void)
{
	for (int i = 0; i < watcher_total; i++)
		if (watchers[i].feed != NULL && wants_kind(watchers[i].request, TELL_KIND_RUN_OUTPUT))
			return true;
	return false;
}

static void
note_told(enum tell_kind kind, const struct probe *who)
{
	if (told_count == told_room) {
		told_room = told_room == 0 ? 1024 : 2 * told_room;
		told = reallocarray(told, told_room, sizeof(*told));
		FUZZ_CHECK(told != NULL);
	}
	told[told_count++] = (struct told){kind, who};
	FUZZ_CHECK(watch_last() == told_count);
	for (int i = 0; i < watcher_total; i++)
		if (watchers[i].feed != NULL)
			watchers[i].due += wants(watchers[i].request, &told[told_count - 1]);
}

/* ---- what happens ---- */

static void
tell_once(enum tell_kind kind, const struct probe *who, const char *text)
{
	const struct probe *of = who == NULL ? &probes[1] : who; /* the daemon itself writes nothing */

	if (kind == TELL_KIND_RUN_OUTPUT) {
		bool expected = is_output_wanted() && text[0] != '\0';

		tell_output(of, 1, text, strlen(text));
		if (expected)
			note_told(kind, of);
		return;
	}
	tell(facts[kind], who, TELL_TEXT("why", text), TELL_END);
	note_told(kind, who);
}

static void
happen(char words[FUZZ_WORDS][FUZZ_WORD_SIZE], int times)
{
	enum tell_kind kind = tell_find_kind(words[1]);
	int place = words[2][0] - '0';

	if (kind == TELL_KINDS)
		return;
	for (int i = 0; i < times; i++)
		tell_once(kind, place >= 0 && place < PROBES ? &probes[place] : NULL, words[3]);
}

/* ---- those who watch ---- */

static void
check_missed(struct watcher_model *watcher, const char *line, size_t length)
{
	json_t *missed = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
	json_t *count = json_object_get(missed, "count");

	FUZZ_CHECK_OF(json_is_integer(count) && json_integer_value(count) > 0, line, length);
	FUZZ_CHECK(strcmp(json_string_value(json_object_get(missed, "event")), "missed") == 0);
	watcher->missed += (uint64_t)json_integer_value(count);
	json_decref(missed);
}

static void
check_event(struct watcher_model *watcher, const struct codec_event_head *head)
{
	const struct told *what = &told[head->seq - 1];
	const char *name = what->who == NULL || what->who->def.name == NULL ? "" : what->who->def.name;

	FUZZ_CHECK(head->seq > watcher->reached && head->seq <= told_count);
	FUZZ_CHECK(head->kind == what->kind && wants(watcher->request, what));
	FUZZ_CHECK(head->probe == (what->who == NULL ? 0 : what->who->number));
	FUZZ_CHECK(strcmp(head->name, name) == 0);
	watcher->reached = head->seq;
	watcher->got++;
}

static void
read_all(struct watcher_model *watcher)
{
	struct codec_event_head head;
	const char *line;
	size_t length;

	while (watcher->feed != NULL && (line = watcher->feed->next(watcher->feed, &length)) != NULL) {
		FUZZ_CHECK(length > 1 && memchr(line, '\n', length) == line + length - 1);
		fuzz_check_printable(line, length);
		if (codec_read_event(line, length, &head) == 0)
			check_event(watcher, &head);
		else
			check_missed(watcher, line, length);
	}
}

/* Of events before it came nobody knows any more which of them it would have wanted. */
static void
close_watcher(struct watcher_model *watcher)
{
	bool since = json_object_get(watcher->request, "since") != NULL;

	read_all(watcher);
	if (watcher->feed != NULL) {
		FUZZ_CHECK(watcher->got + watcher->missed >= watcher->due);
		FUZZ_CHECK(since || watcher->got + watcher->missed == watcher->due);
		watcher->feed->closed(watcher->feed);
	}
	watcher->feed = NULL;
}

/* Which of those that were kept it wants. */
static void
go_back(struct watcher_model *watcher)
{
	json_t *since = json_object_get(watcher->request, "since");
	uint64_t from = (uint64_t)json_integer_value(since);

	if (since == NULL)
		return;
	for (size_t i = from > told_count ? 0 : from; i < told_count; i++)
		if (told[i].kind != TELL_KIND_RUN_OUTPUT)
			watcher->due += wants(watcher->request, &told[i]);
}

static void
wake(void *client)
{
	(void)client;
}

static bool
follow(void *arg, struct request_feed *feed)
{
	(void)arg;
	feed->wake = wake;
	given = feed;
	return true;
}

static void
replied(void *arg, const char *text, size_t length)
{
	json_t *answer = fuzz_check_answer(text, length);

	(void)arg;
	FUZZ_CHECK_OF(json_is_true(json_object_get(answer, "ok")) == (given != NULL), text, length);
	json_decref(answer);
}

static void
ask(const char *line, size_t length)
{
	const char *code;
	json_t *asked = fuzz_read_request(line, length, &code);
	const char *op = json_string_value(json_object_get(asked, "op"));
	struct request *request;

	if (op == NULL || strcmp(op, "watch") != 0 || watcher_total == WATCHERS) {
		json_decref(asked);
		return;
	}
	request = request_parse(line, length);
	FUZZ_CHECK(request != NULL);
	request->follow = follow;
	given = NULL;
	request_run(request, replied, NULL);
	watchers[watcher_total] = (struct watcher_model){.request = asked, .feed = given};
	if (given != NULL)
		go_back(&watchers[watcher_total]);
	watcher_total++;
}

static void
act(char words[FUZZ_WORDS][FUZZ_WORD_SIZE])
{
	int64_t place = 0;
	bool known = util_parse_number(words[1], 0, watcher_total - 1, &place);

	if (strcmp(words[0], "tell") == 0)
		happen(words, 1);
	else if (strcmp(words[0], "many") == 0)
		happen(words, MANY);
	else if (strcmp(words[0], "read") == 0 && known)
		read_all(&watchers[place]);
	else if (strcmp(words[0], "close") == 0 && known)
		close_watcher(&watchers[place]);
}

static void
end(void)
{
	for (int i = 0; i < watcher_total; i++) {
		close_watcher(&watchers[i]);
		json_decref(watchers[i].request);
	}
	watcher_total = 0;
	told_count = 0;
	fuzz_fresh_watch();
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const struct commands_server server;

	(void)argc;
	(void)argv;
	commands_init(&server);
	fuzz_world_begin();
	return watch_init();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct fuzz_script script = {(const char *)bytes, size};
	char words[FUZZ_WORDS][FUZZ_WORD_SIZE];
	const char *line;
	size_t length;

	while (fuzz_next_line(&script, &line, &length)) {
		if (fuzz_split(line, length, words))
			act(words);
		else
			ask(line, length);
	}
	end();
	return 0;
}
