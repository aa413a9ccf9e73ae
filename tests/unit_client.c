/* The other end of the control socket, in the same event loop. */
#include "config.h"

#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "listen.h"
#include "unit.h"

const char *
unit_control_begin(void)
{
	static char path[104]; /* as much as a socket's path may have everywhere */
	struct error e = {.text = ""};

	signal(SIGPIPE, SIG_IGN); /* as the daemon does */
	ck_assert_uint_lt(strlen(unit_directory()), sizeof(path) - 2);
	snprintf(path, sizeof(path), "%.100s/s", unit_directory());
	ck_assert_msg(control_listen(unit_base(), path, &e) == 0, "%s", e.text);
	return path;
}

static void
readable(evutil_socket_t fd, short what, void *arg)
{
	struct unit_client *client = arg;
	char buffer[65536];
	ssize_t got = recv(fd, buffer, sizeof(buffer), 0);

	(void)what;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		client->ended = true;
		event_del(client->readable);
		return;
	}
	client->text = realloc(client->text, client->length + (size_t)got + 1);
	ck_assert_ptr_nonnull(client->text);
	memcpy(client->text + client->length, buffer, (size_t)got);
	client->length += (size_t)got;
	client->text[client->length] = '\0';
}

void
unit_client_open(struct unit_client *client, const char *path)
{
	*client = (struct unit_client){.fd = listen_connect(path)};
	ck_assert_int_ge(client->fd, 0);
	ck_assert_int_eq(fcntl(client->fd, F_SETFL, O_NONBLOCK), 0);
	client->text = calloc(1, 1);
	client->readable =
	    event_new(unit_base(), client->fd, EV_READ | EV_PERSIST, readable, client);
	ck_assert_ptr_nonnull(client->text);
	ck_assert_ptr_nonnull(client->readable);
	ck_assert_int_eq(event_add(client->readable, NULL), 0);
}

void
unit_client_close(struct unit_client *client)
{
	event_free(client->readable);
	close(client->fd);
	free(client->text);
}

static bool
can_send(void *arg)
{
	ssize_t *sent = arg;

	return *sent >= 0;
}

struct sending {
	ssize_t sent;
	int fd;
	const char *bytes;
	size_t length;
};

static void
send_some(evutil_socket_t fd, short what, void *arg)
{
	struct sending *sending = arg;

	(void)what;
	sending->sent = send(fd, sending->bytes, sending->length, MSG_NOSIGNAL);
	ck_assert(sending->sent >= 0 || errno == EAGAIN);
}

void
unit_client_send_bytes(struct unit_client *client, const char *bytes, size_t length)
{
	while (length > 0) {
		struct sending sending = {.sent = -1, .bytes = bytes, .length = length};
		struct event *writable =
		    event_new(unit_base(), client->fd, EV_WRITE | EV_PERSIST, send_some, &sending);

		ck_assert_ptr_nonnull(writable);
		event_add(writable, NULL);
		unit_wait(can_send, &sending.sent, "the daemon reads");
		event_free(writable);
		bytes += sending.sent;
		length -= (size_t)sending.sent;
	}
}

void
unit_client_send(struct unit_client *client, const char *text)
{
	char *real = unit_quotes(text);

	unit_client_send_bytes(client, real, strlen(real));
	free(real);
}

void
unit_client_end(struct unit_client *client)
{
	ck_assert_int_eq(shutdown(client->fd, SHUT_WR), 0);
}

unsigned
unit_client_lines(const struct unit_client *client)
{
	unsigned lines = 0;

	for (const char *c = client->text; (c = strchr(c, '\n')) != NULL; c++)
		lines++;
	return lines;
}

struct wanted {
	const struct unit_client *client;
	unsigned lines;
};

static bool
has_lines(void *arg)
{
	const struct wanted *wanted = arg;

	ck_assert_msg(!wanted->client->ended || unit_client_lines(wanted->client) >= wanted->lines,
		      "closed after: %s", wanted->client->text);
	return unit_client_lines(wanted->client) >= wanted->lines;
}

void
unit_client_wait_lines(struct unit_client *client, unsigned lines)
{
	struct wanted wanted = {.client = client, .lines = lines};

	unit_wait(has_lines, &wanted, "answers");
}

static bool
has_ended(void *arg)
{
	const struct unit_client *client = arg;

	return client->ended;
}

void
unit_client_wait_end(struct unit_client *client)
{
	unit_wait(has_ended, client, "the end of the connection");
}

void
unit_client_check(const struct unit_client *client, const char *wanted)
{
	char *real = unit_quotes(wanted);

	ck_assert_str_eq(client->text, real);
	free(real);
}
