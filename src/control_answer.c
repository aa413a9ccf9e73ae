/* The answers of one client, in the order of its requests, whatever the order in which they are made. */
#include "config.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>

#include "control_client.h"
#include "limit.h"
#include "request.h"

/* Requests under way answer to nobody; their slots go with the answers. */
void
control_drop_slots(struct client *client)
{
	struct slot *slot;

	while ((slot = TAILQ_FIRST(&client->slots)) != NULL) {
		TAILQ_REMOVE(&client->slots, slot, link);
		slot->client = NULL;
		if (slot->parts != NULL)
			slot->parts->closed(slot->parts);
		if (slot->answer != NULL)
			evbuffer_free(slot->answer);
		if (slot->answer != NULL || slot->parts != NULL)
			free(slot);
	}
}

/* The next part comes in the next turn of the event loop, or when the client has read what there is; while
 * another program is to take this one's place, all of it at once. */
static bool
write_part(struct client *client, struct slot *slot)
{
	const struct timeval next_turn = {0};
	struct text part = {0};
	bool more = true;

	if (control_backlog(client) >= limits()->client_backlog && !control_is_paused())
		return false;
	more = slot->parts->next(slot->parts, &part);
	if (part.failed || bufferevent_write(client->stream, part.bytes, part.used) != 0)
		client->failed = true;
	text_free(&part);
	if (more && !client->failed)
		evtimer_add(client->proceed, &next_turn);
	return !more || client->failed;
}

static void
remove_slot(struct client *client, struct slot *slot)
{
	TAILQ_REMOVE(&client->slots, slot, link);
	free(slot);
	client->outstanding--;
}

/* Moves answers to the stream, as far as they are there in order. */
void
control_write_answers(struct client *client)
{
	struct slot *slot;

	while ((slot = TAILQ_FIRST(&client->slots)) != NULL) {
		if (slot->parts != NULL && !write_part(client, slot))
			return;
		if (slot->parts == NULL && slot->answer == NULL)
			return;
		if (slot->parts == NULL) {
			bufferevent_write_buffer(client->stream, slot->answer);
			evbuffer_free(slot->answer);
		} else {
			slot->parts->closed(slot->parts);
		}
		remove_slot(client, slot);
	}
}

void
control_answered_in_parts(void *arg, struct request_parts *parts)
{
	struct slot *slot = arg;

	if (slot->client == NULL) {
		parts->closed(parts);
		free(slot);
		return;
	}
	slot->parts = parts;
	event_active(slot->client->proceed, EV_TIMEOUT, 0);
}

void
control_answered(void *arg, const char *text, size_t length)
{
	struct slot *slot = arg;
	struct client *client = slot->client;

	if (client == NULL) {
		free(slot);
		return;
	}
	slot->answer = evbuffer_new();
	if (slot->answer == NULL || evbuffer_add(slot->answer, text, length) != 0)
		client->failed = true; /* an answer can't be left out: the order would be lost */
	else
		control_write_answers(client);
	if (!client->taking)
		event_active(client->proceed, EV_TIMEOUT, 0);
}
