/* Files that an input describes. */
#include "config.h"

#include <sys/stat.h>

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

#define MARK "== "

static char directory[PATH_MAX];

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	(void)st;
	(void)type;
	return walk->level == 0 ? 0 : remove(path);
}

void
fuzz_clear_directory(void)
{
	FUZZ_CHECK(nftw(fuzz_directory(), remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0);
}

static void
remove_directory(void)
{
	fuzz_clear_directory();
	rmdir(directory);
}

/* Where synchronizing costs nothing. */
const char *
fuzz_directory(void)
{
	const char *where = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : getenv("TMPDIR");

	if (directory[0] != '\0')
		return directory;
	snprintf(directory, sizeof(directory), "%s/jaildaemon-fuzz.XXXXXX", where == NULL ? "/tmp" : where);
	FUZZ_CHECK(mkdtemp(directory) != NULL);
	FUZZ_CHECK(atexit(remove_directory) == 0);
	return directory;
}

const char *
fuzz_path(const char *name)
{
	static char paths[2][PATH_MAX + NAME_MAX];
	static int next;

	next = !next;
	snprintf(paths[next], sizeof(paths[next]), "%s/%s", fuzz_directory(), name);
	return paths[next];
}

static void
make_directories(char *path)
{
	for (char *slash = path + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
}

/* A name that can't be a file's here, being a directory, say, is left out. */
static bool
write_file(const char *root, const char *name, size_t name_length, const char *text, size_t length)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%.*s", root, (int)name_length, name);
	if (strstr(path, "..") != NULL)
		return false;
	make_directories(path);
	if ((file = fopen(path, "we")) == NULL)
		return false;
	FUZZ_CHECK(fwrite(text, 1, length, file) == length);
	fclose(file);
	return chmod(path, 0600) == 0;
}

/* Where the next mark is, at the beginning of a line; or the end. */
static const char *
next_mark(const char *text, const char *end)
{
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));

		if ((size_t)(end - text) >= strlen(MARK) && memcmp(text, MARK, strlen(MARK)) == 0)
			return text;
		text = newline == NULL ? end : newline + 1;
	}
	return end;
}

unsigned
fuzz_write_files(const char *root, const char *text, size_t length)
{
	const char *end, *newline, *next;
	unsigned written = 0;

	if (length == 0)
		return 0;
	end = text + length;
	for (text = next_mark(text, end); text < end; text = next) {
		text += strlen(MARK);
		if ((newline = memchr(text, '\n', (size_t)(end - text))) == NULL)
			break;
		next = next_mark(newline + 1, end);
		if (newline - text < NAME_MAX)
			written += write_file(root, text, (size_t)(newline - text), newline + 1,
					      (size_t)(next - newline - 1));
	}
	return written;
}
