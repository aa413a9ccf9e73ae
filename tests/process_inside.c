/*
 * What the jail's people can and can't do: users and groups, tools, tracing, the control socket.
 */
#include "config.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_file.h"
#include "fixture_inside.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "fixture_suites.h"

#define TITLE "jaildaemon: T"
#define USER  501u
#define OTHER 502u

static const char *
appending(void)
{
	static char command[256];

	(void)snprintf(command, sizeof(command), "echo run >> %s", place_at("ran"));
	return (command);
}

/* Another uid is refused by the kernel, the probe's own uid is not, and root is not either. */
static void
users_press(struct jailfix *jail)
{
	int probe = probe_add(jail, "{s:s,s:s,s:i,s:s}", "command", appending(), "title", "T",
			      "uid", USER, "respawn", "after");
	pid_t inside = inside_find(jail, TITLE);

	ck_assert_int_eq(inside_signal(jail, OTHER, inside, SIGHUP), EPERM);
	ck_assert_int_eq(inside_signal(jail, USER, inside, SIGHUP), 0);
	file_wait_lines(place_at("ran"), 1);
	probe_wait_state(probe, "armed");
	ck_assert_int_eq(probe_int(probe, "triggers"), 1);
	inside_press(jail, TITLE);
	file_wait_lines(place_at("ran"), 2);
}

START_TEST(users_press_probes_of_their_own)
{
	NEEDS_ROOT;
	(void)daemon_start();
	users_press(probe_jail());
}
END_TEST

START_TEST(users_in_a_user_namespace_do_too)
{
	const char *reason = NULL;
	struct jailfix *jail;

	NEEDS_ROOT;
	jail = jailfix_start(place()->dir, JAILFIX_USERNS, &reason);
	SKIP_UNLESS(jail != NULL, reason);
	(void)daemon_start();
	users_press(jail);
}
END_TEST

START_TEST(probes_of_root_refuse_users)
{
	struct jailfix *jail;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	probe = probe_add(jail, "{s:s,s:s}", "command", appending(), "title", "T");
	ck_assert_int_eq(inside_signal(jail, USER, inside_find(jail, TITLE), SIGHUP), EPERM);
	probe_sentinel(jail);
	ck_assert_str_eq(probe_state(probe), "armed");
	ck_assert_int_eq(file_lines(place_at("ran")), 0);
}
END_TEST

START_TEST(root_of_a_user_namespace_presses)
{
	const char *reason = NULL;
	struct jailfix *jail;

	NEEDS_ROOT;
	jail = jailfix_start(place()->dir, JAILFIX_USERNS, &reason);
	SKIP_UNLESS(jail != NULL, reason);
	(void)daemon_start();
	(void)probe_add(jail, "{s:s,s:s}", "command", appending(), "title", "T");
	inside_press(jail, TITLE);
	file_wait_lines(place_at("ran"), 1);
}
END_TEST

START_TEST(unmapped_uid_is_an_attach_failure)
{
	const char *reason = NULL;
	struct jailfix *jail;
	json_t *answer;
	pid_t daemon;
	int children;

	NEEDS_ROOT;
	jail = jailfix_start(place()->dir, JAILFIX_USERNS, &reason);
	SKIP_UNLESS(jail != NULL, reason);
	daemon = daemon_start();
	probe_warm_up(jail);
	children = host_children(daemon);
	answer = probe_ask(jail, "{s:s,s:s,s:i}", "command", "true", "title", "T", "uid",
			   (int)jailfix_unmapped_uid(jail));
	ctl_refused(answer, "attach-failed", "1000");
	ck_assert_int_eq(probe_listed(), 0);
	ck_assert_int_eq(inside_count(jail, TITLE, NULL), 0);
	ck_assert_int_eq(host_children(daemon), children);
	(void)probe_add(jail, "{s:s,s:s,s:i}", "command", "true", "title", "T", "uid", 999);
	ck_assert_int_eq(inside_count(jail, TITLE, NULL), 1);
}
END_TEST

START_TEST(group_is_what_was_asked)
{
	struct jailfix *jail;
	gid_t gid = 0;
	uid_t uid = 0;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	probe = probe_add(jail, "{s:s,s:i,s:i}", "command", "true", "uid", 501, "gid", 777);
	ck_assert(host_gid((pid_t)probe_int(probe, "pid"), &gid, &uid));
	ck_assert_uint_eq(gid, 777);
	ck_assert_uint_eq(uid, 501);
	probe = probe_add(jail, "{s:s,s:i}", "command", "true", "gid", 778);
	ck_assert(host_gid((pid_t)probe_int(probe, "pid"), &gid, &uid));
	ck_assert_uint_eq(gid, 778);
	ck_assert_uint_eq(uid, 0);
}
END_TEST

START_TEST(armed_probe_carries_nothing_in)
{
	char faults[1024];
	struct jailfix *jail;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start_as(&(struct launch){.leaks = true});
	probe = probe_add(jail, "{s:s}", "command", "true");
	host_probe_faults((pid_t)probe_int(probe, "pid"), faults, sizeof(faults));
	ck_assert_str_eq(faults, "");
	probe = probe_add(jail, "{s:s,s:i,s:i}", "command", "true", "uid", 501, "gid", 501);
	host_probe_faults((pid_t)probe_int(probe, "pid"), faults, sizeof(faults));
	ck_assert_str_eq(faults, "");
}
END_TEST

static int
trace_body(void *arg)
{
	return (jailfix_trace(*(const pid_t *)arg));
}

static void
trace_refused(struct jailfix *jail, uid_t uid)
{
	pid_t inside = inside_find(jail, TITLE);
	char out[256];

	ck_assert_int_ne(inside_call(jail, uid, trace_body, &inside, out, sizeof(out)), 0);
	ck_assert_str_eq(out, "");
}

START_TEST(jails_root_cannot_trace_a_probe)
{
	struct jailfix *jail;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	(void)probe_add(jail, "{s:s,s:s}", "command", appending(), "title", "T");
	trace_refused(jail, INSIDE_ROOT);
	inside_press(jail, TITLE);
	file_wait_lines(place_at("ran"), 1);
	(void)probe_add(jail, "{s:s,s:s,s:i}", "command", appending(), "title", "T", "uid", USER);
	trace_refused(jail, INSIDE_ROOT);
	trace_refused(jail, USER);
}
END_TEST

START_TEST(root_of_a_user_namespace_cannot_trace_either)
{
	const char *reason = NULL;
	struct jailfix *jail;

	NEEDS_ROOT;
	jail = jailfix_start(place()->dir, JAILFIX_USERNS, &reason);
	SKIP_UNLESS(jail != NULL, reason);
	(void)daemon_start();
	(void)probe_add(jail, "{s:s,s:s}", "command", appending(), "title", "T");
	trace_refused(jail, INSIDE_ROOT);
}
END_TEST

/* The tools that the manual names, as they are on the host. */
START_TEST(pkill_inside_presses)
{
	static char *const argv[] = {(char *)(uintptr_t) "pkill", (char *)(uintptr_t) "-HUP",
				     (char *)(uintptr_t) "-f", (char *)(uintptr_t) "UPDATE_ROUTING",
				     NULL};
	struct jailfix *jail;
	char out[1024];

	NEEDS_ROOT;
	SKIP_UNLESS(place_tool("pkill") != NULL, "no pkill here");
	jail = probe_jail();
	(void)daemon_start();
	(void)probe_add(jail, "{s:s,s:s}", "command", appending(), "title", "UPDATE_ROUTING");
	ck_assert_msg(inside_exec(jail, INSIDE_ROOT, argv, out, sizeof(out)) == 0, "%s", out);
	file_wait_lines(place_at("ran"), 1);
	ck_assert_int_eq(inside_exec(jail, INSIDE_ROOT, argv, out, sizeof(out)),
			 1); /* finds nothing more */
}
END_TEST

START_TEST(ps_inside_shows_the_title)
{
	static char *const argv[] = {(char *)(uintptr_t) "ps", (char *)(uintptr_t) "-ax",
				     (char *)(uintptr_t) "-o", (char *)(uintptr_t) "pid,args",
				     NULL};
	struct jailfix *jail;
	char out[65536];

	NEEDS_ROOT;
	SKIP_UNLESS(place_tool("ps") != NULL, "no ps here");
	jail = probe_jail();
	(void)daemon_start();
	(void)probe_add(jail, "{s:s,s:s}", "command", "the-command-is-secret", "title",
			"ZFS_SNAPSHOT");
	ck_assert_msg(inside_exec(jail, INSIDE_ROOT, argv, out, sizeof(out)) == 0, "%s", out);
	/* FreeBSD's ps adds the program's name. */
	ck_assert(strstr(out, "jaildaemon: ZFS_SNAPSHOT\n") != NULL ||
		  strstr(out, "jaildaemon: ZFS_SNAPSHOT (jaildaemon-probe)\n") != NULL);
	ck_assert_ptr_null(strstr(out, "secret"));
}
END_TEST

#define SCRIPT_LINES 3

/* The lines of the manual with which a jail presses and waits. */
static bool
read_script(char script[1024])
{
	const char *srcdir = getenv("srcdir");
	char path[512], *manual, *start, *end;
	int line;

	(void)snprintf(path, sizeof(path), "%s/man/jaildaemon.8", srcdir == NULL ? "." : srcdir);
	if (!file_exists(path))
		return (false);
	manual = file_text(path);
	start = strstr(manual, "\nprobe() {");
	ck_assert_ptr_nonnull(start);
	for (end = ++start, line = 0; line < SCRIPT_LINES; line++)
		end = strchr(end, '\n') + 1;
	ck_assert_int_eq(strncmp(end, ".Ed", 3), 0);
	(void)snprintf(script, 1024, "%.*s", (int)(end - start), start);
	free(manual);
	return (true);
}

/* A title tells the second, and not more. */
static void
expect_result(const char *text, const char *result)
{
	char pattern[128];
	regex_t regex;

	(void)snprintf(pattern, sizeof(pattern),
		       "^\\[%s [0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}Z\\]( \\(jaildaemon-probe\\))?\n$", result);
	ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	ck_assert_msg(regexec(&regex, text, 0, NULL, 0) == 0, "%s", text);
	regfree(&regex);
}

START_TEST(jail_waits_for_its_result)
{
	static const char *const cases[][2] = {{"true", "ok"},
					       {"exit 3", "exit 3"},
					       {"kill -9 $$", "signal 9"},
					       {"exec tail -f /dev/null", "timeout"}};
	char script[1024], out[1024];
	char *const argv[] = {(char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c", script, NULL};
	struct jailfix *jail;
	int i, round, probe;

	NEEDS_ROOT;
	SKIP_UNLESS(read_script(script), "srcdir doesn't say where the manual is");
	SKIP_UNLESS(place_tool("ps") != NULL, "no ps here");
	jail = probe_jail();
	(void)daemon_start();
	ck_assert_int_ne(inside_exec(jail, INSIDE_ROOT, argv, out, sizeof(out)), 0); /* nothing to press */
	for (i = 0; i < 4; i++) {
		probe = probe_add(jail, "{s:s,s:s,s:s,s:b,s:f}", "command", cases[i][0], "title",
				  "SNAPSHOT", "respawn", "after", "show_status", 1, "timeout", 0.3);
		for (round = 0; round < 2; round++) {
			ck_assert_msg(inside_exec(jail, INSIDE_ROOT, argv, out, sizeof(out)) == 0, "%s", out);
			expect_result(out, cases[i][1]);
		}
		ck_assert_int_eq(probe_int(probe, "runs"), 2);
		json_decref(probe_op("remove", probe));
	}
}
END_TEST

/* A peer that stands in the jail, but was handed the socket's directory. */
static int
connect_body(void *arg)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "s"};
	static const char request[] = "{\"op\":\"list\"}\n";
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char answer[4096];
	ssize_t got;

	if (fchdir(*(const int *)arg) != 0 ||
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		return (1);
	(void)send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL);
	while ((got = recv(fd, answer, sizeof(answer), 0)) > 0)
		(void)fwrite(answer, 1, (size_t)got, stdout);
	return (0);
}

START_TEST(peers_from_a_jail_are_denied)
{
	struct jailfix *jail;
	char out[4096];
	int directory;

	NEEDS_ROOT;
	SKIP_UNLESS(jailfix_shows_peers(), "this kernel tells a socket's peer by its uid alone");
	jail = probe_jail();
	(void)daemon_start();
	directory = open(place()->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ne(directory, -1);
	ck_assert_int_eq(inside_call(jail, INSIDE_ROOT, connect_body, &directory, out, sizeof(out)),
			 0);
	ck_assert_msg(strstr(out, "\"ok\":true") == NULL && strstr(out, "\"denied\"") != NULL, "%s",
		      out);
	ck_assert(ctl_alive());
}
END_TEST

Suite *
process_inside(void)
{
	Suite *suite = suite_create("inside");

	PLACE_CASE(suite, users_press_probes_of_their_own);
	PLACE_CASE(suite, users_in_a_user_namespace_do_too);
	PLACE_CASE(suite, probes_of_root_refuse_users);
	PLACE_CASE(suite, root_of_a_user_namespace_presses);
	PLACE_CASE(suite, unmapped_uid_is_an_attach_failure);
	PLACE_CASE(suite, group_is_what_was_asked);
	PLACE_CASE(suite, armed_probe_carries_nothing_in);
	PLACE_CASE(suite, jails_root_cannot_trace_a_probe);
	PLACE_CASE(suite, root_of_a_user_namespace_cannot_trace_either);
	PLACE_CASE(suite, pkill_inside_presses);
	PLACE_CASE(suite, ps_inside_shows_the_title);
	PLACE_CASE(suite, jail_waits_for_its_result);
	PLACE_CASE(suite, peers_from_a_jail_are_denied);
	return (suite);
}
