/* Row "attach": what one probe more takes when many are asked for at once, from the first request to the last answer:
 * with nothing kept on the disk, against a program that puts as many bare probes into the same jail and is told by
 * each that it is there; and with each kept before it is answered, against nothing kept. */
#define _GNU_SOURCE
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define ATTACH_PER_TRIAL 2 /* probes of one round, up to ATTACH_MOST */
#define ATTACH_MOST	 5000
#define ATTACH_ROUNDS	 9

static size_t
attach_count(const struct bench *bench)
{
	size_t count = bench->trials * ATTACH_PER_TRIAL;

	return count < ATTACH_MOST ? count : ATTACH_MOST;
}

/* All of them write to one pipe, which is read when each was started: it has room for so many bytes. */
static void
attach_floor(struct samples *samples, const struct bench *bench, int jid)
{
	char *program = bench_path(bench->tools, "floor_probe"), *argv[] = {program, NULL}, bytes[4096];
	pid_t *pids = calloc(attach_count(bench), sizeof(*pids));
	size_t number, there = 0;
	struct os_door door;
	int64_t began;
	int ready[2];

	if (pids == NULL || pipe(ready) == -1)
		bench_fail("the floor's probes have no room: %s", strerror(errno));
	fcntl(ready[0], F_SETFD, FD_CLOEXEC);
	fcntl(ready[1], F_SETFD, FD_CLOEXEC);
	os_door_open(&door, jid);
	began = bench_now();
	for (number = 0; number < attach_count(bench); number++)
		if ((pids[number] = os_door_spawn(&door, argv, ready[1])) == -1)
			bench_fail("%s: %s", program, strerror(errno));
	while (there < attach_count(bench)) {
		ssize_t got = read(ready[0], bytes, sizeof(bytes));

		if (got <= 0)
			bench_fail("the floor's probes can't be armed");
		there += (size_t)got;
	}
	samples_add(samples, (bench_now() - began) / (int64_t)attach_count(bench));
	for (number = 0; number < attach_count(bench); number++) {
		kill(pids[number], SIGKILL);
		waitpid(pids[number], NULL, 0);
	}
	close(ready[0]);
	close(ready[1]);
	os_door_close(&door);
	free(pids);
	free(program);
}

/* Each time where nothing was kept before. */
static void
attach_ours(struct samples *samples, const struct bench *bench, int jid, int keeps)
{
	struct daemon daemon;
	char name[32];
	int64_t began;
	int line;

	snprintf(name, sizeof(name), "attach-%d-%zu", keeps, samples->count);
	daemon_start(&daemon, bench, name, keeps);
	line = line_connect(daemon.socket, daemon.pid);
	began = bench_now();
	daemon_add_many(line, jid, attach_count(bench));
	samples_add(samples, (bench_now() - began) / (int64_t)attach_count(bench));
	close(line);
	daemon_stop(&daemon);
}

int
main(int argc, char **argv)
{
	struct samples floor, ours, kept;
	struct os_jail jail;
	struct bench bench;
	unsigned round;

	bench_arguments(&bench, argc, argv);
	os_jail_make(&jail);
	samples_init(&floor, ATTACH_ROUNDS);
	samples_init(&ours, ATTACH_ROUNDS);
	samples_init(&kept, ATTACH_ROUNDS);
	for (round = 0; round < ATTACH_ROUNDS; round++) {
		attach_floor(&floor, &bench, jail.jid);
		attach_ours(&ours, &bench, jail.jid, 0);
		attach_ours(&kept, &bench, jail.jid, 1);
	}
	stats_row("attach, nothing kept", &floor, &ours);
	stats_row("attach: nothing kept, or each kept", &ours, &kept);
	samples_free(&kept);
	samples_free(&floor);
	samples_free(&ours);
	os_jail_end(&jail);
	return 0;
}
