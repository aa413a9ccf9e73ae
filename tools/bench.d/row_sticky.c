/* Row "sticky": the processor time that the daemon takes in one second while sticky probes wait for jails
 * that are not there. The floor is the same daemon while nothing waits. */
#include <stdio.h>
#include <string.h>

#include "bench.h"

#define STICKY_PROBES 1000
#define STICKY_WINDOW_US 2000000L /* the time between two looks: each window has one */
#define STICKY_START_US	 500000L  /* what the daemon's own start takes is none of it */
#define STICKY_SETTLE_US 4000000L /* the looks right after a change are closer together */
#define STICKY_TRIALS	 500	  /* of the other rows, for each window of ours */

/* In nanoseconds a second. */
static int64_t
sticky_window(pid_t pid)
{
	int64_t cpu = bench_cpu(pid), began = bench_now();

	bench_pause_us(STICKY_WINDOW_US);
	return (bench_cpu(pid) - cpu) * 1000000000 / (bench_now() - began);
}

static void
sticky_measure(struct samples *samples, const struct bench *bench, pid_t pid)
{
	size_t windows = bench->trials < STICKY_TRIALS ? 1 : bench->trials / STICKY_TRIALS;

	samples_init(samples, windows);
	while (samples->count < windows)
		samples_add(samples, sticky_window(pid));
}

/* All for one jail, or each for its own. */
static void
sticky_add(int line, unsigned number, int numbered)
{
	char request[256], answer[LINE_ANSWER], name[32] = "jdbench-none";

	if (numbered)
		snprintf(name, sizeof(name), "jdbench-none-%u", number);
	snprintf(request, sizeof(request),
		 "{\"op\":\"add\",\"jail\":\"%s\",\"command\":\"true\",\"sticky\":true,\"keep\":true}\n",
		 name);
	line_ask(line, request, answer, sizeof(answer));
	if (!line_has(answer, "state", "waiting"))
		bench_fail("add: %s", answer);
}

static void
sticky_row(const char *title, const struct bench *bench, int numbered)
{
	struct samples floor, ours;
	struct daemon daemon;
	unsigned number;
	int line;

	daemon_start(&daemon, bench, "daemon", 0);
	line = line_connect(daemon.socket, daemon.pid);
	bench_pause_us(STICKY_START_US);
	sticky_measure(&floor, bench, daemon.pid);
	for (number = 0; number < STICKY_PROBES; number++)
		sticky_add(line, number, numbered);
	bench_pause_us(STICKY_SETTLE_US);
	sticky_measure(&ours, bench, daemon.pid);
	stats_row(title, &floor, &ours);
	samples_free(&ours);
	samples_free(&floor);
	daemon_stop(&daemon);
}

int
main(int argc, char **argv)
{
	struct bench bench;

	bench_arguments(&bench, argc, argv);
	sticky_row("CPU a second, 1000 wait for 1 name", &bench, 0);
	sticky_row("CPU a second, 1000 wait for 1000", &bench, 1);
	return 0;
}
