/*
 * Requests, through the parser, the codec and the table of operations, with jails and runs of the script's
 * below. A line is a request, or one of a client that may only look after a '?'. Each gets exactly one
 * answer that fits it, and one that is refused has changed nothing.
 */
#include "config.h"

#include "request.h"

#include <sys/queue.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "fuzz.h"
#include "registry.h"
#include "watch.h"

/* One that was sent; it stays until the end of the input, so that a second answer would be noticed. */
struct asked {
	TAILQ_ENTRY(asked) link;
	json_t *request; /* NULL: it was none */
	const char *code; /* what it must be refused with; NULL: it depends */
	bool looks_only;
	bool answered;
	bool ok;
	struct request_parts *parts; /* the rest of an answer under way */
	struct text so_far;
	struct request_feed *feed;
};

static TAILQ_HEAD(, asked) all = TAILQ_HEAD_INITIALIZER(all);
static unsigned feeds;
static char *seen; /* all probes after the last request; NULL: something may have happened since */

/* ---- answers ---- */

static const char *
text_of(json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text == NULL ? "" : text;
}

static bool
is_one_of(const char *word, const char *const *list)
{
	while (*list != NULL && strcmp(*list, word) != 0)
		list++;
	return *list != NULL;
}

/* A second as it was asked for, to the millisecond. */
static bool
is_same_time(json_t *a, json_t *b)
{
	return fabs(json_number_value(a) - json_number_value(b)) < 0.00051;
}

/* Whatever was asked for is what the answer tells. Users' names become numbers. */
static void
check_added(json_t *request, json_t *answer)
{
	static const char *const others[] = {"op", "id", "keep", "replace", NULL};
	static const char *const times[] = {"cooldown", "timeout", NULL};
	static const char *const ids[] = {"uid", "gid", NULL};
	json_t *probe = json_object_get(answer, "probe"), *wanted;
	const char *name;

	json_object_foreach(request, name, wanted) {
		json_t *told = json_object_get(probe, name);

		if (is_one_of(name, others))
			continue;
		else if (is_one_of(name, times))
			FUZZ_CHECK(is_same_time(told, wanted));
		else if (is_one_of(name, ids) && json_is_string(wanted))
			FUZZ_CHECK(json_is_integer(told));
		else
			FUZZ_CHECK(json_equal(told, wanted));
	}
}

static void
check_code(const struct asked *asked, const char *code)
{
	if (asked->code == NULL)
		FUZZ_CHECK(strcmp(code, "bad-json") != 0);
	else if (asked->code[0] != '\0')
		FUZZ_CHECK(strcmp(code, asked->code) == 0);
	else
		FUZZ_CHECK(strcmp(code, "bad-json") == 0 || strcmp(code, "bad-request") == 0);
}

static void
take_answer(struct asked *asked, const char *text, size_t length)
{
	json_t *answer = fuzz_check_answer(text, length);
	const char *op = text_of(asked->request, "op");

	FUZZ_CHECK(!asked->answered);
	asked->answered = true;
	asked->ok = json_is_true(json_object_get(answer, "ok"));
	fuzz_check_id(asked->request, answer);
	if (!asked->ok)
		check_code(asked, text_of(json_object_get(answer, "error"), "code"));
	else
		FUZZ_CHECK(asked->request != NULL);
	if (asked->ok && strcmp(op, "add") == 0)
		check_added(asked->request, answer);
	json_decref(answer);
}

static void
replied(void *arg, const char *text, size_t length)
{
	take_answer(arg, text, length);
}

/* It is made later, a part a turn. */
static void
take_parts(void *arg, struct request_parts *parts)
{
	struct asked *asked = arg;

	FUZZ_CHECK(!asked->answered && asked->parts == NULL);
	asked->parts = parts;
}

static void
wake(void *client)
{
	(void)client;
}

/* One for the whole connection, as control has it. */
static bool
follow(void *arg, struct request_feed *feed)
{
	struct asked *asked = arg;

	if (feeds > 0)
		return false;
	feeds++;
	feed->wake = wake;
	asked->feed = feed;
	return true;
}

static void
draw(struct request_feed *feed)
{
	struct codec_event_head head;
	const char *line;
	size_t length;

	while ((line = feed->next(feed, &length)) != NULL) {
		FUZZ_CHECK_OF(length > 1 && memchr(line, '\n', length) == line + length - 1, line, length);
		fuzz_check_printable(line, length);
		FUZZ_CHECK_OF(codec_read_event(line, length, &head) == 0 ||
				  strncmp(line, "{\"event\":\"missed\"", 17) == 0,
			      line, length);
	}
}

static void
next_part(struct asked *asked)
{
	bool more = asked->parts->next(asked->parts, &asked->so_far);

	FUZZ_CHECK(!asked->so_far.failed);
	if (more)
		return;
	asked->parts->closed(asked->parts);
	asked->parts = NULL;
	take_answer(asked, asked->so_far.bytes, asked->so_far.used);
	text_free(&asked->so_far);
}

static void
go_on(void)
{
	struct asked *asked;

	free(seen);
	seen = NULL;
	fuzz_turn();
	TAILQ_FOREACH(asked, &all, link) {
		if (asked->parts != NULL)
			next_part(asked);
		if (asked->feed != NULL)
			draw(asked->feed);
	}
}

/* ---- requests ---- */

/* By an operation that only looks, or by being refused. */
static bool
must_change_nothing(const struct asked *asked)
{
	static const char *const looking[] = {"ping",  "list",	 "get",	    "output", "watch",
					      "status", "stop", "upgrade", "reload", NULL};

	return asked->looks_only || (asked->answered && !asked->ok) ||
	       is_one_of(text_of(asked->request, "op"), looking);
}

static void
ask(const char *line, size_t length)
{
	struct asked *asked = calloc(1, sizeof(*asked));
	char *before = seen == NULL ? fuzz_probes() : seen;
	struct request *request;

	FUZZ_CHECK(asked != NULL);
	TAILQ_INSERT_TAIL(&all, asked, link);
	asked->looks_only = length > 0 && *line == '?';
	line += asked->looks_only;
	length -= asked->looks_only;
	asked->request = fuzz_read_request(line, length, &asked->code);
	request = request_parse(line, length);
	FUZZ_CHECK(request != NULL);
	if (asked->looks_only)
		request_restrict(request);
	request->follow = follow;
	request->parts = take_parts;
	request_run(request, replied, asked);
	seen = fuzz_probes();
	if (must_change_nothing(asked))
		FUZZ_CHECK_OF(strcmp(before, seen) == 0, seen, strlen(seen));
	free(before);
}

static void
forget_all(void)
{
	struct asked *asked;

	while ((asked = TAILQ_FIRST(&all)) != NULL) {
		while (asked->parts != NULL)
			next_part(asked);
		FUZZ_CHECK(asked->answered);
		TAILQ_REMOVE(&all, asked, link);
		if (asked->feed != NULL)
			asked->feed->closed(asked->feed);
		json_decref(asked->request);
		free(asked);
	}
	feeds = 0;
}

/* ---- the server ---- */

static void
stop(void)
{
}

static void
describe(struct commands_server_state *state)
{
	*state = (struct commands_server_state){.pid = 1, .started_ms = 0, .clients = 1, .socket = "/s"};
}

static int
reload(configured_done_cb *done, void *arg, struct error *e)
{
	const struct configured_counts counts = {.added = 1};

	(void)e;
	done(arg, &counts);
	return 0;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const struct commands_server server = {
	    .stop = stop, .describe = describe, .reload = reload, .upgrade = fuzz_no_upgrade};

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
		if (!fuzz_split(line, length, words) || !fuzz_happens(words))
			ask(line, length);
		if (length > 0 && *line == '!')
			go_on();
	}
	go_on();
	fuzz_world_end();
	go_on();
	forget_all();
	fuzz_fresh_watch();
	return 0;
}
