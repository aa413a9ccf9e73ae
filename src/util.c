#include "config.h"

#include "util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t
clock_ms(clockid_t clock)
{
	struct timespec now = {0};

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
util_monotonic_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

int64_t
util_monotonic_us(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t
util_wall_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

const char *
util_format_time(char text[UTIL_TIME_SIZE], int64_t wall_ms)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm utc;
	char day[24];

	if (gmtime_r(&seconds, &utc) == NULL)
		memset(&utc, 0, sizeof(utc));
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text, UTIL_TIME_SIZE, "%s.%03dZ", day, (int)(wall_ms % 1000));
	return text;
}

bool
util_parse_number(const char *text, int64_t low, int64_t high, int64_t *value)
{
	long long number;
	char *end;

	if (text[0] != '-' && (text[0] < '0' || text[0] > '9'))
		return false;
	errno = 0;
	number = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || number < low || number > high)
		return false;
	*value = number;
	return true;
}

void
util_make_printable(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

bool
util_has_control(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;

	for (; *c != '\0'; c++)
		if (*c < ' ' || *c == 0x7f || (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0))
			return true;
	return false;
}

ssize_t
util_read_fd(int fd, char *buffer, size_t size)
{
	size_t used = 0;
	ssize_t got;

	while (used < size) {
		got = read(fd, buffer + used, size - used);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0) {
			buffer[used] = '\0';
			return (ssize_t)used;
		}
		used += (size_t)got;
	}
	errno = EFBIG;
	return -1;
}

ssize_t
util_read_file(const char *path, char *buffer, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int saved_errno;
	ssize_t got;

	if (fd < 0)
		return -1;
	got = util_read_fd(fd, buffer, size);
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return got;
}

int
util_pipe(int ends[2])
{
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	return fcntl(ends[0], F_SETFL, O_NONBLOCK);
}

void
util_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

char **
util_copy_strings(char *const *strings)
{
	size_t count = 0, bytes = 0;
	char **copy, *text;

	for (; strings[count] != NULL; count++)
		bytes += strlen(strings[count]) + 1;
	copy = malloc((count + 1) * sizeof(*copy) + bytes);
	if (copy == NULL)
		return NULL;
	text = (char *)(copy + count + 1);
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(strings[i]) + 1;

		copy[i] = memcpy(text, strings[i], length);
		text += length;
	}
	copy[count] = NULL;
	return copy;
}
