/* What a service manager is told, which asks for it by NOTIFY_SOCKET. */
#include "config.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_config.h"
#include "fixture_daemon.h"
#include "fixture_exec.h"
#include "fixture_file.h"
#include "fixture_place.h"
#include "fixture_suites.h"
#include "fixture_wait.h"
#include "process_upgrade.h"

/* The manager's socket; a name that begins with @ is abstract. -1 where the system has no such names. */
static int
listen_as(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));

	ck_assert_int_ne(fd, -1);
	ck_assert_uint_lt(strlen(name), sizeof(address.sun_path));
	memcpy(address.sun_path, name, strlen(name));
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	if (bind(fd, (const struct sockaddr *)&address, length) != 0) {
		(void)close(fd);
		return (-1);
	}
	return (fd);
}

/* The next message, which must come. */
static void
hear(int fd, char text[128])
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	ssize_t length;

	ck_assert_msg(poll(&ready, 1, WAIT_PATIENCE_MS) == 1, "nothing is told");
	length = recv(fd, text, 127, 0);
	ck_assert_int_ge(length, 0);
	text[length] = '\0';
}

static void
hear_that(int fd, const char *wanted)
{
	char text[128];

	hear(fd, text);
	ck_assert_str_eq(text, wanted);
}

static void
hear_reload(int fd, long long before)
{
	char text[128];
	int64_t us;
	int end = -1;

	hear(fd, text);
	(void)sscanf(text, "RELOADING=1\nMONOTONIC_USEC=%" SCNd64 "%n", &us, &end);
	ck_assert_msg(end == (int)strlen(text), "told: %s", text);
	ck_assert_int_ge(us / 1000, before);
	ck_assert_int_le(us / 1000, wait_now());
	hear_that(fd, "READY=1");
}

static void
hear_no_more(int fd)
{
	char byte;

	ck_assert_int_eq(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
	ck_assert_int_eq(errno, EAGAIN);
}

/* By the client, which ends when the daemon has answered. */
static void
reload(int code)
{
	struct outcome outcome;

	daemon_client(&outcome, "--reload", NULL);
	ck_assert_msg(outcome.exit == code, "%s", outcome.err);
	outcome_free(&outcome);
}

static void
check_life(int manager, const char *name)
{
	long long before;
	pid_t daemon;

	ck_assert_int_eq(setenv("NOTIFY_SOCKET", name, 1), 0);
	config_write("conf", NULL, "{}");
	daemon = config_start();
	hear_that(manager, "READY=1");
	before = wait_now();
	reload(0);
	hear_reload(manager, before);
	hear_no_more(manager);
	daemon_end(daemon, SIGTERM);
	hear_that(manager, "STOPPING=1");
	hear_no_more(manager);
	(void)close(manager);
}

START_TEST(start_reload_and_stop_are_told)
{
	const char *name = place_at("manager");

	NEEDS_ROOT;
	check_life(listen_as(name), name);
}
END_TEST

START_TEST(an_abstract_socket_is_told)
{
	char name[sizeof(place()->dir) + 1];
	int manager;

	NEEDS_ROOT;
	(void)snprintf(name, sizeof(name), "@%s", place()->dir);
	manager = listen_as(name);
	SKIP_UNLESS(manager != -1, "the system has no abstract sockets");
	check_life(manager, name);
}
END_TEST

/* Or the manager would wait for the end of it. */
START_TEST(a_reload_that_fails_is_over)
{
	const char *name = place_at("manager");
	int manager = listen_as(name);
	long long before;
	pid_t daemon;

	NEEDS_ROOT;
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", name, 1), 0);
	config_write("conf", NULL, "{}");
	daemon = config_start();
	hear_that(manager, "READY=1");
	config_write("conf", NULL, "{'nonsense': true}");
	before = wait_now();
	ck_assert_int_eq(kill(daemon, SIGHUP), 0);
	hear_reload(manager, before);
	before = wait_now();
	reload(1);
	hear_reload(manager, before);
	daemon_end(daemon, SIGTERM);
	(void)close(manager);
}
END_TEST

START_TEST(an_upgrade_knows_the_manager)
{
	const char *name = place_at("manager");
	int manager = listen_as(name);
	long long before;
	pid_t daemon;

	NEEDS_ROOT;
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", name, 1), 0);
	daemon = upgrade_start_installed();
	hear_that(manager, "READY=1");
	upgrade_now();
	hear_that(manager, "READY=1");
	before = wait_now();
	reload(0);
	hear_reload(manager, before);
	daemon_end(daemon, SIGTERM);
	hear_that(manager, "STOPPING=1");
	hear_no_more(manager);
	(void)close(manager);
}
END_TEST

/* Clients are in the environment of a unit too, as its ExecReload. */
START_TEST(only_a_daemon_that_is_asked_to_tells)
{
	const char *name = place_at("manager");
	int manager = listen_as(name);
	pid_t daemon;

	NEEDS_ROOT;
	ck_assert_int_eq(unsetenv("NOTIFY_SOCKET"), 0);
	daemon = daemon_start();
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", name, 1), 0);
	reload(0);
	daemon_end(daemon, SIGTERM);
	hear_no_more(manager);
	(void)close(manager);
}
END_TEST

START_TEST(a_manager_that_is_gone_is_no_harm)
{
	pid_t daemon;
	char *log;

	NEEDS_ROOT;
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", place_at("nobody"), 1), 0);
	daemon = daemon_start();
	reload(0);
	daemon_end(daemon, SIGTERM);
	log = file_text(place()->log);
	ck_assert_ptr_nonnull(strstr(log, "NOTIFY_SOCKET: No such file"));
	free(log);
}
END_TEST

Suite *
process_notify(void)
{
	Suite *suite = suite_create("notify");

	PLACE_CASE(suite, start_reload_and_stop_are_told);
	PLACE_CASE(suite, an_abstract_socket_is_told);
	PLACE_CASE(suite, a_reload_that_fails_is_over);
	PLACE_CASE(suite, an_upgrade_knows_the_manager);
	PLACE_CASE(suite, only_a_daemon_that_is_asked_to_tells);
	PLACE_CASE(suite, a_manager_that_is_gone_is_no_harm);
	return (suite);
}
