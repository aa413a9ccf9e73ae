/*
 * Arming: from the wish for a probe in a jail to the certainty that it is there, or that it will
 * not be. Reads the report pipes; bounds how many attaches are under way and how long one may take.
 */
#ifndef ARM_H
#define ARM_H

#include <sys/types.h>

#include "attach.h"
#include "error.h"
#include "jail.h"

struct event_base;
struct arm;

/* pid > 0: armed, and from now on the caller's to register with child_add (which may tell of its
 * end at once). Else *e says why not; nothing is left behind. The arm is freed after the call. */
typedef void arm_done_cb(void *arg, pid_t pid, const struct error *e);

void arm_init(struct event_base *);

/* params->tag must live until the end. The callback never comes from within this call. NULL: no
 * memory. */
struct arm *arm_begin(struct jail_instance *, const struct attach_params *params, arm_done_cb *,
		      void *arg);

/* The callback won't come; the process, if there is one, is ended. */
void arm_cancel(struct arm *);

/* While it is paused no attach begins. */
void arm_pause(bool);

/* Attaches that have begun and whose processes are not accounted for yet. */
unsigned arm_under_way(void);

#endif
