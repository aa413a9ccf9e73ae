/*
 * The control socket: who may speak, where a line ends, when a connection ends, and what a client
 * that misbehaves may cost. Knows nothing of what the lines mean.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "error.h"

struct event_base;
struct handover_client;
struct request_feed;

#define CONTROL_LINGER_MS 100 /* after the last answer */

#define CONTROL_FEED_BYTES 65536 /* unread lines of one that follows; no more are drawn before */
#define CONTROL_LOOK_MS	   10000 /* between two looks whether one that follows is still there */

/*
 * Takes the path: replaces a socket file on which nobody answers, never one on which a daemon does.
 * Mode 0600 in a directory in which nobody else may write. path must live as long as the socket.
 */
int control_listen(struct event_base *, const char *path, struct error *);

/* The same with a socket that listens already, as it is: from the daemon before this one. */
int control_adopt(struct event_base *, const char *path, int fd, struct error *);
int control_listener(void);

/* While it is paused nobody is accepted and no request taken: all of that waits. */
void control_pause(bool);

/* Requests that were taken and have no answer yet. */
unsigned control_outstanding(void);

/* Whether the client is still there whose request is to be answered with this argument of its reply. */
bool control_is_there(const void *reply_arg);

/* All connections as they are, for the daemon that comes after this one: *count of them, with copies of
 * their bytes, freed by control_forget_saved. NULL with *e. */
struct handover_client *control_save(size_t *count, struct error *e);
void control_forget_saved(struct handover_client *, size_t count);

/* Goes on with one; answer is a line, said if it waits for one, and feed what it follows, or NULL. The
 * descriptor and the feed are taken over. -1: no memory. */
int control_resume(const struct handover_client *, const char *answer, struct request_feed *feed);

/* Lets members of a group of the host connect too, for operations that only look; NULL: of none. Those
 * that an earlier call let in are cut off. */
int control_admit_group(const gid_t *, struct error *);

/* No new clients; the socket file goes; those connected get what they are still to get. Whoever asked
 * for the connection to stay open has it until the process ends, and so learns when that is. */
void control_close(void);

/* Whether a client still has something to get. */
bool control_is_busy(void);

/* Closes every connection as it is: for a process forked off the daemon. */
void control_drop_all(void);

unsigned control_clients(void);

#endif
