/* Row "scale": what adding, listing, pressing and removing one probe costs among 2,500 and 25,000, against the
 * same daemon with 250, all of them spread over 250 jails. Then what the daemon does while it has nothing to do:
 * with all of them armed, and after all have gone, against one that has just begun. */
#define _GNU_SOURCE
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "many.h"

#define SCALE_JAILS	250
#define SCALE_ROUNDS	3
#define SCALE_LONG	1000 /* trials of the other rows, from which on there is time for the largest size */
#define SCALE_IDLE_US	3000000L
#define SCALE_SETTLE_US 1500000L /* what was told is counted for a second */

static const size_t sizes[] = {250, 2500, 25000};
#define SCALE_SIZES (sizeof(sizes) / sizeof(sizes[0]))

enum step { ADD, LIST, PRESS, REMOVE, STEPS };
static const char *const step_names[STEPS] = {"add", "list", "press to armed", "remove"};

enum moment { BEGUN, ARMED, EMPTY, MOMENTS };
static const char *const moment_names[MOMENTS] = {"begun", "armed", "gone"};

struct scale {
	const struct bench *bench;
	char *stamp; /* the command */
	struct os_jail jails[SCALE_JAILS];
	struct samples times[SCALE_SIZES][STEPS];
	struct samples cpu[MOMENTS], sleeps[MOMENTS];
};

/* One daemon's life with so many probes. */
struct life {
	struct scale *scale;
	struct daemon daemon;
	int line;
	size_t count;
	int size; /* its place among the sizes */
};

static void
scale_count(const struct life *life, enum step step, int64_t began)
{
	samples_add(&life->scale->times[life->size][step], (bench_now() - began) / (int64_t)life->count);
}

/* Processor time in nanoseconds a second; how often it went to sleep is counted as it is. */
static void
scale_idle(struct scale *scale, pid_t pid, enum moment moment)
{
	int64_t cpu, began;
	long sleeps;

	bench_pause_us(SCALE_SETTLE_US);
	cpu = bench_cpu(pid);
	sleeps = os_sleeps(pid);
	began = bench_now();
	bench_pause_us(SCALE_IDLE_US);
	samples_add(&scale->cpu[moment], (bench_cpu(pid) - cpu) * 1000000000 / (bench_now() - began));
	samples_add(&scale->sleeps[moment], (os_sleeps(pid) - sleeps) * 1000);
}

static void
scale_add_request(char *text, size_t size, size_t number, const void *argument)
{
	const struct life *life = argument;

	snprintf(text, size,
		 "{\"op\":\"add\",\"jail\":%d,\"command\":[\"%s\",\"/dev/null\"],\"respawn\":\"after\","
		 "\"keep\":true}\n",
		 life->scale->jails[number % SCALE_JAILS].jid, life->scale->stamp);
}

static void
scale_add(const struct life *life)
{
	int64_t began = bench_now();

	many_ask(life->line, life->count, scale_add_request, life);
	scale_count(life, ADD, began);
}

/* The list, for the caller to free, in which all of them must be, and so often this. */
static char *
scale_list(const struct life *life, const char *part)
{
	char *list = many_list(life->line);

	if (many_times(list, part) != life->count)
		bench_fail("%zu of %zu probes have %s", many_times(list, part), life->count, part);
	return list;
}

/* Each is pressed by its process, which the list names. */
static void
scale_press(const struct life *life)
{
	static const char name[] = "\"pid\":";
	char *list = scale_list(life, "\"state\":\"armed\""), *at = list;
	int64_t began = bench_now();
	pid_t pid;

	while ((at = strstr(at, name)) != NULL) {
		at += sizeof(name) - 1;
		pid = (pid_t)strtol(at, NULL, 10);
		if (pid <= 1 || kill(pid, SIGHUP) == -1)
			bench_fail("no probe can be pressed there: %.20s", at);
	}
	many_await(life->line, "runs_ok", life->count);
	many_await(life->line, "armed", life->count);
	scale_count(life, PRESS, began);
	free(list);
}

static void
scale_remove_request(char *text, size_t size, size_t number, const void *argument)
{
	(void)argument;
	snprintf(text, size, "{\"op\":\"remove\",\"probe\":%zu,\"keep\":true}\n", number + 1);
}

static void
scale_remove(const struct life *life)
{
	int64_t began = bench_now();

	many_ask(life->line, life->count, scale_remove_request, life);
	scale_count(life, REMOVE, began);
	if (many_status(life->line, "probes") != 0)
		bench_fail("there are probes left");
}

/* The largest size goes through the idle moments too. */
static void
scale_live(struct scale *scale, int size, int idle)
{
	struct life life = {.scale = scale, .count = sizes[size], .size = size};
	int64_t began;

	many_start(&life.daemon, scale->bench, "scale", "{}\n");
	life.line = line_connect(life.daemon.socket, life.daemon.pid);
	if (idle)
		scale_idle(scale, life.daemon.pid, BEGUN);
	scale_add(&life);
	began = bench_now();
	free(many_list(life.line));
	scale_count(&life, LIST, began);
	scale_press(&life);
	free(scale_list(&life, "\"runs\":1,"));
	if (idle)
		scale_idle(scale, life.daemon.pid, ARMED);
	scale_remove(&life);
	if (idle)
		scale_idle(scale, life.daemon.pid, EMPTY);
	close(life.line);
	daemon_stop(&life.daemon);
}

/* ---- */

static void
scale_init(struct scale *scale, const struct bench *bench)
{
	size_t i, size;

	scale->bench = bench;
	scale->stamp = bench_path(bench->tools, "stamp");
	for (i = 0; i < SCALE_JAILS; i++)
		os_jail_make(&scale->jails[i]);
	for (size = 0; size < SCALE_SIZES; size++)
		for (i = 0; i < STEPS; i++)
			samples_init(&scale->times[size][i], SCALE_ROUNDS);
	for (i = 0; i < MOMENTS; i++) {
		samples_init(&scale->cpu[i], 1);
		samples_init(&scale->sleeps[i], 1);
	}
}

static void
scale_end(struct scale *scale)
{
	size_t i, size;

	for (i = 0; i < SCALE_JAILS; i++)
		os_jail_end(&scale->jails[i]);
	for (size = 0; size < SCALE_SIZES; size++)
		for (i = 0; i < STEPS; i++)
			samples_free(&scale->times[size][i]);
	for (i = 0; i < MOMENTS; i++) {
		samples_free(&scale->cpu[i]);
		samples_free(&scale->sleeps[i]);
	}
	free(scale->stamp);
}

static void
scale_print(struct scale *scale, size_t largest)
{
	char title[64];
	size_t i, size;

	for (i = 0; i < STEPS; i++)
		for (size = 1; size <= largest; size++) {
			snprintf(title, sizeof(title), "%s: of 250, of %zu", step_names[i], sizes[size]);
			stats_row(title, &scale->times[0][i], &scale->times[size][i]);
		}
	for (i = ARMED; i < MOMENTS; i++) {
		snprintf(title, sizeof(title), "CPU a second, %zu %s", sizes[largest], moment_names[i]);
		stats_row(title, &scale->cpu[BEGUN], &scale->cpu[i]);
		snprintf(title, sizeof(title), "sleeps in 3 s, %zu %s", sizes[largest], moment_names[i]);
		stats_row(title, &scale->sleeps[BEGUN], &scale->sleeps[i]);
	}
}

/* The largest size that there is time and room for; it is gone through once, the others more often. */
static size_t
scale_largest(const struct bench *bench)
{
	size_t largest = bench->trials < SCALE_LONG ? SCALE_SIZES - 2 : SCALE_SIZES - 1;
	char title[64];

	for (; largest > 0; largest--) {
		snprintf(title, sizeof(title), "%zu probes", sizes[largest]);
		if (many_fit(title, sizes[largest] + SCALE_JAILS))
			break;
	}
	return largest;
}

int
main(int argc, char **argv)
{
	static struct scale scale;
	struct bench bench;
	size_t largest, round, size;

	bench_arguments(&bench, argc, argv);
	if ((largest = scale_largest(&bench)) == 0)
		return 0;
	scale_init(&scale, &bench);
	for (round = 0; round < SCALE_ROUNDS; round++)
		for (size = 0; size < largest; size++)
			scale_live(&scale, (int)size, 0);
	scale_live(&scale, (int)largest, 1);
	scale_print(&scale, largest);
	scale_end(&scale);
	return 0;
}
