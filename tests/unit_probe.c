/* A probe's life, with jails and attaching that the test plays, and real processes and commands. */
#include "config.h"

#include "probe.h"

#include <sys/wait.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "limit.h"
#include "registry.h"
#include "unit.h"
#include "util.h"

START_TEST(single_shot)
{
	struct probe *probe;

	unit_life_begin();
	probe = unit_life_add(unit_life_define("echo hello; exit 3", RESPAWN_NO));
	unit_life_press(probe);
	unit_life_wait(probe, PROBE_GONE, 1);
	ck_assert_uint_eq(probe->triggers, 1);
	ck_assert(probe->last.any);
	ck_assert_int_eq(probe->last.status, 3 << 8);
	ck_assert_uint_eq(probe->last.output_bytes, 6);
	ck_assert_mem_eq(tail_linear(probe_output(probe)), "hello\n", 6);
	ck_assert_ptr_eq(registry_gone_by_number(probe->number), probe);
	unit_life_check_clean();
}
END_TEST

START_TEST(respawn_after_the_run)
{
	struct probe *probe;

	unit_life_begin();
	probe = unit_life_add(unit_life_define_waiting(RESPAWN_AFTER));
	unit_life_press(probe);
	unit_life_wait(probe, PROBE_RUNNING, 1);
	ck_assert_uint_eq(unit_attaches(), 0);
	unit_release(unit_life_gate);
	unit_life_rearm(probe);
	unit_life_press(probe);
	unit_life_wait(probe, PROBE_RUNNING, 2);
	unit_release(unit_life_gate);
	unit_life_rearm(probe);
	ck_assert_uint_eq(probe->triggers, 2);
	unit_life_remove(probe, false);
	unit_life_check_clean();
	ck_assert_uint_eq(jail_count(), 0);
}
END_TEST

START_TEST(respawn_at_once)
{
	struct probe *probe;

	unit_life_begin();
	probe = unit_life_add(unit_life_define_waiting(RESPAWN_NOW));
	for (uint64_t i = 1; i <= 3; i++) {
		unit_life_press(probe);
		unit_life_wait(probe, PROBE_STARTING, i);
		unit_life_rearm(probe);
	}
	ck_assert_uint_eq(probe->active, 3); /* they overlap */
	for (int i = 0; i < 3; i++)
		unit_release(unit_life_gate);
	unit_life_remove(probe, true);
	unit_life_check_clean();
}
END_TEST

/* More presses than may run at once: one more run, when there is room, stands for them all. */
START_TEST(presses_beyond_max_runs_are_one)
{
	struct definition def;
	struct probe *probe;

	unit_life_begin();
	def = unit_life_define_waiting(RESPAWN_NOW);
	def.max_runs = 1;
	probe = unit_life_add(def);
	for (uint64_t i = 1; i <= 4; i++) {
		unit_life_press(probe);
		unit_life_rearm(probe);
		ck_assert_uint_eq(probe->triggers, i);
	}
	ck_assert_uint_eq(probe->runs, 1);
	ck_assert_uint_eq(probe->pending, 1);
	ck_assert_uint_eq(probe->coalesced, 2);
	unit_release(unit_life_gate);
	unit_life_wait(probe, PROBE_ARMED, 2);
	ck_assert_uint_eq(probe->pending, 0);
	unit_release(unit_life_gate);
	unit_life_remove(probe, true);
	unit_life_check_clean();
}
END_TEST

static bool
is_gone(void *arg)
{
	return registry_by_number(*(uint64_t *)arg) == NULL;
}

/* A reload can lower the limit below the runs that go on: none waits that could stand for the next press. */
START_TEST(a_press_beyond_a_lowered_limit_waits)
{
	struct limits lowered = limits_default;
	struct probe *probe;

	unit_life_begin();
	lowered.max_runs = 1;
	probe = unit_life_add(unit_life_define_waiting(RESPAWN_NOW));
	for (int i = 0; i < 4; i++) {
		unit_life_press(probe);
		unit_life_rearm(probe);
		if (probe->active == 2)
			limits_set(&lowered);
	}
	ck_assert_uint_eq(probe->active, 2);
	ck_assert_uint_eq(probe->pending, 1);
	ck_assert_uint_eq(probe->coalesced, 1);
	for (int i = 0; i < 3; i++)
		unit_release(unit_life_gate);
	unit_life_wait(probe, PROBE_ARMED, 3);
	unit_life_remove(probe, true);
	unit_life_check_clean();
}
END_TEST

/* Only the magic exit is a trigger. */
START_TEST(killed_is_not_pressed)
{
	static const int signals[] = {SIGKILL, SIGTERM, SIGUSR1, SIGUSR2};
	struct probe *probe;
	uint64_t number;

	unit_life_begin();
	probe = unit_life_add(unit_life_define("echo never", RESPAWN_NO));
	number = probe->number;
	ck_assert_int_eq(kill(probe->pid, signals[_i]), 0);
	unit_wait(is_gone, &number, "its end");
	ck_assert_ptr_eq(registry_gone_by_number(number), probe);
	ck_assert_uint_eq(probe->triggers, 0);
	ck_assert_uint_eq(probe->runs, 0);
	unit_life_check_clean();
}
END_TEST

START_TEST(killed_comes_back)
{
	struct probe *probe;

	unit_life_begin();
	probe = unit_life_add(unit_life_define("echo never", RESPAWN_AFTER));
	ck_assert_int_eq(kill(probe->pid, SIGKILL), 0);
	unit_attach_wait(1);
	ck_assert_int_eq(probe_state(probe), PROBE_STARTING);
	unit_attach_fail(0); /* nobody waits for it now: it is tried again */
	unit_life_rearm(probe);
	ck_assert_uint_eq(probe->triggers, 0);
	unit_life_remove(probe, false);
	unit_life_check_clean();
	ck_assert_uint_eq(jail_count(), 0);
}
END_TEST

START_TEST(goes_with_its_jail)
{
	struct probe *probe;
	uint64_t number;

	unit_life_begin();
	probe = unit_life_add(unit_life_define("echo never", RESPAWN_AFTER));
	number = probe->number;
	unit_jail_end("www");
	ck_assert_int_eq(kill(probe->pid, SIGKILL), 0);
	unit_wait(is_gone, &number, "its end");
	unit_life_check_clean();
}
END_TEST

START_TEST(sticky_waits_for_its_jail)
{
	struct definition def;
	struct probe *probe;

	unit_life_begin();
	def = unit_life_define("echo never", RESPAWN_AFTER);
	def.sticky = true;
	probe = unit_life_add(def);
	unit_jail_end("www");
	ck_assert_int_eq(kill(probe->pid, SIGKILL), 0);
	unit_life_wait(probe, PROBE_WAITING, 0);
	ck_assert_uint_eq(jail_count(), 0);
	unit_jail_begin("www", 4800); /* another instance */
	unit_attach_wait(1);
	ck_assert_int_eq(probe->jail->jid, 4800);
	unit_life_remove(probe, false);
	unit_attach_fail(0);
	unit_life_check_clean();
	ck_assert_uint_eq(jail_count(), 0);
}
END_TEST

START_TEST(sticky_without_its_jail_is_waiting)
{
	struct definition def;
	struct unit_added result = {0};

	unit_life_begin();
	def = unit_life_define("x", RESPAWN_NO);
	unit_name_jail(&def, "later");
	def.sticky = true;
	probe_add(&def, 0, unit_life_added, &result);
	ck_assert_uint_eq(result.count, 1);
	ck_assert_int_eq(probe_state(result.probe), PROBE_WAITING);
	unit_life_remove(result.probe, false);
	unit_life_check_clean();
}
END_TEST

/* ---- pressing from the host, and too often ---- */

/* The probe's own process must not press a second time. */
START_TEST(triggered_from_the_host)
{
	struct unit_done done = {0};
	struct probe *probe;
	struct error e;
	pid_t pressed;

	unit_life_begin();
	probe = unit_life_add(unit_life_define("exit 0", RESPAWN_AFTER));
	pressed = probe->pid;
	unit_life_press(probe);
	ck_assert_int_eq(probe_trigger(probe, &e, unit_life_done, &done), 0);
	ck_assert_uint_eq(done.count, 1);
	ck_assert(!done.failed);
	ck_assert_int_eq(probe_trigger(probe, &e, unit_life_done, &done), -1);
	ck_assert_int_eq(e.code, ERR_BAD_REQUEST);
	ck_assert_uint_eq(done.count, 1);
	unit_life_rearm(probe);
	unit_wait(unit_is_reaped, &pressed, "the end of the probe's process");
	ck_assert_uint_eq(probe->triggers, 1);
	unit_life_remove(probe, false);
}
END_TEST

START_TEST(cooldown_keeps_it_out)
{
	struct definition def;
	struct probe *probe;

	unit_life_begin();
	def = unit_life_define("exit 0", RESPAWN_AFTER);
	def.cooldown_ms = 3600000;
	probe = unit_life_add(def);
	unit_life_press(probe);
	unit_life_wait(probe, PROBE_COOLING, 1);
	ck_assert_uint_eq(unit_attaches(), 0);
	ck_assert_uint_eq(probe->throttled, 1);
	unit_life_remove(probe, false);
	unit_life_check_clean();
	ck_assert_uint_eq(jail_count(), 0);
}
END_TEST

static struct probe *
cooling_in(const char *jail, bool sticky)
{
	struct definition def = unit_life_define("exit 0", RESPAWN_AFTER);
	struct probe *probe;

	unit_name_jail(&def, jail);
	def.cooldown_ms = 3600000;
	def.sticky = sticky;
	probe = unit_life_add(def);
	unit_life_press(probe);
	unit_life_wait(probe, PROBE_COOLING, 1);
	return probe;
}

static bool
is_waiting(void *probe)
{
	return probe_state(probe) == PROBE_WAITING;
}

/* They have no process that would tell. */
START_TEST(cooling_ones_learn_that_their_jail_ends)
{
	struct probe *other, *first, *sticky, *last;

	unit_life_begin();
	unit_jail_begin("db", 4712);
	first = cooling_in("www", false);
	other = cooling_in("db", false);
	sticky = cooling_in("www", true);
	last = cooling_in("www", false);
	unit_jail_end("www");
	unit_wait(is_waiting, sticky, "the end of the jail");
	ck_assert_int_eq(probe_state(first), PROBE_GONE);
	ck_assert_int_eq(probe_state(last), PROBE_GONE);
	ck_assert_int_eq(probe_state(other), PROBE_COOLING);
	unit_life_remove(sticky, false);
	unit_life_remove(other, false);
	unit_life_check_clean();
	ck_assert_uint_eq(jail_count(), 0);
}
END_TEST

START_TEST(short_cooldowns_end)
{
	struct definition def;
	struct probe *probe;

	unit_life_begin();
	def = unit_life_define("exit 0", RESPAWN_AFTER);
	def.cooldown_ms = 300;
	probe = unit_life_add(def);
	unit_life_press(probe);
	unit_attach_wait(1);
	ck_assert_int_eq(probe_state(probe), PROBE_STARTING);
	unit_life_remove(probe, false);
	unit_attach_fail(0);
	unit_life_check_clean();
}
END_TEST

/* A command that can't be executed is a run with that result, as it would be in a shell. */
START_TEST(unexecutable_command)
{
	char program[] = "/nonexistent/command", *argv[] = {program, NULL};
	struct definition def;
	struct probe *probe;

	unit_life_begin();
	def = unit_life_define("", RESPAWN_NO);
	free(def.shell);
	def.shell = NULL;
	def.argv = util_copy_strings(argv);
	probe = unit_life_add(def);
	unit_life_press(probe);
	unit_life_wait(probe, PROBE_GONE, 1);
	ck_assert(WIFEXITED(probe->last.status));
	ck_assert_int_eq(WEXITSTATUS(probe->last.status), 127);
	ck_assert_ptr_nonnull(strstr(tail_linear(probe_output(probe)), "/nonexistent/command"));
	unit_life_check_clean();
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
	tcase_add_test(tests, a_press_beyond_a_lowered_limit_waits);
	tcase_add_loop_test(tests, killed_is_not_pressed, 0, 4);
	tcase_add_test(tests, killed_comes_back);
	tcase_add_test(tests, goes_with_its_jail);
	tcase_add_test(tests, sticky_waits_for_its_jail);
	tcase_add_test(tests, sticky_without_its_jail_is_waiting);
	tcase_add_test(tests, triggered_from_the_host);
	tcase_add_test(tests, cooldown_keeps_it_out);
	tcase_add_test(tests, cooling_ones_learn_that_their_jail_ends);
	tcase_add_test(tests, short_cooldowns_end);
	tcase_add_test(tests, unexecutable_command);
	return suite;
}
