#include "config.h"

#include "fixture_container.h"

#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_bundle.h"
#include "fixture_daemon.h"
#include "fixture_file.h"
#include "fixture_inside.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "fixture_wait.h"
#include "jailfix_names.h"

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

void
container_presses(const struct container *container, const char *jail, const char *title)
{
	struct outcome outcome;
	char command[256];
	int probe, round;

	(void)snprintf(command, sizeof(command), "echo run >> %s", place_at(title));
	daemon_client(&outcome, "-c", command, "-j", jail, "-t", title, "-r", NULL);
	ck_assert_msg(outcome.exit == 0, "-j %s: %s", jail, outcome.err);
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

/* What every container here needs, and the program that runs it. Who enters a container's mount namespace stands in
 * its real root, beneath a chroot. */
static const char *
lacking(const char *program)
{
	static char reason[64];
	const char *why = NULL;

	(void)snprintf(reason, sizeof(reason), "no %s here", program);
	if (place_tool(program) == NULL)
		return (reason);
	if (place_tool("pkill") == NULL)
		return ("no pkill here");
	if (host_in_chroot())
		return ("in a chroot exec stands in the real root");
	return (bundle_root(&why) == NULL ? why : NULL);
}

/* The first number in a text; false: there is none. */
static bool
take_number(struct container *container, const char *text)
{
	const char *start = text + strcspn(text, "0123456789");

	(void)snprintf(container->number, sizeof(container->number), "%.*s",
		       (int)strspn(start, "0123456789"), start);
	return (container->number[0] != '\0');
}

static bool
take_number_in(struct container *container, const char *path)
{
	char *text;
	bool found;

	if (!file_exists(path))
		return (false);
	text = file_text(path);
	found = take_number(container, text);
	free(text);
	return (found);
}

/* The first line that a program wrote before it gave up. */
static const char *
gave_up(const char *program)
{
	static char reason[256];
	char *text = file_text(place_at("runtime.log"));

	(void)snprintf(reason, sizeof(reason), "%s does not start a container here: %.180s",
		       program, text);
	reason[strcspn(reason, "\n")] = '\0';
	free(text);
	return (reason);
}

/* Through a shell: what goes on must not hold our pipes. */
static bool
shell_succeeds(const char *command)
{
	char script[2048];
	struct outcome outcome;
	bool succeeded;

	(void)snprintf(script, sizeof(script), "exec </dev/null >'%s' 2>&1\n%s",
		       place_at("runtime.log"), command);
	exec_words(&outcome, "/bin/sh", "-c", script, NULL);
	succeeded = outcome.exit == 0;
	outcome_free(&outcome);
	return (succeeded);
}

/* For a program that stays: waits until the container's first process is known, or it has given up.
 */
struct staying {
	struct container *container;
	bool (*look)(const struct staying *staying);
	pid_t pid;
};

static bool
is_settled(void *arg)
{
	struct staying *staying = arg;

	return (staying->look(staying) || exec_gone(staying->pid));
}

static bool
starts_and_stays(struct staying *staying, const char *command)
{
	char shell[] = "/bin/sh", option[] = "-c", script[2048];
	char *argv[] = {shell, option, script, NULL};
	struct launch launch = {.argv = argv, .log = place_at("runtime.log")};

	(void)snprintf(script, sizeof(script), "exec %s", command);
	staying->pid = exec_start(&launch);
	ck_assert(wait_until(is_settled, staying));
	return (staying->container->number[0] != '\0');
}

/* ---- runc and crun ---- */

static const char *
oci_start(struct container *container, const char *program, const char *options)
{
	char command[512];

	bundle_describe();
	(void)snprintf(command, sizeof(command), "%s delete -f %s 2>/dev/null", program,
		       bundle_name());
	place_afterwards(command);
	(void)snprintf(command, sizeof(command), "%s %s run -d -b '%s' --pid-file '%s' %s", program,
		       options, place()->dir, place_at("init"), bundle_name());
	if (!shell_succeeds(command))
		return (gave_up(program));
	ck_assert(take_number_in(container, place_at("init")));
	container->runtime = container->words[0] = program;
	container->words[1] = "exec";
	container->name = container->words[2] = bundle_name();
	return (NULL);
}

const char *
container_runc(struct container *container)
{
	const char *reason = lacking("runc");

	return (reason != NULL ? reason : oci_start(container, "runc", ""));
}

/* Which without a manager of cgroups starts only where it sees no second kind of them. */
const char *
container_crun(struct container *container)
{
	const char *reason = lacking("crun");

	if (reason != NULL)
		return (reason);
	jailfix_names_begin();
	(void)shell_succeeds("umount -a -t cgroup2");
	return (oci_start(container, "crun", "--cgroup-manager=disabled"));
}

/* ---- podman ---- */

/* As little as possible of the host: no service manager, no network, no images. */
static void
podman_configure(void)
{
	file_write(place_at("containers.conf"),
		   "[containers]\n"
		   "default_ulimits = [\"nofile=1024:1024\", \"nproc=1000:1000\"]\n"
		   "netns = \"none\"\n"
		   "[engine]\n"
		   "runtime = \"runc\"\n"
		   "cgroup_manager = \"cgroupfs\"\n"
		   "events_logger = \"file\"\n");
	file_write(place_at("storage.conf"), "[storage]\n"
					     "driver = \"vfs\"\n"
					     "graphroot = \"/var/lib/containers/storage\"\n"
					     "runroot = \"/run/containers/storage\"\n");
	ck_assert_int_eq(setenv("CONTAINERS_CONF", place_at("containers.conf"), 1), 0);
	ck_assert_int_eq(setenv("CONTAINERS_STORAGE_CONF", place_at("storage.conf"), 1), 0);
}

/* All that it keeps is the test's own, its locks too, and so is the name. */
const char *
container_podman(struct container *container)
{
	const char *reason = lacking("podman");
	char command[1024];

	if (reason != NULL)
		return (reason);
	jailfix_names_begin();
	if (!shell_succeeds("mount -t tmpfs tmpfs /dev/shm"))
		return (gave_up("podman"));
	podman_configure();
	place_afterwards("find /sys/fs/cgroup -depth -type d -path '*/libpod_parent*' "
			 "-exec rmdir {} \\; 2>/dev/null");
	(void)snprintf(command, sizeof(command),
		       "set --; for d in /usr /lib /lib64; do\n"
		       "[ -e $d ] && set -- \"$@\" -v $d:$d:ro; done\n"
		       "podman run -d --name web --pidfile '%s' \"$@\" --rootfs '%s' sleep 3600",
		       place_at("init"), place_at("root"));
	if (!shell_succeeds(command))
		return (gave_up("podman"));
	ck_assert(take_number_in(container, place_at("init")));
	container->runtime = container->words[0] = "podman";
	container->words[1] = "exec";
	container->name = container->words[2] = "web";
	return (NULL);
}

/* ---- LXC ---- */

static bool
lxc_tells(const struct staying *staying)
{
	struct outcome outcome;
	bool told;

	exec_words(&outcome, "lxc-info", "-pHn", bundle_name(), NULL);
	told = take_number(staying->container, outcome.out);
	outcome_free(&outcome);
	return (told);
}

const char *
container_lxc(struct container *container)
{
	struct staying staying = {.container = container, .look = lxc_tells};
	const char *reason = lacking("lxc-execute");
	char command[512];

	if (reason != NULL)
		return (reason);
	(void)snprintf(
	    command, sizeof(command),
	    "for d in /sys/fs/cgroup/lxc.*.%s /sys/fs/cgroup/*/lxc.*.%s; do rmdir $d/.lxc $d; done 2>/dev/null",
	    bundle_name(), bundle_name());
	place_afterwards(command);
	(void)snprintf(command, sizeof(command), "lxc-execute -n %s -f '%s' -- /bin/sleep 3600",
		       bundle_name(), bundle_lxc(bundle_name()));
	if (!starts_and_stays(&staying, command))
		return (gave_up("lxc-execute"));
	container->runtime = "lxc";
	container->words[0] = "lxc-attach";
	container->words[1] = "-n";
	container->name = container->words[2] = bundle_name();
	container->words[3] = "--";
	return (NULL);
}

/* ---- those that keep no names ---- */

static void
enter_by_number(struct container *container)
{
	container->words[0] = "nsenter";
	container->words[1] = "-at";
	container->words[2] = container->number;
	container->words[3] = "--";
}

static bool
first_child(struct container *parent, struct container *child)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%s/task/%s/children", parent->number,
		       parent->number);
	return (take_number_in(child, path));
}

/* systemd-nspawn's child is at first not in a namespace of its own, and has a child itself when all
 * is set up. */
static bool
nspawn_is_up(const struct staying *staying)
{
	struct container outer = {.name = NULL}, init = outer, inner = outer;
	char path[64], ours[64] = "", theirs[64] = "";

	(void)snprintf(outer.number, sizeof(outer.number), "%d", (int)staying->pid);
	if (!first_child(&outer, &init) || !first_child(&init, &inner))
		return (false);
	(void)snprintf(path, sizeof(path), "/proc/%s/ns/pid", init.number);
	if (readlink("/proc/self/ns/pid", ours, sizeof(ours) - 1) == -1 ||
	    readlink(path, theirs, sizeof(theirs) - 1) == -1 || strcmp(ours, theirs) == 0)
		return (false);
	memcpy(staying->container->number, init.number, sizeof(init.number));
	return (true);
}

/* Not registered, which takes a systemd. */
const char *
container_nspawn(struct container *container)
{
	struct staying staying = {.container = container, .look = nspawn_is_up};
	const char *reason = lacking("systemd-nspawn");
	char command[512];

	if (reason != NULL)
		return (reason);
	(void)snprintf(command, sizeof(command),
		       "systemd-nspawn -q --register=no --keep-unit --console=pipe -D '%s' "
		       "--as-pid2 --bind-ro=/usr --bind-ro=/lib $([ -e /lib64 ] && echo "
		       "--bind-ro=/lib64) /bin/sleep 3600",
		       place_at("root"));
	if (!starts_and_stays(&staying, command))
		return (gave_up("systemd-nspawn"));
	enter_by_number(container);
	return (NULL);
}

static bool
bwrap_tells(const struct staying *staying)
{
	return (take_number_in(staying->container, place_at("info")));
}

const char *
container_bwrap(struct container *container)
{
	struct staying staying = {.container = container, .look = bwrap_tells};
	const char *reason = lacking("bwrap");
	char command[512];

	if (reason != NULL)
		return (reason);
	(void)snprintf(command, sizeof(command),
		       "bwrap --unshare-all --dev-bind / / --proc /proc --info-fd 3 "
		       "/bin/sleep 3600 3>'%s'",
		       place_at("info"));
	if (!starts_and_stays(&staying, command))
		return (gave_up("bwrap"));
	enter_by_number(container);
	return (NULL);
}
