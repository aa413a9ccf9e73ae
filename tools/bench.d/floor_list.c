/* The floor of a list: the least that a program with libevent must do to answer with the same bytes. It has learned
 * from an answer of the daemon what there is, keeps it as numbers, and prints it straight into a buffer for whoever
 * sends a line. usage: floor_list SOCKET ANSWER */
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define LIST_BACKLOG 8
#define LIST_MOST    100000

/* The probes of the row "list" differ in a few numbers; what is open here is read and printed alike. */
#define LIST_BEGIN "{\"ok\":true,\"probes\":["
#define LIST_END   "]}\n"
#define LIST_PROBE(CREATED)                                                                        \
	"{\"probe\":%ld,\"name\":null,\"jail\":%ld,\"jid\":%ld,\"pid\":%ld,\"title\":\"BENCH\","    \
	"\"command\":[\"true\"],\"respawn\":\"after\",\"uid\":null,\"gid\":null,\"sticky\":false,"  \
	"\"cooldown\":null,\"timeout\":null,\"max_runs\":null,\"show_status\":false,"               \
	"\"state\":\"armed\",\"created\":\"" CREATED "\",\"triggers\":0,\"runs\":0,"                \
	"\"coalesced\":0,\"throttled\":0,\"last\":null}"

struct probe {
	long number;
	long jail;
	long jid;
	long pid;
	char created[32];
};

static struct probe *probes;
static size_t probe_count;

static void
list_learn_probe(const char *text)
{
	struct probe *probe = &probes[probe_count];

	if (probe_count == LIST_MOST ||
	    sscanf(text, LIST_PROBE("%31[^\"]"), &probe->number, &probe->jail, &probe->jid, &probe->pid,
		   probe->created) != 5)
		bench_fail("the %zuth probe is not as expected: %s", probe_count + 1, text);
	probe_count++;
}

/* Each probe for itself, for the length of what it reads counts for sscanf. */
static void
list_learn(const char *path)
{
	FILE *answer = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	if (answer == NULL || (probes = calloc(LIST_MOST, sizeof(*probes))) == NULL)
		bench_fail("%s: %s", path, strerror(errno));
	getdelim(&text, &size, '[', answer);
	while (getdelim(&text, &size, '}', answer) > 1 && strcmp(text, "]}") != 0)
		list_learn_probe(text + (*text == ','));
	free(text);
	fclose(answer);
}

static void
list_read(struct bufferevent *stream, void *argument)
{
	struct evbuffer *input = bufferevent_get_input(stream), *output = bufferevent_get_output(stream);
	const struct probe *probe;
	char *line;

	(void)argument;
	while ((line = evbuffer_readln(input, NULL, EVBUFFER_EOL_LF)) != NULL) {
		free(line);
		evbuffer_add(output, LIST_BEGIN, strlen(LIST_BEGIN));
		for (probe = probes; probe < probes + probe_count; probe++)
			evbuffer_add_printf(output, &","LIST_PROBE("%s")[probe == probes], probe->number,
					    probe->jail, probe->jid, probe->pid, probe->created);
		evbuffer_add(output, LIST_END, strlen(LIST_END));
	}
}

static void
list_end(struct bufferevent *stream, short what, void *argument)
{
	(void)what;
	(void)argument;
	bufferevent_free(stream);
}

static void
list_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address, int length,
	    void *base)
{
	struct bufferevent *stream = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);

	(void)listener;
	(void)address;
	(void)length;
	bufferevent_setcb(stream, list_read, NULL, list_end, NULL);
	bufferevent_enable(stream, EV_READ);
}

int
main(int argc, char **argv)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct event_base *base = event_base_new();

	if (argc != 3 || strlen(argv[1]) >= sizeof(address.sun_path))
		bench_fail("usage: %s socket answer", argv[0]);
	list_learn(argv[2]);
	memcpy(address.sun_path, argv[1], strlen(argv[1]) + 1);
	if (base == NULL || evconnlistener_new_bind(base, list_accept, base, LEV_OPT_CLOSE_ON_EXEC,
						    LIST_BACKLOG, (struct sockaddr *)&address,
						    sizeof(address)) == NULL)
		bench_fail("%s: %s", argv[1], strerror(errno));
	return event_base_dispatch(base) == 0 ? 0 : 1;
}
