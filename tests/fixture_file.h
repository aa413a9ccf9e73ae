#ifndef FIXTURE_FILE_H
#define FIXTURE_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* The whole text of a file, to be freed; an empty one when there is no such file. */
char *file_text(const char *path);

bool file_exists(const char *path);

/* The number of complete lines in a file; 0 when there is none. */
int file_lines(const char *path);

/* The number of lines in a file that are exactly this. */
int file_count(const char *path, const char *line);

/* Waits until a file has that many lines, or fails the test. */
void file_wait_lines(const char *path, int lines);
void file_wait_count(const char *path, const char *line, int count);

/* Waits until a file exists, or no longer does. */
void file_wait_exists(const char *path, bool exists);

/* Waits until a file's text contains a string. */
void file_wait_text(const char *path, const char *needle);

void file_write(const char *path, const char *text);

/* A fifo that a command can read from to be held up; the descriptor stays open for writing and
 * reading. */
int file_fifo(const char *path);

/* Lets so many readers of a line go. */
void file_release(int fifo, int readers);

#endif
