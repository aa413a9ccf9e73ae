/*
 * The control socket, mounted into a container: its root is root by number only.
 */
#include "config.h"

#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
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
#include "hostile_linux.h"

/* What an attacker says of how it went, as its exit code. */
enum { DENIED, SERVED, NO_WAY, HUNG_UP };

static int
ask(const char *path, const char *request)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char answer[4096];
	size_t length = 0;
	ssize_t got;

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		return (NO_WAY);
	(void)send(fd, request, strlen(request), MSG_NOSIGNAL);
	while (length < sizeof(answer) - 1 &&
	       (got = recv(fd, answer + length, sizeof(answer) - 1 - length, 0)) > 0)
		length += (size_t)got;
	answer[length] = '\0';
	if (strstr(answer, "\"ok\":true") != NULL)
		return (SERVED);
	return (strstr(answer, "\"denied\"") != NULL ? DENIED : HUNG_UP);
}

static int
ask_body(void *arg)
{
	return (ask("/tmp/s", arg));
}

/* The directory of the socket, as a mount that can be put anywhere. */
static int
clone_directory(void)
{
#if defined(SYS_open_tree) && defined(SYS_move_mount)
	return ((int)syscall(SYS_open_tree, AT_FDCWD, place()->dir, 1 /* clone */ | O_CLOEXEC));
#else
	errno = ENOSYS;
	return (-1);
#endif
}

/* Puts it to /tmp of the jail. In a child, which goes there with the host's rights. */
static bool
mount_into(const struct jailfix *jail, int tree)
{
	char path[64];
	pid_t pid = fork();
	int fd, root;

	if (pid == 0) {
		(void)snprintf(path, sizeof(path), "/proc/%ld/root", jailfix_number(jail));
		root = open(path, O_PATH | O_CLOEXEC);
		(void)snprintf(path, sizeof(path), "/proc/%ld/ns/mnt", jailfix_number(jail));
		fd = open(path, O_RDONLY | O_CLOEXEC);
#if defined(SYS_open_tree) && defined(SYS_move_mount)
		if (fd != -1 && setns(fd, CLONE_NEWNS) == 0 && fchdir(root) == 0 &&
		    chroot(".") == 0 &&
		    syscall(SYS_move_mount, tree, "", AT_FDCWD, "/tmp", 4 /* empty path */) == 0)
			_exit(0);
#endif
		_exit(1);
	}
	return (exec_wait(pid) == 0);
}

/* Every request is denied, whoever asks in there, and whatever the file's mode. */
static void
expect_denied(const struct jailfix *jail, enum rights rights, uid_t uid)
{
	char list[] = "{\"op\":\"list\"}\n", ping[] = "{\"op\":\"ping\"}\n", add[512];
	char *requests[] = {list, ping, add};
	struct attacker attacker = {jail, rights, uid, ask_body, NULL};
	size_t i;
	int how;

	(void)snprintf(add, sizeof(add),
		       "{\"op\":\"add\",\"jail\":%ld,\"command\":\"%s\",\"title\":\"%s\"}\n",
		       jailfix_number(jail), hostile_command_text(), hostile_title());
	for (i = 0; i < 3; i++) {
		attacker.arg = requests[i];
		how = attacker_run(&attacker);
		ck_assert_msg(how == DENIED, "%s: %d, as uid %u with rights %d", requests[i], how,
			      uid, (int)rights);
	}
	ck_assert_int_eq(probe_listed(), 0);
}

static void
attack_socket(struct jailfix *jail, int tree)
{
	ck_assert(mount_into(jail, tree));
	ck_assert_int_eq(chmod(place()->sock, 0666), 0);
	expect_denied(jail, RIGHTS_ALL, 0);
	expect_denied(jail, RIGHTS_USUAL, 0);
	expect_denied(jail, RIGHTS_USUAL, 501);
	ck_assert_int_ge(file_lines(place()->log), 9);
	ck_assert(ctl_alive());
}

START_TEST(root_of_a_container_is_denied)
{
	struct jailfix *jail;
	int tree;

	NEEDS_JAIL(jail, false);
	(void)daemon_start();
	SKIP_UNLESS((tree = clone_directory()) != -1, "mounts can't be moved here");
	attack_socket(jail, tree);
}
END_TEST

START_TEST(root_of_a_container_with_a_user_namespace_is_denied)
{
	struct jailfix *jail;
	int tree;

	NEEDS_JAIL(jail, true);
	(void)daemon_start();
	SKIP_UNLESS((tree = clone_directory()) != -1, "mounts can't be moved here");
	attack_socket(jail, tree);
}
END_TEST

/* Root in a user namespace of its own making, and in no other: it sees the host's pids and files.
 */
START_TEST(root_of_a_bare_user_namespace_is_denied)
{
	char request[] = "{\"op\":\"list\"}\n";
	int status;
	pid_t pid;

	NEEDS_ROOT;
	(void)daemon_start();
	ck_assert_int_eq(chmod(place()->sock, 0666), 0);
	if ((pid = fork()) == 0)
		_exit(unshare(CLONE_NEWUSER) != 0 ? 99 : ask(place()->sock, request));
	status = exec_wait(pid);
	SKIP_UNLESS(status != 99 << 8, "no user namespaces here");
	ck_assert_int_eq(status, DENIED << 8);
}
END_TEST

/* Root in a pid namespace of its own, and in no other. */
START_TEST(root_of_a_bare_pid_namespace_is_denied)
{
	char request[] = "{\"op\":\"list\"}\n";
	int status;
	pid_t pid, inner;

	NEEDS_ROOT;
	(void)daemon_start();
	if ((pid = fork()) == 0) {
		if (unshare(CLONE_NEWPID) != 0 || (inner = fork()) == -1)
			_exit(99);
		if (inner == 0)
			_exit(ask(place()->sock, request));
		status = exec_wait(inner);
		_exit(status >> 8);
	}
	status = exec_wait(pid);
	SKIP_UNLESS(status != 99 << 8, "no pid namespaces here");
	ck_assert_int_eq(status, DENIED << 8);
}
END_TEST

Suite *
hostile_peers(void)
{
	Suite *suite = suite_create("peers");

	PLACE_CASE(suite, root_of_a_container_is_denied);
	PLACE_CASE(suite, root_of_a_container_with_a_user_namespace_is_denied);
	PLACE_CASE(suite, root_of_a_bare_user_namespace_is_denied);
	PLACE_CASE(suite, root_of_a_bare_pid_namespace_is_denied);
	return (suite);
}
