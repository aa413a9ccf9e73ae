#include "config.h"

#include "definition.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

void
definition_init(struct definition *def)
{
	*def = (struct definition){.uid = DEFINITION_UNSET,
				   .gid = DEFINITION_UNSET,
				   .cooldown_ms = DEFINITION_UNSET,
				   .timeout_ms = DEFINITION_UNSET,
				   .max_runs = DEFINITION_UNSET};
}

void
definition_clear(struct definition *def)
{
	free(def->shell);
	free(def->argv);
	free(def->title);
	free(def->name);
	free((char *)(uintptr_t)def->jail.name);
	definition_init(def);
}

static int
copy_text(char **copy, const char *text)
{
	*copy = text == NULL ? NULL : strdup(text);
	return text != NULL && *copy == NULL ? -1 : 0;
}

static int
copy_jail(struct jail_ref *copy, const struct jail_ref *jail)
{
	char *name;
	int failed = copy_text(&name, jail->name);

	copy->name = name; /* in any case: what is copied keeps its own */
	return failed;
}

int
definition_copy(struct definition *copy, const struct definition *def)
{
	int failed;

	*copy = *def;
	failed = copy_text(&copy->shell, def->shell) | copy_text(&copy->title, def->title) |
		 copy_text(&copy->name, def->name) | copy_jail(&copy->jail, &def->jail);
	copy->argv = def->argv == NULL ? NULL : util_copy_strings(def->argv);
	if (failed == 0 && (def->argv == NULL || copy->argv != NULL))
		return 0;
	definition_clear(copy);
	return -1;
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
same_strings(char *const *a, char *const *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	for (; *a != NULL && *b != NULL; a++, b++)
		if (strcmp(*a, *b) != 0)
			return false;
	return *a == *b;
}

bool
definition_equal(const struct definition *a, const struct definition *b)
{
	return a->jail.number == b->jail.number && same_text(a->jail.name, b->jail.name) &&
	       same_text(a->shell, b->shell) && same_strings(a->argv, b->argv) &&
	       same_text(a->title, b->title) && same_text(a->name, b->name) &&
	       a->respawn == b->respawn && a->uid == b->uid && a->gid == b->gid &&
	       a->sticky == b->sticky && a->show_status == b->show_status &&
	       a->cooldown_ms == b->cooldown_ms && a->timeout_ms == b->timeout_ms &&
	       a->max_runs == b->max_runs;
}
