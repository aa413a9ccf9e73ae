/* Row "burst": what one run takes when a whole jail's probes are pressed at once: from just before the one
 * kill(2) to the first instruction of the last command, shared out among them. All single shots, nothing is
 * kept, and as many commands may run at once as there are. The floor is a program that reaps its bare probes
 * by the name that their signal gives, and by a walk over all children when no signal is left. */
#define _GNU_SOURCE
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "many.h"

#define BURST_FEW	  1000
#define BURST_MANY	  10000
#define BURST_ROUNDS_FEW  7
#define BURST_ROUNDS_MANY 3
#define BURST_LONG	  1000	  /* trials of the other rows, from which on there is time for more rounds */
#define BURST_DESCRIPTORS (BURST_MANY + 500) /* the pipes of all commands, and some more */
#define BURST_WAIT_MS	  30000	  /* for one more stamp: nothing that works takes that long */
#define BURST_LOOK_US	  10000L  /* between two looks at the stamps, so that nobody is kept from them by us */
#define BURST_LOOK_STAMPS 4096	  /* taken at a time: more than come meanwhile */
#define BURST_REST_US	  200000L /* between arming and pressing: all are asleep */
#define BURST_PIDS	  4194304 /* no process has a higher number */

struct burst {
	const struct bench *bench;
	struct os_jail jail;
	char *stamp;
	char *fifo_path;
	int fifo; /* to which all commands write when they began */
	size_t count;
};

/* ---- who presses: this program once more, in the jail ---- */

/* Everybody in the jail but its first process, and but ourselves. */
static int
burst_inside(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (write(FLOOR_READY, &now, sizeof(now)) != (ssize_t)sizeof(now))
		return 1;
	return kill(-1, SIGHUP) == 0 ? 0 : 1;
}

static int64_t
burst_time(const struct timespec *stamp)
{
	return (int64_t)stamp->tv_sec * 1000000000 + stamp->tv_nsec;
}

static int64_t
burst_press(const struct burst *burst)
{
	char *self = bench_path(burst->bench->tools, "row_burst"), word[] = "inside";
	char *argv[] = {self, word, NULL};
	struct timespec pressed;
	struct os_door door;
	int said[2], status;
	pid_t pid;

	if (pipe2(said, O_CLOEXEC) == -1)
		bench_fail("pipe: %s", strerror(errno));
	os_door_open(&door, burst->jail.jid);
	pid = os_door_spawn(&door, argv, said[1]);
	close(said[1]);
	if (pid == -1 || read(said[0], &pressed, sizeof(pressed)) != (ssize_t)sizeof(pressed) ||
	    waitpid(pid, &status, 0) != pid || status != 0)
		bench_fail("nobody gets into the jail to press");
	close(said[0]);
	os_door_close(&door);
	free(self);
	return burst_time(&pressed);
}

/* Those that have come meanwhile. */
static size_t
burst_take_stamps(const struct burst *burst, struct timespec *stamps)
{
	struct pollfd wait = {burst->fifo, POLLIN, 0};
	size_t size = BURST_LOOK_STAMPS * sizeof(stamps[0]);
	ssize_t got;

	bench_pause_us(BURST_LOOK_US);
	if (poll(&wait, 1, BURST_WAIT_MS) != 1)
		return 0;
	got = read(burst->fifo, stamps, size);
	if (got <= 0 || (size_t)got % sizeof(stamps[0]) != 0)
		bench_fail("%s: half a stamp", burst->fifo_path);
	return (size_t)got / sizeof(stamps[0]);
}

/* When the last of them began; there is one stamp of each. */
static int64_t
burst_await_stamps(const struct burst *burst)
{
	static struct timespec stamps[BURST_LOOK_STAMPS];
	struct pollfd more = {burst->fifo, POLLIN, 0};
	size_t came = 0, got, i;
	int64_t last = 0;

	for (; came < burst->count; came += got) {
		got = burst_take_stamps(burst, stamps);
		if (got == 0)
			bench_fail("%zu were pressed, and %zu commands began", burst->count, came);
		for (i = 0; i < got; i++)
			if (burst_time(&stamps[i]) > last)
				last = burst_time(&stamps[i]);
	}
	if (poll(&more, 1, 0) != 0)
		bench_fail("more commands than were pressed");
	return last;
}

/* What one took of them, with everybody armed. */
static void
burst_measure(const struct burst *burst, struct samples *samples)
{
	int64_t pressed;

	bench_pause_us(BURST_REST_US);
	pressed = burst_press(burst);
	samples_add(samples, (burst_await_stamps(burst) - pressed) / (int64_t)burst->count);
}

/* ---- the floor: a child of ours ---- */

#define FLOOR_PROBE (-1) /* in place of its command's output */

struct floor {
	const struct burst *burst;
	int *children; /* by pid: FLOOR_PROBE, or where the output of a command is read, or 0 */
	size_t ended;  /* commands */
};

static void
floor_run(struct floor *floor)
{
	char *argv[] = {floor->burst->stamp, floor->burst->fifo_path, NULL};
	int output[2];
	pid_t pid;

	if (pipe2(output, O_CLOEXEC | O_NONBLOCK) == -1 || (pid = os_run(argv, output[1])) == -1)
		bench_fail("%s: %s", argv[0], strerror(errno));
	close(output[1]);
	floor->children[pid] = output[0];
}

static void
floor_ended(struct floor *floor, pid_t pid, int status)
{
	int what = floor->children[pid];
	char text[4096];

	floor->children[pid] = 0;
	if (what == FLOOR_PROBE) {
		if (!WIFEXITED(status) || WEXITSTATUS(status) != FLOOR_MAGIC)
			bench_fail("a bare probe ended with status %d", status);
		floor_run(floor);
		return;
	}
	if (status != 0)
		bench_fail("a command ended with status %d", status);
	while (read(what, text, sizeof(text)) > 0)
		continue;
	close(what);
	floor->ended++;
}

/* Signals of children that end while one waits already are lost: the walk finds those. */
static void
floor_reap(struct floor *floor, const sigset_t *children)
{
	const struct timespec now = {0, 0};
	siginfo_t info;
	int status;
	pid_t pid;

	if (sigtimedwait(children, &info, &now) == SIGCHLD)
		pid = waitpid(info.si_pid, &status, WNOHANG);
	else if ((pid = waitpid(-1, &status, WNOHANG)) == 0 && sigwaitinfo(children, &info) == SIGCHLD)
		pid = waitpid(info.si_pid, &status, WNOHANG);
	if (pid > 0)
		floor_ended(floor, pid, status);
}

static void
floor_work(const struct burst *burst, int ready)
{
	struct floor floor = {.burst = burst, .children = calloc(BURST_PIDS, sizeof(int))};
	pid_t *pids = calloc(burst->count, sizeof(*pids));
	sigset_t children;
	size_t i;

	bench_stand_alone();
	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	sigprocmask(SIG_BLOCK, &children, NULL);
	if (floor.children == NULL || pids == NULL)
		bench_fail("no memory");
	many_bare(burst->bench, burst->jail.jid, pids, burst->count);
	for (i = 0; i < burst->count; i++)
		floor.children[pids[i]] = FLOOR_PROBE;
	if (write(ready, "", 1) != 1)
		bench_fail("nobody presses");
	while (floor.ended < burst->count)
		floor_reap(&floor, &children);
	exit(0);
}

static void
burst_floor(const struct burst *burst, struct samples *samples)
{
	int ready[2], status;
	char byte;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC) == -1 || (pid = fork()) == -1)
		bench_fail("the floor: %s", strerror(errno));
	if (pid == 0)
		floor_work(burst, ready[1]);
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		bench_fail("the floor's probes are not armed");
	close(ready[0]);
	burst_measure(burst, samples);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		bench_fail("the floor failed");
}

/* ---- ours ---- */

static void
burst_request(char *text, size_t size, size_t number, const void *argument)
{
	const struct burst *burst = argument;

	(void)number;
	snprintf(text, size, "{\"op\":\"add\",\"jail\":%d,\"command\":[\"%s\",\"%s\"],\"keep\":true}\n",
		 burst->jail.jid, burst->stamp, burst->fifo_path);
}

static void
burst_ours(const struct burst *burst, struct samples *samples)
{
	struct daemon daemon;
	int line;

	many_start(&daemon, burst->bench, "burst", "{\"runs\":10000}\n");
	line = line_connect(daemon.socket, daemon.pid);
	many_ask(line, burst->count, burst_request, burst);
	burst_measure(burst, samples);
	many_await(line, "runs_ok", burst->count);
	close(line);
	daemon_stop(&daemon);
}

/* ---- */

static void
burst_prepare(struct burst *burst, const struct bench *bench)
{
	*burst = (struct burst){.bench = bench,
				.stamp = bench_path(bench->tools, "stamp"),
				.fifo_path = bench_path(bench->dir, "fifo")};
	if (mkfifo(burst->fifo_path, 0600) == -1 ||
	    (burst->fifo = open(burst->fifo_path, O_RDWR | O_CLOEXEC)) == -1)
		bench_fail("%s: %s", burst->fifo_path, strerror(errno));
	os_jail_make(&burst->jail);
}

static void
burst_row(struct burst *burst, size_t count, size_t rounds)
{
	struct samples floor, ours;
	char title[64];

	burst->count = count;
	snprintf(title, sizeof(title), "one run of %zu pressed at once", count);
	if (!many_fit(title, count * 2))
		return;
	samples_init(&floor, rounds);
	samples_init(&ours, rounds);
	while (floor.count < rounds) {
		burst_floor(burst, &floor);
		burst_ours(burst, &ours);
	}
	stats_row(title, &floor, &ours);
	samples_free(&ours);
	samples_free(&floor);
}

int
main(int argc, char **argv)
{
	struct burst burst;
	struct bench bench;

	signal(SIGHUP, SIG_IGN); /* so does the jail's first process: the press is not meant for it */
	if (argc == 2)
		return burst_inside();
	bench_arguments(&bench, argc, argv);
	many_descriptors(BURST_DESCRIPTORS);
	burst_prepare(&burst, &bench);
	burst_row(&burst, BURST_FEW, BURST_ROUNDS_FEW);
	burst_row(&burst, BURST_MANY, bench.trials < BURST_LONG ? 1 : BURST_ROUNDS_MANY);
	os_jail_end(&burst.jail);
	free(burst.fifo_path);
	free(burst.stamp);
	return 0;
}
