#include "config.h"

#include "listen.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

static int
open_path(const char *path)
{
	struct error e = {.text = ""};
	int fd = listen_open(path, &e);

	ck_assert_msg(fd >= 0, "%s", e.text);
	return fd;
}

/* The refusal has that code, and the word in its text. */
static void
refuse(const char *path, enum error_code code, const char *word)
{
	struct error e = {.text = ""};

	ck_assert_int_eq(listen_open(path, &e), -1);
	ck_assert_msg(e.code == code, "%s", e.text);
	ck_assert_msg(strstr(e.text, word) != NULL, "%s", e.text);
}

START_TEST(takes_a_free_path)
{
	const char *path = unit_path("s");
	struct stat st;
	int fd, peer;

	umask(0);
	fd = open_path(path);
	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert(S_ISSOCK(st.st_mode));
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_uint_eq(umask(077), 0); /* the process's own is as before */
	ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	peer = listen_connect(path);
	ck_assert_int_ge(peer, 0);
	ck_assert_int_ne(fcntl(peer, F_GETFD) & FD_CLOEXEC, 0);
	close(peer);
	close(fd);
}
END_TEST

START_TEST(replaces_a_stale_socket)
{
	const char *path = unit_path("s");
	struct stat before, after;
	int fd = open_path(path);

	ck_assert_int_eq(lstat(path, &before), 0);
	close(fd);
	ck_assert_int_eq(listen_connect(path), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
	fd = open_path(path);
	ck_assert_int_eq(lstat(path, &after), 0);
	ck_assert_uint_eq(after.st_mode & 07777, 0600);
	close(listen_connect(path));
	close(fd);
}
END_TEST

START_TEST(leaves_foreign_files)
{
	const char *path = unit_path("file"), *link = unit_path("link");
	FILE *file = fopen(path, "w");
	char text[16];

	ck_assert_ptr_nonnull(file);
	fputs("precious", file);
	fclose(file);
	refuse(path, ERR_EXISTS, path);
	ck_assert_int_eq(symlink(path, link), 0);
	refuse(link, ERR_EXISTS, link);
	refuse(unit_directory(), ERR_EXISTS, "no socket");
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(fgets(text, sizeof(text), file));
	ck_assert_str_eq(text, "precious");
	fclose(file);
}
END_TEST

START_TEST(follows_no_dangling_link)
{
	const char *link = unit_path("link"), *target = unit_path("target");
	struct stat st;

	ck_assert_int_eq(symlink(target, link), 0);
	refuse(link, ERR_EXISTS, "no socket");
	ck_assert_int_eq(lstat(target, &st), -1);
}
END_TEST

/* A child that takes one connection, reads a line, and answers or not. */
static pid_t
serve(int fd, bool answer)
{
	pid_t pid = fork();
	char line[64];
	int peer;

	ck_assert_int_ge(pid, 0);
	if (pid > 0)
		return pid;
	fcntl(fd, F_SETFL, 0);
	while ((peer = accept(fd, NULL, NULL)) >= 0) {
		ssize_t got = recv(peer, line, sizeof(line), 0);

		if (answer && got > 0 && send(peer, "{\"ok\":true}\n", 12, MSG_NOSIGNAL) != 12)
			_exit(1);
		if (answer)
			close(peer);
	}
	_exit(0);
}

static void
end_server(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
}

START_TEST(leaves_a_living_daemon)
{
	const char *path = unit_path("s");
	int fd = open_path(path);
	pid_t server = serve(fd, true);

	close(fd);
	ck_assert(listen_answers(path));
	refuse(path, ERR_EXISTS, "a daemon answers");
	ck_assert(listen_answers(path)); /* still */
	end_server(server);
}
END_TEST

/* Something that listens is no stale file, even if it is no daemon of ours. */
START_TEST(leaves_who_answers_no_ping)
{
	const char *path = unit_path("s");
	int fd = open_path(path);
	pid_t server = serve(fd, false);

	close(fd);
	refuse(path, ERR_EXISTS, "answers no ping");
	close(listen_connect(path));
	end_server(server);
}
END_TEST

START_TEST(nobody_answers)
{
	ck_assert(!listen_answers(unit_path("none")));
	ck_assert_int_eq(listen_connect(unit_path("none")), -1);
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

static const char *
path_in_directory_of_mode(mode_t mode)
{
	const char *directory = unit_path("d");

	ck_assert_int_eq(mkdir(directory, 0700), 0);
	ck_assert_int_eq(chmod(directory, mode), 0);
	return unit_path("d/s");
}

START_TEST(directories_that_others_write)
{
	static const mode_t modes[] = {0777, 0770, 0720, 0702};
	const char *path = path_in_directory_of_mode(modes[_i]);
	struct stat st;

	refuse(path, ERR_INTERNAL, "others may write");
	ck_assert_int_eq(lstat(path, &st), -1);
}
END_TEST

START_TEST(directories_that_are_bearable)
{
	static const mode_t modes[] = {0700, 0755, 01777};

	close(open_path(path_in_directory_of_mode(modes[_i])));
}
END_TEST

START_TEST(directory_of_another_user)
{
	const char *path = path_in_directory_of_mode(0755);

	if (geteuid() != 0) {
		unit_skip("directory_of_another_user", "only root can give a directory away");
		return;
	}
	ck_assert_int_eq(chown(unit_path("d"), 12345, 12345), 0);
	refuse(path, ERR_INTERNAL, "12345");
}
END_TEST

START_TEST(directory_that_is_not_there)
{
	refuse(unit_path("none/s"), ERR_INTERNAL, "none");
}
END_TEST

START_TEST(paths_that_are_too_long)
{
	char path[300];

	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	refuse(path, ERR_INTERNAL, "bytes at most");
	ck_assert_int_eq(listen_connect(path), -1);
	ck_assert_int_eq(errno, ENAMETOOLONG);
	ck_assert(!listen_answers(path));
}
END_TEST

START_TEST(says_once)
{
	int ends[2];
	char text[8] = "";

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	listen_say_once(&ends[0], "line\n", 5);
	ck_assert_int_eq(recv(ends[1], text, sizeof(text), 0), 5);
	ck_assert_str_eq(text, "line\n");
	close(ends[1]);
	listen_say_once(&ends[0], "line\n", 5); /* to nobody: no signal */
	close(ends[0]);
}
END_TEST

Suite *
unit_listen(void)
{
	Suite *suite;
	TCase *tests = unit_case("listen", &suite);

	tcase_add_test(tests, takes_a_free_path);
	tcase_add_test(tests, replaces_a_stale_socket);
	tcase_add_test(tests, leaves_foreign_files);
	tcase_add_test(tests, follows_no_dangling_link);
	tcase_add_test(tests, leaves_a_living_daemon);
	tcase_add_test(tests, leaves_who_answers_no_ping);
	tcase_add_test(tests, nobody_answers);
	tcase_add_loop_test(tests, directories_that_others_write, 0, 4);
	tcase_add_loop_test(tests, directories_that_are_bearable, 0, 3);
	tcase_add_test(tests, directory_of_another_user);
	tcase_add_test(tests, directory_that_is_not_there);
	tcase_add_test(tests, paths_that_are_too_long);
	tcase_add_test(tests, says_once);
	return suite;
}
