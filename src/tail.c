#include "config.h"

#include "tail.h"

#include <stdlib.h>
#include <string.h>

#include "limit.h"

#define FIRST_CAPACITY 1024

static void
grow(struct tail *tail, size_t wanted)
{
	size_t capacity = tail->capacity == 0 ? FIRST_CAPACITY : tail->capacity;
	size_t limit = limits()->output_bytes; /* may be lower than when the tail began */
	char *larger;

	while (capacity < wanted && capacity < limit)
		capacity *= 2;
	if (capacity > limit)
		capacity = limit;
	if (capacity <= tail->capacity || (larger = realloc(tail->bytes, capacity)) == NULL)
		return;
	tail->bytes = larger;
	tail->capacity = capacity;
}

void
tail_append(struct tail *tail, const char *bytes, size_t length)
{
	tail->total += length;
	if (tail->start == 0 && tail->used + length > tail->capacity)
		grow(tail, tail->used + length);
	if (tail->capacity == 0)
		return;
	if (length > tail->capacity) {
		bytes += length - tail->capacity;
		length = tail->capacity;
	}
	while (length > 0) {
		size_t at = (tail->start + tail->used) % tail->capacity;
		size_t room = tail->capacity - at;
		size_t part = length < room ? length : room;
		size_t over;

		memcpy(tail->bytes + at, bytes, part);
		over = tail->used + part > tail->capacity ? tail->used + part - tail->capacity : 0;
		tail->start = (tail->start + over) % tail->capacity;
		tail->used += part - over;
		bytes += part;
		length -= part;
	}
}

static void
reverse(char *bytes, size_t from, size_t to)
{
	while (from + 1 < to) {
		char kept = bytes[from];

		bytes[from++] = bytes[--to];
		bytes[to] = kept;
	}
}

const char *
tail_linear(struct tail *tail)
{
	if (tail->used == 0)
		return "";
	if (tail->start != 0) { /* rotate in place; only a full ring has wrapped */
		reverse(tail->bytes, 0, tail->start);
		reverse(tail->bytes, tail->start, tail->capacity);
		reverse(tail->bytes, 0, tail->capacity);
		tail->start = 0;
	}
	return tail->bytes;
}

void
tail_trim(struct tail *tail)
{
	char *smaller;

	tail_linear(tail);
	if (tail->used == 0) {
		free(tail->bytes);
		tail->bytes = NULL;
		tail->capacity = 0;
	} else if ((smaller = realloc(tail->bytes, tail->used)) != NULL) {
		tail->bytes = smaller;
		tail->capacity = tail->used;
	}
}

void
tail_free(struct tail *tail)
{
	free(tail->bytes);
	*tail = (struct tail){0};
}
