#include "config.h"

#include "title.h"

#include <sys/wait.h>

#include <stdio.h>
#include <string.h>

#include "log.h"
#include "util.h"

#define RESULT_SIZE 64

/* Room for the longest title that a definition may have, a result, and the prefix. */
_Static_assert(ATTACH_TITLE_SIZE >= DEFINITION_TITLE_MAX + RESULT_SIZE, "titles would be cut");

static void
format_result(char text[RESULT_SIZE], const struct probe_last *last)
{
	char stamp[UTIL_TIME_SIZE];

	util_format_seconds(stamp, last->finished_ms);
	if (last->timed_out)
		snprintf(text, RESULT_SIZE, " [timeout %s]", stamp);
	else if (WIFSIGNALED(last->status))
		snprintf(text, RESULT_SIZE, " [signal %d %s]", WTERMSIG(last->status), stamp);
	else if (WEXITSTATUS(last->status) != 0)
		snprintf(text, RESULT_SIZE, " [exit %d %s]", WEXITSTATUS(last->status), stamp);
	else
		snprintf(text, RESULT_SIZE, " [ok %s]", stamp);
}

void
title_compose(const struct probe *probe, char title[ATTACH_TITLE_SIZE])
{
	char result[RESULT_SIZE] = "";

	if (probe->def.show_status && probe->last.any)
		format_result(result, &probe->last);
	if (probe->def.title != NULL)
		snprintf(title, ATTACH_TITLE_SIZE, "%s%s", probe->def.title, result);
	else
		snprintf(title, ATTACH_TITLE_SIZE, "probe %llu%s",
			 (unsigned long long)probe->number, result);
}

char *
title_make_tag(const struct probe *probe)
{
	char jail[JAIL_NAME_SIZE * 4 + 3], name[DEFINITION_NAME_MAX * 4 + 3] = "\"\"", number[40];
	const struct definition *def = &probe->def;
	char *tag = NULL;

	snprintf(number, sizeof(number), "%lld", (long long)def->jail.number);
	if (def->jail.number != 0)
		log_quote(jail, sizeof(jail), number, strlen(number));
	else
		log_quote(jail, sizeof(jail), def->jail.name, strlen(def->jail.name));
	if (def->name != NULL)
		log_quote(name, sizeof(name), def->name, strlen(def->name));
	snprintf(number, sizeof(number), "probe=%llu ", (unsigned long long)probe->number);
	if (asprintf(&tag, "%sname=%s jail=%s", probe->number == 0 ? "" : number, name, jail) < 0)
		return NULL;
	return tag;
}
