/* The beginning of a probe: whether it may be, who waits for it, and from when on it is there. */
#include "config.h"

#include <sys/wait.h>

#include <signal.h>

#include "child.h"
#include "keep.h"
#include "limit.h"
#include "probe.h"
#include "probe_life.h"
#include "registry.h"
#include "run.h"
#include "waiters.h"

/* The same again is no error: the answer is the probe that is there, once it is armed. */
static void
answer_existing(struct probe *probe, probe_added_cb *added, void *arg)
{
	struct error e;

	if (SLIST_EMPTY(&probe->waiters)) {
		added(arg, probe, NULL);
	} else if (waiters_add(probe, added, arg) != 0) {
		error_no_memory(&e);
		added(arg, NULL, &e);
	}
}

static int
find_jail(const struct definition *def, struct jail_instance **jail, struct error *e)
{
	*jail = jail_find(&def->jail, e);
	if (*jail == NULL && !(def->sticky && e->code == ERR_NO_SUCH_JAIL))
		return -1;
	return 0;
}

static struct probe *
create_in_jail(struct definition *def, bool replaces, bool configured, struct error *e)
{
	struct jail_instance *jail;
	struct probe *probe;

	if (registry_count() >= limits()->probes) {
		error_set(e, ERR_LIMIT, "there are %u probes already", limits()->probes);
		return NULL;
	}
	if (find_jail(def, &jail, e) != 0)
		return NULL;
	if ((probe = probe_create(def, jail, 0, e)) == NULL) {
		jail_release(jail);
		return NULL;
	}
	probe->replaces = replaces;
	probe->configured = configured;
	if (!replaces)
		registry_take_name(probe);
	return probe;
}

void
probe_add(struct definition *def, unsigned flags, probe_added_cb *added, void *arg)
{
	bool replace = (flags & PROBE_ADD_REPLACE) != 0;
	bool configured = (flags & PROBE_ADD_CONFIGURED) != 0;
	struct probe *old = def->name == NULL ? NULL : registry_by_name(def->name);
	struct probe *probe = NULL, *same = NULL;
	struct error e;

	/* One whose jail has ended and that has not noticed yet is no answer: its jail came back, and
	 * registers its probes again. */
	if (old != NULL && (old->dropped || (old->jail != NULL && !jail_alive(old->jail))))
		replace = true;
	else if (old != NULL && definition_equal(&old->def, def))
		same = old;
	else if (old != NULL && replace)
		same = registry_replacement(def);
	if (same != NULL) {
		definition_clear(def);
		answer_existing(same, added, arg);
		return;
	}
	if (old != NULL && !replace)
		error_set(&e, ERR_EXISTS, "probe %llu has the name \"%s\" and another definition",
			  (unsigned long long)old->number, def->name);
	else
		probe = create_in_jail(def, old != NULL, configured, &e);
	definition_clear(def);
	if (probe == NULL) {
		added(arg, NULL, &e);
		return;
	}
	if (waiters_add(probe, added, arg) != 0) {
		probe_forget(probe);
		error_no_memory(&e);
		added(arg, NULL, &e);
		return;
	}
	probe_begin(probe);
}

/* ---- there to stay ---- */

/* Somebody may have pressed it just now, and a HUP is never lost, not even to a probe on its way out:
 * it gets its run. */
static void
accept_unreaped_trigger(struct probe *probe)
{
	siginfo_t info = {0};

	if (probe->pid <= 0 ||
	    waitid(P_PID, (id_t)probe->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
	    info.si_pid != probe->pid || info.si_code != CLD_EXITED ||
	    info.si_status != PROBE_EXIT_TRIGGERED)
		return;
	child_forget(probe->pid);
	probe_pressed(probe);
}

/* Whoever has the name by now: several may be on their way to replace the same probe, and that one
 * may be gone already. The last to be armed keeps it. */
static void
take_over_name(struct probe *probe)
{
	struct probe *old;
	struct error e;

	error_set(&e, ERR_ATTACH_FAILED, "another probe has taken its place");
	if (!probe->replaces)
		return;
	probe->replaces = false;
	if ((old = registry_by_name(probe->def.name)) != NULL) {
		accept_unreaped_trigger(old);
		probe_end(old, "another one has taken its place", &e);
		probe_free_if_unused(old);
	}
	registry_take_name(probe);
}

static void
first_kept(struct probe *probe, const struct error *e, void *arg)
{
	(void)arg;
	probe->saving = false;
	probe->kept = true; /* a part of it may be, even if not for certain */
	if (probe->gone)
		return;
	if (e != NULL) {
		probe_end(probe, "it could not be saved", e);
		return;
	}
	take_over_name(probe);
	waiters_tell(probe, NULL);
}

void
probe_settle(struct probe *probe)
{
	if (probe->gone || probe->kept || probe->saving)
		return;
	if (probe->def.respawn == RESPAWN_NO && probe->triggers > 0) {
		first_kept(probe, NULL, NULL); /* it has had its one press: nothing is to come back */
		return;
	}
	probe->saving = true;
	keep_save(probe, first_kept, NULL);
}
