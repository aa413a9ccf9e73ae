/*
 * A jid that is used again, by a jail with another name.
 */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_exec.h"
#include "fixture_file.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "hostile.h"
#include "hostile_adds.h"
#include "hostile_freebsd.h"
#include "hostile_host.h"

#define CHOSEN 7777

static int
respawning_target(int jid, const char *command)
{
	char request[512];
	json_t *answer;
	int probe;

	(void)snprintf(
	    request, sizeof(request),
	    "{\"op\":\"add\",\"jail\":%d,\"command\":\"%s\",\"title\":\"%s\",\"respawn\":"
	    "\"after\"}",
	    jid, command, hostile_title());
	answer = ctl_ask_ok(request);
	probe = (int)ctl_int(ctl_member(answer, "probe"), "probe");
	json_decref(answer);
	return (probe);
}

/* Kills it until the next attempt to arm it again is most of a second away. */
static void
kill_until_patient(int probe)
{
	int kills;

	for (kills = 0; kills < 4; kills++) {
		probe_wait_state(probe, "armed");
		ck_assert_int_eq(kill((pid_t)probe_int(probe, "pid"), SIGKILL), 0);
		probe_wait_state(probe, "starting");
	}
}

static void
expect_untouched(void)
{
	struct jailfix *other = probe_jail();

	probe_sentinel(other);
	ck_assert_msg(hostile_titled(hostile_inside()) == 0,
		      "the probe was put into another jail with the same jid");
	hostile_expect_no_run();
}

START_TEST(respawning_probe_never_enters_the_next_jail_with_its_number)
{
	pid_t daemon;
	int probe;

	NEEDS_ROOT;
	daemon = daemon_start();
	(void)freebsd_jail(CHOSEN, "first", "/");
	probe = respawning_target(CHOSEN, hostile_command_text());
	kill_until_patient(probe);
	ck_assert_int_eq(kill(daemon, SIGSTOP), 0);
	freebsd_end_jail(CHOSEN);
	(void)freebsd_jail(CHOSEN, "second", "/");
	ck_assert_int_eq(kill(daemon, SIGCONT), 0);
	probe_wait_state(probe, "gone");
	expect_untouched();
}
END_TEST

START_TEST(probe_whose_jail_ended_during_the_run_never_enters_the_next)
{
	char command[256];
	int probe, fifo;

	NEEDS_ROOT;
	fifo = file_fifo(place_at("fifo"));
	(void)daemon_start();
	(void)freebsd_jail(CHOSEN, "first", "/");
	(void)snprintf(command, sizeof(command), "read x < %s", place_at("fifo"));
	probe = respawning_target(CHOSEN, command);
	ck_assert_int_eq(kill((pid_t)probe_int(probe, "pid"), SIGHUP), 0);
	probe_wait_state(probe, "running");
	freebsd_end_jail(CHOSEN);
	(void)freebsd_jail(CHOSEN, "second", "/");
	file_release(fifo, 1);
	probe_wait_state(probe, "gone");
	expect_untouched();
}
END_TEST

Suite *
hostile_reuse(void)
{
	Suite *suite = suite_create("reuse");

	PLACE_CASE(suite, respawning_probe_never_enters_the_next_jail_with_its_number);
	PLACE_CASE(suite, probe_whose_jail_ended_during_the_run_never_enters_the_next);
	return (suite);
}
