/*
 * The daemon as a process: its socket, its pidfile, its signals, and where it was started from.
 */
#include "config.h"

#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
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

static const char *
appending(void)
{
	static char command[256];

	(void)snprintf(command, sizeof(command), "echo run >> %s", place_at("ran"));
	return (command);
}

/* The button works from end to end. */
static void
press_works(struct jailfix *jail)
{
	(void)probe_add(jail, "{s:s,s:s}", "command", appending(), "title", "T");
	inside_press(jail, TITLE);
	file_wait_lines(place_at("ran"), 1);
}

START_TEST(socket_is_roots_alone)
{
	struct stat info;
	mode_t before;

	NEEDS_ROOT;
	before = umask(0);
	(void)daemon_start();
	(void)umask(before);
	ck_assert_int_eq(stat(place()->sock, &info), 0);
	ck_assert(S_ISSOCK(info.st_mode));
	ck_assert_uint_eq(info.st_mode & 07777, 0600);
	ck_assert_uint_eq(info.st_uid, 0);
}
END_TEST

START_TEST(pidfile_has_the_pid_and_is_locked)
{
	pid_t daemon;
	int fd;

	NEEDS_ROOT;
	daemon = daemon_start();
	ck_assert_int_eq(daemon_pidfile(), daemon);
	fd = open(place()->pidfile, O_RDWR | O_CLOEXEC);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), -1);
	ck_assert_int_eq(errno, EWOULDBLOCK);
	(void)close(fd);
	daemon_end(daemon, SIGTERM);
}
END_TEST

START_TEST(foreground_logs_to_standard_error)
{
	struct jailfix *jail;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	press_works(jail);
	file_wait_text(place()->log, probe_jid(jail));
}
END_TEST

/* A daemon that can't start: it ends by itself, with a reason that mentions something. */
static void
start_fails(const char *sock, const char *pidfile, const char *mentions)
{
	static const char *const modes[] = {"-F", "-D"};
	struct outcome outcome;
	size_t i;

	for (i = 0; i < 2; i++) {
		exec_words(&outcome, daemon_binary(), modes[i], "-f", sock, "-p", pidfile, "-S",
			   place()->state, NULL);
		ck_assert_msg(outcome.exit == 1, "%s: exit code %d: %s", modes[i], outcome.exit,
			      outcome.err);
		ck_assert_msg(strstr(outcome.err, mentions) != NULL,
			      "%s: does not mention \"%s\": %s", modes[i], mentions, outcome.err);
		outcome_free(&outcome);
	}
}

START_TEST(second_daemon_on_a_socket_fails)
{
	struct jailfix *jail;
	pid_t daemon;

	NEEDS_ROOT;
	jail = probe_jail();
	daemon = daemon_start();
	(void)probe_add(jail, "{s:s,s:s}", "command", appending(), "title", "T");
	start_fails(place()->sock, place_at("second.pid"), place()->sock);
	ck_assert(!file_exists(place_at("second.pid")));
	start_fails(place()->sock, place()->pidfile, "");
	ck_assert_int_eq(daemon_pidfile(), daemon);
	inside_press(jail, TITLE);
	file_wait_lines(place_at("ran"), 1);
	daemon_end(daemon, SIGTERM);
}
END_TEST

START_TEST(second_daemon_on_a_pidfile_fails)
{
	pid_t daemon;

	NEEDS_ROOT;
	daemon = daemon_start();
	start_fails(place_at("second"), place()->pidfile, place()->pidfile);
	ck_assert(!file_exists(place_at("second")));
	ck_assert_int_eq(daemon_pidfile(), daemon);
	ck_assert(ctl_alive());
}
END_TEST

START_TEST(stale_socket_is_replaced)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	NEEDS_ROOT;
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", place()->sock);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	(void)close(fd);
	(void)daemon_start();
}
END_TEST

START_TEST(daemon_starts_again_after_a_crash)
{
	struct jailfix *jail;
	pid_t daemon;

	NEEDS_ROOT;
	jail = probe_jail();
	daemon = daemon_start();
	ck_assert_int_eq(kill(daemon, SIGKILL), 0);
	(void)exec_wait(daemon);
	ck_assert(file_exists(place()->sock));
	daemon = daemon_start();
	ck_assert_int_eq(daemon_pidfile(), daemon);
	press_works(jail);
}
END_TEST

/* Only a socket may be replaced: whatever else has that name belongs to someone. */
START_TEST(what_is_no_socket_is_left_alone)
{
	char *text;

	NEEDS_ROOT;
	file_write(place()->sock, "precious\n");
	start_fails(place()->sock, place()->pidfile, place()->sock);
	text = file_text(place()->sock);
	ck_assert_str_eq(text, "precious\n");
	free(text);
	ck_assert(!file_exists(place()->pidfile));
}
END_TEST

START_TEST(directory_that_is_not_there_is_told)
{
	NEEDS_ROOT;
	start_fails(place_at("nowhere/s"), place()->pidfile, "nowhere");
	ck_assert(!file_exists(place()->pidfile));
	start_fails(place()->sock, place_at("nowhere/pid"), "nowhere");
	ck_assert(!file_exists(place()->sock));
}
END_TEST

static void
ends_in_order(int sig)
{
	struct jailfix *jail = probe_jail();
	pid_t daemon = daemon_start(), probe;
	struct ctl idle;

	probe = (pid_t)probe_int(probe_add(jail, "{s:s,s:s}", "command", appending(), "title", "T"),
				 "pid");
	ctl_open(&idle); /* a client that holds on does not hold the end up */
	ck_assert(ctl_say(&idle, "{\"op\":\"ping\",\"keep\":true}\n"));
	json_decref(ctl_answer(&idle));
	daemon_end(daemon, sig);
	ctl_expect_end(&idle);
	ctl_close(&idle);
	exec_wait_gone(probe);
	ck_assert_int_eq(inside_count(jail, TITLE, NULL), 0);
	ck_assert_int_eq(file_lines(place_at("ran")), 0);
}

START_TEST(term_ends_in_order)
{
	NEEDS_ROOT;
	ends_in_order(SIGTERM);
}
END_TEST

START_TEST(int_ends_in_order)
{
	NEEDS_ROOT;
	ends_in_order(SIGINT);
}
END_TEST

/* It is reserved for reading the configuration again. */
START_TEST(hup_does_not_end_the_daemon)
{
	struct jailfix *jail;
	pid_t daemon;

	NEEDS_ROOT;
	jail = probe_jail();
	daemon = daemon_start();
	(void)probe_add(jail, "{s:s,s:s}", "command", appending(), "title", "T");
	ck_assert_int_eq(kill(daemon, SIGHUP), 0);
	ck_assert(ctl_alive());
	inside_press(jail, TITLE);
	file_wait_lines(place_at("ran"), 1);
	daemon_end(daemon, SIGTERM);
}
END_TEST

/* As nohup, rc and cron do it: the probe must hear the HUP all the same, and so must the command.
 */
START_TEST(inherited_ignored_hup_does_no_harm)
{
	struct jailfix *jail;
	char command[256];

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start_as(&(struct launch){.ignoring = true});
	(void)snprintf(command, sizeof(command),
		       "echo before >> %s; kill -HUP $$; echo after >> %s", place_at("ran"),
		       place_at("ran"));
	(void)probe_add(jail, "{s:s,s:s}", "command", command, "title", "T");
	inside_press(jail, TITLE);
	file_wait_lines(place_at("ran"), 1);
	probe_sentinel(jail);
	ck_assert_int_eq(file_count(place_at("ran"), "after"), 0);
}
END_TEST

START_TEST(blocked_signals_do_no_harm)
{
	struct jailfix *jail;
	pid_t daemon;

	NEEDS_ROOT;
	jail = probe_jail();
	daemon = daemon_start_as(&(struct launch){.blocked = true});
	press_works(jail);
	daemon_end(daemon, SIGTERM);
}
END_TEST

START_TEST(empty_environment_and_closed_stdio_do_no_harm)
{
	static char *const empty[] = {NULL};
	struct jailfix *jail;
	pid_t daemon;

	NEEDS_ROOT;
	jail = probe_jail();
	daemon = daemon_start_as(&(struct launch){.env = empty, .closed_stdio = true});
	press_works(jail);
	daemon_end(daemon, SIGTERM);
}
END_TEST

Suite *
process_daemon(void)
{
	Suite *suite = suite_create("daemon");

	PLACE_CASE(suite, socket_is_roots_alone);
	PLACE_CASE(suite, pidfile_has_the_pid_and_is_locked);
	PLACE_CASE(suite, foreground_logs_to_standard_error);
	PLACE_CASE(suite, second_daemon_on_a_socket_fails);
	PLACE_CASE(suite, second_daemon_on_a_pidfile_fails);
	PLACE_CASE(suite, stale_socket_is_replaced);
	PLACE_CASE(suite, daemon_starts_again_after_a_crash);
	PLACE_CASE(suite, what_is_no_socket_is_left_alone);
	PLACE_CASE(suite, directory_that_is_not_there_is_told);
	PLACE_CASE(suite, term_ends_in_order);
	PLACE_CASE(suite, int_ends_in_order);
	PLACE_CASE(suite, hup_does_not_end_the_daemon);
	PLACE_CASE(suite, inherited_ignored_hup_does_no_harm);
	PLACE_CASE(suite, blocked_signals_do_no_harm);
	PLACE_CASE(suite, empty_environment_and_closed_stdio_do_no_harm);
	return (suite);
}
