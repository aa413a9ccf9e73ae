/* Small things that every layer needs: time, descriptors, numbers, text. */
#ifndef UTIL_H
#define UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* "2026-11-21T12:00:03.250Z" and its NUL. */
#define UTIL_TIME_SIZE 32

#define UTIL_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Milliseconds, and microseconds, of a clock that never jumps (CLOCK_MONOTONIC). */
int64_t util_monotonic_ms(void);
int64_t util_monotonic_us(void);

/* Milliseconds since 1970 in UTC. */
int64_t util_wall_ms(void);

/* RFC 3339 in UTC with milliseconds. Returns text. */
const char *util_format_time(char text[UTIL_TIME_SIZE], int64_t wall_ms);

/* The same without them. */
const char *util_format_seconds(char text[UTIL_TIME_SIZE], int64_t wall_ms);

/* Back from either, to the second. False: it is none. */
bool util_parse_time(const char *text, int64_t *wall_ms);

/* A whole decimal number in [low, high] and nothing else. False: *value is untouched. */
bool util_parse_number(const char *text, int64_t low, int64_t high, int64_t *value);

/* Replaces control characters (C0 and DEL) by '?', in place. */
void util_make_printable(char *text);

/* Whether text has a control character: C0, DEL, or C1 in UTF-8. */
bool util_has_control(const char *text);

#define UTIL_CHARACTER_MAX 4 /* bytes of one in UTF-8 */

/* Length of the UTF-8 character that begins at bytes[0..left); 0: none does. */
size_t util_character(const char *bytes, size_t left);

/* As much of bytes[0..length) as doesn't end within a character that is still to be completed. */
size_t util_whole_characters(const char *bytes, size_t length);

/* Reads a small file whole into buffer and terminates it. Returns the bytes read, or -1 with errno
 * (EFBIG: it doesn't fit). */
ssize_t util_read_file(const char *path, char *buffer, size_t size);

/* The same of what a descriptor gives from here to its end. */
ssize_t util_read_fd(int fd, char *buffer, size_t size);

/* A close-on-exec pipe, whose reading end doesn't block; the writing end does, because commands get it
 * as their output. -1 with errno. */
int util_pipe(int ends[2]);

/* Whether an errno says that the system, or a limit of it, has run out of something for now. */
bool util_is_shortage(int error);

/* Closes *fd if it is open and makes it -1. */
void util_close(int *fd);

/* Copies a NULL-ended list of strings into one block to be freed with free(). NULL: no memory. */
char **util_copy_strings(char *const *strings);

#endif
