/* The operations whose answer may be followed by more lines. */
#include "config.h"

#include <string.h>

#include "commands.h"
#include "run.h"
#include "util.h"
#include "watch.h"

static json_t *
describe_output(const struct probe *probe, struct tail *output, size_t length)
{
	return json_pack("{sI sI so}",			     //
			 "probe", (json_int_t)probe->number, //
			 "output_bytes", (json_int_t)output->total,
			 "output", codec_bytes(tail_linear(output), length));
}

/* Of the run in progress, if there is one: what it writes from now on follows, from the character on
 * that it has not completed yet. */
static void
follow_output(struct request *request, struct probe *probe)
{
	const struct watch_filter filter = {.probe = probe->number,
					    .kinds = WATCH_KIND(TELL_KIND_RUN_OUTPUT) |
						     WATCH_KIND(TELL_KIND_DAEMON_STOPPING)};
	struct tail *current = run_output(probe);
	struct tail *output = current == NULL ? probe_output(probe) : current;
	size_t length = output->used;

	if (current != NULL)
		length = util_whole_characters(tail_linear(current), length);
	request_answer_feed(request, describe_output(probe, output, length),
			    watch_begin(&filter, -1));
}

void
commands_output(struct request *request, struct probe *probe)
{
	struct tail *output = probe_output(probe);

	if (json_is_true(json_object_get(request->body, "follow")))
		follow_output(request, probe);
	else
		request_answer(request, describe_output(probe, output, output->used));
}

/* What runs write is told to those only who ask for it, one way or the other. */
static unsigned
read_kinds(json_t *events, bool output)
{
	const unsigned output_kind = WATCH_KIND(TELL_KIND_RUN_OUTPUT);
	unsigned kinds = 0;
	size_t index;
	json_t *name;

	if (events == NULL)
		kinds = WATCH_ALL_KINDS & ~output_kind;
	json_array_foreach(events, index, name)
		kinds |= WATCH_KIND(tell_find_kind(json_string_value(name)));
	return output ? kinds | output_kind : kinds;
}

void
commands_watch(struct request *request)
{
	json_t *probe = json_object_get(request->body, "probe");
	json_t *jail = json_object_get(request->body, "jail");
	json_t *since = json_object_get(request->body, "since");
	bool output = json_is_true(json_object_get(request->body, "output"));
	struct watch_filter filter = {.probe = (uint64_t)json_integer_value(probe),
				      .jail = json_integer_value(jail)};

	filter.kinds = read_kinds(json_object_get(request->body, "events"), output);
	if (json_is_string(probe))
		memcpy(filter.name, json_string_value(probe), json_string_length(probe) + 1);
	if (json_is_string(jail))
		memcpy(filter.jail_name, json_string_value(jail), json_string_length(jail) + 1);
	request_answer_feed(request, json_pack("{sI}", "seq", (json_int_t)watch_last()),
			    watch_begin(&filter, since == NULL ? -1 : json_integer_value(since)));
}
