#include "config.h"

#include "jsonpos.h"

#include <stdbool.h>
#include <string.h>

/* A text that is still to be looked at. */
struct scan {
	const char *at;
	const char *end;
};

/* '\0' at the end: no accepted text has it. */
static char
here(const struct scan *scan)
{
	if (scan->at >= scan->end)
		return '\0';
	return *scan->at;
}

static bool
is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static void
skip_space(struct scan *scan)
{
	while (is_one_of(here(scan), " \t\r\n"))
		scan->at++;
}

/* From its first quote to behind its last. */
static void
skip_string(struct scan *scan)
{
	for (scan->at++; scan->at < scan->end && *scan->at != '"'; scan->at++)
		if (*scan->at == '\\')
			scan->at++;
	scan->at = scan->at < scan->end ? scan->at + 1 : scan->end;
}

static void
skip_value(struct scan *scan)
{
	int depth = 0;

	do {
		if (here(scan) == '"') {
			skip_string(scan);
			continue;
		}
		depth += is_one_of(here(scan), "{[");
		depth -= is_one_of(here(scan), "}]");
		scan->at += scan->at < scan->end;
	} while (scan->at < scan->end && (depth > 0 || !is_one_of(*scan->at, ",:]} \t\r\n")));
	skip_space(scan);
}

/* Over the one character that stands between two things. */
static void
skip_mark(struct scan *scan)
{
	if (scan->at < scan->end)
		scan->at++;
	skip_space(scan);
}

/* NULL: the object that the scan stands on has none of that name, or it is no object. */
static const char *
find_member(struct scan scan, const char *member)
{
	size_t length = strlen(member);

	if (here(&scan) != '{')
		return NULL;
	do {
		const char *name;

		skip_mark(&scan); /* { or , */
		if (here(&scan) != '"')
			return NULL;
		name = scan.at;
		skip_string(&scan);
		if ((size_t)(scan.at - name) == length + 2 && memcmp(name + 1, member, length) == 0)
			return name;
		skip_space(&scan);
		skip_mark(&scan); /* : */
		skip_value(&scan);
	} while (here(&scan) == ',');
	return NULL;
}

static struct jsonpos
count(const char *text, const char *at)
{
	struct jsonpos pos = {1, 1};

	for (; text < at; text++) {
		if (*text == '\n')
			pos = (struct jsonpos){pos.line + 1, 1};
		else if (((unsigned char)*text & 0xc0) != 0x80)
			pos.column++;
	}
	return pos;
}

struct jsonpos
jsonpos_find(const char *text, size_t length, size_t element, const char *member)
{
	struct scan scan = {text, text + length};
	const char *found = NULL;

	skip_space(&scan);
	if (element != JSONPOS_WHOLE) {
		skip_mark(&scan); /* [ */
		for (; element > 0; element--) {
			skip_value(&scan);
			skip_mark(&scan);
		}
	}
	if (member != NULL)
		found = find_member(scan, member);
	return count(text, found != NULL ? found : scan.at);
}
