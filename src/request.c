#include "config.h"

#include "request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "commands.h"
#include "jsontext.h"

/* What every request may have. */
static const struct codec_member common_members[] = {
    {"op", CODEC_TEXT, true, 1, 64},
    {"id", CODEC_ANY, false, 0, 0},
    {"keep", CODEC_BOOL, false, 0, 0},
    {NULL, CODEC_ANY, false, 0, 0},
};

/* jansson would go 2,048 levels down on its own stack. */
static bool
is_too_deep(const char *line, size_t length)
{
	bool in_string = false;
	int depth = 0;

	for (size_t i = 0; i < length; i++) {
		if (line[i] == '"')
			in_string = !in_string;
		else if (in_string && line[i] == '\\')
			i++;
		else if (!in_string && (line[i] == '{' || line[i] == '['))
			depth++;
		else if (!in_string && (line[i] == '}' || line[i] == ']'))
			depth--;
		if (depth > REQUEST_DEPTH_MAX)
			return true;
	}
	return false;
}

static int
parse_body(struct request *request, const char *line, size_t length)
{
	json_error_t why;

	if (is_too_deep(line, length))
		return error_set(&request->error, ERR_BAD_JSON, "nested more than %d levels deep",
				 REQUEST_DEPTH_MAX);
	request->body = jsontext_load(line, length, JSON_REJECT_DUPLICATES, &why);
	if (request->body == NULL && errno == ENOMEM)
		return error_no_memory(&request->error);
	if (request->body == NULL && json_error_code(&why) == json_error_duplicate_key)
		return error_set(&request->error, ERR_BAD_REQUEST, "%s", why.text);
	if (request->body == NULL)
		return error_set(&request->error, ERR_BAD_JSON, "column %d: %s", why.column,
				 why.text);
	if (!json_is_object(request->body))
		return error_set(&request->error, ERR_BAD_REQUEST, "a request is a JSON object");
	return 0;
}

static int
find_command(struct request *request)
{
	json_t *op = json_object_get(request->body, "op");
	const struct codec_member *lists[4] = {common_members};
	const struct command *command;

	if (op == NULL)
		return error_set(&request->error, ERR_BAD_REQUEST, "the member \"op\" is missing");
	if (codec_check_member(&common_members[0], op, &request->error) != 0)
		return -1;
	command = commands_find(json_string_value(op));
	if (command == NULL)
		return error_set(&request->error, ERR_UNKNOWN_OP, "there is no operation \"%s\"",
				 json_string_value(op));
	lists[1] = command->members;
	lists[2] = command->members == NULL ? NULL : command->more_members;
	if (codec_check_object(request->body, lists, &request->error) != 0)
		return -1;
	request->keep = json_is_true(json_object_get(request->body, "keep"));
	request->command = command;
	return 0;
}

struct request *
request_parse(const char *line, size_t length)
{
	struct request *request = calloc(1, sizeof(*request));

	if (request != NULL && parse_body(request, line, length) == 0)
		find_command(request);
	return request;
}

struct request *
request_refuse(enum error_code code, const char *message)
{
	struct request *request = calloc(1, sizeof(*request));

	if (request != NULL)
		error_set(&request->error, code, "%s", message);
	return request;
}

void
request_restrict(struct request *request)
{
	if (request->command == NULL || (request->command->flags & COMMAND_READ_ONLY))
		return;
	error_set(&request->error, ERR_DENIED, "\"%s\" is for root alone", request->command->op);
	request->command = NULL;
}

bool
request_may_overlap(const struct request *request)
{
	return request->command != NULL && (request->command->flags & COMMAND_OVERLAPS);
}

void
request_run(struct request *request, request_reply_cb *reply, void *arg)
{
	request->reply = reply;
	request->arg = arg;
	if (request->command == NULL)
		request_fail(request, &request->error);
	else
		request->command->run(request);
}

void
request_discard(struct request *request)
{
	json_decref(request->body);
	free(request);
}

/* A line that can be said without any memory. */
static void
reply_no_memory(struct request *request)
{
	static const char line[] =
	    "{\"ok\":false,\"error\":{\"code\":\"internal\",\"message\":\"out of memory\"}}\n";

	request->reply(request->arg, line, sizeof(line) - 1);
}

static int
add_dumped(const char *bytes, size_t length, void *out)
{
	text_add(out, bytes, length);
	return 0;
}

static void
dump_to(struct text *out, const json_t *value, size_t flags)
{
	if (json_dump_callback(value, add_dumped, out, JSON_COMPACT | flags) != 0)
		out->failed = true;
}

/* Up to the comma before the members. A number as an id comes back to its last digit. */
static void
begin_text(struct request *request, bool ok, struct text *out)
{
	json_t *id = json_object_get(request->body, "id");

	text_say(out, "{");
	if (id != NULL) {
		text_say(out, "\"id\":");
		dump_to(out, id, JSON_ENCODE_ANY);
		text_say(out, ",");
	}
	text_say(out, ok ? "\"ok\":true" : "\"ok\":false");
}

/* Takes the text over. */
static void
reply(struct request *request, struct text *out)
{
	if (out->failed)
		reply_no_memory(request);
	else
		request->reply(request->arg, out->bytes, out->used);
	text_free(out);
}

static void
finish(struct request *request, bool ok, json_t *members)
{
	struct text out = {.failed = members == NULL};

	begin_text(request, ok, &out);
	if (json_object_size(members) > 0) {
		text_say(&out, ",");
		dump_to(&out, members, JSON_EMBED | JSON_REAL_PRECISION(15));
	}
	text_say(&out, "}\n");
	reply(request, &out);
	json_decref(members);
	request_discard(request);
}

void
request_answer(struct request *request, json_t *members)
{
	finish(request, true, members);
}

void
request_answer_text(struct request *request, struct text *members)
{
	struct text out = {.failed = members->failed};

	begin_text(request, true, &out);
	text_add(&out, ",", 1);
	text_add(&out, members->bytes, members->used);
	text_add(&out, "}\n", 2);
	text_free(members);
	reply(request, &out);
	request_discard(request);
}

/* An answer in parts, with what stands before and after the members. */
struct framed {
	struct request_parts parts; /* the first member */
	struct request_parts *inner;
	struct text begin; /* until it is said */
};

static bool
next_framed(struct request_parts *parts, struct text *out)
{
	struct framed *framed = (struct framed *)parts;
	bool more;

	out->failed = out->failed || framed->begin.failed;
	text_add(out, framed->begin.bytes, framed->begin.used);
	text_free(&framed->begin);
	more = framed->inner->next(framed->inner, out);
	if (!more)
		text_add(out, "}\n", 2);
	return more;
}

static void
close_framed(struct request_parts *parts)
{
	struct framed *framed = (struct framed *)parts;

	framed->inner->closed(framed->inner);
	text_free(&framed->begin);
	free(framed);
}

/* For who can't take parts. */
static void
reply_at_once(struct request *request, struct request_parts *parts)
{
	struct text out = {0};

	while (parts->next(parts, &out))
		;
	reply(request, &out);
	parts->closed(parts);
}

void
request_answer_parts(struct request *request, struct request_parts *inner)
{
	struct framed *framed = inner == NULL ? NULL : calloc(1, sizeof(*framed));

	if (framed == NULL) {
		if (inner != NULL)
			inner->closed(inner);
		finish(request, true, NULL);
		return;
	}
	framed->parts = (struct request_parts){.next = next_framed, .closed = close_framed};
	framed->inner = inner;
	begin_text(request, true, &framed->begin);
	text_add(&framed->begin, ",", 1);
	if (request->parts != NULL)
		request->parts(request->arg, &framed->parts);
	else
		reply_at_once(request, &framed->parts);
	request_discard(request);
}

void
request_fail(struct request *request, const struct error *e)
{
	json_t *error = codec_error(e);

	finish(request, false, error == NULL ? NULL : json_pack("{so}", "error", error));
}

void
request_answer_feed(struct request *request, json_t *members, struct request_feed *feed)
{
	struct error e;

	if (feed != NULL && members != NULL && request->follow != NULL &&
	    request->follow(request->arg, feed)) {
		request_answer(request, members);
		return;
	}
	if (feed == NULL || members == NULL)
		error_no_memory(&e);
	else
		error_set(&e, ERR_BAD_REQUEST, "a connection follows one thing only");
	if (feed != NULL)
		feed->closed(feed);
	json_decref(members);
	request_fail(request, &e);
}
