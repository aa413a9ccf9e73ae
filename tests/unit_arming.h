#ifndef UNIT_ARMING_H
#define UNIT_ARMING_H

/* What the tests of arming share. */

#include <stdbool.h>
#include <sys/types.h>

#include "arm.h"

/* What has become of one attach. */
struct unit_arming {
	unsigned done;
	pid_t pid;
	struct error error;
	unsigned exited;
	int status;
};

/* The jail of the attaches that are started, held once by the test, and how they are made. */
extern struct jail_instance *unit_arming_jail;
extern const struct attach_params unit_arming_params;

/* Begins with a jail "www". */
void unit_arming_begin(void);

/* Another one begins. It is held once, for the caller to release. */
struct jail_instance *unit_arming_find_jail(const char *name, pid_t jid);

/* An attach to unit_arming_jail, which takes its turn in the event loop. */
struct arm *unit_arming_start(struct unit_arming *);

/* For arm_begin, child_add and unit_wait; arg: a struct unit_arming. */
void unit_arming_done(void *arg, pid_t, const struct error *);
void unit_arming_exited(pid_t, int status, void *arg);
bool unit_arming_is_done(void *arg);

/* That it has failed, with this text. */
void unit_arming_check_failed(const struct unit_arming *, const char *text);

/* Nothing is left of any: no hold on unit_arming_jail but the test's own, which ends here, and no
 * process. */
void unit_arming_check_clean(void);

#endif
