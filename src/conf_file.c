#include "config.h"

#include "conf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "jsontext.h"
#include "jsonpos.h"
#include "util.h"

int
conf_file_check_owner(const char *path, const struct stat *st, struct error *e)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return error_set(e, ERR_BAD_REQUEST, "%s: it belongs to user %u, not to root", path,
				 (unsigned)st->st_uid);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return error_set(e, ERR_BAD_REQUEST, "%s: others than its owner may write it",
				 path);
	return 0;
}

static int
fail(const char *path, int error, struct error *e)
{
	return error_set(e, util_is_shortage(error) ? ERR_INTERNAL : ERR_BAD_REQUEST, "%s: %s", path,
			 strerror(error));
}

/* Of the file that was opened, so that it is the one that is read. */
static int
check(const char *path, int fd, size_t *size, struct error *e)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return fail(path, errno, e);
	if (!S_ISREG(st.st_mode))
		return error_set(e, ERR_BAD_REQUEST, "%s: it is no regular file", path);
	if (st.st_size > CONF_FILE_MAX)
		return error_set(e, ERR_BAD_REQUEST, "%s: it has more than %d bytes", path,
				 CONF_FILE_MAX);
	*size = (size_t)st.st_size;
	return conf_file_check_owner(path, &st, e);
}

static int
read_all(struct conf_file *file, int fd, size_t size, struct error *e)
{
	ssize_t got;

	if ((file->text = malloc(size + 1)) == NULL)
		return error_no_memory(e);
	while (file->length < size &&
	       (got = read(fd, file->text + file->length, size - file->length)) != 0) {
		if (got > 0)
			file->length += (size_t)got;
		else if (errno != EINTR)
			return fail(file->path, errno, e);
	}
	return 0;
}

static int
parse(struct conf_file *file, struct error *e)
{
	json_error_t why;

	file->value = jsontext_load(file->text, file->length, JSON_REJECT_DUPLICATES, &why);
	if (file->value != NULL)
		return 0;
	if (errno == ENOMEM)
		return error_no_memory(e);
	return error_set(e, ERR_BAD_REQUEST, "%s:%d:%d: %s", file->path, why.line, why.column,
			 why.text);
}

/* Not blocking: a fifo in the place of the file is refused, not waited for. */
int
conf_file_read(struct conf_file *file, const char *path, struct error *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t size = 0;
	int result = -1;

	*file = (struct conf_file){.path = path};
	if (fd < 0)
		return fail(path, errno, e);
	if (check(path, fd, &size, e) == 0 && read_all(file, fd, size, e) == 0)
		result = parse(file, e);
	close(fd);
	if (result != 0)
		conf_file_close(file);
	return result;
}

void
conf_file_close(struct conf_file *file)
{
	json_decref(file->value);
	free(file->text);
	*file = (struct conf_file){0};
}

int
conf_file_error(const struct conf_file *file, size_t element, const char *member, const char *why,
		struct error *e)
{
	struct jsonpos pos = jsonpos_find(file->text, file->length, element, member);

	return error_set(e, ERR_BAD_REQUEST, "%s:%u:%u: %s", file->path, pos.line, pos.column, why);
}
