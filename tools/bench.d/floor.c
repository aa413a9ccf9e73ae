/* The floor: the least that a program with libevent must do for a button. One probe in a jail;
 * SIGCHLD as an event; on the magic exit the command by posix_spawn, its output through a pipe; the
 * next probe once the run has ended. usage: floor SOCKET JID PROBE COMMAND [ARGUMENT ...]; a line
 * sent to the socket is answered with the probe's state. */
#define _GNU_SOURCE
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

struct floor {
	struct event_base *base;
	struct event *child; /* SIGCHLD */
	struct event *listener;
	struct event *client;
	struct event *output; /* NULL once the run's output has ended */
	struct os_door door;
	char *probe[2];
	char **command;
	pid_t armed; /* the probe that waits, or 0 */
	pid_t run;   /* the command that runs, or 0 */
};

extern char **environ;

static void
floor_arm(struct floor *floor)
{
	int ready[2];
	char byte;

	if (pipe2(ready, O_CLOEXEC) == -1)
		bench_fail("pipe: %s", strerror(errno));
	floor->armed = os_door_spawn(&floor->door, floor->probe, ready[1]);
	close(ready[1]);
	if (floor->armed == -1 || read(ready[0], &byte, 1) != 1)
		bench_fail("the floor's probe can't be armed");
	close(ready[0]);
}

static void
floor_run_ended(struct floor *floor)
{
	if (floor->run == 0 && floor->output == NULL)
		floor_arm(floor);
}

static void
floor_output(evutil_socket_t fd, short what, void *argument)
{
	struct floor *floor = argument;
	char text[4096];

	(void)what;
	if (read(fd, text, sizeof(text)) > 0)
		return;
	event_free(floor->output);
	close(fd);
	floor->output = NULL;
	floor_run_ended(floor);
}

static void
floor_run(struct floor *floor)
{
	posix_spawn_file_actions_t actions;
	int output[2];

	if (pipe2(output, O_CLOEXEC | O_NONBLOCK) == -1)
		bench_fail("pipe: %s", strerror(errno));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, output[1], STDERR_FILENO);
	errno =
	    posix_spawn(&floor->run, floor->command[0], &actions, NULL, floor->command, environ);
	if (errno != 0)
		bench_fail("%s: %s", floor->command[0], strerror(errno));
	posix_spawn_file_actions_destroy(&actions);
	close(output[1]);
	floor->output =
	    event_new(floor->base, output[0], EV_READ | EV_PERSIST, floor_output, floor);
	event_add(floor->output, NULL);
}

static void
floor_reap(evutil_socket_t number, short what, void *argument)
{
	struct floor *floor = argument;
	pid_t pid;
	int status;

	(void)number;
	(void)what;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == floor->run) {
			floor->run = 0;
			floor_run_ended(floor);
		} else if (pid == floor->armed) {
			floor->armed = 0;
			if (!WIFEXITED(status) || WEXITSTATUS(status) != FLOOR_MAGIC)
				bench_fail("the floor's probe ended with status %d", status);
			floor_run(floor);
		}
	}
}

static void
floor_answer(evutil_socket_t fd, short what, void *argument)
{
	struct floor *floor = argument;
	char text[4096], answer[64];
	ssize_t size = read(fd, text, sizeof(text));

	(void)what;
	if (size <= 0)
		exit(0);
	if (text[size - 1] != '\n')
		return;
	size = snprintf(answer, sizeof(answer), "{\"pid\":%ld,\"state\":\"%s\"}\n",
			(long)floor->armed, floor->armed != 0 ? "armed" : "running");
	if (write(fd, answer, (size_t)size) != size)
		bench_fail("answer: %s", strerror(errno));
}

static void
floor_accept(evutil_socket_t listener, short what, void *argument)
{
	struct floor *floor = argument;
	int fd;

	(void)what;
	if ((fd = accept(listener, NULL, NULL)) == -1)
		bench_fail("accept: %s", strerror(errno));
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	floor->client = event_new(floor->base, fd, EV_READ | EV_PERSIST, floor_answer, floor);
	event_add(floor->client, NULL);
}

static int
floor_listen(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		bench_fail("%s: too long for a socket", path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1 || bind(fd, (struct sockaddr *)&address, sizeof(address)) == -1 ||
	    listen(fd, 8) == -1)
		bench_fail("%s: %s", path, strerror(errno));
	return fd;
}

int
main(int argc, char **argv)
{
	static struct floor floor;

	if (argc < 5)
		bench_fail("usage: %s socket jid probe command [argument ...]", argv[0]);
	if ((floor.base = event_base_new()) == NULL)
		bench_fail("no event base");
	os_door_open(&floor.door, (int)strtol(argv[2], NULL, 10));
	floor.probe[0] = argv[3];
	floor.command = &argv[4];
	floor.child = evsignal_new(floor.base, SIGCHLD, floor_reap, &floor);
	event_add(floor.child, NULL);
	floor_arm(&floor);
	floor.listener = event_new(floor.base, floor_listen(argv[1]), EV_READ | EV_PERSIST,
				   floor_accept, &floor);
	event_add(floor.listener, NULL);
	return event_base_dispatch(floor.base) == 0 ? 0 : 1;
}
