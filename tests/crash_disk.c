/*
 * A disk that is full or broken: whoever asked is told, and what is there is what was promised, now
 * and in the next daemon.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crash.h"
#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_file.h"
#include "fixture_inside.h"
#include "fixture_probe.h"

#define TITLE "jaildaemon: T"

/* How a record's way to the disk may fail; the directory is synchronized last. */
static const char *const failures[] = {
    "openat@1=ENOSPC",	"openat@1=EMFILE", "write_file@1=ENOSPC", "write_file@1=EIO", "fsync@1=EIO",
    "close_file@1=EIO", "renameat@1=EIO",  "renameat@1=EROFS",	  "fsync@2=EIO",
};

#define FAILURES (sizeof(failures) / sizeof(failures[0]))

static const char *
appending(const char *word)
{
	static char command[256];

	(void)snprintf(command, sizeof(command), "echo %s >> %s", word, place_at("ran"));
	return (command);
}

/* What strerror says of the errno in a plan. */
static const char *
reason(const char *plan)
{
	static const struct {
		const char *name;
		int value;
	} errors[] = {{"=EIO", EIO}, {"=ENOSPC", ENOSPC}, {"=EROFS", EROFS}, {"=EMFILE", EMFILE}};
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (strstr(plan, errors[i].name) != NULL)
			return (strerror(errors[i].value));
	ck_abort_msg("%s: no errno", plan);
	return (NULL);
}

static void
expect_fault(const char *plan)
{
	char line[64];

	(void)snprintf(line, sizeof(line), "fault: %.*s\n", (int)strcspn(plan, "="), plan);
	file_wait_text(place()->log, line);
	ck_assert_int_eq(truncate(place()->log, 0), 0);
}

static pid_t
again(pid_t daemon)
{
	crash_kill(daemon);
	return (crash_start(CRASH_FAULTY));
}

START_TEST(add_that_is_not_kept_is_refused)
{
	struct jailfix *jail;
	pid_t daemon;
	size_t i;

	NEEDS_ROOT;
	NEEDS_FAULTY;
	jail = probe_jail();
	daemon = crash_start(CRASH_FAULTY);
	probe_warm_up(jail);
	for (i = 0; i < FAILURES; i++) {
		crash_plan(failures[i]);
		probe_add_refused(jail, "internal", reason(failures[i]), "{s:s,s:s}", "command",
				  appending("run"), "title", "T");
		expect_fault(failures[i]);
		inside_wait_count(jail, TITLE, 0);
		daemon = again(daemon);
		ck_assert_msg(probe_listed() == 0, "%s: it is back", failures[i]);
		probe_warm_up(jail);
	}
	(void)probe_add(jail, "{s:s,s:s}", "command", appending("run"), "title", "T");
	daemon = again(daemon);
	inside_wait_count(jail, TITLE, 1);
	inside_press(jail, TITLE);
	file_wait_lines(place_at("ran"), 1);
}
END_TEST

/* Before the first probe, numbers have to be reserved. */
START_TEST(add_without_a_number_is_refused)
{
	struct jailfix *jail;
	pid_t daemon;
	size_t i;
	int last = 0, number;

	NEEDS_ROOT;
	NEEDS_FAULTY;
	jail = probe_jail();
	for (i = 0; i < FAILURES; i++) {
		daemon = crash_start(CRASH_FAULTY);
		crash_plan(failures[i]);
		probe_add_refused(jail, "internal", reason(failures[i]), "{s:s}", "command",
				  "true");
		expect_fault(failures[i]);
		number = probe_add(jail, "{s:s}", "command", "true");
		ck_assert_int_gt(number, last);
		last = number;
		json_decref(probe_op("remove", number));
		crash_kill(daemon);
	}
}
END_TEST

START_TEST(replace_that_is_not_kept_leaves_the_old_one)
{
	struct jailfix *jail;
	pid_t daemon;
	size_t i;
	int old;

	NEEDS_ROOT;
	NEEDS_FAULTY;
	jail = probe_jail();
	daemon = crash_start(CRASH_FAULTY);
	old = probe_add(jail, "{s:s,s:s,s:s}", "command", appending("old"), "title", "T", "name",
			"button");
	for (i = 0; i < FAILURES; i++) {
		probe_warm_up(jail);
		crash_plan(failures[i]);
		probe_add_refused(jail, "internal", reason(failures[i]), "{s:s,s:s,s:s,s:b}",
				  "command", appending("new"), "title", "NEW", "name", "button",
				  "replace", 1);
		expect_fault(failures[i]);
		ck_assert_str_eq(probe_state(old), "armed");
		inside_wait_count(jail, "jaildaemon: NEW", 0);
		daemon = again(daemon);
		ck_assert_msg(probe_listed() == 1, "%s: %d probes", failures[i], probe_listed());
		probe_wait_state(old, "armed");
	}
	inside_press(jail, TITLE);
	file_wait_count(place_at("ran"), "old", 1);
	ck_assert_int_eq(file_lines(place_at("ran")), 1);
}
END_TEST

static void
remove_refused(int probe, const char *mentions)
{
	char request[64];

	(void)snprintf(request, sizeof(request), "{\"op\":\"remove\",\"probe\":%d}", probe);
	ctl_ask_refused(request, "internal", mentions);
}

/* A removal that was refused has not happened: not now, and not in the next daemon either. */
START_TEST(remove_that_is_not_kept_removes_nothing)
{
	static const char *const plans[] = {"unlinkat@1=EIO", "unlinkat@1=EROFS", "unlinkat@2=EIO",
					    "fsync@1=EIO"};
	struct jailfix *jail;
	pid_t daemon;
	int probe;
	size_t i;

	NEEDS_ROOT;
	NEEDS_FAULTY;
	jail = probe_jail();
	daemon = crash_start(CRASH_FAULTY);
	probe = probe_add(jail, "{s:s,s:s}", "command", appending("run"), "title", "T");
	for (i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		crash_plan(plans[i]);
		remove_refused(probe, reason(plans[i]));
		expect_fault(plans[i]);
		ck_assert_str_eq(probe_state(probe), "armed");
		daemon = again(daemon);
		ck_assert_msg(probe_listed() == 1, "%s: gone, though the removal was refused",
			      plans[i]);
		probe_wait_state(probe, "armed");
	}
	json_decref(probe_op("remove", probe));
	daemon = again(daemon);
	ck_assert_int_eq(probe_listed(), 0);
}
END_TEST

/* A broken disk must not keep the jail from its command. */
START_TEST(hup_is_served_without_a_disk)
{
	struct jailfix *jail;
	int probe;

	NEEDS_ROOT;
	NEEDS_FAULTY;
	jail = probe_jail();
	(void)crash_start(CRASH_FAULTY);
	(void)probe_add(jail, "{s:s,s:s}", "command", appending("run"), "title", "T");
	probe = probe_add(jail, "{s:s,s:s,s:s}", "command", appending("again"), "title", "R",
			  "respawn", "after");
	crash_plan("openat@1+=EIO;write_file@1+=EIO;fsync@1+=EIO;renameat@1+=EIO;unlinkat@1+=EIO");
	inside_press(jail, TITLE);
	file_wait_count(place_at("ran"), "run", 1);
	inside_press(jail, "jaildaemon: R");
	file_wait_count(place_at("ran"), "again", 1);
	probe_wait_state(probe, "armed");
	ck_assert(ctl_alive());
	crash_plan(NULL);
	probe_sentinel(jail);
	ck_assert_int_eq(file_count(place_at("ran"), "run"), 1);
}
END_TEST

/* The answer was given for a run that the system couldn't start yet: the next daemon owes it. */
START_TEST(answered_trigger_that_waits_survives)
{
	static const char *const respawns[] = {"no", "after", "now"};
	struct jailfix *jail;
	int probes[3];
	pid_t daemon;
	size_t i;

	NEEDS_ROOT;
	NEEDS_FAULTY;
	jail = probe_jail();
	daemon = crash_start(CRASH_FAULTY);
	for (i = 0; i < 3; i++)
		probes[i] = probe_add(jail, "{s:s,s:s,s:s}", "command", appending(respawns[i]),
				      "title", "T", "respawn", respawns[i]);
	crash_plan("spawn_begin@1+=EAGAIN");
	for (i = 0; i < 3; i++)
		json_decref(probe_op("trigger", probes[i]));
	ck_assert(ctl_alive());
	ck_assert_int_eq(file_lines(place_at("ran")), 0);
	daemon = again(daemon);
	for (i = 0; i < 3; i++)
		file_wait_count(place_at("ran"), respawns[i], 1);
	probe_sentinel(jail);
	ck_assert_int_eq(file_lines(place_at("ran")), 3);
	(void)daemon;
}
END_TEST

/* And no answer was given before that was certain. */
START_TEST(trigger_that_waits_is_answered_when_it_is_kept)
{
	struct jailfix *jail;
	json_t *answer;
	pid_t daemon;
	int probe;

	NEEDS_ROOT;
	NEEDS_FAULTY;
	jail = probe_jail();
	daemon = crash_start(CRASH_FAULTY);
	probe = probe_add(jail, "{s:s,s:s}", "command", appending("run"), "title", "T");
	crash_plan("spawn_begin@1+=EAGAIN;store_commit@2=kill");
	answer = crash_ask(json_pack("{s:s,s:i}", "op", "trigger", "probe", probe));
	exec_wait_gone(daemon);
	ck_assert(crash_is_killed(daemon));
	(void)crash_start(CRASH_PLAIN);
	if (crash_is_ok(answer))
		file_wait_count(place_at("ran"), "run", 1);
	json_decref(answer);
	probe_sentinel(jail);
	ck_assert_int_le(file_lines(place_at("ran")), 1);
}
END_TEST

/* ---- a real file system ---- */

/* A small one as the state directory; it goes when the test is over. */
static const char *
small_disk(void)
{
	struct outcome outcome;
	char command[384];
	bool mounted;

	(void)snprintf(command, sizeof(command),
		       "mkdir -m 700 %s && mount -t tmpfs -o size=65536 tmpfs %s && chmod 700 %s",
		       place()->state, place()->state, place()->state);
	exec_words(&outcome, "/bin/sh", "-c", command, NULL);
	mounted = outcome.exit == 0;
	outcome_free(&outcome);
	(void)snprintf(command, sizeof(command), "umount %s", place()->state);
	if (mounted)
		place_afterwards(command);
	return (mounted ? NULL : "no tmpfs can be mounted here");
}

static json_t *
ask_named(const struct jailfix *jail, int serial)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "button%d", serial);
	return (probe_ask(jail, "{s:s,s:s}", "command", appending(name), "name", name));
}

/* Adds until the disk is full, and returns how many were taken. */
static int
fill(const struct jailfix *jail)
{
	json_t *answer;
	int count = 0;

	for (; count < 1000; count++) {
		answer = ask_named(jail, count);
		if (!json_is_true(json_object_get(answer, "ok")))
			break;
		json_decref(answer);
	}
	ctl_refused(answer, "internal", strerror(ENOSPC));
	return (count);
}

static void
trigger_named(const char *name)
{
	json_t *probe = crash_listed("name", name);
	int number = (int)ctl_int(probe, "probe");

	json_decref(probe);
	probe_wait_state(number, "armed");
	json_decref(probe_op("trigger", number));
	file_wait_count(place_at("ran"), name, 1);
}

START_TEST(full_disk_takes_no_more_and_loses_none)
{
	struct jailfix *jail;
	const char *reason_not;
	pid_t daemon;
	int count;

	NEEDS_ROOT;
	reason_not = small_disk();
	SKIP_UNLESS(reason_not == NULL, reason_not);
	jail = probe_jail();
	daemon = crash_start(CRASH_PLAIN);
	count = fill(jail);
	ck_assert_int_gt(count, 2);
	ck_assert_int_eq(probe_listed(), count);
	crash_kill(daemon);
	daemon = crash_start(CRASH_PLAIN);
	ck_assert_int_eq(probe_listed(), count);
	trigger_named("button0");
	json_decref(ctl_ask_ok("{\"op\":\"remove\",\"probe\":\"button1\"}"));
	json_decref(ask_named(jail, 1));
	crash_kill(daemon);
	daemon = crash_start(CRASH_PLAIN);
	trigger_named("button2");
	daemon_end(daemon, SIGTERM);
}
END_TEST

static void
remount(const char *how)
{
	struct outcome outcome;
	char command[384];

	(void)snprintf(command, sizeof(command), "mount -o remount,%s %s || mount -u -o %s %s", how,
		       place()->state, how, place()->state);
	exec_words(&outcome, "/bin/sh", "-c", command, NULL);
	ck_assert_msg(outcome.exit == 0, "%s", outcome.err);
	outcome_free(&outcome);
}

START_TEST(read_only_directory_refuses_changes)
{
	struct jailfix *jail;
	const char *reason_not;
	struct outcome outcome;
	pid_t daemon;
	int probe;

	NEEDS_ROOT;
	reason_not = small_disk();
	SKIP_UNLESS(reason_not == NULL, reason_not);
	jail = probe_jail();
	daemon = crash_start(CRASH_PLAIN);
	probe = probe_add(jail, "{s:s,s:s}", "command", appending("run"), "title", "T");
	remount("ro");
	probe_add_refused(jail, "internal", strerror(EROFS), "{s:s}", "command", "true");
	remove_refused(probe, strerror(EROFS));
	remount("rw");
	crash_kill(daemon);
	remount("ro");
	exec_words(&outcome, daemon_binary(), "-F", "-f", place()->sock, "-p", place()->pidfile,
		   "-S", place()->state, NULL);
	ck_assert_int_eq(outcome.exit, 1);
	ck_assert_ptr_nonnull(strstr(outcome.err, strerror(EROFS)));
	outcome_free(&outcome);
	remount("rw");
	(void)crash_start(CRASH_PLAIN);
	probe_wait_state(probe, "armed");
	inside_press(jail, TITLE);
	file_wait_count(place_at("ran"), "run", 1);
}
END_TEST

Suite *
crash_disk(void)
{
	Suite *suite = suite_create("disk");

	PLACE_CASE(suite, add_that_is_not_kept_is_refused);
	PLACE_CASE(suite, add_without_a_number_is_refused);
	PLACE_CASE(suite, replace_that_is_not_kept_leaves_the_old_one);
	PLACE_CASE(suite, remove_that_is_not_kept_removes_nothing);
	PLACE_CASE(suite, hup_is_served_without_a_disk);
	PLACE_CASE(suite, answered_trigger_that_waits_survives);
	PLACE_CASE(suite, trigger_that_waits_is_answered_when_it_is_kept);
	PLACE_CASE(suite, full_disk_takes_no_more_and_loses_none);
	PLACE_CASE(suite, read_only_directory_refuses_changes);
	return (suite);
}
