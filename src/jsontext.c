#include "config.h"

#include "jsontext.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

static bool lacked_memory;

static void *
allocate(size_t size)
{
	void *block = malloc(size);

	lacked_memory = lacked_memory || block == NULL;
	return block;
}

/* The library's own functions but for what they tell, so it doesn't matter who comes first. */
static void
begin(void)
{
	json_set_alloc_funcs(allocate, free);
	lacked_memory = false;
}

json_t *
jsontext_load(const char *bytes, size_t length, size_t flags, json_error_t *why)
{
	json_t *value;

	begin();
	value = json_loadb(bytes, length, flags, why);
	if (lacked_memory) {
		json_decref(value);
		value = NULL;
	}
	errno = lacked_memory ? ENOMEM : 0;
	return value;
}

char *
jsontext_dump(const json_t *value, size_t flags)
{
	char *text;

	begin();
	text = json_dumps(value, flags);
	if (lacked_memory) {
		free(text);
		text = NULL;
	}
	return text;
}
