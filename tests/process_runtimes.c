/*
 * Through other people's programs: container runtimes, nc, and a client in another language.
 */
#include "config.h"

#include <sys/stat.h>

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_bundle.h"
#include "fixture_container.h"
#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_file.h"
#include "fixture_inside.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "fixture_suites.h"
#include "fixture_wait.h"
#include "jailfix_names.h"

/* By number, by name, and by name with the runtime's prefix. */
static void
presses(const char *test, const char *(*start)(struct container *))
{
	struct container container = {.name = NULL};
	const char *reason = place_is_root() ? start(&container) : "needs root";
	char prefixed[128];

	if (reason != NULL) {
		place_skip(test, reason);
		return;
	}
	(void)daemon_start();
	container_presses(&container, container.number, "BY_NUMBER");
	if (container.runtime == NULL)
		return;
	json_decref(ctl_ask_ok("{\"op\":\"stop\"}"));
	file_wait_exists(place()->pidfile, false);
	(void)daemon_start();
	container_presses(&container, container.name, "BY_NAME");
	(void)snprintf(prefixed, sizeof(prefixed), "%s:%s", container.runtime, container.name);
	container_presses(&container, prefixed, "WITH_PREFIX");
}

START_TEST(runc_container_presses)
{
	presses(__func__, container_runc);
}
END_TEST

START_TEST(crun_container_presses)
{
	presses(__func__, container_crun);
}
END_TEST

START_TEST(podman_container_presses)
{
	presses(__func__, container_podman);
}
END_TEST

START_TEST(lxc_container_presses)
{
	presses(__func__, container_lxc);
}
END_TEST

START_TEST(nspawn_container_presses)
{
	presses(__func__, container_nspawn);
}
END_TEST

START_TEST(bwrap_container_presses)
{
	presses(__func__, container_bwrap);
}
END_TEST

/* ---- runtimes that are not here: jails of our own, and the files that these runtimes write ----
 */

/* The jail that is found by this name. */
static void
named_is(const char *name, const struct jailfix *jail)
{
	char request[512];
	json_t *answer;

	(void)snprintf(request, sizeof(request),
		       "{\"op\":\"add\",\"jail\":\"%s\",\"command\":\"true\"}", name);
	answer = ctl_ask_ok(request);
	ck_assert_int_eq(ctl_int(ctl_member(answer, "probe"), "jid"), jailfix_number(jail));
	json_decref(answer);
}

static void
named_is_refused(const char *name, const char *mentions)
{
	char request[512];

	(void)snprintf(request, sizeof(request),
		       "{\"op\":\"add\",\"jail\":\"%s\",\"command\":\"true\"}", name);
	ctl_ask_refused(request, "no-such-jail", mentions);
}

/* A name and nothing else; another container's name that begins so is not meant. */
static void
found_by_file(const char *prefixed)
{
	const char *plain = strchr(prefixed, ':') + 1;
	struct jailfix *jail;
	char longer[64];

	SKIP_UNLESS(jailfix_numbers_are_pids(), "jails have names of their own here");
	jail = probe_jail();
	jailfix_names_begin();
	jailfix_call(jail, prefixed);
	(void)daemon_start();
	named_is(plain, jail);
	named_is(prefixed, jail);
	(void)snprintf(longer, sizeof(longer), "%.*s", (int)strlen(plain) - 1, plain);
	named_is_refused(longer, longer);
	(void)snprintf(longer, sizeof(longer), "lxc:%s", plain);
	named_is_refused(longer, longer);
}

START_TEST(docker_names)
{
	NEEDS_ROOT;
	found_by_file("docker:web");
}
END_TEST

START_TEST(podman_names)
{
	NEEDS_ROOT;
	found_by_file("podman:web");
}
END_TEST

START_TEST(containerd_ids)
{
	NEEDS_ROOT;
	found_by_file("containerd:web");
}
END_TEST

/* The directory of a hierarchy of cgroups to make more in; null: none may be made here. */
static const char *
cgroups(void)
{
	static const char *const roots[] = {"/sys/fs/cgroup/unified", "/sys/fs/cgroup",
					    "/sys/fs/cgroup/pids"};
	char path[64];
	size_t i;

	for (i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/cgroup.procs", roots[i]);
		if (access(path, W_OK) == 0)
			return (roots[i]);
	}
	return (NULL);
}

/* Incus has LXC make the cgroup; that it is one of Incus, only its own directory tells. */
START_TEST(incus_names)
{
	const char *root = cgroups(), *name = bundle_name();
	struct jailfix *jail;
	char path[256], text[300];

	NEEDS_ROOT;
	SKIP_UNLESS(root != NULL, "no cgroups to make here");
	jail = probe_jail();
	jailfix_names_begin();
	(void)snprintf(path, sizeof(path), "%s/lxc.payload.%s", root, name);
	(void)snprintf(text, sizeof(text), "rmdir '%s'", path);
	place_afterwards(text);
	SKIP_UNLESS(mkdir(path, 0755) == 0, "no cgroups to make here");
	(void)snprintf(path, sizeof(path), "%s/lxc.payload.%s/cgroup.procs", root, name);
	(void)snprintf(text, sizeof(text), "%lld\n", (long long)jailfix_number(jail));
	file_write(path, text);
	(void)daemon_start();
	(void)snprintf(text, sizeof(text), "incus:%s", name);
	named_is_refused(text, text);
	(void)snprintf(path, sizeof(path), "/run/incus/%s", name);
	ck_assert(mkdir("/run/incus", 0711) == 0 && mkdir(path, 0700) == 0);
	named_is(text, jail);
	named_is(name, jail);
}
END_TEST

START_TEST(several_of_one_name_are_told)
{
	struct jailfix *jails[2];

	NEEDS_ROOT;
	SKIP_UNLESS(jailfix_numbers_are_pids(), "names are unique here");
	jails[0] = probe_jail();
	jails[1] = probe_jail();
	jailfix_names_begin();
	jailfix_call(jails[0], "docker:web");
	jailfix_call(jails[1], "podman:web");
	(void)daemon_start();
	named_is_refused("web", "docker:web");
	named_is_refused("web", "podman:web");
	named_is("docker:web", jails[0]);
	named_is("podman:web", jails[1]);
}
END_TEST

START_TEST(one_that_two_know_is_one)
{
	struct jailfix *jail;

	NEEDS_ROOT;
	SKIP_UNLESS(jailfix_numbers_are_pids(), "names are unique here");
	jail = probe_jail();
	jailfix_names_begin();
	jailfix_call(jail, "docker:web");
	jailfix_call(jail, "machined:web");
	(void)daemon_start();
	named_is("web", jail);
}
END_TEST

static const char podman_list[] = "/var/lib/containers/storage/overlay-containers/containers.json";

/* An id is a path's part, and nothing that leads elsewhere. */
START_TEST(ids_lead_nowhere_else)
{
	struct jailfix *jail;

	NEEDS_ROOT;
	SKIP_UNLESS(jailfix_numbers_are_pids(), "names are unique here");
	jail = probe_jail();
	jailfix_names_begin();
	jailfix_call(jail, "podman:web");
	jailfix_call(jail, "runc:plain");
	file_write(podman_list, "[{\"id\":\"plain\",\"names\":[\"good\"]},"
				"{\"id\":\"../runc/plain\",\"names\":[\"up\"]},"
				"{\"id\":\"pl*\",\"names\":[\"star\"]},"
				"{\"id\":7,\"names\":[\"number\"]},{\"names\":[\"none\"]},"
				"{\"id\":\"plain\",\"names\":{\"a\":\"object\"}},[\"array\"],7]");
	(void)daemon_start();
	named_is("podman:good", jail);
	named_is_refused("up", "up");
	named_is_refused("star", "star");
	named_is_refused("number", "number");
	named_is_refused("none", "none");
	named_is_refused("object", "object");
	named_is_refused("array", "array");
}
END_TEST

/* However large a list is, looking into it must not take the daemon's time, nor its memory. */
START_TEST(endless_lists_are_not_read)
{
	struct jailfix *jail;

	NEEDS_ROOT;
	SKIP_UNLESS(jailfix_numbers_are_pids(), "names are unique here");
	jail = probe_jail();
	jailfix_names_begin();
	jailfix_call(jail, "podman:web");
	(void)daemon_start();
	named_is("web", jail);
	ck_assert_int_eq(truncate(podman_list, (off_t)1 << 32), 0);
	named_is_refused("web", "web");
	ck_assert_int_eq(unlink(podman_list), 0);
	ck_assert_int_eq(mkfifo(podman_list, 0600), 0);
	named_is_refused("web", "web");
}
END_TEST

/* ---- other clients ---- */

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
	PLACE_CASE(suite, crun_container_presses);
	PLACE_CASE(suite, podman_container_presses);
	PLACE_CASE(suite, lxc_container_presses);
	PLACE_CASE(suite, nspawn_container_presses);
	PLACE_CASE(suite, bwrap_container_presses);
	PLACE_CASE(suite, docker_names);
	PLACE_CASE(suite, podman_names);
	PLACE_CASE(suite, containerd_ids);
	PLACE_CASE(suite, incus_names);
	PLACE_CASE(suite, several_of_one_name_are_told);
	PLACE_CASE(suite, one_that_two_know_is_one);
	PLACE_CASE(suite, ids_lead_nowhere_else);
	PLACE_CASE(suite, endless_lists_are_not_read);
	PLACE_CASE(suite, plain_nc_gets_its_answers);
	PLACE_CASE(suite, nc_ends_though_its_input_does_not);
	PLACE_CASE(suite, python_client_keeps_a_connection);
	return (suite);
}
