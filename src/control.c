#include "config.h"

#include "control.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control_client.h"
#include "jail.h"
#include "keep.h"
#include "limit.h"
#include "listen.h"
#include "log.h"
#include "reaper.h"
#include "request.h"
#include "stats.h"
#include "timer.h"
#include "util.h"

/* Input of one client that waits to be taken: one line that is too long can be told from one that is not. */
#define INPUT_MAX (2 * REQUEST_LINE_MAX)

/* Of the listener, when the system has run out of something. */
#define REST_MS 1000

struct client_list control_all = LIST_HEAD_INITIALIZER(control_all);
static unsigned client_count;
static struct evconnlistener *listener;
static struct event *rest_timer; /* the listener rests when descriptors have run out */
static struct event_base *base;
static const char *socket_path;
static bool closing;
static bool paused; /* no request is taken for now */
static bool group_admitted;

/* Whatever of it there is. */
static void
release(struct client *client)
{
	if (client->timer != NULL)
		event_free(client->timer);
	if (client->proceed != NULL)
		event_free(client->proceed);
	if (client->ready != NULL)
		evbuffer_free(client->ready);
	if (client->stream != NULL)
		bufferevent_free(client->stream);
	free(client);
}

static void
free_client(struct client *client)
{
	control_drop_slots(client);
	if (client->held != NULL)
		request_discard(client->held);
	if (client->feed != NULL)
		client->feed->closed(client->feed);
	LIST_REMOVE(client, link);
	client_count--;
	release(client);
}

static size_t
unread_input(const struct client *client)
{
	return evbuffer_get_length(bufferevent_get_input(client->stream));
}

/* After each step: is the client done (then it is freed), or how long may it be silent now? It is not while there is
 * input that waits for room, or for the end of a pause. */
static void
settle(struct client *client)
{
	if (client->failed || (control_is_done(client) && unread_input(client) == 0)) {
		free_client(client);
		return;
	}
	if (!control_is_idle(client))
		evtimer_del(client->timer); /* NOLINT(bugprone-branch-clone): the first that is true counts */
	else if (client->feed != NULL && client->at_end)
		timer_set(client->timer, CONTROL_LOOK_MS);
	else if (!client->asked || unread_input(client) > 0)
		timer_set(client->timer, limits()->client_silence_ms);
	else if (client->keep)
		evtimer_del(client->timer);
	else
		timer_set(client->timer, CONTROL_LINGER_MS);
}

/* Never frees the client: that is settle's. */
static void
run(struct client *client, struct request *request)
{
	struct slot *slot = calloc(1, sizeof(*slot));

	if (slot == NULL) {
		request_discard(request);
		client->failed = true;
		return;
	}
	slot->client = client;
	TAILQ_INSERT_TAIL(&client->slots, slot, link);
	client->outstanding++;
	client->asked = true;
	client->keep = client->keep || request->keep;
	client->alone = !request_may_overlap(request);
	request->follow = control_follow;
	request->parts = control_answered_in_parts;
	request_run(request, control_answered, slot);
}

static struct request *
refuse_long_line(struct client *client)
{
	client->discarding = true;
	return request_refuse(ERR_TOO_LARGE, "a request may have 65536 bytes at most");
}

/* Takes one line out of the input. NULL: there is none yet, or no memory for it (failed is set). */
static struct request *
next_request(struct client *client)
{
	struct evbuffer *input = bufferevent_get_input(client->stream);
	struct evbuffer_ptr end = evbuffer_search_eol(input, NULL, NULL, EVBUFFER_EOL_LF);
	bool whole = end.pos >= 0;
	size_t length = whole ? (size_t)end.pos : evbuffer_get_length(input);
	struct request *request = NULL;
	char *line;

	if (client->discarding) {
		evbuffer_drain(input, length + whole);
		client->discarding = !whole;
		return whole ? next_request(client) : NULL;
	}
	if (length > REQUEST_LINE_MAX)
		return refuse_long_line(client);
	if (!whole && !(client->at_end && length > 0))
		return NULL;
	if (closing)
		request = request_refuse(ERR_STOPPING, "the daemon is stopping");
	else if (length == 0)
		request = request_parse("", 0);
	else if ((line = (char *)evbuffer_pullup(input, (ev_ssize_t)length)) != NULL)
		request = request_parse(line, length);
	evbuffer_drain(input, length + whole);
	client->failed = request == NULL;
	if (request != NULL && client->looks_only)
		request_restrict(request);
	return request;
}

static bool
may_take_more(const struct client *client)
{
	if (client->outstanding > 0 && client->alone)
		return false;
	return !client->failed && client->outstanding < limits()->client_requests &&
	       control_has_room(client);
}

/* Switched off by hand while there is enough to do: a bufferevent whose input stays at its high watermark calls back
 * again and again, and it doesn't survive setting one without memory. */
static void
set_reading(struct client *client)
{
	bool wanted = !client->at_end && unread_input(client) < INPUT_MAX;

	if (wanted == client->reading)
		return;
	client->reading = wanted;
	if (wanted)
		client->failed |= bufferevent_enable(client->stream, EV_READ) != 0;
	else
		bufferevent_disable(client->stream, EV_READ);
}

/* What is not sent at once the stream will tell of, when it is sent. If all is, whoever stopped for lack of room
 * goes on by itself, after everybody else had a turn.
 *
 * Nobody hears anything while a change waits to be kept: it could be what an answer rests on, as with a probe that
 * was pressed while it was being armed. tests/model/probe.pml has that order. */
static void
send_ready(struct client *client)
{
	bool full = !control_has_room(client) || !control_has_feed_room(client);

	if (keep_is_waiting()) {
		event_active(client->proceed, EV_TIMEOUT, 0);
		return;
	}
	control_flush(client);
	if (full && control_backlog(client) == 0)
		timer_set(client->proceed, 0);
}

/* Runs what can be run now. Every complete line is drained in one go; while the client owes us its
 * reading, the rest stays where it is, and the stream stops reading at its own limit. */
static void
take_input(struct client *client)
{
	client->taking = true;
	control_write_answers(client);
	while (may_take_more(client)) {
		struct request *request = client->held;

		client->held = NULL;
		if (request == NULL && (paused || (request = next_request(client)) == NULL))
			break;
		if (client->outstanding > 0 && !request_may_overlap(request)) {
			client->held = request;
			break;
		}
		run(client, request);
	}
	client->taking = false;
	control_draw(client);
	send_ready(client);
	set_reading(client);
	settle(client);
}

static void
stream_readable(struct bufferevent *stream, void *arg)
{
	(void)stream;
	reaper_make_room();
	take_input(arg);
}

static void
stream_written(struct bufferevent *stream, void *arg)
{
	(void)stream;
	take_input(arg);
}

static void
proceed(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	take_input(arg);
}

static void
stream_event(struct bufferevent *stream, short what, void *arg)
{
	struct client *client = arg;

	(void)stream;
	if (what & (BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT))
		client->failed = true;
	client->at_end = true;
	take_input(client);
}

/* It was silent for too long; or it follows, and it is time to look whether it is still there. */
static void
timer_expired(evutil_socket_t fd, short what, void *arg)
{
	struct client *client = arg;

	(void)fd;
	(void)what;
	if (client->feed == NULL)
		free_client(client);
	else
		settle(client);
}

struct client *
control_create_client(int fd)
{
	const struct timeval unread = timer_span(limits()->client_unread_ms);
	struct client *client = calloc(1, sizeof(*client));

	if (client == NULL)
		return NULL;
	TAILQ_INIT(&client->slots);
	client->timer = evtimer_new(base, timer_expired, client);
	client->proceed = evtimer_new(base, proceed, client);
	client->ready = evbuffer_new();
	if (client->timer != NULL && client->proceed != NULL && client->ready != NULL)
		client->stream = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (client->stream == NULL) {
		release(client);
		return NULL;
	}
	LIST_INSERT_HEAD(&control_all, client, link);
	client_count++;
	bufferevent_setcb(client->stream, stream_readable, stream_written, stream_event, client);
	bufferevent_set_timeouts(client->stream, NULL, &unread);
	return client;
}

/* A line for somebody who gets no connection. Whether it arrives is his own affair. */
static void
turn_away(int fd, const struct error *e)
{
	struct request *request = request_refuse(e->code, e->text);
	int *place = &fd;

	stats.clients_refused++;
	if (request != NULL)
		request_run(request, listen_say_once, place);
	close(fd);
}

/* Whoever connected without being root was let in by the socket's mode, which without a control group
 * only root passes. */
static int
check_peer(int fd, bool *looks_only, struct error *e)
{
	uid_t uid;

	if (jail_check_peer(fd, &uid, e) != 0)
		return -1;
	*looks_only = uid != 0 && uid != geteuid();
	if (*looks_only && !group_admitted)
		return error_set(e, ERR_DENIED, "user %u may not use this socket", (unsigned)uid);
	return 0;
}

static void
accepted(struct evconnlistener *from, evutil_socket_t fd, struct sockaddr *address, int length, void *arg)
{
	struct client *client = NULL;
	bool looks_only;
	struct error e;

	(void)from;
	(void)address;
	(void)length;
	(void)arg;
	if (check_peer(fd, &looks_only, &e) != 0) {
		log_warn("event=denied why=\"%s\"", e.text);
		turn_away(fd, &e);
		return;
	}
	if (client_count >= limits()->clients)
		error_set(&e, ERR_LIMIT, "there are %u clients already", client_count);
	else if ((client = control_create_client(fd)) == NULL)
		error_no_memory(&e);
	if (client == NULL) {
		turn_away(fd, &e);
		return;
	}
	stats.clients++;
	client->looks_only = looks_only;
	client->reading = true;
	/* Writing it is already, and asking for it would cost a look. */
	client->failed = bufferevent_enable(client->stream, EV_READ) != 0;
	settle(client);
}

/* Out of descriptors, most likely: accepting would fail again at once, for ever. */
static void
accept_failed(struct evconnlistener *from, void *arg)
{
	(void)arg;
	log_warn("event=error why=\"accept: %s\"", strerror(errno));
	evconnlistener_disable(from);
	timer_set(rest_timer, REST_MS);
}

static void
take_clients(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (listener != NULL && !paused && evconnlistener_enable(listener) != 0)
		timer_set(rest_timer, REST_MS);
}

int
control_adopt(struct event_base *event_base, const char *path, int fd, struct error *e)
{
	base = event_base;
	socket_path = path;
	rest_timer = evtimer_new(base, take_clients, NULL);
	listener = evconnlistener_new(base, accepted, NULL,
				      LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_DISABLED, 0, fd);
	if (rest_timer == NULL || listener == NULL)
		return error_no_memory(e);
	evconnlistener_set_error_cb(listener, accept_failed);
	if (evconnlistener_enable(listener) != 0)
		return error_set(e, ERR_INTERNAL, "the system can't watch the socket: %s", strerror(errno));
	return 0;
}

int
control_listen(struct event_base *event_base, const char *path, struct error *e)
{
	int fd = listen_open(path, e);

	if (fd < 0)
		return -1;
	if (control_adopt(event_base, path, fd, e) == 0)
		return 0;
	if (listener == NULL)
		close(fd);
	unlink(path);
	return -1;
}

int
control_listener(void)
{
	return evconnlistener_get_fd(listener);
}

bool
control_is_paused(void)
{
	return paused;
}

void
control_pause(bool wanted)
{
	struct client *client;

	paused = wanted;
	if (paused) {
		evconnlistener_disable(listener);
		return;
	}
	take_clients(-1, 0, NULL);
	LIST_FOREACH(client, &control_all, link)
		event_active(client->proceed, EV_TIMEOUT, 0);
}

int
control_admit_group(const gid_t *group, struct error *e)
{
	struct client *client;

	LIST_FOREACH(client, &control_all, link) {
		client->failed = client->failed || client->looks_only;
		event_active(client->proceed, EV_TIMEOUT, 0);
	}
	/* At no time may the one group have the mode that is meant for the other. */
	group_admitted = false;
	if (chmod(socket_path, 0600) != 0 ||
	    chown(socket_path, (uid_t)-1, group == NULL ? getegid() : *group) != 0 ||
	    (group != NULL && chmod(socket_path, 0660) != 0))
		return error_set(e, ERR_INTERNAL, "%s: %s", socket_path, strerror(errno));
	group_admitted = group != NULL;
	return 0;
}

void
control_close(void)
{
	struct client *client, *next;

	closing = true;
	if (listener != NULL) {
		unlink(socket_path);
		evconnlistener_free(listener);
	}
	listener = NULL;
	for (client = LIST_FIRST(&control_all); client != NULL; client = next) {
		next = LIST_NEXT(client, link);
		client->at_end = client->at_end || !client->keep;
		event_active(client->proceed, EV_TIMEOUT, 0);
	}
}

void
control_drop_all(void)
{
	while (!LIST_EMPTY(&control_all))
		free_client(LIST_FIRST(&control_all));
}

unsigned
control_clients(void)
{
	return client_count;
}
