/* What the tests of a probe's life share. */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry.h"
#include "spawn.h"
#include "unit.h"

static char gate_path[512];
int unit_life_gate = -1;

void
unit_life_begin(void)
{
	ck_assert_int_eq(spawn_init(), 0);
	unit_reap_children();
	ck_assert_int_eq(probe_init(unit_base()), 0);
	unit_jail_begin("www", 4711);
	unit_life_gate = unit_gate("gate");
	snprintf(gate_path, sizeof(gate_path), "%s", unit_path("gate"));
}

void
unit_life_begin_kept(void)
{
	unit_life_begin();
	unit_state_begin();
}

void
unit_name_jail(struct definition *def, const char *name)
{
	free((char *)(uintptr_t)def->jail.name);
	def->jail.name = strdup(name);
	ck_assert_ptr_nonnull(def->jail.name);
}

struct definition
unit_life_define(const char *shell, enum respawn respawn)
{
	struct definition def;

	definition_init(&def);
	unit_name_jail(&def, "www");
	def.shell = strdup(shell);
	def.respawn = respawn;
	return def;
}

struct definition
unit_life_define_waiting(enum respawn respawn)
{
	char script[600];

	snprintf(script, sizeof(script), "read x <%s; echo done", gate_path);
	return unit_life_define(script, respawn);
}

void
unit_life_added(void *arg, struct probe *probe, const struct error *e)
{
	struct unit_added *result = arg;

	result->count++;
	result->probe = probe;
	if (e != NULL)
		result->error = *e;
}

struct probe *
unit_life_add(struct definition def)
{
	struct unit_added result = {0};

	probe_add(&def, 0, unit_life_added, &result);
	ck_assert_uint_eq(result.count, 0);
	unit_attach_wait(1);
	unit_attach_succeed(0, unit_probe_process());
	ck_assert_uint_eq(result.count, 1);
	ck_assert_ptr_nonnull(result.probe);
	ck_assert_int_eq(probe_state(result.probe), PROBE_ARMED);
	return result.probe;
}

void
unit_life_rearm(const struct probe *probe)
{
	unit_attach_wait(1);
	unit_attach_succeed(0, unit_probe_process());
	ck_assert_int_eq(probe_state(probe), PROBE_ARMED);
}

struct wanted {
	struct probe *probe;
	enum probe_state state;
	uint64_t runs;
};

static bool
is_in_state(void *arg)
{
	const struct wanted *wanted = arg;

	return probe_state(wanted->probe) == wanted->state && wanted->probe->runs == wanted->runs;
}

void
unit_life_wait(struct probe *probe, enum probe_state state, uint64_t runs)
{
	struct wanted wanted = {.probe = probe, .state = state, .runs = runs};

	unit_wait(is_in_state, &wanted, "the probe's next state");
}

void
unit_life_press(const struct probe *probe)
{
	ck_assert_int_eq(kill(probe->pid, SIGHUP), 0);
}

void
unit_life_done(void *arg, struct probe *probe, const struct error *e)
{
	struct unit_done *result = arg;

	ck_assert_ptr_nonnull(probe);
	result->count++;
	result->state = probe_state(probe);
	result->failed = e != NULL;
	if (e != NULL)
		result->error = *e;
}

void
unit_life_remove(struct probe *probe, bool kill_runs)
{
	struct unit_done result = {0};

	probe_remove(probe, kill_runs, unit_life_done, &result);
	ck_assert_uint_eq(result.count, 1);
	ck_assert(!result.failed);
	ck_assert_int_eq(result.state, PROBE_GONE);
}

bool
unit_life_is_answered(void *arg)
{
	return ((struct unit_added *)arg)->count > 0;
}

bool
unit_life_is_done(void *arg)
{
	return ((struct unit_done *)arg)->count > 0;
}

void
unit_life_arm_kept(struct definition def, unsigned flags, struct unit_added *result)
{
	*result = (struct unit_added){0};
	probe_add(&def, flags, unit_life_added, result);
	unit_attach_wait(1);
	unit_attach_report(0, ATTACH_PID, unit_probe_process());
	unit_attach_report(0, ATTACH_READY, 0);
	unit_attach_end(0);
}

struct probe *
unit_life_add_kept(struct definition def, unsigned flags)
{
	struct unit_added result;

	unit_life_arm_kept(def, flags, &result);
	unit_wait(unit_life_is_answered, &result, "the answer to an add");
	ck_assert_ptr_nonnull(result.probe);
	return result.probe;
}

void
unit_life_remove_kept(struct probe *probe)
{
	struct unit_done done = {0};

	probe_remove(probe, true, unit_life_done, &done);
	ck_assert_uint_eq(done.count, 0);
	unit_wait(unit_life_is_done, &done, "the answer to a removal");
	ck_assert(!done.failed);
	ck_assert_int_eq(done.state, PROBE_GONE);
}

void
unit_life_check_clean(void)
{
	ck_assert_uint_eq(registry_count(), 0);
	ck_assert_uint_eq(unit_attaches(), 0);
}
