/*
 * The control socket as a file, and other users at it.
 */
#include "config.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_exec.h"
#include "fixture_file.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "hostile.h"
#include "hostile_adds.h"

#define OTHER 501u

START_TEST(socket_is_roots_alone)
{
	struct stat info;

	NEEDS_ROOT;
	(void)umask(0);
	(void)daemon_start();
	ck_assert_int_eq(lstat(place()->sock, &info), 0);
	ck_assert(S_ISSOCK(info.st_mode));
	ck_assert_uint_eq(info.st_mode & 07777, 0600);
	ck_assert_uint_eq(info.st_uid, 0);
}
END_TEST

START_TEST(pidfile_is_written_by_root_alone)
{
	struct stat info;

	NEEDS_ROOT;
	(void)umask(0);
	(void)daemon_start();
	ck_assert_int_eq(lstat(place()->pidfile, &info), 0);
	ck_assert_uint_eq(info.st_mode & 022, 0);
	ck_assert_uint_eq(info.st_uid, 0);
}
END_TEST

/* A directory in which others write is one in which the socket could be replaced. */
START_TEST(socket_in_a_directory_of_others_is_refused)
{
	NEEDS_ROOT;
	ck_assert_int_eq(chmod(place()->dir, 0777), 0);
	daemon_refuses(1, "others may write", "-D", "-F", "-p", place()->pidfile, "-S",
		       place()->state, NULL);
	ck_assert_int_eq(chmod(place()->dir, 0711), 0);
	ck_assert_int_eq(chown(place()->dir, OTHER, OTHER), 0);
	daemon_refuses(1, "belongs to", "-D", "-F", "-p", place()->pidfile, "-S", place()->state,
		       NULL);
	ck_assert_int_eq(chown(place()->dir, 0, 0), 0);
}
END_TEST

/* What an attacker says of how it went, as its exit code. */
enum { DENIED, SERVED, NO_WAY, HUNG_UP };

/* As another user, in root's groups or not. */
static int
ask_as(uid_t uid, gid_t gid, const char *request)
{
	char answer[4096] = "";
	size_t length = 0;
	struct ctl ctl;
	ssize_t got;

	if (setgroups(0, NULL) != 0 || setgid(gid) != 0 || setuid(uid) != 0)
		return (NO_WAY);
	if (!ctl_try(&ctl, place()->sock))
		return (NO_WAY);
	(void)ctl_say(&ctl, request);
	while (length < sizeof(answer) - 1 &&
	       (got = recv(ctl.fd, answer + length, sizeof(answer) - 1 - length, 0)) > 0)
		length += (size_t)got;
	if (strstr(answer, "\"ok\":true") != NULL)
		return (SERVED);
	return (strstr(answer, "\"denied\"") != NULL ? DENIED : HUNG_UP);
}

static int
how_it_went(uid_t uid, gid_t gid, const char *request)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid == 0)
		_exit(ask_as(uid, gid, request));
	status = exec_wait(pid);
	ck_assert(WIFEXITED(status));
	return (WEXITSTATUS(status));
}

START_TEST(other_users_can_not_connect)
{
	NEEDS_ROOT;
	(void)daemon_start();
	ck_assert_int_eq(how_it_went(OTHER, OTHER, "{\"op\":\"list\"}\n"), NO_WAY);
	ck_assert_int_eq(how_it_went(OTHER, 0, "{\"op\":\"list\"}\n"), NO_WAY);
}
END_TEST

/* And if somebody opens the file to them, the daemon still asks who they are. */
START_TEST(other_users_are_denied_though_the_file_lets_them_in)
{
	static const char *const requests[] = {"{\"op\":\"ping\"}\n",
					       "{\"op\":\"list\"}\n",
					       "{\"op\":\"status\"}\n",
					       "{\"op\":\"stop\"}\n",
					       "{\"op\":\"trigger\",\"probe\":1}\n",
					       "\n",
					       "x\n"};
	struct jailfix *jail;
	size_t i;
	int how;

	NEEDS_JAIL(jail, false);
	(void)daemon_start();
	(void)hostile_target(jail);
	ck_assert_int_eq(chmod(place()->sock, 0666), 0);
	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		how = how_it_went(OTHER, i % 2 == 0 ? OTHER : 0, requests[i]);
		SKIP_UNLESS(how != NO_WAY, "another user can't get to the temporary directory");
		ck_assert_msg(how == DENIED, "%s: %d", requests[i], how);
	}
	ck_assert_int_eq(probe_listed(), 1);
	hostile_expect_no_run();
}
END_TEST

Suite *
hostile_socket(void)
{
	Suite *suite = suite_create("socket");

	PLACE_CASE(suite, socket_is_roots_alone);
	PLACE_CASE(suite, pidfile_is_written_by_root_alone);
	PLACE_CASE(suite, socket_in_a_directory_of_others_is_refused);
	PLACE_CASE(suite, other_users_can_not_connect);
	PLACE_CASE(suite, other_users_are_denied_though_the_file_lets_them_in);
	return (suite);
}
