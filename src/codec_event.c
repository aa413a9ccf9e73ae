/* Events are many, and each is the same few members: so they are printed straight into a line. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "codec.h"
#include "jsontext.h"
#include "text.h"
#include "util.h"

#define ESCAPE_SIZE 6 /* of one byte: \u001b */

_Static_assert(CODEC_EVENT_SIZE >
		   ESCAPE_SIZE * (TELL_OUTPUT_MAX + JAIL_NAME_SIZE + DEFINITION_NAME_MAX) + 1024,
	       "a piece of output must fit into a line");

static void
put_control(struct text *to, unsigned char c)
{
	char unicode[sizeof("\\u001f")];

	snprintf(unicode, sizeof(unicode), "\\u%04x", c);
	text_say(to, unicode);
}

/* C1 is of control characters too, two bytes each. */
static void
put_character(struct text *to, const char *bytes, size_t size)
{
	const unsigned char *c = (const unsigned char *)bytes;
	const char escaped[] = {'\\', *bytes};

	if (size == 0)
		text_say(to, "\xef\xbf\xbd"); /* no character, U+FFFD */
	else if (*c == '"' || *c == '\\')
		text_add(to, escaped, sizeof(escaped));
	else if (*c == '\n')
		text_say(to, "\\n");
	else if (*c < ' ' || *c == 0x7f)
		put_control(to, *c);
	else if (*c == 0xc2 && c[1] < 0xa0)
		put_control(to, c[1]);
	else
		text_add(to, bytes, size);
}

static void
put_text(struct text *to, const char *text, size_t length)
{
	text_say(to, "\"");
	for (size_t i = 0; i < length;) {
		size_t size = util_character(text + i, length - i);

		put_character(to, text + i, size);
		i += size == 0 ? 1 : size;
	}
	text_say(to, "\"");
}

static void
put_head(struct text *to, const char *event, uint64_t seq, int64_t wall_ms)
{
	char stamp[UTIL_TIME_SIZE];

	text_say(to, "{\"event\":\"");
	text_say(to, event);
	text_say(to, "\",\"seq\":");
	text_number(to, (int64_t)seq);
	text_say(to, ",\"time\":\"");
	text_say(to, util_format_time(stamp, wall_ms));
	text_say(to, "\"");
}

/* The members that each event has; null where it is the daemon's own. */
static void
put_probe(struct text *to, const struct probe *probe)
{
	const struct definition *def;

	if (probe == NULL) {
		text_say(to, ",\"probe\":null,\"name\":null,\"jail\":null");
		return;
	}
	def = &probe->def;
	text_member(to, "probe");
	if (probe->number == 0) /* it never came to be */
		text_say(to, "null");
	else
		text_number(to, (int64_t)probe->number);
	text_member(to, "name");
	if (def->name == NULL)
		text_say(to, "null");
	else
		put_text(to, def->name, strlen(def->name));
	text_member(to, "jail");
	if (def->jail.number != 0)
		text_number(to, def->jail.number);
	else
		put_text(to, def->jail.name, strlen(def->jail.name));
}

static void
put_fields(struct text *to, const struct tell_field *field, size_t text_max)
{
	for (; field->name != NULL; field++) {
		text_member(to, field->name);
		if (field->text == NULL)
			text_number(to, field->number);
		else if (field->length <= text_max)
			put_text(to, field->text, field->length);
		else
			put_text(to, field->text, util_whole_characters(field->text, text_max));
	}
}

/* All that tell.h lets through fits. */
size_t
codec_event(const struct tell_event *event, uint64_t seq, char line[CODEC_EVENT_SIZE])
{
	bool is_output = event->kind == TELL_KIND_RUN_OUTPUT;
	const char *kind = tell_kind_name(event->kind);
	struct text to = TEXT_IN(line, CODEC_EVENT_SIZE);

	put_head(&to, kind, seq, event->wall_ms);
	put_probe(&to, event->probe);
	if (strcmp(event->name, kind) != 0) {
		text_member(&to, "what");
		put_text(&to, event->name, strlen(event->name));
	}
	put_fields(&to, event->fields, is_output ? TELL_OUTPUT_MAX : TELL_TEXT_MAX);
	text_say(&to, "}\n");
	return to.used;
}

static int
read_text(json_t *from, const char *name, char *text, size_t size)
{
	json_t *value = json_object_get(from, name);

	text[0] = '\0';
	if (!json_is_string(value))
		return json_is_null(value) ? 0 : -1;
	if (json_string_length(value) >= size)
		return -1;
	memcpy(text, json_string_value(value), json_string_length(value) + 1);
	return 0;
}

static int
read_head(json_t *event, struct codec_event_head *head)
{
	json_t *kind = json_object_get(event, "event"), *jail = json_object_get(event, "jail");

	head->seq = (uint64_t)json_integer_value(json_object_get(event, "seq"));
	head->probe = (uint64_t)json_integer_value(json_object_get(event, "probe"));
	head->kind = json_is_string(kind) ? tell_find_kind(json_string_value(kind)) : TELL_KINDS;
	head->jail = json_integer_value(jail);
	if (head->seq == 0 || head->kind == TELL_KINDS)
		return -1;
	if (!json_is_integer(jail) &&
	    read_text(event, "jail", head->jail_name, sizeof(head->jail_name)) != 0)
		return -1;
	return read_text(event, "name", head->name, sizeof(head->name));
}

int
codec_read_event(const char *line, size_t length, struct codec_event_head *head)
{
	json_t *event = jsontext_load(line, length, JSON_ALLOW_NUL, NULL);
	int result;

	*head = (struct codec_event_head){0};
	result = event == NULL ? -1 : read_head(event, head);
	json_decref(event);
	return result;
}

size_t
codec_missed(uint64_t count, uint64_t seq, int64_t wall_ms, char line[CODEC_EVENT_SIZE])
{
	struct text to = TEXT_IN(line, CODEC_EVENT_SIZE);

	put_head(&to, "missed", seq, wall_ms);
	put_probe(&to, NULL);
	text_member(&to, "count");
	text_number(&to, (int64_t)count);
	text_say(&to, "}\n");
	return to.used;
}
