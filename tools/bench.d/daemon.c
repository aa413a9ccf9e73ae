/* The jaildaemon that is measured: on private paths, in the foreground, our child. */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

#define DAEMON_OPTIONS 16

/* Starts it; its socket is dir/daemon.sock, its log dir/daemon.log. */
void
daemon_start(struct daemon *daemon, const struct bench *bench)
{
	char *pidfile = bench_path(bench->dir, "daemon.pid");
	char *log = bench_path(bench->dir, "daemon.log");
	const char *argv[7 + DAEMON_OPTIONS + 1] = {bench->daemon, "-D", "-F", "-p", pidfile, "-f"};
	size_t option;

	argv[6] = daemon->socket = bench_path(bench->dir, "daemon.sock");
	for (option = 0; bench->options[option] != NULL; option++) {
		if (option == DAEMON_OPTIONS)
			bench_fail("more than %d options for the daemon", DAEMON_OPTIONS);
		argv[7 + option] = bench->options[option];
	}
	daemon->pid = bench_start(argv, log);
	free(log);
	free(pidfile);
}

void
daemon_stop(struct daemon *daemon)
{
	bench_stop(daemon->pid);
	free(daemon->socket);
	daemon->socket = NULL;
}

/* Adds a button; command is JSON: a string, or an array of strings. Its number. */
long
daemon_add(int line, int jid, const char *command)
{
	char request[4096], answer[LINE_ANSWER];
	long number;

	snprintf(request, sizeof(request),
		 "{\"op\":\"add\",\"jail\":%d,\"command\":%s,\"title\":\"BENCH\","
		 "\"respawn\":\"after\",\"cooldown\":0,\"keep\":true}\n",
		 jid, command);
	line_ask(line, request, answer, sizeof(answer));
	if (!line_number(answer, "probe", &number))
		bench_fail("add: %s", answer);
	return number;
}
