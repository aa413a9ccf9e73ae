/* Connections that go from one daemon to the next: between their bytes that were read and those that are
 * still to be sent nothing may be lost. */
#include "config.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "control_client.h"
#include "handover.h"

unsigned
control_outstanding(void)
{
	const struct client *client;
	unsigned count = 0;

	LIST_FOREACH(client, &control_all, link)
		count += client->outstanding + (client->held != NULL);
	return count;
}

bool
control_is_there(const void *reply_arg)
{
	const struct slot *slot = reply_arg;

	return slot->client != NULL;
}

/* -1: no memory. */
static int
copy_bytes(struct evbuffer *from, char **bytes, size_t *length)
{
	*length = evbuffer_get_length(from);
	*bytes = malloc(*length + 1);
	if (*bytes == NULL)
		return -1;
	return evbuffer_copyout(from, *bytes, *length) == (ev_ssize_t)*length ? 0 : -1;
}

static int
save_client(struct client *client, struct handover_client *saved)
{
	struct evbuffer *input = bufferevent_get_input(client->stream);
	struct evbuffer *output = bufferevent_get_output(client->stream);
	int copied;

	*saved = (struct handover_client){.fd = bufferevent_getfd(client->stream),
					.looks_only = client->looks_only,
					.asked = client->asked,
					.keep = client->keep,
					.discarding = client->discarding,
					.at_end = client->at_end,
					.follows = client->feed != NULL,
					.waits = client->outstanding > 0};
	if (client->feed != NULL)
		client->feed->save(client->feed, &saved->feed);
	control_flush(client);
	if (copy_bytes(input, &saved->input, &saved->input_length) != 0)
		return -1;
	evbuffer_unfreeze(output, 1); /* a stream lets nobody touch the front of its output, not even to copy it */
	copied = copy_bytes(output, &saved->output, &saved->output_length);
	evbuffer_freeze(output, 1);
	return copied;
}

struct handover_client *
control_save(size_t *count, struct error *e)
{
	struct handover_client *list = calloc(control_clients() + 1, sizeof(*list));
	struct client *client;

	*count = 0;
	if (list == NULL) {
		error_no_memory(e);
		return NULL;
	}
	LIST_FOREACH(client, &control_all, link)
		if (!client->failed && save_client(client, &list[(*count)++]) != 0) {
			control_forget_saved(list, *count);
			error_no_memory(e);
			return NULL;
		}
	return list;
}

void
control_forget_saved(struct handover_client *list, size_t count)
{
	for (size_t i = 0; list != NULL && i < count; i++) {
		free(list[i].input);
		free(list[i].output);
	}
	free(list);
}

int
control_resume(const struct handover_client *saved, const char *answer, struct request_feed *feed)
{
	struct client *client = control_create_client(saved->fd);
	struct evbuffer *input, *output;

	if (client == NULL)
		return -1;
	if (feed != NULL)
		control_give_feed(client, feed);
	input = bufferevent_get_input(client->stream);
	output = bufferevent_get_output(client->stream);
	client->looks_only = saved->looks_only;
	client->asked = saved->asked;
	client->keep = saved->keep;
	client->discarding = saved->discarding;
	client->at_end = saved->at_end;
	client->reading = !saved->at_end;
	if (bufferevent_enable(client->stream, client->reading ? EV_READ | EV_WRITE : EV_WRITE) != 0)
		return -1;
	evbuffer_unfreeze(input, 0);
	if (evbuffer_add(input, saved->input, saved->input_length) != 0 ||
	    evbuffer_add(output, saved->output, saved->output_length) != 0 ||
	    (saved->waits && evbuffer_add(output, answer, strlen(answer)) != 0))
		return -1;
	evbuffer_freeze(input, 0);
	event_active(client->proceed, EV_TIMEOUT, 0);
	return 0;
}
