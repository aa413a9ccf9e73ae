#include "config.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 1024

/* False: no memory, or it does not grow. */
static bool
grow(struct text *text, size_t length)
{
	size_t capacity = text->capacity == 0 ? FIRST_CAPACITY : text->capacity;
	char *larger;

	while (capacity < text->used + length)
		capacity *= 2;
	larger = text->fixed || text->failed ? NULL : realloc(text->bytes, capacity);
	text->failed = larger == NULL;
	if (larger == NULL)
		return false;
	text->bytes = larger;
	text->capacity = capacity;
	return true;
}

/* Takes so many bytes more, which the caller fills. NULL: no memory, or no room. */
static char *
take(struct text *text, size_t length)
{
	char *place;

	if (length > text->capacity - text->used && !grow(text, length))
		return NULL;
	place = text->bytes + text->used;
	text->used += length;
	return place;
}

void
text_add(struct text *text, const char *bytes, size_t length)
{
	char *place = length == 0 ? NULL : take(text, length);

	if (place != NULL)
		memcpy(place, bytes, length);
}

void
text_say(struct text *text, const char *terminated)
{
	text_add(text, terminated, strlen(terminated));
}

/* By hand, for a long list is mostly numbers. */
void
text_number(struct text *text, int64_t number)
{
	char digits[24], *first = digits + sizeof(digits);
	uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;

	do
		*--first = (char)('0' + left % 10);
	while ((left /= 10) > 0);
	if (number < 0)
		*--first = '-';
	text_add(text, first, (size_t)(digits + sizeof(digits) - first));
}

void
text_member(struct text *text, const char *name)
{
	size_t length = strlen(name);
	char *place = take(text, length + 4);

	if (place == NULL)
		return;
	memcpy(place, ",\"", 2);
	memcpy(place + 2, name, length);
	memcpy(place + 2 + length, "\":", 2);
}

static void
escape(struct text *text, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	const char unicode[] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
	const char character[] = {'\\', (char)c};

	if (c == '"' || c == '\\')
		text_add(text, character, sizeof(character));
	else if (c == '\n')
		text_add(text, "\\n", 2);
	else
		text_add(text, unicode, sizeof(unicode));
}

void
text_quote(struct text *text, const char *terminated)
{
	const char *rest = terminated, *c;

	text_add(text, "\"", 1);
	for (c = rest; *c != '\0'; c++) {
		if ((unsigned char)*c >= ' ' && *c != '"' && *c != '\\')
			continue;
		text_add(text, rest, (size_t)(c - rest));
		escape(text, (unsigned char)*c);
		rest = c + 1;
	}
	text_add(text, rest, (size_t)(c - rest));
	text_add(text, "\"", 1);
}

void
text_free(struct text *text)
{
	free(text->bytes);
	*text = (struct text){0};
}
