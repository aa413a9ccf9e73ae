/*
 * Numbers that are used again: the pid of a dead probe inside, and that of a dead jail's init on
 * the host. The second is made to happen in a pid namespace of the test's own, in which the daemon
 * runs as well.
 */
#include "config.h"

#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach_wire.h"
#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_exec.h"
#include "fixture_file.h"
#include "fixture_inside.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "hostile.h"
#include "hostile_adds.h"
#include "hostile_host.h"
#include "hostile_linux.h"

#define CHOSEN 20000 /* the pid of both jails' inits */

/* The next process in our pid namespace gets this pid, if it is free. */
static bool
choose_next_pid(pid_t pid)
{
	int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
	char text[16];
	bool done;

	(void)snprintf(text, sizeof(text), "%d", (int)pid - 1);
	done = fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	if (fd != -1)
		(void)close(fd);
	return (done);
}

/* ---- inside ---- */

static int
imitate_body(void *arg)
{
	pid_t wanted = *(const pid_t *)arg, pid;
	int attempt;

	for (attempt = 0; attempt < 100; attempt++) {
		if (!choose_next_pid(wanted))
			return (2);
		if ((pid = fork()) == 0)
			_exit(PROBE_EXIT_TRIGGERED);
		(void)waitpid(pid, NULL, 0);
		if (pid == wanted)
			return (0);
	}
	return (1);
}

START_TEST(process_with_a_dead_probes_pid_triggers_nothing)
{
	struct attacker attacker = {NULL, RIGHTS_ALL, 0, imitate_body, NULL};
	struct jailfix *jail;
	int probe, turn;
	pid_t inner;

	NEEDS_JAIL(jail, false);
	(void)daemon_start();
	attacker.jail = jail;
	attacker.arg = &inner;
	for (turn = 0; turn < 3; turn++) {
		probe = hostile_target(jail);
		inner = linux_inner_pid((pid_t)probe_int(probe, "pid"));
		ck_assert_int_eq(inside_signal(jail, INSIDE_ROOT, inner, SIGKILL), 0);
		probe_wait_state(probe, "gone");
		ck_assert_int_eq(attacker_run(&attacker), 0);
	}
	probe_sentinel(jail);
	hostile_expect_no_run();
}
END_TEST

/* ---- a world of its own ---- */

static void
enter_world(void (*body)(void))
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("proc", "/proc", "proc", 0, NULL) != 0)
		_exit(2);
	(void)host_reaper();
	body();
	_exit(0);
}

/* Runs body in a new pid namespace with a /proc of its own; false when there can be none. A failure
 * in there has been told by the time the world ends. */
static bool
in_a_world(void (*body)(void))
{
	pid_t world, maker = fork();
	int status;

	ck_assert_int_ne(maker, -1);
	if (maker == 0) {
		if (unshare(CLONE_NEWPID | CLONE_NEWNS) != 0)
			_exit(2);
		if ((world = fork()) == 0)
			enter_world(body);
		if (world == -1 || waitpid(world, &status, 0) != world)
			_exit(2);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
	}
	ck_assert_int_eq(waitpid(maker, &status, 0), maker);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
		return (false);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		exit(1);
	return (true);
}

#define WORLD_TEST(name, body) \
	START_TEST(name) \
	{ \
		NEEDS_ROOT; \
		SKIP_UNLESS(in_a_world(body), "no pid namespace, or no /proc of its own"); \
	} \
	END_TEST

/* A jail whose init has the chosen pid. The one that its helper has comes just before. */
static struct jailfix *
chosen_jail(void)
{
	const char *reason = NULL;
	struct jailfix *jail;
	int attempt;

	for (attempt = 0; attempt < 20; attempt++) {
		ck_assert(choose_next_pid(CHOSEN - 1));
		jail = hostile_jail(false, &reason);
		ck_assert_msg(jail != NULL, "%s", reason);
		if (jailfix_number(jail) == CHOSEN)
			return (jail);
		jailfix_end(jail);
	}
	ck_abort_msg("no jail gets the pid that was chosen");
	return (NULL);
}

/* The next jail with the number of the one that ended, and nothing of that one's may be in it. */
static void
expect_untouched(struct jailfix *next, struct jailfix *other)
{
	probe_sentinel(other);
	probe_sentinel(other);
	ck_assert_msg(!inside_mentions(next, hostile_inside()),
		      "the probe was put into another jail with the same number");
	hostile_expect_no_run();
}

/* Kills it until the next attempt to arm it again is most of a second away. */
static void
kill_until_patient(int probe)
{
	int kills;

	for (kills = 0; kills < 4; kills++) {
		probe_wait_state(probe, "armed");
		ck_assert_int_eq(kill((pid_t)probe_int(probe, "pid"), SIGKILL), 0);
		probe_wait_state(probe, "starting");
	}
}

static int
respawning_target(const struct jailfix *jail, const char *respawn)
{
	return (probe_add(jail, "{s:s,s:s,s:s}", "command", hostile_command_text(), "title",
			  hostile_title(), "respawn", respawn));
}

static void
respawning_world(void)
{
	struct jailfix *jail, *next, *other = probe_jail();
	pid_t daemon = daemon_start();
	int probe;

	jail = chosen_jail();
	probe = respawning_target(jail, "after");
	kill_until_patient(probe);
	ck_assert_int_eq(kill(daemon, SIGSTOP), 0);
	jailfix_end(jail);
	next = chosen_jail();
	ck_assert_int_eq(kill(daemon, SIGCONT), 0);
	probe_wait_state(probe, "gone");
	expect_untouched(next, other);
}
WORLD_TEST(respawning_probe_never_enters_the_next_jail_with_its_number, respawning_world)

/* The command is still running when its jail's number is given to another. */
static void
running_world(void)
{
	struct jailfix *jail, *next, *other = probe_jail();
	int probe, fifo = file_fifo(place_at("fifo"));
	char command[256];

	(void)daemon_start();
	jail = chosen_jail();
	(void)snprintf(command, sizeof(command), "read x < %s", place_at("fifo"));
	probe = probe_add(jail, "{s:s,s:s,s:s}", "command", command, "title", hostile_title(),
			  "respawn", "after");
	inside_press(jail, hostile_inside());
	probe_wait_state(probe, "running");
	jailfix_end(jail);
	next = chosen_jail();
	file_release(fifo, 1);
	probe_wait_state(probe, "gone");
	expect_untouched(next, other);
}
WORLD_TEST(probe_whose_jail_ended_during_the_run_never_enters_the_next, running_world)

/* Tells the daemon, as systemd-machined would, that this jail has a name. */
static void
give_name(const struct jailfix *jail, const char *name)
{
	char path[64], text[64];

	(void)snprintf(path, sizeof(path), "/run/systemd/machines/%s", name);
	(void)snprintf(text, sizeof(text), "LEADER=%ld\n", jailfix_number(jail));
	file_write(path, text);
}

static int
sticky_by_name(const char *name)
{
	char request[256];
	json_t *answer;
	int probe;

	(void)snprintf(request, sizeof(request),
		       "{\"op\":\"add\",\"jail\":\"%s\",\"command\":\"true\",\"sticky\":true}",
		       name);
	answer = ctl_ask_ok(request);
	probe = (int)ctl_int(ctl_member(answer, "probe"), "probe");
	json_decref(answer);
	return (probe);
}

/* A sticky probe waits for its jail by what it was called. A pid is no name: the next process that
 * has it may be anybody. The probe of a named jail tells when the daemon has looked again. */
static void
sticky_world(void)
{
	struct jailfix *jail, *next, *other = probe_jail();
	json_t *answer;
	int named;

	ck_assert_int_eq(mount("tmpfs", "/run", "tmpfs", 0, NULL), 0);
	ck_assert_int_eq(mkdir("/run/systemd", 0755), 0);
	ck_assert_int_eq(mkdir("/run/systemd/machines", 0755), 0);
	(void)daemon_start();
	jail = chosen_jail();
	answer = probe_ask(jail, "{s:s,s:s,s:b}", "command", hostile_command_text(), "title",
			   hostile_title(), "sticky", 1);
	if (!ctl_true(answer, "ok")) {
		ctl_refused(answer, "bad-request", "sticky");
		return;
	}
	json_decref(answer);
	jailfix_end(jail);
	next = chosen_jail();
	named = sticky_by_name("jdtest-named");
	give_name(other, "jdtest-named");
	probe_wait_state(named, "armed");
	expect_untouched(next, other);
}
WORLD_TEST(sticky_probe_never_enters_the_next_jail_with_its_number, sticky_world)

/* ---- a peer that has ended, and whose pid is by now that of a process of the host ---- */

struct asking {
	int directory; /* the socket's */
	char request[512];
};

static int
ask_and_leave(void *arg)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "s"};
	const struct asking *asking = arg;
	const char *request = asking->request;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fchdir(asking->directory) != 0 ||
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		return (1);
	return (send(fd, request, strlen(request), MSG_NOSIGNAL) > 0 ? 0 : 2);
}

/* A process of the host with this pid; it sits there until the test is over. */
static bool
sit_on_pid(pid_t wanted)
{
	int attempt;
	pid_t pid;

	for (attempt = 0; attempt < 20; attempt++) {
		ck_assert(choose_next_pid(wanted));
		if ((pid = fork()) == 0)
			for (;;)
				(void)pause();
		if (pid == wanted)
			return (true);
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
	}
	return (false);
}

/* The attacker was handed the socket's directory, connects while the daemon is busy, and is
 * dead and gone when the daemon looks who it was. */
static void
peer_world(void)
{
	struct jailfix *jail = probe_jail();
	struct asking asking = {.directory = open(place()->dir, O_PATH | O_CLOEXEC)};
	struct attacker attacker = {jail, RIGHTS_ALL, 0, ask_and_leave, &asking};
	pid_t daemon = daemon_start(), peer;

	(void)snprintf(asking.request, sizeof(asking.request),
		       "{\"op\":\"add\",\"jail\":%ld,\"command\":\"%s\",\"title\":\"FORGED\"}\n",
		       jailfix_number(jail), hostile_command_text());
	ck_assert_int_eq(kill(daemon, SIGSTOP), 0);
	peer = attacker_start(&attacker);
	ck_assert_int_eq(exec_wait(peer), 0);
	ck_assert_msg(sit_on_pid(peer), "the peer's pid can't be had");
	ck_assert_int_eq(kill(daemon, SIGCONT), 0);
	ck_assert(ctl_alive());
	ck_assert_int_eq(probe_listed(), 0);
	file_wait_text(place()->log, "event=denied");
}
WORLD_TEST(pid_of_a_dead_peer_vouches_for_nobody, peer_world)

Suite *
hostile_reuse(void)
{
	Suite *suite = suite_create("reuse");

	PLACE_CASE(suite, process_with_a_dead_probes_pid_triggers_nothing);
	PLACE_CASE(suite, respawning_probe_never_enters_the_next_jail_with_its_number);
	PLACE_CASE(suite, probe_whose_jail_ended_during_the_run_never_enters_the_next);
	PLACE_CASE(suite, sticky_probe_never_enters_the_next_jail_with_its_number);
	PLACE_CASE(suite, pid_of_a_dead_peer_vouches_for_nobody);
	return (suite);
}
