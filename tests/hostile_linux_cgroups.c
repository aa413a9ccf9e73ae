/*
 * A probe belongs to its jail in the host's books: frozen, counted and killed with it, and nobody's
 * burden when that happens.
 */
#include "config.h"

#include <sys/wait.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_file.h"
#include "fixture_inside.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "fixture_wait.h"
#include "hostile.h"
#include "hostile_adds.h"
#include "hostile_linux.h"

#define BOUND_MS  9000
#define PROMPT_MS 1500
#define MANY	  60

static void
same_groups(const struct jailfix *jail)
{
	pid_t probe = (pid_t)probe_int(hostile_target(jail), "pid");
	char *mine = linux_file(probe, "cgroup");
	char *inits = linux_file((pid_t)jailfix_number(jail), "cgroup");

	ck_assert_str_eq(mine, inits);
	ck_assert_ptr_nonnull(strstr(mine, "/jdtest."));
	free(mine);
	free(inits);
}

START_TEST(armed_probe_is_in_each_cgroup_of_the_jail)
{
	static const char *const controllers[] = {"freezer", "pids", "memory", "cpu", ""};
	struct jailfix *jail;
	int made = 0;
	size_t i;

	NEEDS_JAIL(jail, false);
	(void)daemon_start();
	for (i = 0; i < sizeof(controllers) / sizeof(controllers[0]); i++)
		if (group_make(controllers[i], jail) != NULL) {
			made++;
			same_groups(jail);
		}
	SKIP_UNLESS(made > 0, "no cgroups can be made here");
}
END_TEST

START_TEST(armed_probe_is_in_the_cgroup_of_a_user_namespace)
{
	struct jailfix *jail;

	NEEDS_JAIL(jail, true);
	SKIP_UNLESS(group_make("freezer", jail) != NULL || group_make("", jail) != NULL,
		    "no cgroups can be made here");
	(void)daemon_start();
	same_groups(jail);
}
END_TEST

START_TEST(armed_probe_has_the_oom_score_of_the_jails_init)
{
	char path[64], *mine;
	struct jailfix *jail;

	NEEDS_JAIL(jail, false);
	(void)daemon_start();
	(void)snprintf(path, sizeof(path), "/proc/%ld/oom_score_adj", jailfix_number(jail));
	file_write(path, "567\n");
	mine = linux_file((pid_t)probe_int(hostile_target(jail), "pid"), "oom_score_adj");
	ck_assert_str_eq(mine, "567\n");
	free(mine);
}
END_TEST

/* Freezes a group, of either kind. */
static const char *
freezer_make(const struct jailfix *jail, bool unified)
{
	return (group_make(unified ? "" : "freezer", jail));
}

static char frozen_group[400];
static bool frozen_unified;

static bool
set_frozen(const char *group, bool unified, bool frozen)
{
	if (unified)
		return (group_set(group, "cgroup.freeze", frozen ? "1" : "0"));
	return (group_set(group, "freezer.state", frozen ? "FROZEN" : "THAWED"));
}

/* A test that fails in between must not leave behind what nobody can kill. */
static void
thaw_at_exit(void)
{
	if (frozen_group[0] != '\0')
		(void)set_frozen(frozen_group, frozen_unified, false);
}

static void
freeze(const char *group, bool unified, bool frozen)
{
	if (frozen_group[0] == '\0')
		ck_assert_int_eq(atexit(thaw_at_exit), 0);
	(void)snprintf(frozen_group, sizeof(frozen_group), "%s", group);
	frozen_unified = unified;
	ck_assert(set_frozen(group, unified, frozen));
}

/* An add into a frozen jail is answered, one way or the other, and nobody else waits for it. */
static void
add_to_frozen(struct jailfix *jail, const char *group, bool unified)
{
	struct jailfix *other = probe_jail();
	long long before;
	struct ctl ctl;
	int number = 0, armed;

	freeze(group, unified, true);
	hostile_open(&ctl);
	hostile_say_adds(&ctl, jail, 1);
	before = wait_now();
	probe_sentinel(other);
	ck_assert_int_lt(hostile_ping_ms(), PROMPT_MS);
	ck_assert_int_lt(wait_now() - before, PROMPT_MS);
	armed = hostile_hear_adds(&ctl, 1, &number);
	ck_assert_int_lt(wait_now() - before, BOUND_MS);
	freeze(group, unified, false);
	hostile_remove(&ctl, &number, armed);
	hostile_expect_no_target();
	probe_sentinel(jail);
	hostile_expect_no_run();
}

START_TEST(add_to_a_frozen_jail_holds_up_nobody)
{
	struct jailfix *jail;
	const char *group;

	NEEDS_JAIL(jail, false);
	SKIP_UNLESS((group = freezer_make(jail, false)) != NULL, "no freezer of cgroup v1 here");
	(void)daemon_start();
	add_to_frozen(jail, group, false);
}
END_TEST

START_TEST(add_to_a_jail_frozen_by_cgroup_v2_holds_up_nobody)
{
	struct jailfix *jail;
	const char *group;

	NEEDS_JAIL(jail, false);
	SKIP_UNLESS((group = freezer_make(jail, true)) != NULL, "no cgroup v2 here");
	(void)daemon_start();
	add_to_frozen(jail, group, true);
}
END_TEST

/* More of them than the daemon sets up at once. */
START_TEST(adds_to_a_frozen_jail_hold_up_no_other_jail)
{
	struct jailfix *jail, *other;
	const char *group;
	long long before, took;
	struct ctl ctl;

	NEEDS_JAIL(jail, false);
	SKIP_UNLESS((group = freezer_make(jail, false)) != NULL, "no freezer of cgroup v1 here");
	other = probe_jail();
	(void)daemon_start();
	freeze(group, false, true);
	hostile_open(&ctl);
	hostile_say_adds(&ctl, jail, MANY);
	before = wait_now();
	(void)probe_add(other, "{s:s}", "command", "true");
	took = wait_now() - before;
	freeze(group, false, false);
	ck_assert_msg(took < PROMPT_MS, "the other jail's probe took %lld ms", took);
}
END_TEST

static void
press_frozen(struct jailfix *jail, const char *group, bool unified)
{
	struct jailfix *other = probe_jail();
	int probe = hostile_target(jail);
	pid_t pid = (pid_t)probe_int(probe, "pid");

	freeze(group, unified, true);
	ck_assert_int_eq(kill(pid, SIGHUP), 0);
	probe_sentinel(other);
	ck_assert_str_eq(probe_state(probe), "armed");
	hostile_expect_no_run();
	freeze(group, unified, false);
	file_wait_lines(place_at("ran"), 1);
}

START_TEST(frozen_probe_triggers_only_when_thawed)
{
	struct jailfix *jail;
	const char *group;
	bool unified = false;

	NEEDS_JAIL(jail, false);
	if ((group = freezer_make(jail, false)) == NULL) {
		unified = true;
		group = freezer_make(jail, true);
	}
	SKIP_UNLESS(group != NULL, "no cgroups can be made here");
	(void)daemon_start();
	press_frozen(jail, group, unified);
}
END_TEST

START_TEST(daemon_stops_though_its_probe_is_frozen)
{
	struct jailfix *jail;
	const char *group;
	long long before;
	pid_t daemon;

	NEEDS_JAIL(jail, false);
	SKIP_UNLESS((group = freezer_make(jail, false)) != NULL, "no freezer of cgroup v1 here");
	daemon = daemon_start();
	(void)hostile_target(jail);
	freeze(group, false, true);
	before = wait_now();
	daemon_end(daemon, SIGTERM);
	ck_assert_int_lt(wait_now() - before, BOUND_MS);
	freeze(group, false, false);
	hostile_expect_no_target();
	hostile_expect_no_run();
}
END_TEST

START_TEST(probe_is_killed_with_its_cgroup)
{
	struct jailfix *jail;
	const char *group;
	int probe;

	NEEDS_JAIL(jail, false);
	SKIP_UNLESS((group = group_make("", jail)) != NULL, "no cgroup v2 here");
	(void)daemon_start();
	probe = hostile_target(jail);
	SKIP_UNLESS(group_set(group, "cgroup.kill", "1"), "this kernel kills no cgroups");
	probe_wait_state(probe, "gone");
	hostile_expect_no_target();
	hostile_expect_no_run();
}
END_TEST

Suite *
hostile_cgroups(void)
{
	Suite *suite = suite_create("cgroups");

	PLACE_CASE(suite, armed_probe_is_in_each_cgroup_of_the_jail);
	PLACE_CASE(suite, armed_probe_is_in_the_cgroup_of_a_user_namespace);
	PLACE_CASE(suite, armed_probe_has_the_oom_score_of_the_jails_init);
	PLACE_CASE(suite, add_to_a_frozen_jail_holds_up_nobody);
	PLACE_CASE(suite, adds_to_a_frozen_jail_hold_up_no_other_jail);
	PLACE_CASE(suite, add_to_a_jail_frozen_by_cgroup_v2_holds_up_nobody);
	PLACE_CASE(suite, frozen_probe_triggers_only_when_thawed);
	PLACE_CASE(suite, daemon_stops_though_its_probe_is_frozen);
	PLACE_CASE(suite, probe_is_killed_with_its_cgroup);
	return (suite);
}
