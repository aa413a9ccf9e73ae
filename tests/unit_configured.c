/* A new configuration as a difference to the one before. */
#include "config.h"

#include "configured.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "registry.h"
#include "unit.h"

/* What the callback was told, and how often. */
struct told {
	unsigned count;
	struct configured_counts counts;
};

static struct told told;
static struct conf conf;

static void
done(void *arg, const struct configured_counts *counts)
{
	struct told *into = arg;

	into->count++;
	into->counts = *counts;
}

/* Another probe for the next configuration; in a jail that is there, "www", or not. */
static void
want_in(const char *jail, const char *name, const char *shell, enum respawn respawn)
{
	struct conf_probe *probe;

	conf.probes = realloc(conf.probes, (conf.probe_count + 1) * sizeof(*probe));
	ck_assert_ptr_nonnull(conf.probes);
	probe = &conf.probes[conf.probe_count++];
	probe->def = unit_life_define(shell, respawn);
	unit_name_jail(&probe->def, jail);
	probe->def.name = strdup(name);
	probe->file = strdup("/etc/jaildaemon.d/some.json");
}

static void
want(const char *name, const char *shell)
{
	want_in("www", name, shell, RESPAWN_AFTER);
}

static void
begin_apply(void)
{
	struct error e;

	told = (struct told){0};
	ck_assert_msg(configured_apply(&conf, done, &told, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(conf.probe_count, 0);
	ck_assert_ptr_null(conf.probes);
}

static void
check_told(unsigned added, unsigned changed, unsigned removed, unsigned unchanged, unsigned failed)
{
	ck_assert_uint_eq(told.count, 1);
	ck_assert_uint_eq(told.counts.added, added);
	ck_assert_uint_eq(told.counts.changed, changed);
	ck_assert_uint_eq(told.counts.removed, removed);
	ck_assert_uint_eq(told.counts.unchanged, unchanged);
	ck_assert_uint_eq(told.counts.failed, failed);
	ck_assert(!configured_is_busy());
}

/* Applies what is wanted; so many attaches have to succeed for it. */
static void
apply(unsigned attaches)
{
	begin_apply();
	for (; attaches > 0; attaches--) {
		ck_assert_uint_eq(told.count, 0);
		unit_attach_wait(attaches);
		unit_attach_succeed(0, unit_probe_process());
	}
	ck_assert_uint_eq(unit_attaches(), 0);
}

static struct probe *
armed(const char *name)
{
	struct probe *probe = registry_by_name(name);

	ck_assert_msg(probe != NULL, "%s is not there", name);
	ck_assert_int_eq(probe_state(probe), PROBE_ARMED);
	ck_assert(probe->configured);
	return probe;
}

START_TEST(nothing_is_done_at_once)
{
	unit_life_begin();
	apply(0);
	check_told(0, 0, 0, 0, 0);
}
END_TEST

START_TEST(all_are_added)
{
	unit_life_begin();
	want("b", "1");
	want("a", "2");
	apply(2);
	check_told(2, 0, 0, 0, 0);
	ck_assert_str_eq(armed("a")->def.shell, "2");
	ck_assert_str_eq(armed("b")->def.shell, "1");
	apply(0);
	check_told(0, 0, 2, 0, 0);
	unit_life_check_clean();
}
END_TEST

START_TEST(only_the_difference_is_done)
{
	uint64_t same, changed;
	pid_t pid;

	unit_life_begin();
	want("same", "1");
	want("changed", "2");
	want("gone", "3");
	apply(3);
	same = armed("same")->number;
	pid = armed("same")->pid;
	changed = armed("changed")->number;
	want("new", "4");
	want("changed", "5");
	want("same", "1");
	apply(2);
	check_told(1, 1, 1, 1, 0);
	ck_assert_uint_eq(armed("same")->number, same);
	ck_assert_int_eq(armed("same")->pid, pid);
	ck_assert_uint_ne(armed("changed")->number, changed);
	ck_assert_str_eq(armed("changed")->def.shell, "5");
	ck_assert_str_eq(armed("new")->def.shell, "4");
	ck_assert_ptr_null(registry_by_name("gone"));
	ck_assert_uint_eq(registry_count(), 3);
}
END_TEST

START_TEST(those_of_others_are_left_alone)
{
	struct definition def;

	unit_life_begin();
	def = unit_life_define("1", RESPAWN_AFTER);
	def.name = strdup("theirs");
	unit_life_add(def);
	unit_life_add(unit_life_define("2", RESPAWN_AFTER));
	apply(0);
	check_told(0, 0, 0, 0, 0);
	ck_assert_uint_eq(registry_count(), 2);
	/* But a name is the configuration's as soon as it says so. */
	want("theirs", "3");
	apply(1);
	check_told(1, 0, 0, 0, 0);
	ck_assert_str_eq(armed("theirs")->def.shell, "3");
	ck_assert_uint_eq(registry_count(), 2);
}
END_TEST

START_TEST(a_failure_is_logged_and_tried_again)
{
	uint64_t number;

	unsetenv("JOURNAL_STREAM");
	log_open(true);
	unit_life_begin();
	want("kept", "1");
	apply(1);
	number = armed("kept")->number;
	want("kept", "2");
	want_in("nowhere", "lost", "3", RESPAWN_AFTER);
	unit_capture();
	begin_apply();
	unit_attach_wait(1);
	unit_attach_fail(0);
	ck_assert_ptr_nonnull(strstr(unit_captured(),
				     "event=configured-probe-failed name=\"lost\" jail=\"nowhere\" "
				     "file=\"/etc/jaildaemon.d/some.json\" why=\""));
	check_told(0, 0, 0, 0, 2);
	ck_assert_uint_eq(armed("kept")->number,
			  number); /* as it was, until there is a better one */
	want("kept", "2");
	want("lost", "3");
	apply(2);
	check_told(0, 2, 0, 0, 0); /* "lost" has another jail now */
	ck_assert_str_eq(armed("kept")->def.shell, "2");
}
END_TEST

START_TEST(one_at_a_time)
{
	struct error e;

	unit_life_begin();
	want("a", "1");
	begin_apply();
	ck_assert(configured_is_busy());
	want("b", "2");
	ck_assert_int_eq(configured_apply(&conf, done, &told, &e), -1);
	ck_assert_int_eq(e.code, ERR_LIMIT);
	ck_assert_uint_eq(conf.probe_count, 1); /* still the caller's */
	unit_attach_wait(1);
	unit_attach_succeed(0, unit_probe_process());
	check_told(1, 0, 0, 0, 0);
	apply(1);
	check_told(1, 0, 1, 0, 0);
	armed("b");
}
END_TEST

static void
press_and_end(const char *name)
{
	struct probe *probe = armed(name);

	probe_hold(probe);
	unit_life_press(probe);
	unit_life_wait(probe, PROBE_GONE, 1);
	probe_release(probe);
}

START_TEST(a_single_shot_is_shot_once)
{
	unit_life_begin();
	want_in("www", "once", "true", RESPAWN_NO);
	apply(1);
	press_and_end("once");
	want_in("www", "once", "true", RESPAWN_NO);
	apply(0);
	check_told(0, 0, 0, 1, 0);
	want_in("www", "once", "true", RESPAWN_NO); /* it is remembered from one time to the next */
	apply(0);
	check_told(0, 0, 0, 1, 0);
	ck_assert_uint_eq(registry_count(), 0);
	want_in("www", "once", "exit 0", RESPAWN_NO); /* that is another one */
	apply(1);
	check_told(0, 1, 0, 0, 0);
}
END_TEST

START_TEST(one_that_ended_unpressed_is_tried_again)
{
	unit_life_begin();
	unit_jail_begin("short", 99);
	want_in("short", "a", "1", RESPAWN_NO);
	want("b", "2");
	apply(2);
	unit_jail_end("short");
	ck_assert_int_eq(kill(armed("a")->pid, SIGKILL), 0);
	unit_wait_reaped(1);
	ck_assert_ptr_null(registry_by_name("a"));
	want_in("short", "a", "1", RESPAWN_NO);
	want("b", "2");
	apply(0);
	check_told(0, 0, 0, 1, 1);
	unit_jail_begin("short", 100);
	want_in("short", "a", "1", RESPAWN_NO);
	want("b", "2");
	apply(1);
	check_told(1, 0, 0, 1, 0);
	ck_assert_int_eq(armed("a")->jail->jid, 100);
}
END_TEST

static uint64_t forgotten[4];
static unsigned forgotten_count;

static void
forget(uint64_t number)
{
	ck_assert_uint_lt(forgotten_count, 4);
	forgotten[forgotten_count++] = number;
}

static void
note_spent(const char *name, const char *shell, uint64_t number)
{
	struct definition def = unit_life_define(shell, RESPAWN_NO);

	def.name = strdup(name);
	configured_note_spent(&def, number);
	definition_clear(&def);
}

static void
tell_spent(void *arg, const struct definition *def, uint64_t number)
{
	uint64_t *into = arg;

	ck_assert_str_eq(def->name, "once");
	ck_assert_uint_eq(*into, 0);
	*into = number;
}

/* Another process goes on where this one was. */
START_TEST(those_spent_can_be_told)
{
	uint64_t number, told_number = 0;

	unit_life_begin();
	want("again", "true");
	want_in("www", "once", "true", RESPAWN_NO);
	want_in("www", "unpressed", "true", RESPAWN_NO);
	apply(3);
	configured_each_spent(tell_spent, &told_number);
	ck_assert_uint_eq(told_number, 0);
	number = armed("once")->number;
	press_and_end("once");
	configured_each_spent(tell_spent, &told_number);
	ck_assert_uint_eq(told_number, number);
}
END_TEST

/* The daemon may have been restarted since the run. */
START_TEST(what_was_spent_in_an_earlier_life)
{
	unit_life_begin();
	configured_on_forgotten(forget);
	note_spent("same", "1", 7);
	note_spent("changed", "2", 8);
	note_spent("gone", "3", 9);
	want_in("www", "same", "1", RESPAWN_NO);
	want_in("www", "changed", "4", RESPAWN_NO);
	apply(1);
	check_told(0, 1, 0, 1, 0);
	ck_assert_ptr_null(registry_by_name("same"));
	ck_assert_str_eq(armed("changed")->def.shell, "4");
	ck_assert_uint_eq(forgotten_count, 2);
	ck_assert_uint_eq(forgotten[0], 8);
	ck_assert_uint_eq(forgotten[1], 9);
	want_in("www", "same", "1", RESPAWN_NO);
	want_in("www", "changed", "4", RESPAWN_NO);
	apply(0);
	check_told(0, 0, 0, 2, 0);
	ck_assert_uint_eq(forgotten_count, 2);
	apply(0);
	ck_assert_uint_eq(forgotten_count, 3);
	ck_assert_uint_eq(forgotten[2], 7);
}
END_TEST

/* Probes that were saved by the daemon before this one, and came from the configuration. */
START_TEST(restored_ones_count_as_old)
{
	struct unit_added result = {0};
	struct definition def;

	unit_life_begin();
	for (int i = 0; i < 3; i++) {
		static const char *const names[] = {"same", "changed", "gone"};

		def = unit_life_define("1", RESPAWN_AFTER);
		def.name = strdup(names[i]);
		probe_add(&def, PROBE_ADD_CONFIGURED, unit_life_added, &result);
		unit_attach_wait(1);
		unit_attach_succeed(0, unit_probe_process());
	}
	want("same", "1");
	want("changed", "2");
	apply(1);
	check_told(0, 1, 1, 1, 0);
	ck_assert_uint_eq(registry_count(), 2);
}
END_TEST

Suite *
unit_configured(void)
{
	Suite *suite;
	TCase *tests = unit_case("configured", &suite);

	tcase_add_test(tests, nothing_is_done_at_once);
	tcase_add_test(tests, all_are_added);
	tcase_add_test(tests, only_the_difference_is_done);
	tcase_add_test(tests, those_of_others_are_left_alone);
	tcase_add_test(tests, a_failure_is_logged_and_tried_again);
	tcase_add_test(tests, one_at_a_time);
	tcase_add_test(tests, a_single_shot_is_shot_once);
	tcase_add_test(tests, one_that_ended_unpressed_is_tried_again);
	tcase_add_test(tests, those_spent_can_be_told);
	tcase_add_test(tests, what_was_spent_in_an_earlier_life);
	tcase_add_test(tests, restored_ones_count_as_old);
	return suite;
}
