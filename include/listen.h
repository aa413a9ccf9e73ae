/* The socket file: taking a path, and asking who is behind it. */
#ifndef LISTEN_H
#define LISTEN_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

/* A listening socket on path, as control_listen describes it. -1 with *e. */
int listen_open(const char *path, struct error *e);

/* Connects to path. -1 with errno. */
int listen_connect(const char *path);

/* Whether a daemon answers a ping on the path, within 2 s. */
bool listen_answers(const char *path);

/* Whether the peer of a connected socket has closed all of it, and not just its side. */
bool listen_has_hung_up(int fd);

/* A request_reply_cb; arg: an int *, the descriptor. One attempt to send, which never waits. */
void listen_say_once(void *arg, const char *text, size_t length);

#endif
