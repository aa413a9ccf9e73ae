/* The client's side of a line protocol, as small as the bench needs it. */
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

static int
line_try(const struct sockaddr_un *address)
{
	int fd;

	if ((fd = socket(AF_UNIX, SOCK_STREAM, 0)) == -1)
		bench_fail("socket: %s", strerror(errno));
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Waits until the server, our child pid, answers at path. */
int
line_connect(const char *path, pid_t server)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd, tries;

	if (strlen(path) >= sizeof(address.sun_path))
		bench_fail("%s: too long for a socket", path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	for (tries = 0; tries < 1000; tries++) {
		if ((fd = line_try(&address)) != -1)
			return fd;
		if (waitpid(server, NULL, WNOHANG) == server)
			bench_fail("the server of %s ended; see the logs beside it", path);
		bench_pause_us(10000);
	}
	bench_fail("%s: nobody answers", path);
}

void
line_send(int fd, const char *text)
{
	size_t size = strlen(text);
	ssize_t sent;

	while (size > 0) {
		if ((sent = write(fd, text, size)) <= 0)
			bench_fail("request: %s", strerror(errno));
		text += sent;
		size -= (size_t)sent;
	}
}

/* Reads what has come, which must be whole lines that begin as told, at least one; their number. */
size_t
line_answers(int fd, char *answers, size_t size, const char *beginning)
{
	size_t have = 0, count = 0;
	ssize_t got;
	char *line, *end;

	do {
		if (have == size - 1 || (got = read(fd, answers + have, size - 1 - have)) <= 0)
			bench_fail("no answer, or one that is too long");
		have += (size_t)got;
	} while (answers[have - 1] != '\n');
	answers[have] = '\0';
	for (line = answers; (end = strchr(line, '\n')) != NULL; line = end + 1, count++)
		if (strncmp(line, beginning, strlen(beginning)) != 0)
			bench_fail("answer: %.200s", line);
	return count;
}

/* Sends the request, a line with its newline, and reads one line into answer; the newline is cut
 * off. */
void
line_ask(int fd, const char *request, char *answer, size_t size)
{
	size_t have = 0;
	ssize_t got;

	line_send(fd, request);
	do {
		if (have == size - 1)
			bench_fail("an answer longer than %zu bytes", size);
		if ((got = read(fd, answer + have, size - 1 - have)) <= 0)
			bench_fail("no answer to %s", request);
		have += (size_t)got;
	} while (answer[have - 1] != '\n');
	answer[have - 1] = '\0';
}

/* The text after "name": in a JSON line, or NULL; from tells where to begin. */
static const char *
line_value(const char *from, const char *name)
{
	size_t length = strlen(name);

	while ((from = strchr(from, '"')) != NULL) {
		from++;
		if (strncmp(from, name, length) != 0 || from[length] != '"')
			continue;
		from += length + 1;
		while (isspace((unsigned char)*from) || *from == ':')
			from++;
		return from;
	}
	return NULL;
}

/* The first member of this name that is a number. */
int
line_number(const char *answer, const char *name, long *number)
{
	const char *value;

	for (value = answer; (value = line_value(value, name)) != NULL;)
		if (isdigit((unsigned char)*value)) {
			*number = strtol(value, NULL, 10);
			return 1;
		}
	return 0;
}

/* Whether the first member of this name is just this string. */
int
line_has(const char *answer, const char *name, const char *text)
{
	const char *value = line_value(answer, name);
	size_t length = strlen(text);

	return value != NULL && *value == '"' && strncmp(value + 1, text, length) == 0 &&
	       value[length + 1] == '"';
}
