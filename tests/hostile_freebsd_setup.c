/*
 * A daemon that dies while it sets up a probe. Somebody else holds the other end of its report pipe meanwhile, as a
 * command does that was just about to be executed: here the test.
 */
#include "config.h"

#include <sys/procctl.h>

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "attach_wire.h"
#include "fixture_daemon.h"
#include "fixture_exec.h"
#include "fixture_place.h"
#include "hostile.h"
#include "hostile_adds.h"
#include "hostile_freebsd.h"

/* What a child that will be a probe reports when it is there. */
#define IS_THERE 'n'

struct setup {
	const struct jailfix *jail;
	pid_t daemon;  /* who stands for it */
	int report[2]; /* the pipe's ends, for reading and for writing */
	int go[2];     /* a byte in it sets off the probe */
};

/* As the daemon executes it. */
static void
be_probe(const struct setup *setup)
{
	int mode = PROC_TRACE_CTL_DISABLE_EXEC;
	char program[PATH_MAX], parent[16], jid[16];
	sigset_t all;

	(void)snprintf(program, sizeof(program), "%s-probe", daemon_binary());
	(void)snprintf(parent, sizeof(parent), "%d", (int)setup->daemon);
	(void)snprintf(jid, sizeof(jid), "%ld", jailfix_number(setup->jail));
	(void)sigfillset(&all);
	if (sigprocmask(SIG_SETMASK, &all, NULL) == 0 &&
	    procctl(P_PID, getpid(), PROC_TRACE_CTL, &mode) == 0 &&
	    fcntl(dup2(setup->report[1], ATTACH_INHERITED_FD), F_SETFD, 0) == 0)
		(void)execl(program, "jaildaemon-probe", parent, jid, jailfix_name(setup->jail), "0", "0",
			    hostile_title(), (char *)NULL);
}

static void
be_daemon(struct setup *setup)
{
	static const char there = IS_THERE;
	char byte;

	setup->daemon = getpid();
	if (fork() == 0) {
		if (write(setup->report[1], &there, 1) == 1 && read(setup->go[0], &byte, 1) == 1)
			be_probe(setup);
		_exit(127);
	}
	for (;;)
		(void)pause();
}

/* Returns when there is a child that waits to become a probe. */
static void
begin(struct setup *setup)
{
	char byte = '\0';

	ck_assert_int_eq(pipe2(setup->report, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(setup->go, O_CLOEXEC), 0);
	setup->daemon = fork();
	ck_assert_int_ne(setup->daemon, -1);
	if (setup->daemon == 0)
		be_daemon(setup);
	ck_assert_int_eq(read(setup->report[0], &byte, 1), 1);
	ck_assert_int_eq(byte, IS_THERE);
}

static void
kill_daemon(const struct setup *setup)
{
	ck_assert_int_eq(kill(setup->daemon, SIGKILL), 0);
	(void)exec_wait(setup->daemon);
}

/* True when it is ready, false when it ends without a word. */
static bool
becomes_ready(struct setup *setup)
{
	struct attach_report line;
	ssize_t got;

	ck_assert_int_eq(close(setup->report[1]), 0);
	ck_assert_int_eq(write(setup->go[1], "", 1), 1);
	got = read(setup->report[0], &line, sizeof(line));
	if (got == 0)
		return (false);
	ck_assert_int_eq(got, sizeof(line));
	ck_assert_uint_eq(line.stage, ATTACH_READY);
	return (true);
}

START_TEST(probe_whose_daemon_died_before_is_never_ready)
{
	struct setup setup;

	NEEDS_JAIL(setup.jail, false);
	begin(&setup);
	kill_daemon(&setup);
	ck_assert(!becomes_ready(&setup));
	hostile_expect_no_target();
}
END_TEST

START_TEST(probe_whose_daemon_dies_later_dies_with_it)
{
	struct setup setup;

	NEEDS_JAIL(setup.jail, false);
	begin(&setup);
	ck_assert(becomes_ready(&setup));
	kill_daemon(&setup);
	hostile_expect_no_target();
}
END_TEST

Suite *
hostile_setup(void)
{
	Suite *suite = suite_create("setup");

	PLACE_CASE(suite, probe_whose_daemon_died_before_is_never_ready);
	PLACE_CASE(suite, probe_whose_daemon_dies_later_dies_with_it);
	return (suite);
}
