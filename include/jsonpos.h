/* Where in a JSON text something stands: for messages about values that a parser has accepted, and
 * of which it has forgotten the place. */
#ifndef JSONPOS_H
#define JSONPOS_H

#include <stddef.h>
#include <stdint.h>

/* Both from 1; columns count characters of UTF-8. */
struct jsonpos {
	unsigned line;
	unsigned column;
};

/* Instead of an element's place: the text is no array, or as a whole is meant. */
#define JSONPOS_WHOLE SIZE_MAX

/*
 * The place of a member's name in an object, which is the whole text or an element of the array
 * that it is. member NULL, or not found, as with a name that is written with escapes: the place of
 * the object. The text must be one that a JSON parser has accepted, and have that element.
 */
struct jsonpos jsonpos_find(const char *text, size_t length, size_t element, const char *member);

#endif
