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

/* Digits of a number, with leading zeros; returns where they end. */
static char *
put_digits(char *place, int64_t number, int count)
{
	for (int i = count - 1; i >= 0; i--, number /= 10)
		place[i] = (char)('0' + number % 10);
	return place + count;
}

/* The proleptic Gregorian date of a day counted from 1970: years begin in March here, so that the leap day
 * is their last one. */
static char *
put_date(char *place, int64_t day)
{
	int64_t from_era = day + 719468; /* 0000-03-01 */
	int64_t era = from_era / 146097, of_era = from_era % 146097;
	int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month = (5 * of_year + 2) / 153;

	place = put_digits(place, era * 400 + year_of_era + (month >= 10), 4);
	*place++ = '-';
	place = put_digits(place, month < 10 ? month + 3 : month - 9, 2);
	*place++ = '-';
	return put_digits(place, of_year - (153 * month + 2) / 5 + 1, 2);
}

/* "2026-11-21T12:00:03", in all formats alike; where it ends. By hand, because lists have thousands. A time
 * before 1970, or after the year 9999, is shown as the nearest that isn't. */
static char *
put_clock(char *place, int64_t wall_ms)
{
	const int64_t last = 253402300799;
	int64_t seconds = wall_ms < 0 ? 0 : wall_ms / 1000 > last ? last : wall_ms / 1000;

	place = put_date(place, seconds / 86400);
	*place++ = 'T';
	place = put_digits(place, seconds / 3600 % 24, 2);
	*place++ = ':';
	place = put_digits(place, seconds / 60 % 60, 2);
	*place++ = ':';
	return put_digits(place, seconds % 60, 2);
}

const char *
util_format_time(char text[UTIL_TIME_SIZE], int64_t wall_ms)
{
	char *place = put_clock(text, wall_ms);

	*place++ = '.';
	place = put_digits(place, wall_ms < 0 ? 0 : wall_ms % 1000, 3);
	memcpy(place, "Z", 2);
	return text;
}

const char *
util_format_seconds(char text[UTIL_TIME_SIZE], int64_t wall_ms)
{
	memcpy(put_clock(text, wall_ms), "Z", 2);
	return text;
}

bool
util_parse_time(const char *text, int64_t *wall_ms)
{
	struct tm utc = {0};

	if (strptime(text, "%Y-%m-%dT%H:%M:%S", &utc) == NULL)
		return false;
	*wall_ms = (int64_t)timegm(&utc) * 1000;
	return true;
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

bool
util_is_shortage(int error)
{
	return error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE || error == ENOBUFS;
}

int
util_pipe(int ends[2])
{
	int failed;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0)
		return 0;
	failed = errno;
	close(ends[0]);
	close(ends[1]);
	errno = failed;
	return -1;
}

void
util_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* What a character that begins with this byte takes; 0: none begins with it. */
static size_t
character_size(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Overlong forms, surrogates and what lies above U+10FFFF differ from the rest in the second byte. */
static bool
is_second(unsigned char first, unsigned char second)
{
	unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
	unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;

	return second >= low && second <= high;
}

size_t
util_character(const char *bytes, size_t left)
{
	const unsigned char *c = (const unsigned char *)bytes;
	size_t size = left == 0 ? 0 : character_size(c[0]);

	if (size > left || (size > 1 && !is_second(c[0], c[1])))
		return 0;
	for (size_t i = 2; i < size; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	return size;
}

size_t
util_whole_characters(const char *bytes, size_t length)
{
	for (size_t back = 1; back < 4 && back <= length; back++) {
		unsigned char c = (unsigned char)bytes[length - back];

		if (character_size(c) > back)
			return length - back;
		if ((c & 0xc0) != 0x80)
			break;
	}
	return length;
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
