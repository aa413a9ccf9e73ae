/* Row "state": what it costs that probes survive. One more probe where there are few, and where there are
 * many; and many brought back from the disk, against as many that are asked for and kept nowhere. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "bench.h"

#define STATE_FEW	10
#define STATE_MANY	10000
#define STATE_PER_TRIAL 5 /* probes of the second row, up to STATE_MANY */
#define STATE_ROUNDS	3
#define STATE_LOOK_US	2000

struct side {
	struct daemon daemon;
	int line;
	struct samples samples;
};

static void
state_remove(int line, long number)
{
	char request[96], answer[LINE_ANSWER];

	snprintf(request, sizeof(request), "{\"op\":\"remove\",\"probe\":%ld,\"keep\":true}\n", number);
	line_ask(line, request, answer, sizeof(answer));
	if (strncmp(answer, "{\"ok\":true", 10) != 0)
		bench_fail("remove: %s", answer);
}

/* One more, which goes again, so that there are always as many. */
static void
state_one(struct side *side, int jid)
{
	int64_t began = bench_now();
	long number = daemon_add(side->line, jid, "[\"true\"]");

	samples_add(&side->samples, bench_now() - began);
	state_remove(side->line, number);
}

static void
state_fill(struct side *side, const struct bench *bench, const char *name, int jid, size_t count)
{
	daemon_start(&side->daemon, bench, name, 1);
	side->line = line_connect(side->daemon.socket, side->daemon.pid);
	daemon_add_many(side->line, jid, count);
	samples_init(&side->samples, bench->trials);
}

static void
state_row_add(const struct bench *bench, int jid)
{
	struct side few, many;
	size_t trial;

	state_fill(&few, bench, "few", jid, STATE_FEW);
	state_fill(&many, bench, "many", jid, STATE_MANY);
	for (trial = 0; trial < bench->trials; trial++) {
		state_one(&few, jid);
		state_one(&many, jid);
	}
	stats_row("add, kept: 10 are there, or 10000", &few.samples, &many.samples);
	samples_free(&few.samples);
	samples_free(&many.samples);
	daemon_stop(&few.daemon);
	daemon_stop(&many.daemon);
}

static size_t
state_count(const struct bench *bench)
{
	size_t count = bench->trials * STATE_PER_TRIAL;

	return count < STATE_MANY ? count : STATE_MANY;
}

/* What one probe takes, of those that are asked for one after another. */
static void
state_ask(struct samples *samples, const struct bench *bench, int jid)
{
	struct daemon daemon;
	int64_t began;
	int line;

	daemon_start(&daemon, bench, "asked", 0);
	line = line_connect(daemon.socket, daemon.pid);
	began = bench_now();
	daemon_add_many(line, jid, state_count(bench));
	samples_add(samples, (bench_now() - began) / (int64_t)state_count(bench));
	daemon_stop(&daemon);
}

static void
state_await(int line, size_t count)
{
	char answer[LINE_ANSWER];
	long armed;

	for (;;) {
		line_ask(line, "{\"op\":\"status\",\"keep\":true}\n", answer, sizeof(answer));
		if (!line_number(answer, "armed", &armed))
			bench_fail("status: %s", answer);
		if ((size_t)armed == count)
			return;
		bench_pause_us(STATE_LOOK_US);
	}
}

/* The same of those that a killed daemon has left: from its successor's start until the last is armed. */
static void
state_bring_back(struct samples *samples, const struct bench *bench)
{
	struct daemon daemon;
	int64_t began = bench_now();
	int line;

	daemon_start(&daemon, bench, "kept", 1);
	line = line_connect(daemon.socket, daemon.pid);
	state_await(line, state_count(bench));
	samples_add(samples, (bench_now() - began) / (int64_t)state_count(bench));
	kill(daemon.pid, SIGKILL);
	waitpid(daemon.pid, NULL, 0);
}

static void
state_row_back(const struct bench *bench, int jid)
{
	struct samples asked, back;
	struct daemon daemon;
	unsigned round;

	daemon_start(&daemon, bench, "kept", 1);
	daemon_add_many(line_connect(daemon.socket, daemon.pid), jid, state_count(bench));
	kill(daemon.pid, SIGKILL);
	waitpid(daemon.pid, NULL, 0);
	samples_init(&asked, STATE_ROUNDS);
	samples_init(&back, STATE_ROUNDS);
	for (round = 0; round < STATE_ROUNDS; round++) {
		state_ask(&asked, bench, jid);
		state_bring_back(&back, bench);
	}
	stats_row("armed: asked for, or brought back", &asked, &back);
	samples_free(&asked);
	samples_free(&back);
}

int
main(int argc, char **argv)
{
	struct os_jail jail;
	struct bench bench;

	bench_arguments(&bench, argc, argv);
	os_jail_make(&jail);
	state_row_add(&bench, jail.jid);
	state_row_back(&bench, jail.jid);
	os_jail_end(&jail);
	return 0;
}
