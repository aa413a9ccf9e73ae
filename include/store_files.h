/* What the two files of the store's room, store.c and store_files.c, share with each other alone: names,
 * and reading what is there. */
#ifndef STORE_FILES_H
#define STORE_FILES_H

#include <sys/types.h>

#include "store.h"

#define STORE_NAME_SIZE 48
#define STORE_NEXT	"next"
#define STORE_NEW	".new" /* ends the names of files that are being written */

void store_format_name(char name[STORE_NAME_SIZE], uint64_t number, bool started);

/* Reads a file that nobody else can have written. Terminates it. The length, or -1 with errno (EPERM:
 * it could be somebody else's; EFBIG). */
ssize_t store_read_file(int directory_fd, const char *name, char *text, size_t size);

/* Into set-aside/, with a log line. What can't even be moved stays where it is. */
void store_move_aside(int directory_fd, const char *name, const char *why);

/* The same of a file that could not be read, with what errno says. -1: that was no fault of the file. */
int store_move_damaged(int directory_fd, const char *name);

/* See store_read_all. -1 with errno. */
int store_walk(int directory_fd, store_found_cb *, void *arg);

#endif
