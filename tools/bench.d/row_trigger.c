/* Row "trigger": from just before the kill(2) of the HUP to the first instruction of the command.
 * The floor's button and the daemon's stand in the same jail, run the same command and are pressed
 * by the same hand, in turn. */
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

#define TRIGGER_WARM_UP 30
#define TRIGGER_WAIT_MS 10000 /* nothing that works takes that long */
#define TRIGGER_REST_US \
	1500 /* between arming and pressing: both sides asleep, caches as they come */

/* How the command is given. */
struct way {
	const char *title; /* of the row */
	const char *floor; /* names of the files of each side */
	const char *ours;
	int shell; /* one string for a shell, else an array of arguments */
};

static const struct way ways[] = {
    {"HUP to first instruction, direct", "floor", "ours", 0},
    {"HUP to first instruction, sh -c", "floor-sh", "ours-sh", 1},
};

struct button {
	int line; /* the conversation with its owner */
	int fifo;
	char *fifo_path;
	char *command;	  /* what the command is, as a shell would read it */
	char request[96]; /* asks for the button's state */
	pid_t probe;	  /* the one that waits, or was pressed last */
	struct samples times;
};

static void
trigger_button(struct button *button, const struct bench *bench, const char *name)
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

static void
trigger_button_free(struct button *button)
{
	samples_free(&button->times);
	close(button->line);
	close(button->fifo);
	free(button->command);
	free(button->fifo_path);
}

/* Starts a floor whose only button this is; its process. */
static pid_t
trigger_floor(struct button *button, const struct bench *bench, const struct way *way, int jid)
{
	char file[32], jail[16], *socket, *floor = bench_path(bench->tools, "floor");
	char *probe = bench_path(bench->tools, "floor_probe"),
	     *stamp = bench_path(bench->tools, "stamp");
	char *log = bench_path(bench->dir, "floor.log");
	const char *argv[] = {floor, NULL, jail, probe, stamp, button->fifo_path, NULL, NULL};
	pid_t pid;

	snprintf(jail, sizeof(jail), "%d", jid);
	snprintf(file, sizeof(file), "%s.sock", way->floor);
	argv[1] = socket = bench_path(bench->dir, file);
	if (way->shell) {
		argv[4] = "/bin/sh";
		argv[5] = "-c";
		argv[6] = button->command;
	}
	pid = bench_start(argv, log);
	button->line = line_connect(socket, pid);
	snprintf(button->request, sizeof(button->request),
		 "{\"op\":\"get\",\"probe\":1,\"keep\":true}\n");
	free(log);
	free(stamp);
	free(probe);
	free(floor);
	free(socket);
	return pid;
}

static void
trigger_ours(struct button *button, const struct bench *bench, const struct way *way, int jid,
	     const struct daemon *daemon)
{
	char command[2048], *stamp = bench_path(bench->tools, "stamp");

	if (way->shell)
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
trigger_await_probe(struct button *button)
{
	char answer[LINE_ANSWER];
	int64_t end = bench_now() + TRIGGER_WAIT_MS * (int64_t)1000000;
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
trigger_await_stamp(struct button *button)
{
	struct pollfd wait = {button->fifo, POLLIN, 0};
	struct timespec stamp;

	if (poll(&wait, 1, TRIGGER_WAIT_MS) != 1)
		bench_fail("pressing process %ld started nothing", (long)button->probe);
	if (read(button->fifo, &stamp, sizeof(stamp)) != (ssize_t)sizeof(stamp))
		bench_fail("%s: half a stamp", button->fifo_path);
	return (int64_t)stamp.tv_sec * 1000000000 + stamp.tv_nsec;
}

/* One trial: the time that it took. */
static int64_t
trigger_press(struct button *button)
{
	int64_t before;

	trigger_await_probe(button);
	bench_pause_us(TRIGGER_REST_US);
	before = bench_now();
	if (kill(button->probe, SIGHUP) == -1)
		bench_fail("the probe %ld is not there: %s", (long)button->probe, strerror(errno));
	return trigger_await_stamp(button) - before;
}

/* Both in turn; the first of a pair is once the one and once the other. */
static void
trigger_measure(struct button *floor, struct button *ours, size_t trials)
{
	size_t trial;

	for (trial = 0; trial < TRIGGER_WARM_UP; trial++)
		trigger_press(trial % 2 == 0 ? floor : ours);
	for (trial = 0; trial < trials; trial++) {
		if (trial % 2 == 0)
			samples_add(&floor->times, trigger_press(floor));
		samples_add(&ours->times, trigger_press(ours));
		if (trial % 2 != 0)
			samples_add(&floor->times, trigger_press(floor));
	}
}

static void
trigger_row(const struct bench *bench, const struct way *way, int jid, const struct daemon *daemon)
{
	struct button floor, ours;
	pid_t pid;

	trigger_button(&floor, bench, way->floor);
	trigger_button(&ours, bench, way->ours);
	pid = trigger_floor(&floor, bench, way, jid);
	trigger_ours(&ours, bench, way, jid, daemon);
	trigger_measure(&floor, &ours, bench->trials);
	stats_row(way->title, &floor.times, &ours.times);
	bench_stop(pid);
	trigger_button_free(&ours);
	trigger_button_free(&floor);
}

int
main(int argc, char **argv)
{
	struct bench bench;
	struct os_jail jail;
	struct daemon daemon;
	size_t way;

	bench_arguments(&bench, argc, argv);
	os_jail_make(&jail);
	daemon_start(&daemon, &bench, "daemon", 1);
	for (way = 0; way < sizeof(ways) / sizeof(ways[0]); way++)
		trigger_row(&bench, &ways[way], jail.jid, &daemon);
	daemon_stop(&daemon);
	os_jail_end(&jail);
	return 0;
}
