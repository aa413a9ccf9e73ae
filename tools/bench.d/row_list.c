/* Row "list": how long a client waits for the whole list of 10,000 armed probes, and how long others wait at most
 * while lists of 10,000 are asked for without a pause. The floor of the list is a program that prints the same bytes
 * straight into its buffer; that of the others is the same daemon while nobody asks for lists. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define LIST_PROBES	10000
#define LIST_PER_TRIAL	10	  /* trials of the other rows, for each list */
#define LIST_PER_WINDOW 25	  /* and for each look at the longest wait */
#define LIST_WINDOW_NS	50000000L /* so long each time: some lists are made in it */
#define LIST_WARM_UP	3
#define LIST_ROOM	(8 << 20)

static const char list[] = "{\"op\":\"list\",\"keep\":true}\n";
static const char ping[] = "{\"op\":\"ping\",\"keep\":true}\n";

struct contest {
	const struct bench *bench;
	struct daemon daemon;
	struct button button; /* one more probe, which is pressed */
	char *answers[2];     /* LIST_ROOM each: of the floor, of ours */
	int line;
};

/* ---- the list itself ---- */

static int64_t
list_ask(int line, char *answer)
{
	int64_t began = bench_now();

	line_ask(line, list, answer, LIST_ROOM);
	return bench_now() - began;
}

static void
list_write_example(const char *path, const char *answer)
{
	FILE *file = fopen(path, "w");

	if (file == NULL || fputs(answer, file) == EOF || fclose(file) != 0)
		bench_fail("%s: %s", path, strerror(errno));
}

/* Starts a floor that knows what the daemon answers; its process. */
static pid_t
list_start_floor(struct contest *contest, const char *socket)
{
	const struct bench *bench = contest->bench;
	char *program = bench_path(bench->tools, "floor_list"), *log = bench_path(bench->dir, "floor.log");
	char *example = bench_path(bench->dir, "example");
	const char *argv[] = {program, socket, example, NULL};
	pid_t pid;

	list_ask(contest->line, contest->answers[1]);
	list_write_example(example, contest->answers[1]);
	pid = bench_start(argv, log);
	free(example);
	free(log);
	free(program);
	return pid;
}

static void
list_compare(struct contest *contest, int floor_line, struct samples *floor, struct samples *ours)
{
	size_t trial, trials = 1 + contest->bench->trials / LIST_PER_TRIAL;

	samples_init(floor, trials);
	samples_init(ours, trials);
	for (trial = 0; trial < LIST_WARM_UP; trial++) {
		list_ask(floor_line, contest->answers[0]);
		list_ask(contest->line, contest->answers[1]);
	}
	for (trial = 0; trial < trials; trial++) {
		samples_add(floor, list_ask(floor_line, contest->answers[0]));
		samples_add(ours, list_ask(contest->line, contest->answers[1]));
		if (strcmp(contest->answers[0], contest->answers[1]) != 0)
			bench_fail("the two lists differ");
	}
}

static void
list_row(struct contest *contest)
{
	char *socket = bench_path(contest->bench->dir, "floor.sock");
	pid_t server = list_start_floor(contest, socket);
	int floor_line = line_connect(socket, server);
	struct samples floor, ours;

	list_compare(contest, floor_line, &floor, &ours);
	stats_row("list of 10000", &floor, &ours);
	samples_free(&ours);
	samples_free(&floor);
	close(floor_line);
	bench_stop(server);
	free(socket);
}

/* ---- the others ---- */

/* Who asks for lists without a pause; it is ended by bench_stop. */
static pid_t
list_start_asker(const struct contest *contest)
{
	pid_t pid = fork();
	int line;

	if (pid == -1)
		bench_fail("fork: %s", strerror(errno));
	if (pid != 0)
		return pid;
	os_tether();
	line = line_connect(contest->daemon.socket, contest->daemon.pid);
	for (;;)
		list_ask(line, contest->answers[0]);
}

static int64_t
list_ping(struct contest *contest)
{
	char answer[LINE_ANSWER];
	int64_t began = bench_now();

	line_ask(contest->line, ping, answer, sizeof(answer));
	return bench_now() - began;
}

static int64_t
list_press(struct contest *contest)
{
	return button_press(&contest->button);
}

/* The longest of all waits in a window. */
static int64_t
list_look(struct contest *contest, int64_t (*wait)(struct contest *))
{
	int64_t end = bench_now() + LIST_WINDOW_NS, longest = 0, waited;

	while (bench_now() < end)
		if ((waited = wait(contest)) > longest)
			longest = waited;
	return longest;
}

/* Windows with lists and without in turn, for the machine itself has its moments. */
static void
list_row_others(struct contest *contest, const char *title, int64_t (*wait)(struct contest *))
{
	size_t window, windows = 1 + contest->bench->trials / LIST_PER_WINDOW;
	struct samples floor, ours;
	pid_t asker;

	samples_init(&floor, windows);
	samples_init(&ours, windows);
	for (window = 0; window < windows; window++) {
		samples_add(&floor, list_look(contest, wait));
		asker = list_start_asker(contest);
		samples_add(&ours, list_look(contest, wait));
		bench_stop(asker);
	}
	stats_row(title, &floor, &ours);
	samples_free(&ours);
	samples_free(&floor);
}

/* ---- */

static void
list_prepare(struct contest *contest, const struct bench *bench, int jid)
{
	int side;

	contest->bench = bench;
	for (side = 0; side < 2; side++)
		if ((contest->answers[side] = malloc(LIST_ROOM)) == NULL)
			bench_fail("no memory");
	daemon_start(&contest->daemon, bench, "daemon", 0);
	contest->line = line_connect(contest->daemon.socket, contest->daemon.pid);
	daemon_add_many(contest->line, jid, LIST_PROBES);
}

int
main(int argc, char **argv)
{
	struct contest contest;
	struct os_jail jail;
	struct bench bench;
	int side;

	bench_arguments(&bench, argc, argv);
	os_jail_make(&jail);
	list_prepare(&contest, &bench, jail.jid);
	list_row(&contest);
	button_init(&contest.button, &bench, "button");
	button_add(&contest.button, &bench, &contest.daemon, jail.jid, 0);
	list_row_others(&contest, "longest ping, 10000 being listed", list_ping);
	list_row_others(&contest, "longest HUP to command, the same", list_press);
	button_free(&contest.button);
	daemon_stop(&contest.daemon);
	for (side = 0; side < 2; side++)
		free(contest.answers[side]);
	os_jail_end(&jail);
	return 0;
}
