#include "config.h"

#include "store_files.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "util.h"

#define ASIDE	     "set-aside"
#define ARMED_END    ".json"
#define STARTED_END  ".started"
#define RECORD_MAX   262144 /* a command of control characters, escaped, and the rest */

struct found {
	uint64_t number;
	bool started;
};

void
store_format_name(char name[STORE_NAME_SIZE], uint64_t number, bool started)
{
	snprintf(name, STORE_NAME_SIZE, "%llu%s", (unsigned long long)number,
		 started ? STARTED_END : ARMED_END);
}

/* Only a name that store_format_name would give again: no sign, no leading zero. */
static bool
parse_name(const char *name, struct found *record)
{
	char again[STORE_NAME_SIZE];

	record->number = strtoull(name, NULL, 10);
	for (int started = 0; started <= 1; started++) {
		store_format_name(again, record->number, started);
		record->started = started;
		if (strcmp(again, name) == 0)
			return record->number > 0 && record->number < INT64_MAX;
	}
	return false;
}

static int
check_file(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return -1;
	if (S_ISREG(st.st_mode) && (st.st_uid == 0 || st.st_uid == geteuid()) &&
	    !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	errno = EPERM;
	return -1;
}

ssize_t
store_read_file(int directory_fd, const char *name, char *text, size_t size)
{
	int fd = openat(directory_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	ssize_t length = -1;
	int failed;

	if (fd < 0)
		return -1;
	if (check_file(fd) == 0)
		length = util_read_fd(fd, text, size);
	failed = errno;
	close(fd);
	errno = failed;
	return length;
}

/* Never over something that was set aside before. */
static int
rename_aside(int directory_fd, const char *name)
{
	char place[512];
	struct stat there;

	if (mkdirat(directory_fd, ASIDE, 0700) != 0 && errno != EEXIST)
		return -1;
	snprintf(place, sizeof(place), ASIDE "/%.255s", name);
	if (fstatat(directory_fd, place, &there, AT_SYMLINK_NOFOLLOW) == 0)
		snprintf(place, sizeof(place), ASIDE "/%.255s.%lld", name, (long long)util_wall_ms());
	return renameat(directory_fd, name, directory_fd, place);
}

void
store_move_aside(int directory_fd, const char *name, const char *why)
{
	char quoted[512];

	log_quote(quoted, sizeof(quoted), name, strlen(name));
	if (rename_aside(directory_fd, name) == 0)
		log_warn("event=state-set-aside file=%s why=\"%s\"", quoted, why);
	else
		log_error("event=error file=%s why=\"%s; it can't be set aside: %s\"", quoted, why,
			  strerror(errno));
}

int
store_move_damaged(int directory_fd, const char *name)
{
	if (util_is_shortage(errno))
		return -1;
	store_move_aside(directory_fd, name,
			 errno == EPERM ? "others could have written it" : strerror(errno));
	return 0;
}

/* A group of files that was being written when the daemon ended: nobody was answered ok for it. */
static bool
is_unfinished(const char *name)
{
	size_t digits = strspn(name, "0123456789");

	return (digits > 0 && strcmp(name + digits, STORE_NEW) == 0) ||
	       strcmp(name, STORE_NEXT STORE_NEW) == 0;
}

/* Somebody's own, or the file system's (lost+found). */
static bool
is_directory(int directory_fd, const char *name)
{
	struct stat st;

	return fstatat(directory_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* True: it is a record. */
static bool
sort_out(int directory_fd, const char *name, struct found *record)
{
	if (parse_name(name, record))
		return true;
	if (strcmp(name, STORE_NEXT) == 0 || is_directory(directory_fd, name))
		return false;
	if (!is_unfinished(name))
		store_move_aside(directory_fd, name, "it is none of ours");
	else if (unlinkat(directory_fd, name, 0) == 0)
		log_info("event=state-unfinished file=\"%s\"", name);
	return false;
}

/* Grows *list; -1: no memory. */
static int
append(struct found **list, size_t *count, const struct found *record)
{
	struct found *larger;

	if ((*count & (*count - 1)) == 0) { /* 0, or a power of two: full */
		larger = realloc(*list, (*count == 0 ? 1 : *count * 2) * sizeof(**list));
		if (larger == NULL)
			return -1;
		*list = larger;
	}
	(*list)[(*count)++] = *record;
	return 0;
}

static int
list_records(int directory_fd, struct found **list, size_t *count)
{
	int fd = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct found record;
	int failed = 0;

	if (stream == NULL) {
		util_close(&fd);
		return -1;
	}
	while (failed == 0 && (errno = 0, entry = readdir(stream)) != NULL)
		if (sort_out(directory_fd, entry->d_name, &record) && append(list, count, &record) != 0)
			failed = ENOMEM;
	if (failed == 0)
		failed = errno;
	closedir(stream);
	errno = failed;
	return failed == 0 ? 0 : -1;
}

static int
compare_descending(const void *a, const void *b)
{
	const struct found *one = a, *other = b;

	if (one->number != other->number)
		return one->number < other->number ? 1 : -1;
	return other->started - one->started;
}

int
store_walk(int directory_fd, store_found_cb *found, void *arg)
{
	static char text[RECORD_MAX];
	struct found *list = NULL;
	char name[STORE_NAME_SIZE];
	size_t count = 0;
	ssize_t length;

	if (list_records(directory_fd, &list, &count) != 0) {
		free(list);
		return -1;
	}
	if (count > 0)
		qsort(list, count, sizeof(*list), compare_descending);
	for (size_t i = 0; i < count; i++) {
		store_format_name(name, list[i].number, list[i].started);
		length = store_read_file(directory_fd, name, text, sizeof(text));
		if (length >= 0) {
			found(arg, list[i].number, list[i].started, text, (size_t)length);
		} else if (store_move_damaged(directory_fd, name) != 0) {
			free(list);
			return -1;
		}
	}
	free(list);
	return 0;
}
