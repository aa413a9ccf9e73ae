/* Lines that follow an answer, drawn as the client takes them; and when a connection is over. */
#include "config.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "control.h"
#include "control_client.h"
#include "listen.h"

size_t
control_backlog(const struct client *client)
{
	return evbuffer_get_length(client->ready) +
	       evbuffer_get_length(bufferevent_get_output(client->stream));
}

bool
control_has_feed_room(const struct client *client)
{
	return client->feed == NULL || control_backlog(client) < CONTROL_FEED_BYTES;
}

bool
control_is_idle(const struct client *client)
{
	return client->outstanding == 0 && client->held == NULL && control_backlog(client) == 0;
}

/* Called from wherever something is told, so the rest is left to the event loop. */
static void
wake(void *arg)
{
	struct client *client = arg;

	event_active(client->proceed, EV_TIMEOUT, 0);
}

/* Who follows may pause for as long as it likes: it costs no more than CONTROL_FEED_BYTES. */
void
control_give_feed(struct client *client, struct request_feed *feed)
{
	feed->wake = wake;
	feed->client = client;
	client->feed = feed;
	client->keep = true;
	bufferevent_set_timeouts(client->stream, NULL, NULL);
}

bool
control_follow(void *arg, struct request_feed *feed)
{
	struct slot *slot = arg;

	if (slot->client->feed != NULL)
		return false;
	control_give_feed(slot->client, feed);
	return true;
}

void
control_draw(struct client *client)
{
	const char *line;
	size_t length;

	while (client->feed != NULL && !client->failed && control_has_feed_room(client) &&
	       (line = client->feed->next(client->feed, &length)) != NULL)
		client->failed = evbuffer_add(client->ready, line, length) != 0;
}

/* One that follows and has closed its own side only still wants what it asked for. Whether it has
 * closed all of the connection has to be looked at, because reading says the same of both. */
bool
control_is_done(const struct client *client)
{
	if (client->failed)
		return true;
	if (!client->at_end || !control_is_idle(client))
		return false;
	return client->feed == NULL || listen_has_hung_up(bufferevent_getfd(client->stream));
}

/* One that follows and doesn't read is not waited for. */
static bool
is_waited_for(const struct client *client)
{
	if (client->feed == NULL)
		return !control_is_idle(client) || client->at_end;
	return !control_is_idle(client) && control_backlog(client) < CONTROL_FEED_BYTES;
}

bool
control_is_busy(void)
{
	const struct client *client;

	LIST_FOREACH(client, &control_all, link)
		if (is_waited_for(client))
			return true;
	return false;
}
