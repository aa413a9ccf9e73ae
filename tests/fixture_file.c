#include "config.h"

#include "fixture_file.h"

#include <sys/stat.h>

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_wait.h"

struct wanted {
	const char *path;
	const char *text;
	int count;
};

char *
file_text(const char *path)
{
	size_t length = 0, room = 4096, got;
	char *text = malloc(room);
	FILE *file = fopen(path, "re");

	while (file != NULL && (got = fread(text + length, 1, room - length - 1, file)) > 0) {
		length += got;
		if (room - length < 2)
			text = realloc(text, room *= 2);
	}
	if (file != NULL)
		(void)fclose(file);
	text[length] = '\0';
	return (text);
}

bool
file_exists(const char *path)
{
	struct stat info;

	return (lstat(path, &info) == 0);
}

/* Counts the complete lines, or only those that are exactly the one wanted. */
static int
file_tally(const char *path, const char *wanted)
{
	char *text = file_text(path), *line = text, *end;
	int count = 0;

	for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		*end = '\0';
		if (wanted == NULL || strcmp(line, wanted) == 0)
			count++;
	}
	free(text);
	return (count);
}

int
file_lines(const char *path)
{
	return (file_tally(path, NULL));
}

int
file_count(const char *path, const char *line)
{
	return (file_tally(path, line));
}

static bool
file_has_count(void *arg)
{
	const struct wanted *wanted = arg;

	return (file_tally(wanted->path, wanted->text) >= wanted->count);
}

void
file_wait_count(const char *path, const char *line, int count)
{
	struct wanted wanted = {.path = path, .text = line, .count = count};

	ck_assert_msg(wait_until(file_has_count, &wanted), "%s: has %d lines%s%s and not %d", path,
		      file_tally(path, line), line != NULL ? " of " : "", line != NULL ? line : "",
		      count);
}

void
file_wait_lines(const char *path, int lines)
{
	file_wait_count(path, NULL, lines);
}

static bool
file_is_there(void *arg)
{
	const struct wanted *wanted = arg;

	return (file_exists(wanted->path) == (wanted->count != 0));
}

void
file_wait_exists(const char *path, bool exists)
{
	struct wanted wanted = {.path = path, .count = exists};

	ck_assert_msg(wait_until(file_is_there, &wanted), "%s: %s", path,
		      exists ? "never came" : "never went");
}

static bool
file_has_text(void *arg)
{
	const struct wanted *wanted = arg;
	char *text = file_text(wanted->path);
	bool found = strstr(text, wanted->text) != NULL;

	free(text);
	return (found);
}

void
file_wait_text(const char *path, const char *needle)
{
	struct wanted wanted = {.path = path, .text = needle};

	ck_assert_msg(wait_until(file_has_text, &wanted), "%s: never said \"%s\"", path, needle);
}

void
file_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	ck_assert_msg(file != NULL, "%s: can't be written", path);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

int
file_fifo(const char *path)
{
	int fifo;

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	fifo = open(path, O_RDWR | O_CLOEXEC);
	ck_assert_int_ne(fifo, -1);
	return (fifo);
}

void
file_release(int fifo, int readers)
{
	for (; readers > 0; readers--)
		ck_assert_int_eq(write(fifo, "\n", 1), 1);
}
