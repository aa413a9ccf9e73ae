/*
 * Through other people's programs: container runtimes, nc, and a client in another language.
 */
#include "config.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_bundle.h"
#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_file.h"
#include "fixture_inside.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "fixture_suites.h"
#include "fixture_wait.h"

/* How a program is run in a container: the words before its own. */
struct container {
	const char *words[4];
	const char *id; /* what -j takes */
};

static void
container_exec(const struct container *container, struct outcome *outcome, const char *one,
	       const char *two, const char *three, const char *four)
{
	const char *const words[] = {container->words[0],
				     container->words[1],
				     container->words[2],
				     container->words[3],
				     one,
				     two,
				     three,
				     four};
	struct launch launch = {.argv = NULL};
	char *argv[9];
	size_t i, count = 0;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i] != NULL)
			argv[count++] = (char *)(uintptr_t)words[i];
	argv[count] = NULL;
	launch.argv = argv;
	exec_run(outcome, &launch);
}

/* The whole way: register, see the title with the container's ps, press with its pkill, see the
 * effect, twice. */
static void
container_presses(const struct container *container, const char *title)
{
	struct outcome outcome;
	char command[256];
	int probe, round;

	(void)snprintf(command, sizeof(command), "echo run >> %s", place_at(title));
	daemon_client(&outcome, "-c", command, "-j", container->id, "-t", title, "-r", NULL);
	ck_assert_msg(outcome.exit == 0, "-j %s: %s", container->id, outcome.err);
	probe = atoi(outcome.out);
	outcome_free(&outcome);
	for (round = 1; round <= 2; round++) {
		container_exec(container, &outcome, "/bin/ps", "-o", "args", NULL);
		ck_assert_msg(strstr(outcome.out, title) != NULL, "%s%s", outcome.out, outcome.err);
		ck_assert_ptr_nonnull(strstr(outcome.out, "jaildaemon: "));
		outcome_free(&outcome);
		container_exec(container, &outcome, "/usr/bin/pkill", "-HUP", "-f", title);
		ck_assert_msg(outcome.exit == 0, "pkill: %d: %s", outcome.exit, outcome.err);
		outcome_free(&outcome);
		file_wait_lines(place_at(title), round);
		probe_wait_state(probe, "armed");
	}
}

/* The pid of the init, from what a program prints. */
static const char *
first_number(char *text)
{
	char *start = text + strcspn(text, "0123456789");

	start[strspn(start, "0123456789")] = '\0';
	ck_assert_msg(*start != '\0', "no pid was told");
	return (start);
}

static const char *
runc_start(void)
{
	static char reason[256];
	struct outcome outcome;
	char command[256];

	bundle_describe();
	(void)snprintf(command, sizeof(command), "runc delete -f %s 2>/dev/null", bundle_name());
	place_afterwards(command);
	/* Through a shell: what goes on must not hold our pipes. */
	(void)snprintf(command, sizeof(command),
		       "runc run -d -b '%s' --pid-file '%s' %s </dev/null >'%s' 2>&1", place()->dir,
		       place_at("init"), bundle_name(), place_at("runc.log"));
	exec_words(&outcome, "/bin/sh", "-c", command, NULL);
	(void)snprintf(reason, sizeof(reason), "runc does not start a container here: %.180s",
		       file_text(place_at("runc.log")));
	reason[strcspn(reason, "\n")] = '\0';
	return (outcome.exit == 0 ? NULL : reason);
}

START_TEST(runc_container_presses)
{
	struct container container = {.words = {"runc", "exec", NULL, NULL}};
	const char *reason = NULL;
	char *init;

	NEEDS_ROOT;
	SKIP_UNLESS(place_tool("runc") != NULL, "no runc here");
	SKIP_UNLESS(!host_in_chroot(), "in a chroot runc exec stands in the real root");
	SKIP_UNLESS(place_tool("pkill") != NULL, "no pkill here");
	SKIP_UNLESS(bundle_root(&reason) != NULL, reason);
	reason = runc_start();
	SKIP_UNLESS(reason == NULL, reason);
	(void)daemon_start();
	container.words[2] = bundle_name();
	init = file_text(place_at("init"));
	container.id = first_number(init);
	container_presses(&container, "BY_NUMBER");
	json_decref(ctl_ask_ok("{\"op\":\"stop\"}"));
	file_wait_exists(place()->pidfile, false);
	(void)daemon_start();
	container.id = bundle_name();
	container_presses(&container, "BY_NAME");
	free(init);
}
END_TEST

struct lxc {
	pid_t pid;
	char init[16];
};

/* Does the container run, or has its program given up? */
static bool
lxc_is_settled(void *arg)
{
	struct lxc *lxc = arg;
	struct outcome outcome;

	exec_words(&outcome, "lxc-info", "-pHn", bundle_name(), NULL);
	(void)snprintf(lxc->init, sizeof(lxc->init), "%s", outcome.out);
	lxc->init[strspn(lxc->init, "0123456789")] = '\0';
	outcome_free(&outcome);
	return (lxc->init[0] != '\0' || exec_gone(lxc->pid));
}

static const char *
lxc_start(struct lxc *lxc)
{
	const char *words[] = {
	    "lxc-execute", "-n",	 bundle_name(), "-f", bundle_lxc(bundle_name()),
	    "--",	   "/bin/sleep", "3600",	NULL};
	static char reason[256];
	struct launch launch = {.log = place_at("lxc.log")};
	char *argv[16], command[256];
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		argv[i] = (char *)(uintptr_t)words[i];
	launch.argv = argv;
	(void)snprintf(
	    command, sizeof(command),
	    "for d in /sys/fs/cgroup/lxc.*.%s /sys/fs/cgroup/*/lxc.*.%s; do rmdir $d/.lxc $d; done 2>/dev/null",
	    bundle_name(), bundle_name());
	place_afterwards(command);
	lxc->pid = exec_start(&launch);
	ck_assert(wait_until(lxc_is_settled, lxc));
	(void)snprintf(reason, sizeof(reason),
		       "lxc-execute does not start a container here: %.180s",
		       file_text(place_at("lxc.log")));
	reason[strcspn(reason, "\n")] = '\0';
	return (lxc->init[0] != '\0' ? NULL : reason);
}

START_TEST(lxc_container_presses)
{
	struct container container = {.words = {"lxc-attach", "-n", NULL, "--"}};
	const char *reason = NULL;
	struct lxc lxc;

	NEEDS_ROOT;
	SKIP_UNLESS(place_tool("lxc-execute") != NULL, "no lxc-execute here");
	SKIP_UNLESS(place_tool("pkill") != NULL, "no pkill here");
	SKIP_UNLESS(bundle_root(&reason) != NULL, reason);
	reason = lxc_start(&lxc);
	SKIP_UNLESS(reason == NULL, reason);
	(void)daemon_start();
	container.words[2] = bundle_name();
	container.id = lxc.init;
	container_presses(&container, "BY_NUMBER");
	json_decref(ctl_ask_ok("{\"op\":\"stop\"}"));
	file_wait_exists(place()->pidfile, false);
	(void)daemon_start();
	container.id = bundle_name();
	container_presses(&container, "BY_NAME");
}
END_TEST

/* nc ends by itself, whatever its make: after one request, after three, and when nothing follows.
 */
static void
nc_prints(const char *input, int lines)
{
	char *argv[] = {(char *)(uintptr_t) "nc", (char *)(uintptr_t) "-U",
			(char *)(uintptr_t)place()->sock, NULL};
	struct launch launch = {.argv = argv, .input = input};
	struct outcome outcome;
	const char *at;
	int count = 0;

	exec_run(&outcome, &launch);
	ck_assert_msg(outcome.exit == 0, "nc: %s", outcome.err);
	for (at = outcome.out; (at = strstr(at, "\"ok\":true")) != NULL; at++)
		count++;
	ck_assert_msg(count == lines, "%d answers and not %d: %s", count, lines, outcome.out);
	outcome_free(&outcome);
}

START_TEST(plain_nc_gets_its_answers)
{
	NEEDS_ROOT;
	SKIP_UNLESS(place_tool("nc") != NULL, "no nc here");
	(void)daemon_start();
	nc_prints("{\"op\":\"list\"}\n", 1);
	nc_prints(
	    "{\"op\":\"list\",\"id\":1}\n{\"op\":\"ping\",\"id\":2}\n{\"op\":\"status\",\"id\":3}\n",
	    3);
}
END_TEST

/* A shell that keeps its side open, as nc without -N does for ever: the daemon hangs up. */
START_TEST(nc_ends_though_its_input_does_not)
{
	struct outcome outcome;
	char command[512];
	int fifo;

	NEEDS_ROOT;
	SKIP_UNLESS(place_tool("nc") != NULL, "no nc here");
	(void)daemon_start();
	fifo = file_fifo(place_at("fifo")); /* which we hold open */
	ck_assert_int_eq(write(fifo, "{\"op\":\"list\"}\n", 14), 14);
	(void)snprintf(command, sizeof(command), "exec nc -U '%s' < '%s'", place()->sock,
		       place_at("fifo"));
	exec_words(&outcome, "/bin/sh", "-c", command, NULL);
	ck_assert_ptr_nonnull(strstr(outcome.out, "\"ok\":true"));
	outcome_free(&outcome);
}
END_TEST

static const char python_client[] =
    "import json, socket, sys\n"
    "s = socket.socket(socket.AF_UNIX)\n"
    "s.connect(sys.argv[1])\n"
    "f = s.makefile('rw', encoding='utf-8')\n"
    "def ask(**request):\n"
    "    f.write(json.dumps(dict(request, keep=True), ensure_ascii=False) + '\\n')\n"
    "    f.flush()\n"
    "    return json.loads(f.readline())\n"
    "assert ask(op='ping', id='\\u00e4')['id'] == '\\u00e4'\n"
    "probe = ask(op='add', jail=int(sys.argv[2]), command='echo from python', title='PY', respawn='after')['probe']\n"
    "assert probe['state'] == 'armed', probe\n"
    "number = probe['probe']\n"
    "assert [p['probe'] for p in ask(op='list')['probes']] == [number]\n"
    "assert ask(op='trigger', probe=number)['ok']\n"
    "while True:\n"
    "    probe = ask(op='get', probe=number)['probe']\n"
    "    if probe['last'] and probe['last']['finished'] and probe['state'] == 'armed':\n"
    "        break\n"
    "assert ask(op='output', probe=number)['output'] == 'from python\\n'\n"
    "assert ask(op='get', probe=4711)['error']['code'] == 'no-such-probe'\n"
    "assert ask(op='remove', probe=number)['probe']['state'] == 'gone'\n"
    "assert ask(op='list')['probes'] == []\n"
    "print('all of it')\n";

START_TEST(python_client_keeps_a_connection)
{
	struct outcome outcome;
	struct jailfix *jail;

	NEEDS_ROOT;
	SKIP_UNLESS(place_tool("python3") != NULL, "no python3 here");
	jail = probe_jail();
	(void)daemon_start();
	exec_words(&outcome, "python3", "-c", python_client, place()->sock, probe_jid(jail), NULL);
	ck_assert_msg(outcome.exit == 0, "%s", outcome.err);
	ck_assert_str_eq(outcome.out, "all of it\n");
	outcome_free(&outcome);
}
END_TEST

Suite *
process_runtimes(void)
{
	Suite *suite = suite_create("runtimes");

	PLACE_CASE(suite, runc_container_presses);
	PLACE_CASE(suite, lxc_container_presses);
	PLACE_CASE(suite, plain_nc_gets_its_answers);
	PLACE_CASE(suite, nc_ends_though_its_input_does_not);
	PLACE_CASE(suite, python_client_keeps_a_connection);
	return (suite);
}
