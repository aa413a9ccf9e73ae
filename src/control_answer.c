/* The answers of one client, in the order of its requests, whatever the order in which they are made. */
#include "config.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>

#include "control_client.h"
#include "limit.h"
#include "request.h"
#include "timer.h"

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

bool
control_has_room(const struct client *client)
{
	return control_backlog(client) < limits()->client_backlog;
}

/* The stream itself says nothing when the system refuses to watch the socket for it. */
static bool
is_sent_later(struct client *client)
{
	return evbuffer_get_length(bufferevent_get_output(client->stream)) == 0 ||
	       bufferevent_enable(client->stream, EV_WRITE) == 0;
}

/* Mostly the socket takes it all at once, and the event loop has nothing to watch. What it doesn't take is left to
 * the stream, and so is any error, for the stream will meet it too. */
void
control_flush(struct client *client)
{
	struct evbuffer *unsent = bufferevent_get_output(client->stream);

	if (evbuffer_get_length(client->ready) == 0)
		return;
	if (evbuffer_get_length(unsent) == 0)
		evbuffer_write(client->ready, bufferevent_getfd(client->stream));
	if (bufferevent_write_buffer(client->stream, client->ready) != 0 || !is_sent_later(client))
		client->failed = true;
}

static void
free_part(const void *sent, size_t length, void *bytes)
{
	(void)sent;
	(void)length;
	free(bytes);
}

/* The next part comes in the next turn of the event loop, or when the client has read what there is; while
 * another program is to take this one's place, all of it at once. */
static bool
write_part(struct client *client, struct slot *slot)
{
	struct text part = {0};
	bool more = true;

	if (!control_has_room(client) && !control_is_paused())
		return false;
	more = slot->parts->next(slot->parts, &part);
	if (part.failed || evbuffer_add_reference(client->ready, part.bytes, part.used, free_part,
						  part.bytes) != 0) {
		client->failed = true;
		text_free(&part);
	}
	if (more && !client->failed)
		timer_set(client->proceed, 0);
	return !more || client->failed;
}

static void
remove_slot(struct client *client, struct slot *slot)
{
	TAILQ_REMOVE(&client->slots, slot, link);
	free(slot);
	client->outstanding--;
}

void
control_write_answers(struct client *client)
{
	struct slot *slot;

	while ((slot = TAILQ_FIRST(&client->slots)) != NULL) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): TAILQ_REMOVE took the freed one off */
		if (slot->parts != NULL && !write_part(client, slot))
			return;
		if (slot->parts == NULL && slot->answer == NULL)
			return;
		if (slot->parts == NULL) {
			evbuffer_add_buffer(client->ready, slot->answer);
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

/* The one whose turn it is needs no place to wait in. */
static int
keep_answer(struct slot *slot, const char *text, size_t length)
{
	struct client *client = slot->client;

	if (slot == TAILQ_FIRST(&client->slots)) {
		remove_slot(client, slot);
		return evbuffer_add(client->ready, text, length);
	}
	slot->answer = evbuffer_new();
	return slot->answer == NULL ? -1 : evbuffer_add(slot->answer, text, length);
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
	if (keep_answer(slot, text, length) != 0)
		client->failed = true; /* an answer can't be left out: the order would be lost */
	else
		control_write_answers(client);
	if (!client->taking)
		event_active(client->proceed, EV_TIMEOUT, 0);
}
