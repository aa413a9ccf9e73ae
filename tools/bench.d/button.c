/* A button that is pressed again and again: how long its command takes to begin. */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define BUTTON_WAIT_MS 10000 /* nothing that works takes that long */
#define BUTTON_REST_US \
	1500 /* between arming and pressing: both sides asleep, caches as they come */

/* Its command stamps dir/NAME.fifo; who owns it is up to the caller. */
void
button_init(struct button *button, const struct bench *bench, const char *name)
{
	char file[32], *stamp = bench_path(bench->tools, "stamp");
	size_t size;

	snprintf(file, sizeof(file), "%s.fifo", name);
	button->fifo_path = bench_path(bench->dir, file);
	if (mkfifo(button->fifo_path, 0600) == -1 ||
	    (button->fifo = open(button->fifo_path, O_RDWR | O_CLOEXEC)) == -1)
		bench_fail("%s: %s", button->fifo_path, strerror(errno));
	size = strlen(stamp) + strlen(button->fifo_path) + 8;
	if ((button->command = malloc(size)) == NULL)
		bench_fail("no memory");
	snprintf(button->command, size, "%s %s", stamp, button->fifo_path);
	samples_init(&button->times, bench->trials);
	button->probe = 0;
	free(stamp);
}

void
button_free(struct button *button)
{
	samples_free(&button->times);
	close(button->line);
	close(button->fifo);
	free(button->command);
	free(button->fifo_path);
}

/* Asks the daemon for it; its command is an array of arguments, or one string for a shell. */
void
button_add(struct button *button, const struct bench *bench, const struct daemon *daemon, int jid,
	   int shell)
{
	char command[2048], *stamp = bench_path(bench->tools, "stamp");

	if (shell)
		snprintf(command, sizeof(command), "\"%s\"", button->command);
	else
		snprintf(command, sizeof(command), "[\"%s\",\"%s\"]", stamp, button->fifo_path);
	button->line = line_connect(daemon->socket, daemon->pid);
	snprintf(button->request, sizeof(button->request),
		 "{\"op\":\"get\",\"probe\":%ld,\"keep\":true}\n",
		 daemon_add(button->line, jid, command));
	free(stamp);
}

static void
button_await_probe(struct button *button)
{
	char answer[LINE_ANSWER];
	int64_t end = bench_now() + BUTTON_WAIT_MS * (int64_t)1000000;
	long pid;

	do {
		line_ask(button->line, button->request, answer, sizeof(answer));
		if (line_has(answer, "state", "armed") && line_number(answer, "pid", &pid) &&
		    (pid_t)pid != button->probe) {
			button->probe = (pid_t)pid;
			return;
		}
		bench_pause_us(200);
	} while (bench_now() < end);
	bench_fail("the probe was not armed again: %s", answer);
}

static int64_t
button_await_stamp(struct button *button)
{
	struct pollfd wait = {button->fifo, POLLIN, 0};
	struct timespec stamp;

	if (poll(&wait, 1, BUTTON_WAIT_MS) != 1)
		bench_fail("pressing process %ld started nothing", (long)button->probe);
	if (read(button->fifo, &stamp, sizeof(stamp)) != (ssize_t)sizeof(stamp))
		bench_fail("%s: half a stamp", button->fifo_path);
	return (int64_t)stamp.tv_sec * 1000000000 + stamp.tv_nsec;
}

/* From just before the kill(2) of the HUP to the first instruction of the command. */
int64_t
button_press(struct button *button)
{
	int64_t before;

	button_await_probe(button);
	bench_pause_us(BUTTON_REST_US);
	before = bench_now();
	if (kill(button->probe, SIGHUP) == -1)
		bench_fail("the probe %ld is not there: %s", (long)button->probe, strerror(errno));
	return button_await_stamp(button) - before;
}
