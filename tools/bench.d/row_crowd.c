/* Row "crowd": a button among many against the same button alone: among armed ones, whose processes the kernel knows
 * as well, and in a daemon that has grown large. Three daemons, one jail, pressed in turn. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define CROWD_WARM_UP 30
#define CROWD_MOST    10000 /* armed probes; with fewer trials fewer */
#define CROWD_SHARE   5	    /* of them for each trial */
#define CROWD_HEAP    (32L << 20)
#define CROWD_COMMAND 32000 /* bytes of a command, of which one daemon keeps so many that they fill its heap */

struct side {
	struct daemon daemon;
	struct button button;
};

static size_t
crowd_size(const struct bench *bench)
{
	size_t size = bench->trials * CROWD_SHARE;

	return size < CROWD_MOST ? size : CROWD_MOST;
}

static void
crowd_start(struct side *side, const struct bench *bench, const char *name)
{
	daemon_start(&side->daemon, bench, name, 1);
	button_init(&side->button, bench, name);
}

/* Sticky ones of a jail that is not there: nothing of them but what the daemon knows. */
static void
crowd_fill(int line)
{
	char *request = malloc(CROWD_COMMAND + 512), *command = malloc(CROWD_COMMAND + 1);
	char answer[LINE_ANSWER];
	long number;

	if (request == NULL || command == NULL)
		bench_fail("no memory");
	memset(command, 'x', CROWD_COMMAND);
	command[CROWD_COMMAND] = '\0';
	snprintf(request, CROWD_COMMAND + 512,
		 "{\"op\":\"add\",\"jail\":\"nowhere\",\"sticky\":true,\"respawn\":\"after\",\"command\":\"%s\",\"keep\":true}\n",
		 command);
	for (number = 0; number < CROWD_HEAP / CROWD_COMMAND; number++) {
		line_ask(line, request, answer, sizeof(answer));
		if (!line_has(answer, "state", "waiting"))
			bench_fail("add: %.200s", answer);
	}
	free(command);
	free(request);
}

static void
crowd_press(struct side sides[3], size_t trials)
{
	size_t trial, turn;

	for (trial = 0; trial < CROWD_WARM_UP; trial++)
		button_press(&sides[trial % 3].button);
	for (trial = 0; trial < trials; trial++)
		for (turn = 0; turn < 3; turn++) {
			struct button *button = &sides[(trial + turn) % 3].button;

			samples_add(&button->times, button_press(button));
		}
}

static void
crowd_end(struct side *side)
{
	daemon_stop(&side->daemon);
	button_free(&side->button);
}

int
main(int argc, char **argv)
{
	struct side sides[3], *alone = &sides[0], *crowd = &sides[1], *large = &sides[2];
	struct bench bench;
	struct os_jail jail;
	char title[64];
	int line;

	bench_arguments(&bench, argc, argv);
	os_jail_make(&jail);
	crowd_start(alone, &bench, "alone");
	crowd_start(crowd, &bench, "crowd");
	crowd_start(large, &bench, "large");
	line = line_connect(crowd->daemon.socket, crowd->daemon.pid);
	daemon_add_many(line, jail.jid, crowd_size(&bench));
	close(line);
	line = line_connect(large->daemon.socket, large->daemon.pid);
	crowd_fill(line);
	close(line);
	for (line = 0; line < 3; line++)
		button_add(&sides[line].button, &bench, &sides[line].daemon, jail.jid, 0);
	crowd_press(sides, bench.trials);
	snprintf(title, sizeof(title), "trigger: alone, or %zu armed", crowd_size(&bench));
	stats_row(title, &alone->button.times, &crowd->button.times);
	stats_row("trigger: alone, or 32 MB of heap", &alone->button.times, &large->button.times);
	for (line = 0; line < 3; line++)
		crowd_end(&sides[line]);
	os_jail_end(&jail);
	return 0;
}
