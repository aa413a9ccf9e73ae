/* Row "storm": what others notice of a jail that presses without end, and of a thousand probes that
 * are pressed at once. The floor is the same daemon while nobody storms. */
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define STORM_PROBES	   1000
#define STORM_PER_PRESS	   10	   /* trials of the other rows, for each press of ours */
#define STORM_PER_ROUND	   500	   /* and for each time that all are pressed at once */
#define STORM_REST_US	   100000L /* between two presses */
#define STORM_PING_REST_US 500L	   /* between two pings */
#define STORM_PINGS	   100000  /* of all rounds together: room for them */
#define STORM_PER_LOOK	   20	   /* pings between two looks at how far it is */
#define STORM_PATIENCE_MS  60000   /* nothing that works takes that long */

/* ---- who storms: this program once more, in the jail ---- */

/* Everybody in the jail but its first process, and but ourselves. */
static int
storm_inside(const char *how)
{
	os_tether();
	do
		kill(-1, SIGHUP);
	while (strcmp(how, "always") == 0);
	return 0;
}

static pid_t
storm_start(const struct bench *bench, int jid, const char *how)
{
	char *self = bench_path(bench->tools, "row_storm"), word[16];
	char *argv[] = {self, word, NULL};
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct os_door door;
	pid_t pid;

	snprintf(word, sizeof(word), "%s", how);
	os_door_open(&door, jid);
	if ((pid = os_door_spawn(&door, argv, nothing)) == -1)
		bench_fail("nobody gets into the jail to storm");
	close(nothing);
	free(self);
	return pid;
}

static void
storm_end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* ---- one jail storms, another one presses now and then ---- */

/* The time of each press goes to times, what the daemon works meanwhile to cpu: in nanoseconds a
 * second. */
static void
storm_press(struct samples *times, struct samples *cpu, struct button *button, pid_t daemon,
	    size_t presses)
{
	int64_t used = bench_cpu(daemon), began = bench_now();

	while (presses-- > 0) {
		samples_add(times, button_press(button));
		bench_pause_us(STORM_REST_US);
	}
	samples_add(cpu, (bench_cpu(daemon) - used) * 1000000000 / (bench_now() - began));
}

static void
storm_add(const struct button *button, int jid, const char *respawn)
{
	char request[256], answer[LINE_ANSWER];

	snprintf(
	    request, sizeof(request),
	    "{\"op\":\"add\",\"jail\":%d,\"command\":[\"true\"],\"respawn\":\"%s\",\"keep\":true}\n",
	    jid, respawn);
	line_ask(button->line, request, answer, sizeof(answer));
	if (!line_has(answer, "state", "armed"))
		bench_fail("add: %s", answer);
}

static void
storm_row_neighbour(const struct bench *bench, const struct os_jail *storms,
		    const struct os_jail *quiet)
{
	size_t presses = 1 + bench->trials / STORM_PER_PRESS;
	struct samples floor, cpu_floor, cpu;
	struct daemon daemon;
	struct button button;
	pid_t storm;

	samples_init(&floor, presses);
	samples_init(&cpu_floor, 1);
	samples_init(&cpu, 1);
	daemon_start(&daemon, bench, "daemon", 1);
	button_init(&button, bench, "quiet");
	button_add(&button, bench, &daemon, quiet->jid, 0);
	storm_add(&button, storms->jid, "now");
	storm_add(&button, storms->jid, "after");
	storm_press(&floor, &cpu_floor, &button, daemon.pid, presses);
	storm = storm_start(bench, storms->jid, "always");
	storm_press(&button.times, &cpu, &button, daemon.pid, presses);
	storm_end(storm);
	stats_row("HUP to command, a neighbour storms", &floor, &button.times);
	stats_row("CPU a second, a jail storms", &cpu_floor, &cpu);
	button_free(&button);
	daemon_stop(&daemon);
	samples_free(&cpu);
	samples_free(&cpu_floor);
	samples_free(&floor);
}

/* ---- a thousand at once ---- */

static void
storm_ping(int line, struct samples *samples)
{
	char answer[LINE_ANSWER];
	int64_t began = bench_now();

	line_ask(line, "{\"op\":\"ping\",\"keep\":true}\n", answer, sizeof(answer));
	samples_add(samples, bench_now() - began);
	bench_pause_us(STORM_PING_REST_US);
}

/* All of them have run so often, and are armed again. */
static int
storm_is_over(int line, size_t rounds)
{
	char answer[LINE_ANSWER];
	long armed, runs;

	line_ask(line, "{\"op\":\"status\",\"keep\":true}\n", answer, sizeof(answer));
	if (!line_number(answer, "armed", &armed) || !line_number(answer, "runs_ok", &runs))
		bench_fail("status: %s", answer);
	return armed == STORM_PROBES && runs == (long)(STORM_PROBES * rounds);
}

static void
storm_ping_until_over(int line, struct samples *samples, size_t rounds)
{
	int64_t end = bench_now() + STORM_PATIENCE_MS * (int64_t)1000000;
	unsigned ping;

	do {
		if (bench_now() > end)
			bench_fail("not all probes have been pressed and are armed again");
		for (ping = 0; ping < STORM_PER_LOOK; ping++)
			storm_ping(line, samples);
	} while (!storm_is_over(line, rounds));
}

/* They are all that there ever were, so their numbers begin at 1. */
static void
storm_check_runs(int line, size_t rounds)
{
	char request[96], answer[LINE_ANSWER];
	unsigned number;
	long runs;

	for (number = 1; number <= STORM_PROBES; number++) {
		snprintf(request, sizeof(request), "{\"op\":\"get\",\"probe\":%u,\"keep\":true}\n",
			 number);
		line_ask(line, request, answer, sizeof(answer));
		if (!line_number(answer, "runs", &runs) || runs != (long)rounds)
			bench_fail("%zu presses, and not as many runs: %s", rounds, answer);
	}
}

static void
storm_row_ping(const struct bench *bench, const struct os_jail *jail)
{
	size_t round, rounds = 1 + bench->trials / STORM_PER_ROUND;
	struct samples floor, ours;
	struct daemon daemon;
	int line;

	samples_init(&floor, bench->trials);
	samples_init(&ours, STORM_PINGS);
	daemon_start(&daemon, bench, "many", 1);
	line = line_connect(daemon.socket, daemon.pid);
	daemon_add_many(line, jail->jid, STORM_PROBES);
	while (floor.count < bench->trials)
		storm_ping(line, &floor);
	for (round = 0; round < rounds; round++) {
		pid_t storm = storm_start(bench, jail->jid, "once");

		storm_ping_until_over(line, &ours, round + 1);
		storm_end(storm);
	}
	storm_check_runs(line, rounds);
	stats_row("ping, 1000 probes pressed at once", &floor, &ours);
	samples_free(&ours);
	samples_free(&floor);
	daemon_stop(&daemon);
}

int
main(int argc, char **argv)
{
	struct os_jail storms, quiet;
	struct bench bench;

	signal(SIGHUP,
	       SIG_IGN); /* so do the jails' first processes: a storm is not meant for them */
	if (argc == 2)
		return storm_inside(argv[1]);
	bench_arguments(&bench, argc, argv);
	os_jail_make(&storms);
	os_jail_make(&quiet);
	storm_row_neighbour(&bench, &storms, &quiet);
	storm_row_ping(&bench, &storms);
	os_jail_end(&quiet);
	os_jail_end(&storms);
	return 0;
}
