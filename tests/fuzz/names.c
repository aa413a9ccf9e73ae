/*
 * The files of container runtimes, with anything in them, below the paths where runtimes have them: but on
 * file systems of this program's own. The first line of the input is the name that is looked for. In the
 * files @PID@ and @START@ stand for this process and the time when it began. A pid is only found where a
 * file names it, and never by a name that could lead to other files.
 */
#include "config.h"

#include <sys/mount.h>

#include <errno.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "jail.h"
#include "proc_linux.h"
#include "runtime_kinds_linux.h"
#include "runtime_linux.h"
#include "text.h"
#include "util.h"

static const char *const own[] = {"/run", "/var/lib"};
static char pid_text[24], start_text[24];

/* Replaces the marks. */
static void
fill_in(struct text *out, const char *text, size_t length)
{
	static const struct {
		const char *mark;
		const char *value;
	} marks[] = {{"@PID@", pid_text}, {"@START@", start_text}};

	while (length > 0) {
		size_t taken = 0;

		for (size_t i = 0; i < UTIL_COUNT(marks) && taken == 0; i++) {
			size_t size = strlen(marks[i].mark);

			if (length < size || memcmp(text, marks[i].mark, size) != 0)
				continue;
			text_say(out, marks[i].value);
			taken = size;
		}
		if (taken == 0)
			text_add(out, text, 1);
		text += taken == 0 ? 1 : taken;
		length -= taken == 0 ? 1 : taken;
	}
	FUZZ_CHECK(!out->failed);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	(void)st;
	(void)type;
	return walk->level == 0 ? 0 : remove(path);
}

static void
look_for(const char *name, const char *files)
{
	struct error e = {0};
	char digits[24];
	pid_t pid = 0;
	int found = runtime_find(name, &pid, &e);
	const char *colon = strchr(name, ':'), *plain = colon == NULL ? name : colon + 1;

	if (found != 0) {
		FUZZ_CHECK(e.code == ERR_NO_SUCH_JAIL && e.text[0] != '\0');
		fuzz_check_printable(e.text, strlen(e.text));
		return;
	}
	snprintf(digits, sizeof(digits), "%d", (int)pid);
	FUZZ_CHECK(pid > 0 && strstr(files, digits) != NULL);
	FUZZ_CHECK(runtime_is_safe_name(plain) && strpbrk(plain, "/*?[") == NULL);
}

static void
mount_own(void)
{
	if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
		printf("SKIP: names: no file systems of its own: %s\n", strerror(errno));
		exit(FUZZ_SKIPPED);
	}
	for (size_t i = 0; i < UTIL_COUNT(own); i++)
		FUZZ_CHECK(mount("tmpfs", own[i], "tmpfs", 0, "mode=755") == 0);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	uint64_t start;

	(void)argc;
	(void)argv;
	FUZZ_CHECK(proc_start_time(getpid(), &start) == 0);
	snprintf(pid_text, sizeof(pid_text), "%d", (int)getpid());
	snprintf(start_text, sizeof(start_text), "%llu", (unsigned long long)start);
	mount_own();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct fuzz_script script = {(const char *)bytes, size};
	char name[JAIL_NAME_SIZE];
	struct text files = {0};
	const char *line;
	size_t length;

	if (!fuzz_next_line(&script, &line, &length) || length >= sizeof(name))
		return 0;
	memcpy(name, line, length);
	name[length] = '\0';
	fill_in(&files, script.at, script.left);
	fuzz_write_files("/", files.bytes, files.used);
	/* Zero bytes end a text, but not a file. */
	for (size_t i = 0; i < files.used; i++)
		if (files.bytes[i] == '\0')
			files.bytes[i] = ' ';
	text_add(&files, "", 1);
	look_for(name, files.bytes);
	text_free(&files);
	for (size_t i = 0; i < UTIL_COUNT(own); i++)
		FUZZ_CHECK(nftw(own[i], remove_one, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) == 0);
	return 0;
}
