/*
 * Upgrade in place: the daemon executes the binary that is installed now, and goes on in it with its pid,
 * socket, probes, running commands and clients. The new binary is first tried in a process of its own,
 * which reads the whole handover; what it can't take over it refuses there, and the old one stays.
 */
#ifndef UPGRADE_H
#define UPGRADE_H

#include <stdbool.h>

#include "error.h"
#include "handover.h"

struct event_base;

/* In the environment of the new program: UPGRADE_TRY, or the number of the handover's descriptor. */
#define UPGRADE_VARIABLE "JAILDAEMON_HANDOVER"
#define UPGRADE_TRY	 "try"

/* What the server has that is to be handed over: all but clients and id. */
typedef void upgrade_fill_cb(struct handover *);

/* Early, while the system still knows which file we are executed from. argv is main's, for the new program.
 * -1 with *e. */
int upgrade_prepare(struct event_base *, char *const *argv, upgrade_fill_cb *, struct error *e);

/* Why it did not come to pass; all is as before. */
typedef void upgrade_failed_cb(void *arg, const struct error *e);

/* id: JSON to answer with, or NULL; reply_arg: of the request. If all goes well nobody is called: the
 * request is answered by the new program. */
void upgrade_begin(const char *id, const void *reply_arg, upgrade_failed_cb *, void *arg);

/* The daemon is about to stop, and still listens: one that is under way fails. */
void upgrade_stop(void);

#endif
