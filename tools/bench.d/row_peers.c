/* Row "peers": what else is used so that somebody in a jail can have the host run one fixed command, in the same run.
 * A trial goes from just before the start of the program by which a process in the jail asks to the first instruction
 * of the command. So the sender's program counts for all of them: the protocol's own client where it takes one, and
 * else the smallest that there can be, which kills, connects or writes. Linux only. */
#define _GNU_SOURCE
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "peers.h"

#define PEERS_PER_ROUND	10    /* trials of the other rows, for each of ours */
#define PEERS_WAIT_MS	10000 /* nothing that works takes that long */
#define PEERS_AGAIN_MS	300   /* until a server is asked again whether it is there */
#define PEERS_REST_US	1500  /* before each trial, as with buttons */
#define PEERS_WARM_UP	3
#define PEERS_MESSAGE	4096

/* What the one in the jail says after it asked. */
struct asked {
	int64_t began;
	int status; /* of the program by which it did, as wait says it */
};

/* ---- the one in the jail: this program once more ---- */

/* Words that end with a NUL each. */
static void
asker_split(char *message, char *const end, char **argv)
{
	int count = 0;

	for (; message < end && count < PEER_WORDS - 1; message += strlen(message) + 1)
		argv[count++] = message;
	argv[count] = NULL;
}

static void
asker_ask(char **argv, struct asked *asked)
{
	pid_t pid;

	asked->began = bench_now();
	if ((pid = vfork()) == 0) {
		execv(argv[0], argv);
		_exit(127);
	}
	if (pid == -1 || waitpid(pid, &asked->status, 0) != pid)
		bench_fail("nobody can ask: %s", strerror(errno));
}

/* What the programs say is no part of the table. */
static void
asker_turn_to(const char *log)
{
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int said = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (dup2(nothing, STDIN_FILENO) == -1 || dup2(said, STDOUT_FILENO) == -1 ||
	    dup2(said, STDERR_FILENO) == -1)
		bench_fail("%s: %s", log, strerror(errno));
	close(nothing);
	close(said);
}

static int
asker_main(const char *log)
{
	char message[PEERS_MESSAGE], *argv[PEER_WORDS];
	struct asked asked;
	ssize_t size;

	os_tether();
	fcntl(FLOOR_READY, F_SETFD, FD_CLOEXEC);
	asker_turn_to(log);
	while ((size = recv(FLOOR_READY, message, sizeof(message), 0)) > 0) {
		asker_split(message, message + size, argv);
		asker_ask(argv, &asked);
		if (send(FLOOR_READY, &asked, sizeof(asked), 0) == -1)
			return 1;
	}
	return 0;
}

static pid_t
asker_start(struct peers *peers)
{
	char *self = bench_path(peers->bench->tools, "row_peers"), *log = bench_path(peers->bench->dir, "asker.log");
	char *argv[] = {self, log, NULL};
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1)
		bench_fail("socketpair: %s", strerror(errno));
	os_door_open(&peers->door, peers->jail.jid);
	if ((pid = os_door_spawn(&peers->door, argv, ends[1])) == -1)
		bench_fail("nobody gets into the jail to ask");
	close(ends[1]);
	peers->asker = ends[0];
	free(log);
	free(self);
	return pid;
}

/* ---- probes ---- */

/* The number that a process of the host has in the jail. */
static long
pid_in_jail(long pid)
{
	char path[32], line[256], *last;
	long inside = 0;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%ld/status", pid);
	if ((status = fopen(path, "r")) == NULL)
		bench_fail("%s: %s", path, strerror(errno));
	while (inside == 0 && fgets(line, sizeof(line), status) != NULL)
		if (strncmp(line, "NSpid:", 6) == 0 && (last = strrchr(line, '\t')) != NULL)
			inside = strtol(last, NULL, 10);
	fclose(status);
	if (inside == 0)
		bench_fail("%s has no NSpid", path);
	return inside;
}

/* Waits until its next probe is armed, and makes that the last word of what is asked. */
static void
peers_aim(struct peer *peer)
{
	int64_t end = bench_now() + PEERS_WAIT_MS * (int64_t)1000000;
	char answer[LINE_ANSWER], digits[24];
	long pid;
	int last = 0;

	do {
		line_ask(peer->button.line, peer->button.request, answer, sizeof(answer));
		if (line_has(answer, "state", "armed") && line_number(answer, "pid", &pid) &&
		    (pid_t)pid != peer->button.probe)
			break;
		if (bench_now() > end)
			bench_fail("%s: the probe was not armed again: %s", peer->title, answer);
		bench_pause_us(200);
	} while (1);
	peer->button.probe = (pid_t)pid;
	while (peer->ask[last + 1] != NULL)
		last++;
	snprintf(digits, sizeof(digits), "%ld", pid_in_jail(pid));
	free(peer->ask[last]);
	if ((peer->ask[last] = strdup(digits)) == NULL)
		bench_fail("no memory");
}

/* ---- asking ---- */

static void
peers_tell(struct peers *peers, const struct peer *peer)
{
	char message[PEERS_MESSAGE];
	size_t used = 0, size;
	int i;

	for (i = 0; peer->ask[i] != NULL; i++, used += size) {
		size = strlen(peer->ask[i]) + 1;
		if (used + size > sizeof(message))
			bench_fail("%s: too much to ask", peer->title);
		memcpy(message + used, peer->ask[i], size);
	}
	if (send(peers->asker, message, used, 0) == -1)
		bench_fail("the one in the jail is gone: %s", strerror(errno));
}

/* Whether the command began in that time, and when. */
static int
peers_stamp(struct peers *peers, int ms, int64_t *when)
{
	struct pollfd wait = {peers->stamps, POLLIN, 0};
	struct timespec stamp;

	if (poll(&wait, 1, ms) != 1)
		return 0;
	if (read(peers->stamps, &stamp, sizeof(stamp)) != (ssize_t)sizeof(stamp))
		bench_fail("half a stamp");
	*when = (int64_t)stamp.tv_sec * 1000000000 + stamp.tv_nsec;
	return 1;
}

/* 0: no stamp came in that time, or the program by which it asked failed. */
static int
peers_ask(struct peers *peers, struct peer *peer, int ms, int64_t *took)
{
	struct asked asked;
	int64_t when;
	int came;

	if (peer->by_number)
		peers_aim(peer);
	bench_pause_us(PEERS_REST_US);
	peers_tell(peers, peer);
	came = peers_stamp(peers, ms, &when);
	if (recv(peers->asker, &asked, sizeof(asked), 0) != (ssize_t)sizeof(asked))
		bench_fail("the one in the jail is gone");
	*took = when - asked.began;
	return came && asked.status == 0;
}

/* Until its server answers. What was asked before that may still come late. */
static void
peers_await(struct peers *peers, struct peer *peer)
{
	int64_t end = bench_now() + PEERS_WAIT_MS * (int64_t)1000000, took;

	while (!peers_ask(peers, peer, PEERS_AGAIN_MS, &took))
		if (bench_now() > end)
			bench_fail("%s: nothing came of it", peer->title);
	while (peers_stamp(peers, PEERS_AGAIN_MS, &took))
		continue;
}

static void
peers_trial(struct peers *peers, struct peer *peer)
{
	int64_t took;

	if (!peers_ask(peers, peer, PEERS_WAIT_MS, &took))
		bench_fail("%s: asking started nothing", peer->title);
	samples_add(&peer->times, took);
}

/* All in turn; each round begins with another one. */
static void
peers_measure(struct peers *peers, size_t rounds)
{
	size_t round, i, count = 0;

	while (peers_all[count].title != NULL)
		samples_init(&peers_all[count++].times, rounds);
	for (round = 0; round < rounds; round++)
		for (i = 0; i < count; i++)
			peers_trial(peers, &peers_all[(round + i) % count]);
}

/* ---- */

static void
peers_prepare(struct peers *peers, const struct bench *bench)
{
	*peers = (struct peers){.bench = bench};
	peers_hide(bench);
	os_jail_make(&peers->jail);
	peers->stamp = bench_path(bench->tools, "stamp");
	peers->fifo = bench_path(bench->dir, "fifo");
	if (mkfifo(peers->fifo, 0600) == -1 || (peers->stamps = open(peers->fifo, O_RDWR | O_CLOEXEC)) == -1)
		bench_fail("%s: %s", peers->fifo, strerror(errno));
	daemon_start(&peers->daemon, bench, "daemon", 1);
}

static void
peers_start(struct peers *peers, struct peer *peer)
{
	int64_t took;
	int i;

	if (peer->program != NULL && access(peer->program, X_OK) == -1)
		bench_fail("%s is not here; tools/bench --peers installs it", peer->program);
	peer->start(peers, peer);
	peers_await(peers, peer);
	for (i = 0; i < PEERS_WARM_UP; i++)
		peers_ask(peers, peer, PEERS_WAIT_MS, &took);
}

/* name, trials, p50 and p99 in microseconds; the first is the floor and the second ourselves. */
static void
peers_print(struct peer *peer)
{
	printf("%s\t%zu\t%.1f\t%.1f\n", peer->title, peer->times.count, samples_percentile(&peer->times, 50),
	       samples_percentile(&peer->times, 99));
	fflush(stdout);
	samples_free(&peer->times);
}

int
main(int argc, char **argv)
{
	struct peers peers;
	struct bench bench;
	struct peer *peer;
	pid_t asker;

	if (argc == 2)
		return asker_main(argv[1]);
	bench_arguments(&bench, argc, argv);
	peers_prepare(&peers, &bench);
	asker = asker_start(&peers);
	for (peer = peers_all; peer->title != NULL; peer++)
		peers_start(&peers, peer);
	peers_measure(&peers, 1 + bench.trials / PEERS_PER_ROUND);
	for (peer = peers_all; peer->title != NULL; peer++)
		peers_print(peer);
	while (peer-- > peers_all)
		peers_stop(peer);
	close(peers.asker);
	waitpid(asker, NULL, 0);
	daemon_stop(&peers.daemon);
	os_jail_end(&peers.jail);
	free(peers.fifo);
	free(peers.stamp);
	return 0;
}
