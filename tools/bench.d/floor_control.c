/* The floor of a conversation: the least that a server with libevent and jansson must do for a line of JSON that
 * is answered with one. usage: floor_control SOCKET */
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define CONTROL_BACKLOG 128

static json_t *
control_answer(const char *line, size_t length)
{
	json_t *request = json_loadb(line, length, 0, NULL);
	const char *op = json_string_value(json_object_get(request, "op"));
	json_t *answer;

	if (op != NULL && strcmp(op, "ping") == 0)
		answer = json_pack("{sb ss}", "ok", 1, "version", "0");
	else
		answer = json_pack("{sb}", "ok", 0);
	json_decref(request);
	return answer;
}

static void
control_read(struct bufferevent *stream, void *argument)
{
	struct evbuffer *input = bufferevent_get_input(stream);
	size_t length, size;
	char *line, text[256];
	json_t *answer;

	(void)argument;
	while ((line = evbuffer_readln(input, &length, EVBUFFER_EOL_LF)) != NULL) {
		answer = control_answer(line, length);
		size = json_dumpb(answer, text, sizeof(text) - 1, JSON_COMPACT);
		text[size++] = '\n';
		bufferevent_write(stream, text, size);
		json_decref(answer);
		free(line);
	}
}

static void
control_end(struct bufferevent *stream, short what, void *argument)
{
	(void)what;
	(void)argument;
	bufferevent_free(stream);
}

static void
control_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address, int length,
	       void *base)
{
	struct bufferevent *stream = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);

	(void)listener;
	(void)address;
	(void)length;
	bufferevent_setcb(stream, control_read, NULL, control_end, NULL);
	bufferevent_enable(stream, EV_READ);
}

int
main(int argc, char **argv)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct event_base *base = event_base_new();

	if (argc != 2 || strlen(argv[1]) >= sizeof(address.sun_path))
		bench_fail("usage: %s socket", argv[0]);
	memcpy(address.sun_path, argv[1], strlen(argv[1]) + 1);
	if (base == NULL || evconnlistener_new_bind(base, control_accept, base, LEV_OPT_CLOSE_ON_EXEC,
						    CONTROL_BACKLOG, (struct sockaddr *)&address,
						    sizeof(address)) == NULL)
		bench_fail("%s: %s", argv[1], strerror(errno));
	return event_base_dispatch(base) == 0 ? 0 : 1;
}
