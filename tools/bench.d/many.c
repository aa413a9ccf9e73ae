/* Probes by the thousand. */
#define _GNU_SOURCE
#include <sys/resource.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "many.h"

/* Requests on their way at a time: as many as the daemon takes of one client. */
#define MANY_WINDOW 64

#define MANY_WAIT_MS 120000 /* nothing that works takes that long */
#define MANY_LOOK_US 20000  /* between two looks: the daemon is to work, not to tell how far it is */
#define MANY_SPARE   500    /* processes that others may start meanwhile */

static char *
many_file(const struct bench *bench, const char *name, const char *ending)
{
	char file[64];

	snprintf(file, sizeof(file), "%s.%s", name, ending);
	return bench_path(bench->dir, file);
}

static void
many_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd == -1 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		bench_fail("%s: %s", path, strerror(errno));
	close(fd);
}

void
many_start(struct daemon *daemon, const struct bench *bench, const char *name, const char *limits)
{
	char *conf = many_file(bench, name, "conf"), *log = many_file(bench, name, "log");
	char *pidfile = many_file(bench, name, "pid");
	const char *argv[] = {bench->daemon, "-D", "-F", "-C", conf, "-S", "none", "-p", pidfile,
			      "-f", NULL, NULL};

	many_write(conf, limits);
	argv[10] = daemon->socket = many_file(bench, name, "sock");
	daemon->pid = bench_start(argv, log);
	free(pidfile);
	free(log);
	free(conf);
}

void
many_ask(int line, size_t count, many_request *request, const void *argument)
{
	char text[2048], answers[LINE_ANSWER];
	size_t asked = 0, answered = 0;

	while (answered < count) {
		for (; asked < count && asked - answered < MANY_WINDOW; asked++) {
			request(text, sizeof(text), asked, argument);
			line_send(line, text);
		}
		answered += line_answers(line, answers, sizeof(answers), "{\"ok\":true");
	}
}

long
many_status(int line, const char *what)
{
	char answer[LINE_ANSWER];
	long number;

	line_ask(line, "{\"op\":\"status\",\"keep\":true}\n", answer, sizeof(answer));
	if (!line_number(answer, what, &number))
		bench_fail("the status has no \"%s\": %s", what, answer);
	return number;
}

void
many_await(int line, const char *what, size_t wanted)
{
	int64_t end = bench_now() + MANY_WAIT_MS * (int64_t)1000000;
	long number;

	while ((number = many_status(line, what)) != (long)wanted) {
		if (bench_now() > end)
			bench_fail("\"%s\" is %ld, and was to be %zu", what, number, wanted);
		bench_pause_us(MANY_LOOK_US);
	}
}

char *
many_list(int line)
{
	size_t size = LINE_ANSWER, have = 0;
	char *text = malloc(size);
	ssize_t got;

	line_send(line, "{\"op\":\"list\",\"keep\":true}\n");
	do {
		if (size - have < LINE_ANSWER)
			text = realloc(text, size *= 2);
		if (text == NULL)
			bench_fail("no memory for the list");
		if ((got = read(line, text + have, size - have - 1)) <= 0)
			bench_fail("no answer to \"list\"");
		have += (size_t)got;
	} while (text[have - 1] != '\n');
	text[have] = '\0';
	return text;
}

size_t
many_times(const char *text, const char *part)
{
	size_t times = 0;

	while ((text = strstr(text, part)) != NULL) {
		text += strlen(part);
		times++;
	}
	return times;
}

/* One that ends at once closes its end of the pipe without a byte. */
static void
many_await_bytes(int fd, size_t count)
{
	char bytes[4096];
	ssize_t got;

	for (; count > 0; count -= (size_t)got)
		if ((got = read(fd, bytes, sizeof(bytes))) <= 0)
			bench_fail("%zu bare probes are not there", count);
}

void
many_bare(const struct bench *bench, int jid, pid_t *pids, size_t count)
{
	char *program = bench_path(bench->tools, "floor_probe"), *argv[] = {program, NULL};
	struct os_door door;
	size_t number;
	int ready[2];

	if (pipe2(ready, O_CLOEXEC) == -1)
		bench_fail("pipe: %s", strerror(errno));
	os_door_open(&door, jid);
	for (number = 0; number < count; number++)
		if ((pids[number] = os_door_spawn(&door, argv, ready[1])) == -1)
			bench_fail("%s: %s", program, strerror(errno));
	close(ready[1]);
	many_await_bytes(ready[0], count);
	close(ready[0]);
	os_door_close(&door);
	free(program);
}

void
many_descriptors(size_t count)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		bench_fail("getrlimit: %s", strerror(errno));
	if (limit.rlim_cur < count)
		limit.rlim_cur = count;
	if (limit.rlim_max < limit.rlim_cur)
		limit.rlim_max = limit.rlim_cur;
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		bench_fail("%zu descriptors can't be had: %s", count, strerror(errno));
}

int
many_fit(const char *what, size_t processes)
{
	size_t room = os_room();

	if (room >= processes + MANY_SPARE)
		return 1;
	fprintf(stderr, "bench: skipped: %s: this machine has room for %zu processes more, and not for %zu\n",
		what, room, processes + MANY_SPARE);
	return 0;
}
