/*
 * The exits that are no press: every code but one, the filter's verdict, and the right code at the
 * wrong time.
 */
#include "config.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "attach_wire.h"
#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_exec.h"
#include "fixture_file.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "hostile.h"
#include "hostile_adds.h"
#include "hostile_linux.h"

static int
target_that_calls(const struct jailfix *jail, long number, long argument)
{
	int probe = hostile_target(jail);

	inject_call((pid_t)probe_int(probe, "pid"), number, argument);
	return (probe);
}

static void
expect_gone_without_a_run(int probe)
{
	probe_wait_state(probe, "gone");
	ck_assert_int_eq(probe_int(probe, "triggers"), 0);
	ck_assert_int_eq(probe_int(probe, "runs"), 0);
	hostile_expect_no_run();
}

START_TEST(only_one_exit_code_triggers)
{
	struct jailfix *jail;
	int code;

	NEEDS_JAIL(jail, false);
	SKIP_UNLESS(inject_possible(), "not on this processor");
	(void)daemon_start();
	for (code = 0; code < 256; code++)
		if (code != PROBE_EXIT_TRIGGERED)
			expect_gone_without_a_run(target_that_calls(jail, SYS_exit_group, code));
	probe_sentinel(jail);
	hostile_expect_no_run();
	/* And that one does, so that the others have been exits indeed. */
	(void)target_that_calls(jail, SYS_exit_group, PROBE_EXIT_TRIGGERED);
	file_wait_lines(place_at("ran"), 1);
}
END_TEST

START_TEST(system_call_beyond_the_filter_ends_the_probe)
{
	static const long calls[] = {SYS_getpid, SYS_openat, SYS_write,	 SYS_read,   SYS_socket,
				     SYS_execve, SYS_clone,  SYS_ptrace, SYS_kill,   SYS_mmap,
				     SYS_setuid, SYS_prctl,  SYS_chroot, SYS_setns,  SYS_mount,
				     SYS_ioctl,	 SYS_brk,    SYS_chdir,	 SYS_setsid, SYS_bpf};
	char wanted[64];
	struct jailfix *jail;
	size_t i;

	NEEDS_JAIL(jail, false);
	SKIP_UNLESS(inject_possible(), "not on this processor");
	(void)daemon_start();
	(void)snprintf(wanted, sizeof(wanted), " signal=%d", SIGSYS);
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		int probe = target_that_calls(jail, calls[i], 0);
		char killed[96];

		expect_gone_without_a_run(probe);
		(void)snprintf(killed, sizeof(killed), "event=probe-killed probe=%d ", probe);
		file_wait_text(place()->log, killed);
	}
	file_wait_text(place()->log, wanted);
	probe_sentinel(jail);
	hostile_expect_no_run();
}
END_TEST

/* Makes a directory in which this very program stands for jaildaemon-probe, and plays its part as
 * hostile_linux_fake.c says. */
static void
daemon_with_fake(const char *part)
{
	const char *directory = place_at("libexec");

	ck_assert_int_eq(mkdir(directory, 0755), 0);
	ck_assert_int_eq(symlink(daemon_self(), place_at("libexec/jaildaemon-probe")), 0);
	(void)setenv("JAILDAEMON_LIBEXEC", directory, 1);
	(void)setenv("HOSTILE_PART", part, 1);
	(void)daemon_start();
}

START_TEST(probe_that_never_became_ready_triggers_nothing)
{
	struct jailfix *jail;
	int i;

	NEEDS_JAIL(jail, false);
	daemon_with_fake("exits-early");
	for (i = 0; i < 20; i++)
		ctl_refused(probe_ask(jail, "{s:s,s:s}", "command", hostile_command_text(),
				      "respawn", "after"),
			    "attach-failed", NULL);
	ck_assert_int_eq(probe_listed(), 0);
	hostile_expect_no_run();
}
END_TEST

START_TEST(probe_whose_pid_nobody_told_triggers_nothing)
{
	struct jailfix *jail;

	NEEDS_JAIL(jail, false);
	daemon_with_fake("tells-no-pid");
	ctl_refused(probe_ask(jail, "{s:s}", "command", hostile_command_text()), "attach-failed",
		    NULL);
	ck_assert_int_eq(probe_listed(), 0);
	hostile_expect_no_run();
}
END_TEST

/* The same program in the part of an honest probe: the two before fail for their own reasons. */
START_TEST(probe_that_was_ready_triggers)
{
	struct jailfix *jail;

	NEEDS_JAIL(jail, false);
	daemon_with_fake("honest");
	(void)probe_ask(jail, "{s:s}", "command", hostile_command_text());
	file_wait_lines(place_at("ran"), 1);
}
END_TEST

Suite *
hostile_exits(void)
{
	Suite *suite = suite_create("exits");

	PLACE_CASE(suite, only_one_exit_code_triggers);
	PLACE_CASE(suite, system_call_beyond_the_filter_ends_the_probe);
	PLACE_CASE(suite, probe_that_never_became_ready_triggers_nothing);
	PLACE_CASE(suite, probe_whose_pid_nobody_told_triggers_nothing);
	PLACE_CASE(suite, probe_that_was_ready_triggers);
	return (suite);
}
