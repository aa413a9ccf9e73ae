/* Row "trigger": from just before the kill(2) of the HUP to the first instruction of the command.
 * The floor's button and the daemon's stand in the same jail, run the same command and are pressed
 * by the same hand, in turn. */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

#define TRIGGER_WARM_UP 30

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

/* Both in turn; the first of a pair is once the one and once the other. */
static void
trigger_measure(struct button *floor, struct button *ours, size_t trials)
{
	size_t trial;

	for (trial = 0; trial < TRIGGER_WARM_UP; trial++)
		button_press(trial % 2 == 0 ? floor : ours);
	for (trial = 0; trial < trials; trial++) {
		if (trial % 2 == 0)
			samples_add(&floor->times, button_press(floor));
		samples_add(&ours->times, button_press(ours));
		if (trial % 2 != 0)
			samples_add(&floor->times, button_press(floor));
	}
}

static void
trigger_row(const struct bench *bench, const struct way *way, int jid, const struct daemon *daemon)
{
	struct button floor, ours;
	pid_t pid;

	button_init(&floor, bench, way->floor);
	button_init(&ours, bench, way->ours);
	pid = trigger_floor(&floor, bench, way, jid);
	button_add(&ours, bench, daemon, jid, way->shell);
	trigger_measure(&floor, &ours, bench->trials);
	stats_row(way->title, &floor.times, &ours.times);
	bench_stop(pid);
	button_free(&ours);
	button_free(&floor);
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
