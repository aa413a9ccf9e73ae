/* The state directory of a test. */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keep.h"
#include "state.h"
#include "store.h"
#include "unit.h"
#include "util.h"

struct unit_spent unit_state_spent;

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

void
unit_state_put(const char *name, const char *text)
{
	char *real = unit_quotes(text);

	unit_state_write(name, real);
	free(real);
}

void
unit_state_spend(const struct definition *def, uint64_t number)
{
	unit_state_spent.count++;
	unit_state_spent.number = number;
	snprintf(unit_state_spent.name, sizeof(unit_state_spent.name), "%s", def->name);
}

const char *
unit_state_restore(void)
{
	struct error e = {0};
	const char *log;
	int restored;

	unit_capture();
	restored = state_restore(unit_state_spend, &e);
	log = unit_captured();
	ck_assert_msg(restored == 0, "%s", e.text);
	return log;
}
