/* Row "control": what one ping takes, in each of the three ways in which clients ask. The floor is a bare server
 * that reads the same line as JSON and answers with such a line; both are asked by the same client, in turn. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define CONTROL_BATCH	64 /* pings together are one trial: as many as the daemon takes of one client at a time */
#define CONTROL_WARM_UP 10
#define CONTROL_ANSWER	256

/* One of the two servers. */
struct side {
	const char *socket;
	pid_t server;
	int line; /* the kept connection */
	struct samples times;
};

struct way {
	const char *title;
	void (*ask)(const struct side *); /* CONTROL_BATCH pings */
};

static const char ping[] = "{\"op\":\"ping\",\"keep\":true}\n";
static const char ping_once[] = "{\"op\":\"ping\"}\n";

static void
control_check(const char *answer)
{
	if (strncmp(answer, "{\"ok\":true,", 11) != 0)
		bench_fail("ping: %s", answer);
}

static void
control_connect_each(const struct side *side)
{
	char answer[CONTROL_ANSWER];
	int i, line;

	for (i = 0; i < CONTROL_BATCH; i++) {
		line = line_connect(side->socket, side->server);
		line_ask(line, ping_once, answer, sizeof(answer));
		control_check(answer);
		close(line);
	}
}

static void
control_one_by_one(const struct side *side)
{
	char answer[CONTROL_ANSWER];
	int i;

	for (i = 0; i < CONTROL_BATCH; i++) {
		line_ask(side->line, ping, answer, sizeof(answer));
		control_check(answer);
	}
}

static void
control_pipelined(const struct side *side)
{
	char requests[CONTROL_BATCH * sizeof(ping)], answers[LINE_ANSWER];
	size_t answered = 0, size = sizeof(ping) - 1;
	int i;

	for (i = 0; i < CONTROL_BATCH; i++)
		memcpy(requests + (size_t)i * size, ping, sizeof(ping));
	line_send(side->line, requests);
	while (answered < CONTROL_BATCH)
		answered += line_answers(side->line, answers, sizeof(answers), "{\"ok\":true,");
}

static const struct way ways[] = {
    {"ping, each on a new connection", control_connect_each},
    {"ping, one after the other", control_one_by_one},
    {"ping, 64 pipelined", control_pipelined},
};

static void
control_trial(const struct way *way, struct side *side)
{
	int64_t began = bench_now();

	way->ask(side);
	samples_add(&side->times, (bench_now() - began) / CONTROL_BATCH);
}

static void
control_row(const struct bench *bench, const struct way *way, struct side *floor, struct side *ours)
{
	size_t trial;

	samples_init(&floor->times, bench->trials);
	samples_init(&ours->times, bench->trials);
	for (trial = 0; trial < CONTROL_WARM_UP; trial++)
		way->ask(trial % 2 == 0 ? floor : ours);
	for (trial = 0; trial < bench->trials; trial++) {
		control_trial(way, trial % 2 == 0 ? floor : ours);
		control_trial(way, trial % 2 == 0 ? ours : floor);
	}
	stats_row(way->title, &floor->times, &ours->times);
	samples_free(&ours->times);
	samples_free(&floor->times);
}

static pid_t
control_start_floor(const struct bench *bench, const char *socket)
{
	char *program = bench_path(bench->tools, "floor_control"), *log = bench_path(bench->dir, "floor.log");
	const char *argv[] = {program, socket, NULL};
	pid_t pid = bench_start(argv, log);

	free(log);
	free(program);
	return pid;
}

int
main(int argc, char **argv)
{
	struct side floor, ours;
	struct bench bench;
	struct daemon daemon;
	char *socket;
	size_t way;

	bench_arguments(&bench, argc, argv);
	daemon_start(&daemon, &bench, "daemon", 0);
	socket = bench_path(bench.dir, "floor.sock");
	floor = (struct side){.socket = socket, .server = control_start_floor(&bench, socket)};
	ours = (struct side){.socket = daemon.socket, .server = daemon.pid};
	floor.line = line_connect(floor.socket, floor.server);
	ours.line = line_connect(ours.socket, ours.server);
	for (way = 0; way < sizeof(ways) / sizeof(ways[0]); way++)
		control_row(&bench, &ways[way], &floor, &ours);
	daemon_stop(&daemon);
	bench_stop(floor.server);
	free(socket);
	return 0;
}
