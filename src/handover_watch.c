/* Who watches, and what is kept to be told, of the handover. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "codec.h"
#include "handover.h"
#include "handover_parts.h"
#include "tell.h"

static const struct handover_field feed_fields[] = {
    HANDOVER_FIELD(struct handover_feed, probe, HANDOVER_INT64),
    HANDOVER_FIELD(struct handover_feed, jail, HANDOVER_INT64),
    HANDOVER_FIELD(struct handover_feed, since, HANDOVER_INT64),
    HANDOVER_FIELD(struct handover_feed, output_since, HANDOVER_INT64),
    HANDOVER_FIELD(struct handover_feed, missed, HANDOVER_INT64),
    HANDOVER_END,
};

/* ---- writing ---- */

/* By their names: the next daemon may count them in another order. */
static json_t *
put_kinds(struct handover_out *out, unsigned kinds)
{
	json_t *list = json_array();

	for (int kind = 0; kind < TELL_KINDS; kind++)
		if ((kinds & 1u << kind) != 0)
			out->failed |= json_array_append_new(
					   list, json_string(tell_kind_name((enum tell_kind)kind))) != 0;
	return list;
}

json_t *
handover_put_feed(struct handover_out *out, const struct handover_feed *feed)
{
	json_t *object = handover_put_fields(feed, feed_fields);

	if (object == NULL)
		return NULL;
	handover_put(out, object, "name", json_string(feed->name));
	handover_put(out, object, "jail_name", json_string(feed->jail_name));
	handover_put(out, object, "kinds", put_kinds(out, feed->kinds));
	return object;
}

static void
put_event(void *arg, const char *line, size_t length, int64_t jid)
{
	struct handover_out *out = arg;
	json_t *event = json_pack("{so sI}",					     //
				  "line", handover_put_bytes(out, line, length), //
				  "jid", (json_int_t)jid);

	out->failed |= json_array_append_new(out->events, event) != 0;
}

json_t *
handover_put_events(struct handover_out *out, const struct handover *h)
{
	out->events = json_array();
	h->each_event(put_event, out);
	return out->events;
}

/* ---- reading ---- */

static int
get_text(json_t *object, const char *name, char *text, size_t size, struct error *e)
{
	json_t *value = json_object_get(object, name);

	if (!json_is_string(value) || json_string_length(value) >= size)
		return handover_refuse(name, e);
	memcpy(text, json_string_value(value), json_string_length(value) + 1);
	return 0;
}

/* One that we don't know will never be told. */
static unsigned
get_kinds(json_t *list)
{
	unsigned kinds = 0;
	json_t *name;
	size_t i;

	json_array_foreach(list, i, name)
		if (json_is_string(name) && tell_find_kind(json_string_value(name)) != TELL_KINDS)
			kinds |= 1u << tell_find_kind(json_string_value(name));
	return kinds;
}

int
handover_get_feed(json_t *object, struct handover_feed *feed, struct error *e)
{
	json_t *kinds = handover_get_array(object, "kinds", e);

	if (kinds == NULL || handover_get_fields(object, feed, feed_fields, e) != 0 ||
	    get_text(object, "name", feed->name, sizeof(feed->name), e) != 0 ||
	    get_text(object, "jail_name", feed->jail_name, sizeof(feed->jail_name), e) != 0)
		return -1;
	feed->kinds = get_kinds(kinds);
	return 0;
}

static int
get_event(const struct handover_in *in, json_t *object, const struct handover *h, struct error *e)
{
	json_t *jid = json_object_get(object, "jid");
	struct codec_event_head head;
	const char *line;
	size_t length;

	if (!json_is_integer(jid))
		return handover_refuse("jid", e);
	if (handover_get_bytes(in, json_object_get(object, "line"), &line, &length, e) != 0)
		return -1;
	if (codec_read_event(line, length, &head) != 0)
		return errno == ENOMEM ? error_no_memory(e) : handover_refuse("line", e);
	head.jid = json_integer_value(jid);
	if (in->really && h->note_event(&head, line, length) != 0)
		return error_no_memory(e);
	return 0;
}

int
handover_get_events(const struct handover_in *in, json_t *list, const struct handover *h, struct error *e)
{
	json_t *object;
	size_t i;

	json_array_foreach(list, i, object)
		if (get_event(in, object, h, e) != 0)
			return -1;
	return 0;
}
