/*
 * The doors of an armed probe, tried from inside: by the jail's root, with and without a user
 * namespace, with and without CAP_SYS_PTRACE, and by the user whose uid it has.
 */
#include "config.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fixture_daemon.h"
#include "fixture_exec.h"
#include "fixture_inside.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "hostile.h"
#include "hostile_adds.h"
#include "hostile_linux.h"

#define USER 501u

struct trying {
	pid_t target; /* as seen inside; 0: a child of the attacker's own */
	size_t door;
	unsigned long opened[DOORS_MAX];
};

static int
try_body(void *arg)
{
	struct trying *trying = arg;

	return (door_try(trying->door, trying->target) ? 1 : 0);
}

/* An attacker each, because one that came in somewhere would see the rest from there. */
static void
expect_shut(const struct jailfix *jail, enum rights rights, uid_t uid, pid_t target)
{
	struct trying trying = {.target = target};
	struct attacker attacker = {jail, rights, uid, try_body, &trying};

	for (trying.door = 0; trying.door < door_count(); trying.door++)
		ck_assert_msg(attacker_run(&attacker) == 0, "%s succeeds, as uid %u with rights %d",
			      door_name(trying.door), uid, (int)rights);
}

static pid_t
target_of(const struct jailfix *jail, uid_t uid)
{
	int probe = probe_add(jail, "{s:s,s:s,s:i,s:i}", "command", hostile_command_text(), "title",
			      hostile_title(), "uid", (int)uid, "gid", (int)uid);

	return (linux_inner_pid((pid_t)probe_int(probe, "pid")));
}

/* The tests of a probe with root's uid and one with the user's, for one kind of attacker. */
static void
attack_armed(const struct jailfix *jail, enum rights rights, uid_t attacker)
{
	(void)daemon_start();
	expect_shut(jail, rights, attacker, target_of(jail, 0));
	expect_shut(jail, rights, attacker, target_of(jail, USER));
	ck_assert_int_eq(probe_listed(), 2);
	hostile_expect_no_run();
}

START_TEST(jail_root_opens_no_door)
{
	struct jailfix *jail;

	NEEDS_JAIL(jail, false);
	attack_armed(jail, RIGHTS_USUAL, INSIDE_ROOT);
}
END_TEST

START_TEST(same_uid_in_the_jail_opens_no_door)
{
	struct jailfix *jail;

	NEEDS_JAIL(jail, false);
	attack_armed(jail, RIGHTS_USUAL, USER);
}
END_TEST

START_TEST(root_of_a_user_namespace_opens_no_door_without_ptrace)
{
	struct jailfix *jail;

	NEEDS_JAIL(jail, true);
	attack_armed(jail, RIGHTS_USUAL, INSIDE_ROOT);
}
END_TEST

START_TEST(root_of_a_user_namespace_opens_no_door_with_ptrace)
{
	struct jailfix *jail;

	NEEDS_JAIL(jail, true);
	attack_armed(jail, RIGHTS_PTRACE, INSIDE_ROOT);
}
END_TEST

START_TEST(root_of_a_user_namespace_opens_no_door_with_all_rights)
{
	struct jailfix *jail;

	NEEDS_JAIL(jail, true);
	attack_armed(jail, RIGHTS_ALL, INSIDE_ROOT);
}
END_TEST

START_TEST(same_uid_in_a_user_namespace_opens_no_door)
{
	struct jailfix *jail;

	NEEDS_JAIL(jail, true);
	attack_armed(jail, RIGHTS_ALL, USER);
}
END_TEST

/* A user of the host has the same number as the one in the jail, and sees its processes too. */
static int
try_as_user(const struct trying *trying)
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		if (setgroups(0, NULL) != 0 || setgid(USER) != 0 || setuid(USER) != 0)
			_exit(2);
		_exit(door_try(trying->door, trying->target) ? 1 : 0);
	}
	status = exec_wait(pid);
	return (WIFEXITED(status) ? WEXITSTATUS(status) : 3);
}

START_TEST(same_uid_on_the_host_opens_no_door)
{
	struct trying trying = {.target = 0};
	struct jailfix *jail;
	int probe;

	NEEDS_JAIL(jail, false);
	(void)daemon_start();
	probe = probe_add(jail, "{s:s,s:i,s:i}", "command", hostile_command_text(), "uid",
			  (int)USER, "gid", (int)USER);
	trying.target = (pid_t)probe_int(probe, "pid");
	for (trying.door = 0; trying.door < door_count(); trying.door++)
		ck_assert_msg(try_as_user(&trying) == 0, "%s is open", door_name(trying.door));
	hostile_expect_no_run();
}
END_TEST

/* Not the probe but a child of the attacker's own, with a descriptor to steal and memory that may
 * be dumped: the doors must be such that they can open. */
static int
ordinary_body(void *arg)
{
	struct trying *trying = arg;
	int ends[2];
	bool opened;
	pid_t pid;
	char byte;

	if (pipe(ends) != 0 || (pid = fork()) == -1)
		return (2);
	if (pid == 0) {
		(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
		(void)write(ends[1], "", 1);
		for (;;)
			(void)pause();
	}
	if (read(ends[0], &byte, 1) != 1)
		return (2);
	opened = door_try(trying->door, pid);
	(void)kill(pid, SIGKILL);
	return (opened ? 1 : 0);
}

START_TEST(every_door_opens_on_an_ordinary_process)
{
	struct trying trying = {.target = 0};
	struct attacker attacker = {NULL, RIGHTS_ALL, INSIDE_ROOT, ordinary_body, &trying};

	NEEDS_JAIL(attacker.jail, false);
	for (trying.door = 0; trying.door < door_count(); trying.door++)
		ck_assert_msg(attacker_run(&attacker) == 1, "%s fails on anything",
			      door_name(trying.door));
}
END_TEST

static int
count_open_body(void *arg)
{
	struct trying *trying = arg;

	door_try_all(trying->target, 0, trying->opened);
	return (0);
}

/* CAP_SYS_PTRACE in the host's own user namespace is the right to trace whatever is in sight: such
 * a container can't be held, and this only tells what is so. What it gets is no run but one for
 * each probe, and no command's text. */
START_TEST(ptrace_right_of_the_host_is_told_of)
{
	struct trying *trying = attacker_shared(sizeof(*trying));
	struct attacker attacker = {NULL, RIGHTS_PTRACE, INSIDE_ROOT, count_open_body, trying};
	size_t i;

	NEEDS_ROOT;
	attacker.jail = probe_jail();
	(void)daemon_start();
	trying->target = target_of(attacker.jail, 0);
	(void)attacker_run(&attacker);
	for (i = 0; i < door_count(); i++)
		(void)printf("NOTE: with the host's CAP_SYS_PTRACE: %s: %s\n", door_name(i),
			     trying->opened[i] != 0 ? "open" : "shut");
	probe_sentinel(attacker.jail);
	hostile_expect_no_run();
}
END_TEST

Suite *
hostile_doors(void)
{
	Suite *suite = suite_create("doors");

	PLACE_CASE(suite, every_door_opens_on_an_ordinary_process);
	PLACE_CASE(suite, jail_root_opens_no_door);
	PLACE_CASE(suite, same_uid_in_the_jail_opens_no_door);
	PLACE_CASE(suite, root_of_a_user_namespace_opens_no_door_without_ptrace);
	PLACE_CASE(suite, root_of_a_user_namespace_opens_no_door_with_ptrace);
	PLACE_CASE(suite, root_of_a_user_namespace_opens_no_door_with_all_rights);
	PLACE_CASE(suite, same_uid_in_a_user_namespace_opens_no_door);
	PLACE_CASE(suite, same_uid_on_the_host_opens_no_door);
	PLACE_CASE(suite, ptrace_right_of_the_host_is_told_of);
	return (suite);
}
