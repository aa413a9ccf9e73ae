/* A probe's life, with jails and arming that the test plays, and real processes and commands. */
#include "config.h"

#include "probe.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "registry.h"
#include "spawn.h"
#include "unit.h"
#include "util.h"

struct added {
	unsigned count;
	struct probe *probe;
	struct error error;
};

static char gate_path[512];
static int gate = -1;

static void
begin(void)
{
	ck_assert_int_eq(spawn_init(), 0);
	unit_reap_children();
	ck_assert_int_eq(probe_init(unit_base()), 0);
	unit_jail_begin("www", 4711);
	gate = unit_gate("gate");
	snprintf(gate_path, sizeof(gate_path), "%s", unit_path("gate"));
}

static struct definition
define(const char *shell, enum respawn respawn)
{
	struct definition def;

	definition_init(&def);
	memcpy(def.jail.name, "www", sizeof("www"));
	def.shell = strdup(shell);
	def.respawn = respawn;
	return def;
}

/* A command that waits at the gate. */
static struct definition
define_waiting(enum respawn respawn)
{
	char script[600];

	snprintf(script, sizeof(script), "read x <%s; echo done", gate_path);
	return define(script, respawn);
}

static void
added(void *arg, struct probe *probe, const struct error *e)
{
	struct added *result = arg;

	result->count++;
	result->probe = probe;
	if (e != NULL)
		result->error = *e;
}

/* Adds a probe, and arms it with a real process. */
static struct probe *
add(struct definition def)
{
	struct added result = {0};

	probe_add(&def, false, added, &result);
	ck_assert_uint_eq(result.count, 0);
	unit_attach_wait(1);
	unit_attach_succeed(0, unit_probe_process());
	ck_assert_uint_eq(result.count, 1);
	ck_assert_ptr_nonnull(result.probe);
	ck_assert_int_eq(probe_state(result.probe), PROBE_ARMED);
	return result.probe;
}

/* Puts the probe's next process into the jail. */
static void
rearm(const struct probe *probe)
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

static void
wait_state(struct probe *probe, enum probe_state state, uint64_t runs)
{
	struct wanted wanted = {.probe = probe, .state = state, .runs = runs};

	unit_wait(is_in_state, &wanted, "the probe's next state");
}

static void
press(const struct probe *probe)
{
	ck_assert_int_eq(kill(probe->pid, SIGHUP), 0);
}

/* No jail is held any more, once all are gone and forgotten. */
static void
check_clean(void)
{
	ck_assert_uint_eq(registry_count(), 0);
	ck_assert_uint_eq(unit_attaches(), 0);
}

START_TEST(single_shot)
{
	struct probe *probe;

	begin();
	probe = add(define("echo hello; exit 3", RESPAWN_NO));
	press(probe);
	wait_state(probe, PROBE_GONE, 1);
	ck_assert_uint_eq(probe->triggers, 1);
	ck_assert(probe->last.any);
	ck_assert_int_eq(probe->last.status, 3 << 8);
	ck_assert_uint_eq(probe->last.output_bytes, 6);
	ck_assert_mem_eq(tail_linear(probe_output(probe)), "hello\n", 6);
	ck_assert_ptr_eq(registry_gone_by_number(probe->number), probe);
	check_clean();
}
END_TEST

START_TEST(respawn_after_the_run)
{
	struct probe *probe;

	begin();
	probe = add(define_waiting(RESPAWN_AFTER));
	press(probe);
	wait_state(probe, PROBE_RUNNING, 1);
	ck_assert_uint_eq(unit_attaches(), 0);
	unit_release(gate);
	rearm(probe);
	press(probe);
	wait_state(probe, PROBE_RUNNING, 2);
	unit_release(gate);
	rearm(probe);
	ck_assert_uint_eq(probe->triggers, 2);
	probe_remove(probe, false);
	check_clean();
	ck_assert_uint_eq(jail_count(), 0);
}
END_TEST

START_TEST(respawn_at_once)
{
	struct probe *probe;

	begin();
	probe = add(define_waiting(RESPAWN_NOW));
	for (uint64_t i = 1; i <= 3; i++) {
		press(probe);
		wait_state(probe, PROBE_STARTING, i);
		rearm(probe);
	}
	ck_assert_uint_eq(probe->active, 3); /* they overlap */
	for (int i = 0; i < 3; i++)
		unit_release(gate);
	probe_remove(probe, true);
	check_clean();
}
END_TEST

/* More presses than may run at once: one more run, when there is room, stands for them all. */
START_TEST(presses_beyond_max_runs_are_one)
{
	struct definition def;
	struct probe *probe;

	begin();
	def = define_waiting(RESPAWN_NOW);
	def.max_runs = 1;
	probe = add(def);
	for (uint64_t i = 1; i <= 4; i++) {
		press(probe);
		rearm(probe);
		ck_assert_uint_eq(probe->triggers, i);
	}
	ck_assert_uint_eq(probe->runs, 1);
	ck_assert_uint_eq(probe->pending, 1);
	ck_assert_uint_eq(probe->coalesced, 2);
	unit_release(gate);
	wait_state(probe, PROBE_ARMED, 2);
	ck_assert_uint_eq(probe->pending, 0);
	unit_release(gate);
	probe_remove(probe, true);
	check_clean();
}
END_TEST

static bool
is_gone(void *arg)
{
	return registry_by_number(*(uint64_t *)arg) == NULL;
}

/* Only the magic exit is a trigger. */
START_TEST(killed_is_not_pressed)
{
	static const int signals[] = {SIGKILL, SIGTERM, SIGUSR1};
	struct probe *probe;
	uint64_t number;

	begin();
	probe = add(define("echo never", RESPAWN_NO));
	number = probe->number;
	ck_assert_int_eq(kill(probe->pid, signals[_i]), 0);
	unit_wait(is_gone, &number, "its end");
	ck_assert_ptr_eq(registry_gone_by_number(number), probe);
	ck_assert_uint_eq(probe->triggers, 0);
	ck_assert_uint_eq(probe->runs, 0);
	check_clean();
}
END_TEST

START_TEST(killed_comes_back)
{
	struct probe *probe;

	begin();
	probe = add(define("echo never", RESPAWN_AFTER));
	ck_assert_int_eq(kill(probe->pid, SIGKILL), 0);
	unit_attach_wait(1);
	ck_assert_int_eq(probe_state(probe), PROBE_STARTING);
	unit_attach_fail(0); /* nobody waits for it now: it is tried again */
	rearm(probe);
	ck_assert_uint_eq(probe->triggers, 0);
	probe_remove(probe, false);
	check_clean();
	ck_assert_uint_eq(jail_count(), 0);
}
END_TEST

START_TEST(goes_with_its_jail)
{
	struct probe *probe;
	uint64_t number;

	begin();
	probe = add(define("echo never", RESPAWN_AFTER));
	number = probe->number;
	unit_jail_end("www");
	ck_assert_int_eq(kill(probe->pid, SIGKILL), 0);
	unit_wait(is_gone, &number, "its end");
	check_clean();
}
END_TEST

START_TEST(sticky_waits_for_its_jail)
{
	struct definition def;
	struct probe *probe;

	begin();
	def = define("echo never", RESPAWN_AFTER);
	def.sticky = true;
	probe = add(def);
	unit_jail_end("www");
	ck_assert_int_eq(kill(probe->pid, SIGKILL), 0);
	wait_state(probe, PROBE_WAITING, 0);
	ck_assert_uint_eq(jail_count(), 0);
	unit_jail_begin("www", 4800); /* another instance */
	unit_attach_wait(1);
	ck_assert_int_eq(probe->jail->jid, 4800);
	probe_remove(probe, false);
	unit_attach_fail(0);
	check_clean();
	ck_assert_uint_eq(jail_count(), 0);
}
END_TEST

START_TEST(sticky_without_its_jail_is_waiting)
{
	struct definition def;
	struct added result = {0};

	begin();
	def = define("x", RESPAWN_NO);
	memcpy(def.jail.name, "later", sizeof("later"));
	def.sticky = true;
	probe_add(&def, false, added, &result);
	ck_assert_uint_eq(result.count, 1);
	ck_assert_int_eq(probe_state(result.probe), PROBE_WAITING);
	probe_remove(result.probe, false);
	check_clean();
}
END_TEST

/* ---- adding ---- */

static void
add_refused(struct definition def, enum error_code code)
{
	struct added result = {0};

	probe_add(&def, false, added, &result);
	ck_assert_uint_eq(result.count, 1);
	ck_assert_ptr_null(result.probe);
	ck_assert_int_eq(result.error.code, code);
	ck_assert_ptr_null(def.shell); /* it was taken over in any case */
}

START_TEST(no_such_jail)
{
	struct definition def;

	begin();
	def = define("x", RESPAWN_NO);
	def.jail.name[0] = 'W';
	add_refused(def, ERR_NO_SUCH_JAIL);
	check_clean();
	ck_assert_uint_eq(jail_count(), 0);
}
END_TEST

START_TEST(what_the_probe_is_given)
{
	struct definition def;
	struct added result = {0};

	begin();
	def = define("secret", RESPAWN_NO);
	def.title = strdup("TITLE");
	def.uid = 4294967294;
	def.gid = 80;
	probe_add(&def, false, added, &result);
	unit_attach_wait(1);
	ck_assert_str_eq(unit_attach_title(0), "TITLE");
	unit_attach_check_ids(0, 4294967294, 80);
	unit_attach_fail(0);
	def = define("secret", RESPAWN_NO);
	probe_add(&def, false, added, &result);
	unit_attach_wait(1);
	ck_assert_str_eq(unit_attach_title(0), "probe 2");
	unit_attach_check_ids(0, 0, 0);
	unit_attach_fail(0);
	check_clean();
	ck_assert_uint_eq(jail_count(), 0);
}
END_TEST

static struct definition
define_named(const char *shell)
{
	struct definition def = define(shell, RESPAWN_AFTER);

	def.name = strdup("snap");
	return def;
}

START_TEST(the_same_again_is_the_same)
{
	struct definition def;
	struct added first = {0}, second = {0}, third = {0};

	begin();
	def = define_named("x");
	probe_add(&def, false, added, &first);
	def = define_named("x");
	probe_add(&def, false, added, &second);
	ck_assert_uint_eq(second.count, 0); /* it waits, too */
	unit_attach_wait(1);
	unit_attach_succeed(0, unit_probe_process());
	ck_assert_ptr_nonnull(first.probe);
	ck_assert_ptr_eq(second.probe, first.probe);
	def = define_named("x");
	probe_add(&def, false, added, &third);
	ck_assert_ptr_eq(third.probe, first.probe);
	ck_assert_uint_eq(registry_count(), 1);
	add_refused(define_named("y"), ERR_EXISTS);
	probe_remove(first.probe, false);
	check_clean();
}
END_TEST

START_TEST(a_replacement_takes_over_when_armed)
{
	struct definition def;
	struct probe *old;
	struct added result = {0};

	begin();
	old = add(define_named("x"));
	def = define_named("y");
	probe_add(&def, true, added, &result);
	ck_assert_ptr_eq(registry_by_name("snap"), old);
	unit_attach_wait(1);
	unit_attach_fail(0);
	ck_assert_int_eq(result.error.code, ERR_ATTACH_FAILED);
	ck_assert_int_eq(probe_state(old), PROBE_ARMED); /* nothing has happened to it */
	def = define_named("y");
	probe_add(&def, true, added, &result);
	unit_attach_wait(1);
	unit_attach_succeed(0, unit_probe_process());
	ck_assert_ptr_eq(registry_by_name("snap"), result.probe);
	ck_assert_str_eq(result.probe->def.shell, "y");
	ck_assert_uint_eq(registry_count(), 1);
	probe_remove(result.probe, false);
	check_clean();
}
END_TEST

START_TEST(removed_before_it_was_armed)
{
	struct definition def;
	struct added result = {0};

	begin();
	def = define("x", RESPAWN_NO);
	probe_add(&def, false, added, &result);
	probe_remove(registry_first(), false);
	ck_assert_uint_eq(result.count, 1);
	ck_assert_ptr_null(result.probe);
	check_clean();
	ck_assert_uint_eq(jail_count(), 0);
}
END_TEST

/* ---- pressing from the host, and too often ---- */

/* The probe's own process must not press a second time. */
START_TEST(triggered_from_the_host)
{
	struct probe *probe;
	struct error e;

	begin();
	probe = add(define("exit 0", RESPAWN_AFTER));
	press(probe);
	ck_assert_int_eq(probe_trigger(probe, &e), 0);
	ck_assert_int_eq(probe_trigger(probe, &e), -1);
	ck_assert_int_eq(e.code, ERR_BAD_REQUEST);
	rearm(probe);
	ck_assert_uint_eq(unit_reaped(), 2);
	ck_assert_uint_eq(probe->triggers, 1);
	probe_remove(probe, false);
}
END_TEST

START_TEST(cooldown_keeps_it_out)
{
	struct definition def;
	struct probe *probe;

	begin();
	def = define("exit 0", RESPAWN_AFTER);
	def.cooldown_ms = 3600000;
	probe = add(def);
	press(probe);
	wait_state(probe, PROBE_COOLING, 1);
	ck_assert_uint_eq(unit_attaches(), 0);
	ck_assert_uint_eq(probe->throttled, 1);
	probe_remove(probe, false);
	check_clean();
	ck_assert_uint_eq(jail_count(), 0);
}
END_TEST

START_TEST(short_cooldowns_end)
{
	struct definition def;
	struct probe *probe;

	begin();
	def = define("exit 0", RESPAWN_AFTER);
	def.cooldown_ms = 300;
	probe = add(def);
	press(probe);
	unit_attach_wait(1);
	ck_assert_int_eq(probe_state(probe), PROBE_STARTING);
	probe_remove(probe, false);
	unit_attach_fail(0);
	check_clean();
}
END_TEST

/* A command that can't be executed is a run with that result, as it would be in a shell. */
START_TEST(unexecutable_command)
{
	char program[] = "/nonexistent/command", *argv[] = {program, NULL};
	struct definition def;
	struct probe *probe;

	begin();
	def = define("", RESPAWN_NO);
	free(def.shell);
	def.shell = NULL;
	def.argv = util_copy_strings(argv);
	probe = add(def);
	press(probe);
	wait_state(probe, PROBE_GONE, 1);
	ck_assert(WIFEXITED(probe->last.status));
	ck_assert_int_eq(WEXITSTATUS(probe->last.status), 127);
	ck_assert_ptr_nonnull(strstr(tail_linear(probe_output(probe)), "/nonexistent/command"));
	check_clean();
}
END_TEST

Suite *
unit_probe(void)
{
	Suite *suite;
	TCase *tests = unit_case("probe", &suite);

	tcase_add_test(tests, single_shot);
	tcase_add_test(tests, respawn_after_the_run);
	tcase_add_test(tests, respawn_at_once);
	tcase_add_test(tests, presses_beyond_max_runs_are_one);
	tcase_add_loop_test(tests, killed_is_not_pressed, 0, 3);
	tcase_add_test(tests, killed_comes_back);
	tcase_add_test(tests, goes_with_its_jail);
	tcase_add_test(tests, sticky_waits_for_its_jail);
	tcase_add_test(tests, sticky_without_its_jail_is_waiting);
	tcase_add_test(tests, no_such_jail);
	tcase_add_test(tests, what_the_probe_is_given);
	tcase_add_test(tests, the_same_again_is_the_same);
	tcase_add_test(tests, a_replacement_takes_over_when_armed);
	tcase_add_test(tests, removed_before_it_was_armed);
	tcase_add_test(tests, triggered_from_the_host);
	tcase_add_test(tests, cooldown_keeps_it_out);
	tcase_add_test(tests, short_cooldowns_end);
	tcase_add_test(tests, unexecutable_command);
	return suite;
}
