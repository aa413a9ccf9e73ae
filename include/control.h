/*
 * The control socket: who may speak, where a line ends, when a connection ends, and what a client
 * that misbehaves may cost. Knows nothing of what the lines mean.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdbool.h>
#include <sys/types.h>

#include "error.h"

struct event_base;

#define CONTROL_CLIENTS_MAX	512
#define CONTROL_OUTSTANDING_MAX 64	/* requests of one client without an answer yet */
#define CONTROL_BACKLOG_BYTES	262144	/* unread answers; no further request is taken before */
#define CONTROL_LINGER_MS	100	/* after the last answer */
#define CONTROL_SILENCE_S	60	/* without a first request, or with half a line */
#define CONTROL_UNREAD_S	30	/* answers of which nothing was read: cut off */

/*
 * Takes the path: replaces a socket file on which nobody answers, never one on which a daemon does.
 * Mode 0600 in a directory in which nobody else may write. path must live as long as the socket.
 */
int control_listen(struct event_base *, const char *path, struct error *);

/* Lets members of a group of the host connect too, for operations that only look. Before the first
 * client comes. */
int control_admit_group(gid_t, struct error *);

/* No new clients; the socket file goes; those connected get what they are still to get. Whoever asked
 * for the connection to stay open has it until the process ends, and so learns when that is. */
void control_close(void);

/* Whether a client still has something to get. */
bool control_is_busy(void);

/* Closes every connection as it is: for a process forked off the daemon. */
void control_drop_all(void);

unsigned control_clients(void);

#endif
