/*
 * Signals that are no press, presses that are one all the same, and a command that exits like a
 * probe.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_file.h"
#include "fixture_inside.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "hostile.h"
#include "hostile_adds.h"

#define LAST_SIGNAL 64
#define USER	    501u

/* To a process that has changed its ids, FreeBSD lets users send only some of them. */
static void
send_each(struct jailfix *jail, uid_t uid, int probe, int sig)
{
	pid_t inside = inside_find(jail, hostile_inside());
	int refused = inside_signal(jail, uid, inside, sig);

	ck_assert_msg(refused == 0 || (uid != INSIDE_ROOT && refused == EPERM), "%s",
		      strerror(refused));
	if (sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU)
		ck_assert_int_eq(inside_signal(jail, uid, inside, SIGKILL), 0);
	probe_sentinel(jail);
	ck_assert_msg(probe_int(probe, "triggers") == 0, "signal %d is a trigger", sig);
	if (strcmp(probe_state(probe), "armed") == 0)
		json_decref(probe_op("remove", probe));
	inside_wait_count(jail, hostile_inside(), 0);
}

/* No such signal here: real-time ones end at 64 or 126, and 32 and 33 may be the libc's own. */
static bool
is_signal(int sig)
{
	return (sig != SIGHUP && (sig <= 31 || sig >= 34));
}

static void
every_other_signal(uid_t uid)
{
	struct jailfix *jail = probe_jail();
	int sig, probe;

	(void)daemon_start();
	for (sig = 1; sig <= LAST_SIGNAL; sig++) {
		if (!is_signal(sig))
			continue;
		probe = probe_add(jail, "{s:s,s:s,s:i}", "command", hostile_command_text(), "title",
				  hostile_title(), "uid", (int)uid);
		send_each(jail, uid, probe, sig);
	}
	hostile_expect_no_run();
}

START_TEST(no_signal_of_the_jail_root_but_hup_triggers)
{
	NEEDS_ROOT;
	every_other_signal(INSIDE_ROOT);
}
END_TEST

START_TEST(no_signal_of_the_same_uid_but_hup_triggers)
{
	NEEDS_ROOT;
	every_other_signal(USER);
}
END_TEST

START_TEST(many_hups_are_one_trigger)
{
	struct jailfix *jail;
	pid_t inside;
	int probe, i;

	NEEDS_JAIL(jail, false);
	(void)daemon_start();
	probe = hostile_target(jail);
	inside = inside_find(jail, hostile_inside());
	ck_assert_int_eq(inside_signal(jail, INSIDE_ROOT, inside, SIGSTOP), 0);
	for (i = 0; i < 50; i++)
		ck_assert_int_eq(inside_signal(jail, INSIDE_ROOT, inside, SIGHUP), 0);
	probe_sentinel(jail);
	hostile_expect_no_run();
	ck_assert_int_eq(inside_signal(jail, INSIDE_ROOT, inside, SIGCONT), 0);
	file_wait_lines(place_at("ran"), 1);
	probe_wait_state(probe, "gone");
	probe_sentinel(jail);
	ck_assert_int_eq(probe_int(probe, "triggers"), 1);
	ck_assert_int_eq(file_lines(place_at("ran")), 1);
}
END_TEST

/* Killed before the HUP that waits for it could be taken: the kill is what counts. */
START_TEST(hup_to_a_probe_that_is_killed_first_triggers_nothing)
{
	struct jailfix *jail;
	pid_t inside;
	int probe;

	NEEDS_JAIL(jail, false);
	(void)daemon_start();
	probe = hostile_target(jail);
	inside = inside_find(jail, hostile_inside());
	ck_assert_int_eq(inside_signal(jail, INSIDE_ROOT, inside, SIGSTOP), 0);
	ck_assert_int_eq(inside_signal(jail, INSIDE_ROOT, inside, SIGHUP), 0);
	ck_assert_int_eq(inside_signal(jail, INSIDE_ROOT, inside, SIGKILL), 0);
	probe_wait_state(probe, "gone");
	probe_sentinel(jail);
	hostile_expect_no_run();
}
END_TEST

/* The end of a jail is the end of its probes, also of one that was just pressed and did not get to
 * say so. */
START_TEST(hup_to_a_probe_whose_jail_ends_triggers_nothing)
{
	struct jailfix *jail, *other;
	pid_t inside;
	int probe;

	NEEDS_JAIL(jail, false);
	other = probe_jail();
	(void)daemon_start();
	probe = probe_add(jail, "{s:s,s:s,s:s}", "command", hostile_command_text(), "title",
			  hostile_title(), "respawn", "now");
	inside = inside_find(jail, hostile_inside());
	ck_assert_int_eq(inside_signal(jail, INSIDE_ROOT, inside, SIGSTOP), 0);
	ck_assert_int_eq(inside_signal(jail, INSIDE_ROOT, inside, SIGHUP), 0);
	jailfix_end(jail);
	probe_wait_state(probe, "gone");
	probe_sentinel(other);
	hostile_expect_no_run();
}
END_TEST

START_TEST(command_that_exits_like_a_probe_triggers_nothing)
{
	struct jailfix *jail;
	char command[512];
	int probe;

	NEEDS_JAIL(jail, false);
	(void)daemon_start();
	(void)snprintf(command, sizeof(command), "%s; exit 113", hostile_command_text());
	probe = probe_add(jail, "{s:s,s:s,s:s}", "command", command, "title", hostile_title(),
			  "respawn", "after");
	inside_press(jail, hostile_inside());
	json_decref(probe_wait_last(probe));
	probe_wait_state(probe, "armed");
	probe_sentinel(jail);
	ck_assert_int_eq(probe_int(probe, "triggers"), 1);
	ck_assert_int_eq(file_lines(place_at("ran")), 1);
}
END_TEST

Suite *
hostile_signals(void)
{
	Suite *suite = suite_create("signals");

	PLACE_CASE(suite, no_signal_of_the_jail_root_but_hup_triggers);
	PLACE_CASE(suite, no_signal_of_the_same_uid_but_hup_triggers);
	PLACE_CASE(suite, many_hups_are_one_trigger);
	PLACE_CASE(suite, hup_to_a_probe_that_is_killed_first_triggers_nothing);
	PLACE_CASE(suite, hup_to_a_probe_whose_jail_ends_triggers_nothing);
	PLACE_CASE(suite, command_that_exits_like_a_probe_triggers_nothing);
	return (suite);
}
