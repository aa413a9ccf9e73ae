/* A text that grows, or one in a place of its own. What goes wrong while it is built (there is no memory, or no
 * room) is asked for once, at its end. */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed: empty. Not terminated. */
struct text {
	char *bytes;
	size_t used;
	size_t capacity;
	bool failed;
	bool fixed; /* it does not grow: a piece that doesn't fit is left out, whole */
};

/* An empty one in a place of so many bytes. */
#define TEXT_IN(place, size) {.bytes = (place), .capacity = (size), .fixed = true}

void text_add(struct text *, const char *bytes, size_t length);
void text_say(struct text *, const char *terminated);
void text_number(struct text *, int64_t);

/* The name of a JSON member that is not the first, up to its value: `,"name":`. */
void text_member(struct text *, const char *name);

/* As a JSON string. It must be UTF-8. */
void text_quote(struct text *, const char *terminated);

/* Of one that grows. */
void text_free(struct text *);

#endif
