/* The state directory of a test. */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "keep.h"
#include "state.h"
#include "store.h"
#include "unit.h"
#include "util.h"

const char *
unit_state_directory(void)
{
	static char path[PATH_MAX];

	if (path[0] == '\0')
		snprintf(path, sizeof(path), "%s/state", unit_directory());
	return path;
}

const char *
unit_state_path(const char *name)
{
	static char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s", unit_state_directory(), name);
	return path;
}

void
unit_state_begin(void)
{
	struct error e;

	ck_assert_int_eq(store_open(unit_state_directory(), &e), 0);
	ck_assert_int_eq(keep_init(unit_base(), state_render), 0);
}

bool
unit_state_has(const char *name)
{
	struct stat st;

	return lstat(unit_state_path(name), &st) == 0;
}

void
unit_state_write(const char *name, const char *text)
{
	int fd = open(unit_state_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(write(fd, text, strlen(text)), (int)strlen(text));
	close(fd);
}

void
unit_state_check(const char *name, const char *wanted)
{
	char text[256];

	ck_assert_msg(util_read_file(unit_state_path(name), text, sizeof(text)) >= 0, "%s: %s",
		      name, strerror(errno));
	ck_assert_str_eq(text, wanted);
}

json_t *
unit_state_read(const char *name)
{
	json_error_t why;
	json_t *record = json_load_file(unit_state_path(name), JSON_REJECT_DUPLICATES, &why);

	ck_assert_msg(record != NULL, "%s: %s", name, why.text);
	return record;
}

int64_t
unit_state_count(const char *file, const char *member)
{
	json_t *record = unit_state_read(file);
	int64_t count = json_integer_value(json_object_get(record, member));

	json_decref(record);
	return count;
}
