/* An upgrade in place: the daemon itself is the same to the host, and a binary that is no good stays out. */
#include "config.h"

#include "process_upgrade.h"

#include <sys/stat.h>

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_config.h"
#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_file.h"
#include "fixture_inside.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "fixture_suites.h"
#include "fixture_wait.h"

#define TITLE	 "jaildaemon: T"
#define UPGRADES 10
#define GROUP	 4242u
#define MOMENTS	 20

struct counted {
	pid_t pid;
	int (*count)(pid_t);
	int value;
};

void
upgrade_now(void)
{
	struct outcome outcome;

	daemon_client(&outcome, "--upgrade", NULL);
	ck_assert_msg(outcome.exit == 0, "%s", outcome.err);
	outcome_free(&outcome);
}

static void
copy(int from, int to)
{
	char block[65536];
	ssize_t got;

	while ((got = read(from, block, sizeof(block))) > 0)
		ck_assert_int_eq(write(to, block, (size_t)got), got);
	ck_assert_int_eq(got, 0);
	ck_assert_int_eq(close(from), 0);
	ck_assert_int_eq(close(to), 0);
}

void
upgrade_install(const char *from, const char *name)
{
	const char *fresh = place_at("fresh");

	copy(open(from, O_RDONLY | O_CLOEXEC), open(fresh, O_WRONLY | O_CREAT | O_CLOEXEC, 0700));
	ck_assert_int_eq(rename(fresh, place_at(name)), 0);
}

pid_t
upgrade_start_installed(void)
{
	const char *words[] = {place_at("jaildaemon"), "-F", "-f", place()->sock, "-p",
			       place()->pidfile, "-S", place()->state, NULL};
	char *argv[sizeof(words) / sizeof(words[0])];
	struct launch launch = {.argv = argv};
	char probe[4096];
	size_t i;

	(void)snprintf(probe, sizeof(probe), "%s-probe", daemon_binary());
	upgrade_install(daemon_binary(), "jaildaemon");
	upgrade_install(probe, "jaildaemon-probe");
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		argv[i] = (char *)(uintptr_t)words[i];
	return (daemon_start_as(&launch));
}

/* ---- the same daemon ---- */

static json_t *
status(void)
{
	json_t *answer = ctl_ask_ok("{\"op\":\"status\"}");
	json_t *described = json_incref(ctl_member(answer, "status"));

	json_decref(answer);
	return (described);
}

START_TEST(the_daemon_is_the_same)
{
	json_t *before, *after;
	struct outcome outcome;
	pid_t daemon;

	NEEDS_ROOT;
	daemon = upgrade_start_installed();
	before = status();
	upgrade_install(daemon_binary(), "jaildaemon");
	upgrade_now();
	upgrade_now();
	after = status();
	ck_assert_int_eq(ctl_int(after, "pid"), daemon);
	ck_assert_str_eq(ctl_string(after, "started"), ctl_string(before, "started"));
	ck_assert_int_eq(daemon_pidfile(), daemon);
	exec_words(&outcome, daemon_binary(), "-F", "-f", place_at("other"), "-p", place_at("otherpid"),
		   "-S", place()->state, NULL);
	ck_assert_int_eq(outcome.exit, 1);
	ck_assert_ptr_nonnull(strstr(outcome.err, "another daemon uses it"));
	outcome_free(&outcome);
	daemon_refuses(1, "runs already", "-F", "-p", place()->pidfile, "-S", "none", NULL);
	json_decref(before);
	json_decref(after);
	daemon_end(daemon, SIGTERM);
}
END_TEST

static bool
has_no_more(void *arg)
{
	const struct counted *counted = arg;
	int count = counted->count(counted->pid);

	return (count >= 0 && count <= counted->value);
}

/* Fewer may be left: a connection that was counted at first may have ended since. */
static void
wait_for(pid_t pid, int (*count)(pid_t), int value)
{
	struct counted counted = {.pid = pid, .count = count, .value = value};

	ck_assert_msg(wait_until(has_no_more, &counted), "%d and not %d", count(pid), value);
}

/* The only child is the probe: what took it into the jail was the old daemon's, and has gone. */
START_TEST(nothing_piles_up)
{
	int descriptors, i, runs = 0, probe;
	struct jailfix *jail;
	pid_t daemon;

	NEEDS_ROOT;
	jail = probe_jail();
	daemon = daemon_start();
	probe = probe_add(jail, "{s:s,s:s,s:s,s:i}", "command", "true", "title", "T", "respawn",
			  "after", "cooldown", 0);
	upgrade_now();
	wait_for(daemon, host_children, 1);
	descriptors = host_descriptors(daemon);
	for (i = 0; i < UPGRADES; i++) {
		inside_press(jail, TITLE);
		probe_wait_count(probe, "runs", ++runs);
		probe_wait_state(probe, "armed");
		upgrade_now();
		wait_for(daemon, host_children, 1);
		wait_for(daemon, host_descriptors, descriptors);
	}
}
END_TEST

/* Takes out the line that begins so. */
static void
leave_out(char *text, const char *beginning)
{
	char *line = strstr(text, beginning), *next;

	ck_assert_ptr_nonnull(line);
	next = strchr(line, '\n');
	ck_assert_ptr_nonnull(next);
	memmove(line, next + 1, strlen(next));
}

/* What a command finds, but for the numbers of the run. */
static char *
report(const struct jailfix *jail, int probe, const char *path, int run)
{
	char *text;

	inside_press(jail, TITLE);
	file_wait_exists(path, true);
	probe_wait_count(probe, "runs", run);
	probe_wait_state(probe, "armed");
	text = file_text(path);
	ck_assert_int_eq(unlink(path), 0);
	leave_out(text, "environment JAILDAEMON_TRIGGERS=");
	leave_out(text, "environment JAILDAEMON_RUN=");
	return (text);
}

static char *
output(int probe)
{
	json_t *answer = probe_op("output", probe);
	char *text = strdup(ctl_string(answer, "output"));

	json_decref(answer);
	return (text);
}

START_TEST(commands_find_the_same)
{
	struct jailfix *jail;
	char command[8192], *before, *after, *limit;
	const char *path;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	path = place_at("report");
	(void)snprintf(command, sizeof(command), "ulimit -n; exec %s --report %s", daemon_self(), path);
	probe = probe_add(jail, "{s:s,s:s,s:s,s:i}", "command", command, "title", "T", "respawn",
			  "after", "cooldown", 0);
	before = report(jail, probe, path, 1);
	limit = output(probe);
	upgrade_now();
	upgrade_now();
	after = report(jail, probe, path, 2);
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
	after = output(probe);
	ck_assert_str_eq(limit, after);
	free(after);
	free(limit);
}
END_TEST

START_TEST(the_control_group_stays_admitted)
{
	struct stat st;

	NEEDS_ROOT;
	config_write("conf", NULL, "{'control_group': 4242}");
	(void)config_start();
	upgrade_now();
	ck_assert_int_eq(stat(place()->sock, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0660);
	ck_assert_uint_eq(st.st_gid, GROUP);
}
END_TEST

START_TEST(the_configuration_is_read_again)
{
	struct jailfix *jail;
	pid_t daemon;

	NEEDS_ROOT;
	jail = probe_jail();
	config_write("conf", NULL, "{}");
	daemon = config_start();
	upgrade_now();
	config_write("jaildaemon.d/late.json", jail, "{'jail': %, 'command': 'true', 'title': 'T'}");
	ck_assert_int_eq(kill(daemon, SIGHUP), 0);
	(void)config_wait_armed("late");
	config_write("jaildaemon.d/later.json", jail, "{'jail': %, 'command': 'true', 'title': 'U'}");
	upgrade_now();
	(void)config_wait_armed("later");
	daemon_end(daemon, SIGTERM);
	inside_wait_count(jail, TITLE, 0);
}
END_TEST

START_TEST(a_detached_daemon_stays_detached)
{
	struct outcome outcome;
	pid_t daemon;

	NEEDS_ROOT;
	exec_words(&outcome, daemon_binary(), "-D", "-f", place()->sock, "-p", place()->pidfile, "-S",
		   place()->state, NULL);
	ck_assert_msg(outcome.exit == 0, "%s", outcome.err);
	outcome_free(&outcome);
	daemon = daemon_pidfile();
	upgrade_now();
	upgrade_now();
	ck_assert_int_eq(daemon_pidfile(), daemon);
	ck_assert_int_ne(getsid(daemon), getsid(0));
	ck_assert_int_eq(kill(daemon, SIGTERM), 0);
	exec_wait_gone(daemon);
	file_wait_exists(place()->sock, false);
}
END_TEST

/* A signal that comes while the one daemon makes way for the other. */
START_TEST(no_signal_is_lost)
{
	struct ctl ctl;
	pid_t daemon;
	int i;

	NEEDS_ROOT;
	for (i = 0; i < MOMENTS; i++) {
		daemon = daemon_start();
		ctl_open(&ctl);
		(void)ctl_say(&ctl, "{\"op\":\"upgrade\"}\n");
		(void)usleep((useconds_t)i * 1000); /* any moment is a good one */
		daemon_end(daemon, SIGTERM);
		ctl_close(&ctl);
	}
}
END_TEST

/* ---- binaries that are no good ---- */

static void
install_text(const char *text)
{
	const char *fresh = place_at("text");

	file_write(fresh, text);
	ck_assert_int_eq(chmod(fresh, 0700), 0);
	ck_assert_int_eq(rename(fresh, place_at("jaildaemon")), 0);
}

static void
check_service(const struct jailfix *jail, int probe)
{
	int runs = (int)probe_int(probe, "runs");

	inside_press(jail, TITLE);
	probe_wait_count(probe, "runs", runs + 1);
	probe_wait_state(probe, "armed");
}

static int
begin_installed(struct jailfix **jail)
{
	*jail = probe_jail();
	(void)upgrade_start_installed();
	return (probe_add(*jail, "{s:s,s:s,s:s,s:i}", "command", "true", "title", "T", "respawn",
			  "after", "cooldown", 0));
}

START_TEST(a_bad_binary_stays_out)
{
	static const struct {
		const char *text, *mentions;
	} cases[] = {{"no program at all\n", "jaildaemon: "},
		     {"#!/bin/sh\necho not today >&2\nexit 1\n", "doesn't take over: not today"},
		     {"#!/bin/sh\nexit 1\n", "it says no reason"},
		     {"#!/bin/sh\nkill -SEGV $$\n", "ended by signal 11"},
		     {"#!/there/is/no/such/interpreter\n", "No such file"}};
	struct jailfix *jail;
	size_t i;
	int probe;

	NEEDS_ROOT;
	probe = begin_installed(&jail);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		install_text(cases[i].text);
		daemon_refuses(1, cases[i].mentions, "--upgrade", NULL);
		check_service(jail, probe);
	}
	upgrade_install(daemon_binary(), "jaildaemon");
	upgrade_now();
	check_service(jail, probe);
}
END_TEST

START_TEST(no_binary_is_no_upgrade)
{
	struct jailfix *jail;
	int probe;

	NEEDS_ROOT;
	probe = begin_installed(&jail);
	ck_assert_int_eq(unlink(place_at("jaildaemon")), 0);
	ctl_ask_refused("{\"op\":\"upgrade\"}", "internal", "No such file");
	check_service(jail, probe);
	ck_assert_int_eq(mkdir(place_at("jaildaemon"), 0755), 0);
	ctl_ask_refused("{\"op\":\"upgrade\"}", "internal", "ermission denied");
	check_service(jail, probe);
	ck_assert_int_eq(rmdir(place_at("jaildaemon")), 0);
}
END_TEST

START_TEST(another_format_stays_out)
{
	struct jailfix *jail;
	const char *build = getenv("JAILDAEMON_BUILD");
	char later[4096];
	int probe;

	NEEDS_ROOT;
	probe = begin_installed(&jail);
	(void)snprintf(later, sizeof(later), "%s/tests/later", build != NULL ? build : ".");
	upgrade_install(later, "jaildaemon");
	daemon_refuses(1, "hands over in format 1, only in 2", "--upgrade", NULL);
	check_service(jail, probe);
}
END_TEST

/* The daemon serves while it looks at the new one, and only one is looked at at a time. */
START_TEST(a_binary_that_hangs_stays_out)
{
	struct jailfix *jail;
	struct ctl ctl;
	int probe;

	NEEDS_ROOT;
	probe = begin_installed(&jail);
	install_text("#!/bin/sh\nexec sleep 1000\n");
	ctl_open(&ctl);
	(void)ctl_say(&ctl, "{\"op\":\"upgrade\"}\n");
	check_service(jail, probe);
	ctl_ask_refused("{\"op\":\"upgrade\"}", "limit", "under way already");
	ctl_refused(ctl_answer(&ctl), "internal", "it took too long");
	ctl_close(&ctl);
	check_service(jail, probe);
}
END_TEST

START_TEST(the_end_comes_before_an_upgrade)
{
	struct ctl ctl;
	pid_t daemon;

	NEEDS_ROOT;
	daemon = upgrade_start_installed();
	install_text("#!/bin/sh\nexec sleep 1000\n");
	ctl_open(&ctl);
	(void)ctl_say(&ctl, "{\"op\":\"upgrade\"}\n");
	ck_assert(ctl_alive());
	daemon_end(daemon, SIGTERM);
	ctl_refused(ctl_answer(&ctl), "stopping", NULL);
	ctl_close(&ctl);
}
END_TEST

/* The new configuration is wrong, so the new daemon could not start. */
START_TEST(a_bad_configuration_is_no_upgrade)
{
	NEEDS_ROOT;
	config_write("conf", NULL, "{}");
	(void)config_start();
	config_write("conf", NULL, "{'runs': 'many'}");
	daemon_refuses(1, "runs", "--upgrade", NULL);
	config_write("conf", NULL, "{'runs': 3}");
	upgrade_now();
}
END_TEST

Suite *
process_upgrade_daemon(void)
{
	Suite *suite = suite_create("upgrade_daemon");

	PLACE_CASE(suite, the_daemon_is_the_same);
	PLACE_CASE(suite, nothing_piles_up);
	PLACE_CASE(suite, commands_find_the_same);
	PLACE_CASE(suite, the_control_group_stays_admitted);
	PLACE_CASE(suite, the_configuration_is_read_again);
	PLACE_CASE(suite, a_detached_daemon_stays_detached);
	PLACE_CASE(suite, no_signal_is_lost);
	PLACE_CASE(suite, a_bad_binary_stays_out);
	PLACE_CASE(suite, no_binary_is_no_upgrade);
	PLACE_CASE(suite, another_format_stays_out);
	PLACE_CASE(suite, a_binary_that_hangs_stays_out);
	PLACE_CASE(suite, the_end_comes_before_an_upgrade);
	PLACE_CASE(suite, a_bad_configuration_is_no_upgrade);
	return (suite);
}
