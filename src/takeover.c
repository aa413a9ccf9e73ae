/* A daemon in the place of another one, in the same process: the other side of upgrade.c. */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach.h"
#include "commands.h"
#include "conf.h"
#include "configured.h"
#include "control.h"
#include "handover.h"
#include "log.h"
#include "notify.h"
#include "pidlock.h"
#include "queue.h"
#include "reaper.h"
#include "reload.h"
#include "server.h"
#include "server_parts.h"
#include "spawn.h"
#include "store.h"
#include "tell.h"
#include "upgrade.h"
#include "util.h"
#include "watch.h"

static int
look_at_handover(int fd)
{
	char path[PATH_MAX];
	struct handover h;
	struct conf checked = {0};
	struct error e;
	bool good = handover_read(fd, &h, &e) == 0 && handover_resume(&h, false, &e) == 0 &&
		    conf_load(h.config[0] != '\0' ? h.config : NULL, &checked, &e, 1) == 0 &&
		    attach_find_program(path, sizeof(path), &e) == 0;

	conf_clear(&checked);
	handover_clear(&h);
	if (!good)
		fprintf(stderr, "jaildaemon: %s\n", e.text);
	return good ? 0 : 1;
}

static void
take_server(const struct handover *h)
{
	server.foreground = h->foreground;
	log_open(server.foreground);
	server.started_ms = h->started_ms;
	server.began_ms = h->began_ms;
	memcpy(server.socket, h->socket, sizeof(server.socket));
	memcpy(server.pidfile, h->pidfile, sizeof(server.pidfile));
	pidlock_adopt(server.pidfile, h->pidfile_fd);
	memcpy(server.state, h->state, sizeof(server.state));
	memcpy(server.config, h->config, sizeof(server.config));
	spawn_set_start_limit(h->files);
	handover_take_fd(h->listener_fd);
	handover_take_fd(h->store_fd);
	handover_take_fd(h->pidfile_fd);
}

/* It was good a moment ago. If it isn't any more, what is configured stays as it is until it is. */
static bool
take_configuration(void)
{
	struct error e;

	if (reload_prepare(server.config[0] != '\0' ? server.config : NULL, &e) == 0)
		return true;
	log_error("event=error why=\"%s\"", e.text);
	return false;
}

static int
take_state(struct handover *h, struct error *e)
{
	int result;

	if (h->store_fd >= 0 && (store_adopt(server.state, h->store_fd, e) != 0 || server_keep(e) != 0))
		return -1;
	h->note_spent = configured_note_spent;
	h->note_event = watch_keep;
	watch_go_on((uint64_t)h->last_event, (uint64_t)h->dropped_event);
	queue_pause(true); /* until the runs that go on have their places */
	result = handover_resume(h, true, e);
	queue_pause(false);
	return result;
}

static int
take_clients(const struct handover *h, struct error *e)
{
	char *answer = commands_upgraded(h->id);
	int failed = answer == NULL ? -1 : 0;

	for (size_t i = 0; i < h->client_count && failed == 0; i++) {
		const struct handover_client *client = &h->clients[i];
		struct request_feed *feed = client->follows ? watch_resume(&client->feed) : NULL;

		handover_take_fd(client->fd);
		failed = client->follows && feed == NULL ? -1 : control_resume(client, answer, feed);
	}
	free(answer);
	return failed == 0 ? 0 : error_no_memory(e);
}

static int
take_over(int fd, char *const *argv, struct error *e)
{
	struct handover h;
	int result = -1;
	bool configured;

	if (spawn_init() != 0)
		return error_set(e, ERR_INTERNAL, "preparing the process: %s", strerror(errno));
	if (handover_read(fd, &h, e) == 0) {
		take_server(&h);
		configured = take_configuration();
		if (server_start_loop(argv, e) == 0 &&
		    control_adopt(server.base, server.socket, h.listener_fd, e) == 0 &&
		    take_state(&h, e) == 0 && (!configured || reload_start(e) == 0))
			result = take_clients(&h, e);
	}
	handover_clear(&h);
	close(fd);
	return result;
}

int
server_take_over(const char *how, char *const *argv)
{
	int64_t fd;
	struct error e;

	if (strcmp(how, UPGRADE_TRY) == 0)
		return look_at_handover(ATTACH_INHERITED_FD);
	if (!util_parse_number(how, 0, INT32_MAX, &fd))
		return 1;
	if (take_over((int)fd, argv, &e) != 0) {
		log_error("event=error why=\"taking over: %s\"", e.text);
		return 1;
	}
	tell(TELL_DAEMON_UPGRADED, NULL, TELL_TEXT("version", PACKAGE_VERSION),
	     TELL_NUMBER("pid", getpid()), TELL_END);
	notify_ready();	   /* the program before this one may have been reloading */
	reaper_reap_all(); /* whose signal went to the program before this one */
	return server_serve();
}
