/* The jaildaemon that is measured: on private paths, in the foreground, our child. */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

/* Requests on their way at a time: as many as the daemon takes of one client. */
#define DAEMON_WINDOW 64

/* dir/NAME.ENDING, for the caller to free. */
static char *
daemon_path(const struct bench *bench, const char *name, const char *ending)
{
	char file[64];

	snprintf(file, sizeof(file), "%s.%s", name, ending);
	return bench_path(bench->dir, file);
}

/* Starts it; its socket is dir/NAME.sock, its log dir/NAME.log. If it keeps what it knows, that is in
 * dir/NAME.state, and the next one of this name finds it there. */
void
daemon_start(struct daemon *daemon, const struct bench *bench, const char *name, int keeps)
{
	char *pidfile = daemon_path(bench, name, "pid"), *log = daemon_path(bench, name, "log");
	char *state = daemon_path(bench, name, "state");
	const char *argv[] = {bench->daemon, "-D", "-F", "-p", pidfile, "-S",
			      keeps ? state : "none", "-f", NULL, NULL};

	argv[8] = daemon->socket = daemon_path(bench, name, "sock");
	daemon->pid = bench_start(argv, log);
	free(state);
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

/* Adds so many buttons of one command, some dozen on their way at a time. */
void
daemon_add_many(int line, int jid, size_t count)
{
	char request[256], answers[LINE_ANSWER];
	size_t asked, answered = 0;

	snprintf(request, sizeof(request),
		 "{\"op\":\"add\",\"jail\":%d,\"command\":[\"true\"],\"title\":\"BENCH\","
		 "\"respawn\":\"after\",\"keep\":true}\n",
		 jid);
	for (asked = 0; answered < count;) {
		for (; asked < count && asked - answered < DAEMON_WINDOW; asked++)
			line_send(line, request);
		answered += line_answers(line, answers, sizeof(answers), "{\"ok\":true,\"probe\":");
	}
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
