/*
 * The command line: what is accepted, what is refused, and the exit codes. No jail is needed here.
 */
#include "config.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "fixture_daemon.h"
#include "fixture_file.h"
#include "fixture_place.h"
#include "fixture_suites.h"

#define USAGE	  2
#define NO_DAEMON 3

START_TEST(help_names_every_option)
{
	static const char *const options[] = {
	    "-D, --daemon",  "-F, --foreground", "-n, --check",	   "-C, --config",
	    "-S, --state",   "-p, --pidfile",	 "-s, --status",   "--metrics",
	    "--reload",	     "--stop",		 "--upgrade",	   "-l, --list",
	    "-k, --remove",  "--kill",		 "-x, --trigger",  "-o, --output",
	    "--follow",	     "-w, --watch",	 "--check-jail",   "-c, --command",
	    "-j, --jail",    "-t, --title",	 "-r, --respawn ", "-R, --respawn-now",
	    "-u, --uid",     "-g, --gid",	 "-N, --name",	   "-P, --sticky",
	    "--replace",     "--cooldown",	 "--timeout",	   "--max-runs",
	    "--show-status", "--json",		 "-f, --socket",   "-h, --help",
	    "-V, --version"};
	struct outcome outcome;
	size_t i;

	exec_words(&outcome, daemon_binary(), "-h", NULL);
	ck_assert_int_eq(outcome.exit, 0);
	ck_assert_str_eq(outcome.err, "");
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		ck_assert_msg(strstr(outcome.out, options[i]) != NULL, "%s is not in: %s",
			      options[i], outcome.out);
	outcome_free(&outcome);
}
END_TEST

START_TEST(long_help_is_the_same)
{
	struct outcome brief, full;

	exec_words(&brief, daemon_binary(), "-h", NULL);
	exec_words(&full, daemon_binary(), "--help", NULL);
	ck_assert_int_eq(full.exit, 0);
	ck_assert_str_eq(brief.out, full.out);
	outcome_free(&brief);
	outcome_free(&full);
}
END_TEST

START_TEST(version_is_told)
{
	struct outcome brief, full;

	exec_words(&brief, daemon_binary(), "-V", NULL);
	exec_words(&full, daemon_binary(), "--version", NULL);
	ck_assert_int_eq(brief.exit, 0);
	ck_assert_ptr_nonnull(strstr(brief.out, "jaildaemon"));
	ck_assert_ptr_nonnull(strpbrk(brief.out, "0123456789"));
	ck_assert_str_eq(brief.out, full.out);
	outcome_free(&brief);
	outcome_free(&full);
}
END_TEST

START_TEST(no_mode_is_wrong_usage)
{
	struct outcome outcome;

	exec_words(&outcome, daemon_binary(), NULL);
	ck_assert_int_eq(outcome.exit, USAGE);
	ck_assert_str_ne(outcome.err, "");
	ck_assert_str_eq(outcome.out, "");
	outcome_free(&outcome);
	daemon_refuses(USAGE, "", "-t", "TITLE", NULL);
	daemon_refuses(USAGE, "", "-j", "23", NULL);
}
END_TEST

START_TEST(two_modes_are_wrong_usage)
{
	daemon_refuses(USAGE, "", "-D", "-c", "true", "-j", "23", NULL);
	daemon_refuses(USAGE, "", "-l", "-s", NULL);
	daemon_refuses(USAGE, "", "-k", "1", "-x", "1", NULL);
	daemon_refuses(USAGE, "", "-l", "--stop", NULL);
	ck_assert(!file_exists(place()->sock));
}
END_TEST

START_TEST(command_needs_a_jail)
{
	daemon_refuses(USAGE, "-j", "-c", "true", NULL);
}
END_TEST

START_TEST(unknown_options_are_wrong_usage)
{
	daemon_refuses(USAGE, "", "-Z", NULL);
	daemon_refuses(USAGE, "", "--no-such-option", NULL);
	daemon_refuses(USAGE, "", "-l", "superfluous", NULL);
}
END_TEST

START_TEST(missing_arguments_are_wrong_usage)
{
	static const char *const options[] = {"-c", "-k", "-x", "-o", "-p",
					      "-j", "-u", "-g", "-t", "-f"};
	struct outcome outcome;
	size_t i;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		exec_words(&outcome, daemon_binary(), options[i], NULL);
		ck_assert_msg(outcome.exit == USAGE, "%s alone: %d", options[i], outcome.exit);
		ck_assert_str_ne(outcome.err, "");
		outcome_free(&outcome);
	}
}
END_TEST

START_TEST(without_a_daemon_every_client_says_so)
{
	daemon_refuses(NO_DAEMON, place()->sock, "-c", "true", "-j", "23", NULL);
	daemon_refuses(NO_DAEMON, place()->sock, "-l", NULL);
	daemon_refuses(NO_DAEMON, place()->sock, "-l", "--json", NULL);
	daemon_refuses(NO_DAEMON, place()->sock, "-s", NULL);
	daemon_refuses(NO_DAEMON, place()->sock, "-k", "1", NULL);
	daemon_refuses(NO_DAEMON, place()->sock, "-x", "1", NULL);
	daemon_refuses(NO_DAEMON, place()->sock, "-o", "1", NULL);
	daemon_refuses(NO_DAEMON, place()->sock, "--stop", NULL);
}
END_TEST

START_TEST(stale_socket_is_no_daemon)
{
	file_write(place()->sock, ""); /* not even a socket */
	daemon_refuses(NO_DAEMON, place()->sock, "-l", NULL);
}
END_TEST

START_TEST(too_long_a_socket_path_is_refused)
{
	char path[400];
	struct outcome outcome;

	(void)snprintf(path, sizeof(path), "/tmp/%0350d", 1);
	exec_words(&outcome, daemon_binary(), "-l", "-f", path, NULL);
	ck_assert_int_ne(outcome.exit, 0);
	ck_assert_str_ne(outcome.err, "");
	outcome_free(&outcome);
	exec_words(&outcome, daemon_binary(), "-F", "-f", path, "-p", place()->pidfile, "-S",
		   place()->state, NULL);
	ck_assert_int_ne(outcome.exit, 0);
	ck_assert_str_ne(outcome.err, "");
	outcome_free(&outcome);
}
END_TEST

START_TEST(unknown_users_are_refused)
{
	struct outcome outcome;

	NEEDS_ROOT;
	(void)daemon_start();
	daemon_client(&outcome, "-c", "true", "-j", "23", "-u", "no-such-user-here", NULL);
	ck_assert(outcome.exit == 1 || outcome.exit == USAGE);
	ck_assert_ptr_nonnull(strstr(outcome.err, "no-such-user-here"));
	outcome_free(&outcome);
	daemon_client(&outcome, "-c", "true", "-j", "23", "-g", "no-such-group-here", NULL);
	ck_assert(outcome.exit == 1 || outcome.exit == USAGE);
	ck_assert_ptr_nonnull(strstr(outcome.err, "no-such-group-here"));
	outcome_free(&outcome);
	daemon_client(&outcome, "-c", "true", "-j", "23", "-u", "-1", NULL);
	ck_assert(outcome.exit == 1 || outcome.exit == USAGE);
	outcome_free(&outcome);
	daemon_client(&outcome, "-c", "true", "-j", "23", "-u", "99999999999999999999", NULL);
	ck_assert(outcome.exit == 1 || outcome.exit == USAGE);
	outcome_free(&outcome);
}
END_TEST

/* The original: in daemon mode all options for the utility mode are ignored. */
START_TEST(daemon_ignores_the_options_of_the_utility)
{
	struct outcome outcome;

	NEEDS_ROOT;
	exec_words(&outcome, daemon_binary(), "-D", "-f", place()->sock, "-p", place()->pidfile,
		   "-S", place()->state, "-t", "TITLE", "-r", "-j", "23", "-u", "1", "-g", "1",
		   NULL);
	ck_assert_msg(outcome.exit == 0, "%s", outcome.err);
	outcome_free(&outcome);
	daemon_client(&outcome, "--stop", NULL);
	ck_assert_int_eq(outcome.exit, 0);
	outcome_free(&outcome);
}
END_TEST

Suite *
process_options(void)
{
	Suite *suite = suite_create("options");

	PLACE_CASE(suite, help_names_every_option);
	PLACE_CASE(suite, long_help_is_the_same);
	PLACE_CASE(suite, version_is_told);
	PLACE_CASE(suite, no_mode_is_wrong_usage);
	PLACE_CASE(suite, two_modes_are_wrong_usage);
	PLACE_CASE(suite, command_needs_a_jail);
	PLACE_CASE(suite, unknown_options_are_wrong_usage);
	PLACE_CASE(suite, missing_arguments_are_wrong_usage);
	PLACE_CASE(suite, without_a_daemon_every_client_says_so);
	PLACE_CASE(suite, stale_socket_is_no_daemon);
	PLACE_CASE(suite, too_long_a_socket_path_is_refused);
	PLACE_CASE(suite, unknown_users_are_refused);
	PLACE_CASE(suite, daemon_ignores_the_options_of_the_utility);
	return (suite);
}
