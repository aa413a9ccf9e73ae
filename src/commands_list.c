/* The list, in parts: one of thousands would keep everybody else waiting. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "registry.h"

/* Bytes of a part: some tenths of a millisecond. */
#define PART_BYTES 65536

struct list {
	struct request_parts parts; /* the first member */
	int64_t jail;			/* 0: all, or those of the name */
	char jail_name[JAIL_NAME_SIZE]; /* "": all, or those of the number */
	bool begun;
	bool any;
	uint64_t last; /* the number of the one that was looked at last */
};

/* A jail given by number fits a probe by the number it was added with and by its jid; a name by the
 * name it was added with. */
static bool
is_wanted(const struct list *list, const struct probe *probe)
{
	const struct jail_ref *jail = &probe->def.jail;

	if (list->jail != 0)
		return list->jail == jail->number || (probe->jail != NULL && list->jail == probe->jail->jid);
	return list->jail_name[0] == '\0' || (jail->name != NULL && strcmp(list->jail_name, jail->name) == 0);
}

/* Whatever is added or ends between two parts: the numbers only go up. */
static bool
next_part(struct request_parts *parts, struct text *out)
{
	struct list *list = (struct list *)parts;
	const struct probe *probe;

	if (!list->begun)
		text_say(out, "\"probes\":[");
	list->begun = true;
	while (out->used < PART_BYTES && !out->failed) {
		if ((probe = registry_after(list->last)) == NULL) {
			text_add(out, "]", 1);
			return false;
		}
		list->last = probe->number;
		if (!is_wanted(list, probe))
			continue;
		text_add(out, ",", list->any);
		list->any = true;
		codec_print_probe(out, probe);
	}
	return !out->failed;
}

static void
closed(struct request_parts *parts)
{
	free(parts);
}

void
commands_list(struct request *request)
{
	json_t *jail = json_object_get(request->body, "jail");
	struct list *list = calloc(1, sizeof(*list));

	if (list == NULL) {
		request_answer_parts(request, NULL);
		return;
	}
	list->parts = (struct request_parts){.next = next_part, .closed = closed};
	list->jail = json_integer_value(jail);
	if (json_is_string(jail))
		memcpy(list->jail_name, json_string_value(jail), json_string_length(jail) + 1);
	request_answer_parts(request, &list->parts);
}
