/* Attaches that the test plays, and what becomes of each. */
#include "config.h"

#include "unit_arming.h"

#include <errno.h>
#include <sys/wait.h>

#include "child.h"
#include "unit.h"

struct jail_instance *unit_arming_jail;
const struct attach_params unit_arming_params = {.uid = 80, .gid = 81, .title = "T"};

struct jail_instance *
unit_arming_find_jail(const char *name, pid_t jid)
{
	struct jail_ref ref = {.number = jid};
	struct jail_instance *found;
	struct error e;

	unit_jail_begin(name, jid);
	found = jail_find(&ref, &e);
	ck_assert_ptr_nonnull(found);
	return found;
}

void
unit_arming_begin(void)
{
	unit_reap_children();
	arm_init(unit_base());
	unit_arming_jail = unit_arming_find_jail("www", 4711);
}

void
unit_arming_exited(pid_t pid, int status, void *arg)
{
	struct unit_arming *outcome = arg;

	ck_assert_int_eq(pid, outcome->pid);
	outcome->exited++;
	outcome->status = status;
}

/* As a probe would, it registers the process at once. */
void
unit_arming_done(void *arg, pid_t pid, const struct error *e)
{
	struct unit_arming *outcome = arg;

	outcome->done++;
	outcome->pid = pid;
	if (pid > 0)
		child_add(pid, unit_arming_exited, outcome);
	else
		outcome->error = *e;
}

struct arm *
unit_arming_start(struct unit_arming *outcome)
{
	struct arm *arm;

	*outcome = (struct unit_arming){0};
	arm = arm_begin(unit_arming_jail, &unit_arming_params, unit_arming_done, outcome);
	ck_assert_ptr_nonnull(arm);
	ck_assert_uint_eq(outcome->done, 0);
	return arm;
}

bool
unit_arming_is_done(void *arg)
{
	const struct unit_arming *outcome = arg;

	return outcome->done > 0;
}

void
unit_arming_check_clean(void)
{
	ck_assert_uint_eq(unit_arming_jail->references, 1);
	jail_release(unit_arming_jail);
	ck_assert_uint_eq(jail_count(), 0);
	ck_assert_uint_eq(child_dying(), 0);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}

void
unit_arming_check_failed(const struct unit_arming *outcome, const char *text)
{
	ck_assert_uint_eq(outcome->done, 1);
	ck_assert_int_eq(outcome->pid, 0);
	ck_assert_int_eq(outcome->error.code, ERR_ATTACH_FAILED);
	ck_assert_str_eq(outcome->error.text, text);
}
