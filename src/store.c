#include "config.h"

#include "store.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "store_files.h"
#include "util.h"

/* Files that are open at once while a group is written. */
#define GROUP_MAX 64

static int directory_fd = -1;
static char directory[256]; /* for log lines */
static uint64_t reserved = 1;

/* ---- the directory ---- */

static int
refuse(struct error *e, const char *why)
{
	return error_set(e, ERR_INTERNAL, "the state directory %s: %s", directory, why);
}

/* Durable, like all that will be in it. */
static int
make_directory(const char *path)
{
	char copy[PATH_MAX];
	int parent, failed;

	if (mkdir(path, 0700) != 0)
		return errno == EEXIST ? 0 : -1;
	snprintf(copy, sizeof(copy), "%s", path);
	parent = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return -1;
	failed = fsync(parent) != 0 ? errno : 0;
	close(parent);
	errno = failed;
	return failed == 0 ? 0 : -1;
}

/* What is in there is executed as root. */
static int
check_directory(struct error *e)
{
	struct stat st;

	if (fstat(directory_fd, &st) != 0)
		return refuse(e, strerror(errno));
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return refuse(e, "it belongs to another user");
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return refuse(e, "others may write in it");
	if (faccessat(directory_fd, ".", W_OK, 0) != 0) /* a file system that can only be read */
		return refuse(e, strerror(errno));
	if (flock(directory_fd, LOCK_EX | LOCK_NB) != 0)
		return refuse(e, errno == EWOULDBLOCK ? "another daemon uses it" : strerror(errno));
	return 0;
}

static int
read_reserved(struct error *e)
{
	char text[32];
	int64_t number;
	ssize_t length = store_read_file(directory_fd, STORE_NEXT, text, sizeof(text));

	reserved = 1;
	if (length < 0 && errno == ENOENT)
		return 0;
	if (length < 0)
		return store_move_damaged(directory_fd, STORE_NEXT) == 0 ? 0 : refuse(e, strerror(errno));
	text[strcspn(text, "\n")] = '\0';
	if (util_parse_number(text, 1, INT64_MAX, &number))
		reserved = (uint64_t)number;
	else
		store_move_aside(directory_fd, STORE_NEXT, "it is no number");
	return 0;
}

int
store_open(const char *path, struct error *e)
{
	snprintf(directory, sizeof(directory), "%s", path);
	if (make_directory(path) != 0)
		return refuse(e, strerror(errno));
	directory_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory_fd < 0)
		return refuse(e, strerror(errno));
	if (check_directory(e) == 0 && read_reserved(e) == 0)
		return 0;
	store_close();
	return -1;
}

int
store_adopt(const char *path, int fd, struct error *e)
{
	snprintf(directory, sizeof(directory), "%s", path);
	directory_fd = fd;
	return read_reserved(e);
}

void
store_close(void)
{
	util_close(&directory_fd);
}

int
store_fd(void)
{
	return directory_fd;
}

/* ---- changes ---- */

static int
write_all(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, text, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -1;
		text += written;
		length -= (size_t)written;
	}
	return 0;
}

/* The descriptor of a new file with this text, not synchronized yet. -1 with errno: there is none. */
static int
write_new(const char *name, const char *text)
{
	int fd = openat(directory_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int failed;

	if (fd < 0 || write_all(fd, text, strlen(text)) == 0)
		return fd;
	failed = errno;
	close(fd);
	unlinkat(directory_fd, name, 0);
	errno = failed;
	return -1;
}

/* 0, or an errno; then the new file is gone. */
static int
place_new(int fd, const char *name, const char *place)
{
	int failed = fsync(fd) != 0 ? errno : 0;

	if (close(fd) != 0 && failed == 0)
		failed = errno;
	if (failed == 0 && renameat(directory_fd, name, directory_fd, place) != 0)
		failed = errno;
	if (failed != 0)
		unlinkat(directory_fd, name, 0);
	return failed;
}

static int
start_record(uint64_t number)
{
	char armed[STORE_NAME_SIZE], started[STORE_NAME_SIZE];

	store_format_name(armed, number, false);
	store_format_name(started, number, true);
	if (renameat(directory_fd, armed, directory_fd, started) != 0 && errno != ENOENT)
		return errno;
	return 0;
}

static int
drop_record(uint64_t number)
{
	char name[STORE_NAME_SIZE];

	for (int started = 0; started <= 1; started++) {
		store_format_name(name, number, started);
		if (unlinkat(directory_fd, name, 0) != 0 && errno != ENOENT)
			return errno;
	}
	return 0;
}

static void
format_new_name(char name[STORE_NAME_SIZE], unsigned place)
{
	snprintf(name, STORE_NAME_SIZE, "%u" STORE_NEW, place);
}

/* In two rounds, because the first synchronization of many files written together does most of the
 * work of all. */
static void
commit_group(struct store_change *first, const struct store_change *end)
{
	int fds[GROUP_MAX];
	char name[STORE_NAME_SIZE], place[STORE_NAME_SIZE];
	struct store_change *change;
	unsigned i;

	for (change = first, i = 0; change != end; change = TAILQ_NEXT(change, link), i++) {
		change->error = 0;
		if (change->kind != STORE_PUT)
			continue;
		format_new_name(name, i);
		fds[i] = write_new(name, change->text);
		change->error = fds[i] < 0 ? errno : 0;
	}
	for (change = first, i = 0; change != end; change = TAILQ_NEXT(change, link), i++) {
		format_new_name(name, i);
		store_format_name(place, change->number, change->started);
		if (change->kind == STORE_PUT && change->error == 0)
			change->error = place_new(fds[i], name, place);
		else if (change->kind == STORE_START)
			change->error = start_record(change->number);
		else if (change->kind == STORE_DROP)
			change->error = drop_record(change->number);
	}
}

/* tests/model/store.pml checks the order of what reaches the disk: change both. */
void
store_commit(struct store_changes *changes)
{
	struct store_change *change = TAILQ_FIRST(changes), *end;
	int failed = 0;

	while (change != NULL) {
		end = change;
		for (unsigned i = 0; end != NULL && i < GROUP_MAX; i++)
			end = TAILQ_NEXT(end, link);
		commit_group(change, end);
		change = end;
	}
	if (fsync(directory_fd) != 0)
		failed = errno;
	TAILQ_FOREACH(change, changes, link)
		if (change->error == 0)
			change->error = failed;
}

int
store_reserve(uint64_t next)
{
	char text[32];
	int fd, failed;

	if (directory_fd < 0)
		return 0;
	snprintf(text, sizeof(text), "%llu\n", (unsigned long long)next);
	if ((fd = write_new(STORE_NEXT STORE_NEW, text)) < 0)
		return errno;
	if ((failed = place_new(fd, STORE_NEXT STORE_NEW, STORE_NEXT)) != 0)
		return failed;
	if (fsync(directory_fd) != 0)
		return errno;
	reserved = next;
	return 0;
}

uint64_t
store_reserved(void)
{
	return reserved;
}

/* ---- what is found ---- */

void
store_set_aside(uint64_t number, bool started, const char *why)
{
	char name[STORE_NAME_SIZE];

	store_format_name(name, number, started);
	store_move_aside(directory_fd, name, why);
}

int
store_read_all(store_found_cb *found, void *arg, struct error *e)
{
	if (store_walk(directory_fd, found, arg) == 0)
		return 0;
	return refuse(e, strerror(errno));
}
