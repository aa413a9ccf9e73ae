/* Row "memory": what an armed probe takes of the machine's memory, the kernel's included: all that a daemon, its
 * jail and the probes take together with many of them, less what they take with one. The floor has bare probes.
 * Then what of it the daemon has for itself, and what a daemon takes that has nothing to do. All in KiB. */
#define _GNU_SOURCE
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "many.h"

#define MEMORY_PER_TRIAL 4 /* probes, up to MEMORY_MANY */
#define MEMORY_MANY	 10000
#define MEMORY_ROUNDS	 3
#define MEMORY_REST_US	 300000L /* the kernel gives back what ended only a little later */

/* In bytes. */
struct taken {
	int64_t probe;	/* by each more */
	int64_t daemon; /* by the daemon itself, for each */
	int64_t idle;	/* by the program that has nothing to do yet */
};

struct memory {
	const struct bench *bench;
	struct os_group group;
	size_t count;
};

typedef void memory_side(const struct memory *, struct taken *);

static size_t
memory_count(const struct bench *bench)
{
	size_t count = bench->trials * MEMORY_PER_TRIAL;

	return count < MEMORY_MANY ? count : MEMORY_MANY;
}

/* KiB stand where other rows have microseconds. */
static void
memory_add(struct samples *samples, int64_t bytes)
{
	samples_add(samples, bytes * 1000 / 1024);
}

static int64_t
memory_used(const struct memory *memory)
{
	bench_pause_us(MEMORY_REST_US);
	return os_group_bytes(&memory->group);
}

/* ---- the two sides, each in a process of its own, which is in the group ---- */

/* A program with libevent that has armed one probe. */
static int64_t
memory_floor_idle(const struct memory *memory, int jid)
{
	char *program = bench_path(memory->bench->tools, "floor"), jail[16];
	char *probe = bench_path(memory->bench->tools, "floor_probe");
	char *socket = bench_path(memory->bench->dir, "floor.sock");
	char *log = bench_path(memory->bench->dir, "floor.log");
	const char *argv[] = {program, socket, jail, probe, "true", NULL};
	int64_t idle;
	pid_t pid;
	int line;

	snprintf(jail, sizeof(jail), "%d", jid);
	unlink(socket);
	pid = bench_start(argv, log);
	line = line_connect(socket, pid);
	idle = os_memory_share(pid);
	close(line);
	bench_stop(pid);
	free(log);
	free(socket);
	free(probe);
	free(program);
	return idle;
}

static void
memory_floor(const struct memory *memory, struct taken *taken)
{
	pid_t *pids = calloc(memory->count + 1, sizeof(*pids));
	struct os_jail jail;
	int64_t before;
	size_t i;

	if (pids == NULL)
		bench_fail("no memory");
	os_jail_make(&jail);
	taken->idle = memory_floor_idle(memory, jail.jid);
	many_bare(memory->bench, jail.jid, pids, 1);
	before = memory_used(memory);
	many_bare(memory->bench, jail.jid, pids + 1, memory->count);
	taken->probe = (memory_used(memory) - before) / (int64_t)memory->count;
	taken->daemon = 0;
	for (i = 0; i <= memory->count; i++)
		if (kill(pids[i], SIGKILL) == -1 || waitpid(pids[i], NULL, 0) != pids[i])
			bench_fail("a bare probe is not there any more");
	os_jail_end(&jail);
	free(pids);
}

/* What the daemon has for itself is told by the second half: with the first, what it keeps of events has
 * come to its bound. */
static void
memory_ours(const struct memory *memory, struct taken *taken)
{
	const size_t second = memory->count / 2;
	struct daemon daemon;
	struct os_jail jail;
	int64_t before, own;
	int line;

	os_jail_make(&jail);
	many_start(&daemon, memory->bench, "memory", "{}\n");
	line = line_connect(daemon.socket, daemon.pid);
	taken->idle = os_memory_share(daemon.pid);
	daemon_add_many(line, jail.jid, 1);
	before = memory_used(memory);
	daemon_add_many(line, jail.jid, memory->count - second);
	own = os_memory_own(daemon.pid);
	daemon_add_many(line, jail.jid, second);
	taken->probe = (memory_used(memory) - before) / (int64_t)memory->count;
	taken->daemon = (os_memory_own(daemon.pid) - own) / (int64_t)second;
	many_await(line, "armed", memory->count + 1);
	close(line);
	daemon_stop(&daemon);
	os_jail_end(&jail);
}

/* ---- */

static void
memory_inside(struct memory *memory, memory_side *measure, int out)
{
	struct taken taken;

	os_tether();
	os_group_enter(&memory->group);
	measure(memory, &taken);
	if (write(out, &taken, sizeof(taken)) != (ssize_t)sizeof(taken))
		bench_fail("nobody wants to know");
	exit(0);
}

static struct taken
memory_measure(struct memory *memory, memory_side *measure)
{
	struct taken taken;
	int out[2], done;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) == -1 || (pid = fork()) == -1)
		bench_fail("fork: %s", strerror(errno));
	if (pid == 0)
		memory_inside(memory, measure, out[1]);
	close(out[1]);
	done = read(out[0], &taken, sizeof(taken)) == (ssize_t)sizeof(taken);
	close(out[0]);
	waitpid(pid, NULL, 0);
	os_group_end(&memory->group);
	if (!done)
		bench_fail("one side failed");
	return taken;
}

struct side {
	struct samples probe, daemon, idle;
};

static void
memory_round(const struct bench *bench, struct side *side, memory_side *measure)
{
	struct memory memory = {.bench = bench, .count = memory_count(bench)};
	struct taken taken;

	if (os_group_make(&memory.group) != 0)
		exit(0);
	taken = memory_measure(&memory, measure);
	memory_add(&side->probe, taken.probe);
	memory_add(&side->daemon, taken.daemon);
	memory_add(&side->idle, taken.idle);
}

static void
memory_side_init(struct side *side)
{
	samples_init(&side->probe, MEMORY_ROUNDS);
	samples_init(&side->daemon, MEMORY_ROUNDS);
	samples_init(&side->idle, MEMORY_ROUNDS);
}

static void
memory_side_free(struct side *side)
{
	samples_free(&side->probe);
	samples_free(&side->daemon);
	samples_free(&side->idle);
}

int
main(int argc, char **argv)
{
	struct side floor, ours;
	struct bench bench;
	unsigned round;

	bench_arguments(&bench, argc, argv);
	if (!many_fit("memory", memory_count(&bench)))
		return 0;
	memory_side_init(&floor);
	memory_side_init(&ours);
	for (round = 0; round < MEMORY_ROUNDS; round++) {
		memory_round(&bench, &floor, memory_floor);
		memory_round(&bench, &ours, memory_ours);
	}
	stats_row("KiB an armed probe, all in", &floor.probe, &ours.probe);
	stats_row("KiB of it the daemon's own", &floor.daemon, &ours.daemon);
	stats_row("KiB of the idle daemon", &floor.idle, &ours.idle);
	memory_side_free(&ours);
	memory_side_free(&floor);
	return 0;
}
