/*
 * Real limits: the daemon has no descriptor left, or no process. Who asks is told so, a press waits
 * for its run, and all of it comes when there is room again.
 */
#include "config.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_file.h"
#include "fixture_inside.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "starve.h"

#define TITLE "jaildaemon: T"

/* A connection that is there already, and what is said over it. */
static json_t *
ask_over(struct ctl *ctl, const char *request)
{
	ck_assert(ctl_say(ctl, request));
	ck_assert(ctl_say(ctl, "\n"));
	return (ctl_answer(ctl));
}

static void
expect_ok(json_t *answer)
{
	ck_assert(json_is_true(json_object_get(answer, "ok")));
	json_decref(answer);
}

/* A button that appends a line for each run; its connection is kept. */
static int
button(const struct jailfix *jail, struct ctl *ctl)
{
	char command[256];
	int probe;

	(void)snprintf(command, sizeof(command), "echo run >> %s", place_at("ran"));
	probe =
	    probe_add(jail, "{s:s,s:s,s:s}", "command", command, "title", "T", "respawn", "after");
	ctl_open(ctl);
	expect_ok(ask_over(ctl, "{\"op\":\"ping\",\"keep\":true}"));
	return (probe);
}

/* What can't be done now is refused, and says why in these words. */
static void
expect_starved(const struct jailfix *jail, struct ctl *ctl, const char *why)
{
	json_t *answer;
	char request[256];

	expect_ok(ask_over(ctl, "{\"op\":\"list\"}"));
	(void)snprintf(request, sizeof(request),
		       "{\"op\":\"add\",\"jail\":%ld,\"command\":\"true\"}", jailfix_number(jail));
	answer = ask_over(ctl, request);
	ck_assert(json_is_false(json_object_get(answer, "ok")));
	ck_assert_msg(strstr(ctl_string(ctl_member(answer, "error"), "message"), why) != NULL, "%s",
		      ctl_string(ctl_member(answer, "error"), "message"));
	json_decref(answer);
}

static void
expect_fed(const struct jailfix *jail, int probe)
{
	file_wait_count(place_at("ran"), "run", 1);
	probe_wait_count(probe, "runs", 1);
	probe_wait_state(probe, "armed");
	ck_assert_int_eq(probe_int(probe, "runs"), 1);
	inside_press(jail, TITLE);
	file_wait_count(place_at("ran"), "run", 2);
	probe_sentinel(jail);
	ck_assert_int_eq(file_count(place_at("ran"), "run"), 2);
}

static void
limit_descriptors(pid_t daemon, rlim_t most)
{
	struct rlimit limit;

	ck_assert_int_eq(prlimit(daemon, RLIMIT_NOFILE, NULL, &limit), 0);
	limit.rlim_cur = most < limit.rlim_max ? most : limit.rlim_max;
	ck_assert_int_eq(prlimit(daemon, RLIMIT_NOFILE, &limit, NULL), 0);
}

START_TEST(descriptors_run_out)
{
	struct jailfix *jail;
	struct ctl ctl, late;
	pid_t daemon;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	daemon = daemon_start();
	probe = button(jail, &ctl);
	limit_descriptors(daemon, 3);
	inside_press(jail, TITLE);
	file_wait_text(place()->log, strerror(EMFILE));
	expect_starved(jail, &ctl, strerror(EMFILE));
	ctl_open(&late); /* waits in the queue of the socket */
	(void)ctl_say(&late, "{\"op\":\"ping\"}\n");
	file_wait_text(place()->log, "accept: ");
	ck_assert(!file_exists(place_at("ran")));
	limit_descriptors(daemon, RLIM_INFINITY);
	expect_ok(ctl_answer(&late));
	expect_fed(jail, probe);
	ctl_close(&late);
	ctl_close(&ctl);
	daemon_end(daemon, SIGTERM);
}
END_TEST

/* ---- processes: root is held by a control group only ---- */

/* A group for processes in either version, gone after the test; null: there can be none. */
static const char *
make_group(void)
{
	static const char *const roots[] = {"/sys/fs/cgroup/pids", "/sys/fs/cgroup"};
	static char group[160];
	char file[192], command[384];
	size_t i;

	for (i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		(void)snprintf(group, sizeof(group), "%s/starve%d", roots[i], (int)getpid());
		(void)snprintf(file, sizeof(file), "%s/pids.max", group);
		(void)snprintf(command, sizeof(command), "rmdir %s", group);
		if (mkdir(group, 0755) != 0)
			continue;
		place_afterwards(command);
		if (file_exists(file))
			return (group);
	}
	return (NULL);
}

static void
set_group(const char *group, const char *name, const char *value)
{
	char path[192];

	(void)snprintf(path, sizeof(path), "%s/%s", group, name);
	file_write(path, value);
}

/* The daemon and its launcher move; the probes stay where they are, and forks count at once. */
static void
limit_processes(const char *group, pid_t daemon)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%d", (int)daemon);
	set_group(group, "cgroup.procs", text);
	(void)snprintf(text, sizeof(text), "%d", (int)starve_launcher(daemon));
	set_group(group, "cgroup.procs", text);
	set_group(group, "pids.max", "2");
}

START_TEST(processes_run_out)
{
	const char *group = NULL;
	struct jailfix *jail;
	struct ctl ctl;
	pid_t daemon;
	int probe;

	NEEDS_ROOT;
	SKIP_UNLESS((group = make_group()) != NULL, "no control group limits processes here");
	jail = probe_jail();
	daemon = daemon_start();
	probe = button(jail, &ctl);
	limit_processes(group, daemon);
	inside_press(jail, TITLE);
	file_wait_text(place()->log, strerror(EAGAIN));
	expect_starved(jail, &ctl, "");
	ck_assert(!file_exists(place_at("ran")));
	set_group(group, "pids.max", "max");
	expect_fed(jail, probe);
	ctl_close(&ctl);
	daemon_end(daemon, SIGTERM);
}
END_TEST

Suite *
starve_limits(void)
{
	Suite *suite = suite_create("limits");

	PLACE_CASE(suite, descriptors_run_out);
	PLACE_CASE(suite, processes_run_out);
	return (suite);
}
