#ifndef FIXTURE_PTY_H
#define FIXTURE_PTY_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

/* A program on a terminal of its own, and all that it has written there. */
struct pty {
	int fd;
	pid_t pid;
	char *text;
	size_t length;
};

/* Whether terminals can be made here: a root that was only unpacked has none. */
bool pty_there(void);

/* Starts it; env null: ours. */
void pty_start(struct pty *pty, int columns, int lines, char *const *argv, char *const *env);

/* Waits until it has written this behind the place from; the place behind it. */
size_t pty_wait_text(struct pty *pty, size_t from, const char *needle);

/* Types a key, like that of an interrupt. */
void pty_type(struct pty *pty, char key);

/* Takes all that it writes until it ends; its wait status. */
int pty_finish(struct pty *pty);

void pty_free(struct pty *pty);

#endif
