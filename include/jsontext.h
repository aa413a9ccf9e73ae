/*
 * JSON from text and to text. Where memory gives out the library may take it for a wrong text, or cut a string short (a
 * command, say), or leave something out of what it writes. Here it is an error in any case.
 */
#ifndef JSONTEXT_H
#define JSONTEXT_H

#include <jansson.h>
#include <stddef.h>

/* As json_loadb. NULL: errno is ENOMEM, and *why says nothing; or errno is 0, and the text is wrong. */
json_t *jsontext_load(const char *bytes, size_t length, size_t flags, json_error_t *why);

/* As json_dumps; to be freed. NULL: no memory. */
char *jsontext_dump(const json_t *, size_t flags);

#endif
