/* Goes through inputs that are there: those that are named, files or directories of them, or the corpus that
 * belongs to this program. */
#include "config.h"

#include <sys/stat.h>

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static unsigned replayed;

/* A copy of exactly its size, so that a sanitizer sees who reads beyond it. */
static void
replay_file(const char *path, size_t size)
{
	FILE *file = fopen(path, "re");
	uint8_t *bytes = malloc(size == 0 ? 1 : size);

	if (file == NULL || bytes == NULL || fread(bytes, 1, size, file) != size) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	fclose(file);
	LLVMFuzzerTestOneInput(bytes, size);
	free(bytes);
	replayed++;
}

static int
is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void replay(const char *path);

static void
replay_directory(const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, is_visible, alphasort);
	char inner[PATH_MAX];

	for (int i = 0; i < count; i++) {
		snprintf(inner, sizeof(inner), "%s/%s", path, entries[i]->d_name);
		replay(inner);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

static void
replay(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	if (S_ISDIR(st.st_mode))
		replay_directory(path);
	else
		replay_file(path, (size_t)st.st_size);
}

static void
replay_own_corpus(const char *program)
{
	const char *source = getenv("srcdir"), *slash = strrchr(program, '/');
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s", source == NULL ? "." : source,
		 slash == NULL ? program : slash + 1);
	replay(path);
}

int
main(int argc, char **argv)
{
	LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	if (argc == 1)
		replay_own_corpus(argv[0]);
	printf("%u inputs\n", replayed);
	return replayed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
