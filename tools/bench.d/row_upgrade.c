/* Row "upgrade": what clients and triggers see of an upgrade in place with 200 armed probes: the longest time
 * between two answers to somebody who asks all the time, and the longest from a HUP to its command. The floor is
 * a plain start of the same binary, from before the fork to its first answer; all in turn. */
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

#define UPGRADE_PROBES	200
#define UPGRADE_PRESSES 150 /* at most, in one upgrade: they go round all the probes */
#define UPGRADE_TRIALS	50 /* of the other rows, for each of ours */
#define UPGRADE_WAIT_MS 10000 /* nothing that works takes that long */
#define UPGRADE_LOOK_US 50

static const char ping[] = "{\"op\":\"ping\",\"keep\":true}\n";
static const char upgrade[] = "{\"op\":\"upgrade\",\"keep\":true}\n";

struct contest {
	const struct bench *bench;
	struct daemon daemon;
	int line; /* on which somebody asks all the time */
	int fifo; /* where commands write when they began */
	long next; /* the probe whose turn it is */
	pid_t probes[UPGRADE_PRESSES];
	size_t pressed;
	struct samples start, gap, trigger;
};

/* ---- the floor ---- */

static int64_t
upgrade_start(const struct bench *bench)
{
	char answer[LINE_ANSWER];
	struct daemon daemon;
	int64_t began = bench_now(), took;
	struct stat st;
	int line;

	daemon_start(&daemon, bench, "plain", 0);
	while (stat(daemon.socket, &st) == -1 && bench_now() - began < UPGRADE_WAIT_MS * (int64_t)1000000)
		bench_pause_us(UPGRADE_LOOK_US);
	line = line_connect(daemon.socket, daemon.pid);
	line_ask(line, ping, answer, sizeof(answer));
	took = bench_now() - began;
	close(line);
	daemon_stop(&daemon);
	return took;
}

/* ---- ours ---- */

/* The processes of the next probes in turn, each of them armed. */
static void
upgrade_find_probes(struct contest *contest)
{
	char request[96], answer[LINE_ANSWER];
	int64_t end = bench_now() + UPGRADE_WAIT_MS * (int64_t)1000000;
	long pid;

	for (contest->pressed = 0; contest->pressed < UPGRADE_PRESSES;) {
		snprintf(request, sizeof(request), "{\"op\":\"get\",\"probe\":%ld,\"keep\":true}\n",
			 contest->next);
		line_ask(contest->line, request, answer, sizeof(answer));
		if (line_has(answer, "state", "armed") && line_number(answer, "pid", &pid)) {
			contest->probes[contest->pressed++] = (pid_t)pid;
			contest->next = contest->next % UPGRADE_PROBES + 1;
		} else if (bench_now() > end) {
			bench_fail("not armed again: %s", answer);
		}
	}
	contest->pressed = 0;
}

static int64_t
upgrade_press_one(pid_t probe, int fifo)
{
	struct pollfd wait = {fifo, POLLIN, 0};
	struct timespec stamp;
	int64_t pressed = bench_now();

	if (kill(probe, SIGHUP) == -1)
		bench_fail("a probe is not there: %s", strerror(errno));
	if (poll(&wait, 1, UPGRADE_WAIT_MS) != 1)
		bench_fail("a press started nothing");
	if (read(fifo, &stamp, sizeof(stamp)) != (ssize_t)sizeof(stamp))
		bench_fail("half a stamp");
	return (int64_t)stamp.tv_sec * 1000000000 + stamp.tv_nsec - pressed;
}

static int
upgrade_is_done(int asker)
{
	struct pollfd answer = {asker, POLLIN, 0};

	return poll(&answer, 1, 0) == 1;
}

/* The longest time between two answers. */
static int64_t
upgrade_ask(struct contest *contest, int asker)
{
	int64_t last = bench_now(), now, longest = 0;
	char answer[LINE_ANSWER];

	do {
		line_ask(contest->line, ping, answer, sizeof(answer));
		now = bench_now();
		if (now - last > longest)
			longest = now - last;
		last = now;
	} while (!upgrade_is_done(asker));
	return longest;
}

/* One at a time, so that each stamp has its press: the longest time from a press to its command. */
static int64_t
upgrade_press(struct contest *contest, int asker)
{
	int64_t took, longest = 0;

	do {
		if (contest->pressed == UPGRADE_PRESSES)
			bench_fail("more than %d presses in one upgrade", UPGRADE_PRESSES);
		took = upgrade_press_one(contest->probes[contest->pressed++], contest->fifo);
		if (took > longest)
			longest = took;
	} while (!upgrade_is_done(asker));
	return longest;
}

/* Upgrades, and what was seen of it. */
static int64_t
upgrade_once(struct contest *contest, int64_t (*look)(struct contest *, int))
{
	int asker = line_connect(contest->daemon.socket, contest->daemon.pid);
	char answer[LINE_ANSWER];
	int64_t seen;

	upgrade_find_probes(contest);
	if (write(asker, upgrade, sizeof(upgrade) - 1) != (ssize_t)sizeof(upgrade) - 1)
		bench_fail("upgrade: %s", strerror(errno));
	seen = look(contest, asker);
	line_ask(asker, ping, answer, sizeof(answer)); /* the answer to the upgrade comes first */
	if (strstr(answer, "\"ok\":true") == NULL)
		bench_fail("upgrade: %s", answer);
	close(asker);
	return seen;
}

/* ---- */

static void
upgrade_prepare(struct contest *contest, const struct bench *bench, int jid)
{
	char *stamp = bench_path(bench->tools, "stamp"), *fifo = bench_path(bench->dir, "fifo");
	size_t trials = 1 + bench->trials / UPGRADE_TRIALS;
	char command[2048];
	int i;

	*contest = (struct contest){.bench = bench, .next = 1};
	if (mkfifo(fifo, 0600) == -1 || (contest->fifo = open(fifo, O_RDWR | O_CLOEXEC)) == -1)
		bench_fail("%s: %s", fifo, strerror(errno));
	samples_init(&contest->start, trials);
	samples_init(&contest->gap, trials);
	samples_init(&contest->trigger, trials);
	daemon_start(&contest->daemon, bench, "daemon", 0);
	contest->line = line_connect(contest->daemon.socket, contest->daemon.pid);
	snprintf(command, sizeof(command), "[\"%s\",\"%s\"]", stamp, fifo);
	for (i = 1; i <= UPGRADE_PROBES; i++)
		if (daemon_add(contest->line, jid, command) != i)
			bench_fail("probes have other numbers");
	free(fifo);
	free(stamp);
}

static void
upgrade_measure(struct contest *contest)
{
	size_t trial, trials = 1 + contest->bench->trials / UPGRADE_TRIALS;

	upgrade_once(contest, upgrade_press); /* to warm up */
	for (trial = 0; trial < trials; trial++) {
		samples_add(&contest->gap, upgrade_once(contest, upgrade_ask));
		samples_add(&contest->start, upgrade_start(contest->bench));
		samples_add(&contest->trigger, upgrade_once(contest, upgrade_press));
	}
}

int
main(int argc, char **argv)
{
	struct contest contest;
	struct os_jail jail;
	struct bench bench;

	bench_arguments(&bench, argc, argv);
	os_jail_make(&jail);
	upgrade_prepare(&contest, &bench, jail.jid);
	upgrade_measure(&contest);
	stats_row("upgrade: longest gap of answers", &contest.start, &contest.gap);
	stats_row("upgrade: longest HUP to command", &contest.start, &contest.trigger);
	daemon_stop(&contest.daemon);
	samples_free(&contest.start);
	samples_free(&contest.gap);
	samples_free(&contest.trigger);
	os_jail_end(&jail);
	return 0;
}
