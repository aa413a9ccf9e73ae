/*
 * The last state of an armed probe, as the host's root sees it from outside.
 */
#include "config.h"

#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_daemon.h"
#include "fixture_file.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "hostile.h"
#include "hostile_adds.h"
#include "hostile_host.h"
#include "hostile_linux.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define USER  501

/* What every test here looks at: probes of root and of a user, in jails with and without a user
 * namespace; all started by a daemon that was started carelessly. */
struct armed {
	struct jailfix *jail;
	pid_t pid;
	uid_t uid;
};

static void
arm_in(struct jailfix *jail, void (*look)(const struct armed *))
{
	static const uid_t uids[] = {0, USER};
	struct armed armed = {.jail = jail};
	size_t i;

	for (i = 0; i < sizeof(uids) / sizeof(uids[0]); i++) {
		armed.uid = uids[i];
		armed.pid = (pid_t)probe_int(
		    probe_add(jail, "{s:s,s:s,s:i,s:i}", "command", hostile_command_text(), "title",
			      hostile_title(), "uid", (int)uids[i], "gid", (int)uids[i]),
		    "pid");
		look(&armed);
	}
}

static void
look_at_probes(void (*look)(const struct armed *))
{
	const char *reason = NULL;
	struct jailfix *jail;

	(void)setenv("LEAKED_VARIABLE", "leaked", 1);
	(void)daemon_start_as(&(struct launch){.leaks = true, .ignoring = true, .blocked = true});
	arm_in(probe_jail(), look);
	if ((jail = hostile_jail(true, &reason)) != NULL)
		arm_in(jail, look);
	else
		(void)printf("no user namespace: %s\n", reason);
	hostile_expect_no_run();
}

#define STATE_TEST(name, look) \
	START_TEST(name) \
	{ \
		NEEDS_ROOT; \
		look_at_probes(look); \
	} \
	END_TEST

static void
expect_status(const struct armed *armed, const char *name, const char *wanted)
{
	char value[256] = "no such line";

	(void)linux_status(armed->pid, name, value, sizeof(value));
	ck_assert_msg(strcmp(value, wanted) == 0, "uid %u: %s is \"%s\"", armed->uid, name, value);
}

static void
look_descriptors(const struct armed *armed)
{
	ck_assert_int_eq(host_descriptors(armed->pid), 0);
}
STATE_TEST(armed_probe_has_no_descriptor, look_descriptors)

static void
look_environment(const struct armed *armed)
{
	char *text = linux_file(armed->pid, "environ");

	ck_assert_str_eq(text, "");
	free(text);
}
STATE_TEST(armed_probe_has_an_empty_environment, look_environment)

/* The same directory as the init's, by device and number, and not only by name. */
static void
same_directory(pid_t pid, const char *name, pid_t init)
{
	struct stat mine, inits, hosts;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	ck_assert_int_eq(stat(path, &mine), 0);
	(void)snprintf(path, sizeof(path), "/proc/%d/root", (int)init);
	ck_assert_int_eq(stat(path, &inits), 0);
	ck_assert_int_eq(stat("/", &hosts), 0);
	ck_assert_msg(mine.st_dev == inits.st_dev && mine.st_ino == inits.st_ino,
		      "its %s is not the jail's root", name);
	ck_assert_msg(mine.st_dev != hosts.st_dev || mine.st_ino != hosts.st_ino,
		      "its %s is the host's root", name);
}

static void
look_directories(const struct armed *armed)
{
	same_directory(armed->pid, "cwd", (pid_t)jailfix_number(armed->jail));
	same_directory(armed->pid, "root", (pid_t)jailfix_number(armed->jail));
}
STATE_TEST(armed_probe_stands_in_the_jails_root, look_directories)

static void
look_capabilities(const struct armed *armed)
{
	static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};
	size_t i;

	for (i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		expect_status(armed, sets[i], "0000000000000000");
}
STATE_TEST(armed_probe_has_no_capability_in_any_set, look_capabilities)

static void
look_ids(const struct armed *armed)
{
	char wanted[64];
	char *map = linux_file(armed->pid, "uid_map");
	unsigned inside = 0, outside = 0;

	ck_assert_int_eq(sscanf(map, "%u %u", &inside, &outside), 2);
	outside += armed->uid;
	(void)snprintf(wanted, sizeof(wanted), "%u\t%u\t%u\t%u", outside, outside, outside,
		       outside);
	expect_status(armed, "Uid", wanted);
	expect_status(armed, "Gid", wanted);
	expect_status(armed, "Groups", "");
	free(map);
}
STATE_TEST(armed_probe_has_its_ids_and_no_other_group, look_ids)

static void
look_confinement(const struct armed *armed)
{
	expect_status(armed, "NoNewPrivs", "1");
	expect_status(armed, "Seccomp", "2");
	ck_assert_int_eq(linux_filters(armed->pid), 2); /* its own, and the launcher's */
}
STATE_TEST(armed_probe_is_confined_by_a_filter, look_confinement)

/* While it waits for HUP, the kernel shows that as not blocked; nothing else may be. */
static void
look_signals(const struct armed *armed)
{
	char value[64] = "";

	ck_assert(linux_status(armed->pid, "SigBlk", value, sizeof(value)));
	ck_assert_uint_eq(strtoull(value, NULL, 16) & ~1ull, 0);
	expect_status(armed, "SigIgn", "0000000000000000");
	expect_status(armed, "SigCgt", "0000000000000000");
}
STATE_TEST(armed_probe_inherits_no_disposition_of_signals, look_signals)

static void
look_session(const struct armed *armed)
{
	char *text = linux_file(armed->pid, "stat"), *end = strrchr(text, ')');
	int group = -1, session = -1, terminal = -1;

	ck_assert_ptr_nonnull(end);
	ck_assert_int_eq(sscanf(end + 1, " %*c %*d %d %d %d", &group, &session, &terminal), 3);
	ck_assert_int_eq(session, armed->pid);
	ck_assert_int_eq(group, armed->pid);
	ck_assert_int_eq(terminal, 0);
	free(text);
}
STATE_TEST(armed_probe_has_its_own_session_and_no_terminal, look_session)

/* Only the host's root can open it at all, and not even he for writing. */
static void
look_program(const struct armed *armed)
{
	char path[64], target[256];
	struct stat info;
	ssize_t length;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)armed->pid);
	length = readlink(path, target, sizeof(target) - 1);
	ck_assert_int_gt(length, 0);
	target[length] = '\0';
	ck_assert_msg(strncmp(target, "/memfd:", 7) == 0, "it runs %s", target);
	ck_assert_ptr_nonnull(strstr(target, " (deleted)"));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(fcntl(fd, F_GET_SEALS) & SEALS, SEALS);
	ck_assert_int_eq(fstat(fd, &info), 0);
	ck_assert_uint_eq(info.st_mode & 07777, 0111);
	(void)close(fd);
	ck_assert_int_eq(open(path, O_RDWR | O_CLOEXEC), -1);
	ck_assert_int_eq(truncate(path, 0), -1);
}
STATE_TEST(armed_probe_runs_from_a_sealed_memfd_that_none_may_read, look_program)

/* What may not be dumped has its files in /proc owned by root, whoever it is itself. */
static void
look_dumpable(const struct armed *armed)
{
	struct stat info;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/environ", (int)armed->pid);
	ck_assert_int_eq(stat(path, &info), 0);
	ck_assert_uint_eq(info.st_uid, 0);
	ck_assert_uint_eq(info.st_gid, 0);
}
STATE_TEST(armed_probe_is_not_dumpable, look_dumpable)

static void
same_namespace(pid_t pid, pid_t init, const char *name)
{
	char path[64];
	struct stat mine, inits;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, name);
	ck_assert_int_eq(stat(path, &mine), 0);
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)init, name);
	ck_assert_int_eq(stat(path, &inits), 0);
	ck_assert_msg(mine.st_ino == inits.st_ino, "it is in another %s namespace", name);
}

static void
look_namespaces(const struct armed *armed)
{
	static const char *const names[] = {"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		same_namespace(armed->pid, (pid_t)jailfix_number(armed->jail), names[i]);
}
STATE_TEST(armed_probe_is_in_every_namespace_of_the_jail, look_namespaces)

/* No library, no heap, no memory of the daemon's: its program, its stack and the kernel's pages. */
static void
look_memory(const struct armed *armed)
{
	char *maps = linux_file(armed->pid, "maps"), *line, *rest = maps, *name;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if ((name = strpbrk(line, "[/")) == NULL)
			continue;
		ck_assert_msg(strncmp(name, "/memfd:", 7) == 0 || name[0] == '[', "%s", line);
	}
	free(maps);
	maps = linux_file(armed->pid, "cmdline");
	ck_assert_str_eq(maps, hostile_inside());
	free(maps);
}
STATE_TEST(armed_probe_has_mapped_nothing_of_host_or_jail, look_memory)

/* Ended by a signal that would leave a core, it leaves none: not even with every limit raised. */
START_TEST(armed_probe_leaves_no_core)
{
	static const int signals[] = {SIGQUIT, SIGSEGV, SIGSYS, SIGABRT};
	struct jailfix *jail;
	char path[64];
	size_t i;
	DIR *root;
	struct dirent *entry;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)daemon_start();
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		int probe = hostile_target(jail);

		ck_assert_int_eq(kill((pid_t)probe_int(probe, "pid"), signals[i]), 0);
		probe_wait_state(probe, "gone");
	}
	(void)snprintf(path, sizeof(path), "/proc/%ld/root", jailfix_number(jail));
	ck_assert_ptr_nonnull(root = opendir(path));
	while ((entry = readdir(root)) != NULL)
		ck_assert_msg(strstr(entry->d_name, "core") == NULL, "%s", entry->d_name);
	(void)closedir(root);
	hostile_expect_no_run();
}
END_TEST

/* Other daemons may have theirs. */
static pid_t
launcher_of(pid_t daemon)
{
	pid_t pids[64];
	char parent[32];
	int i, count;

	(void)probe_add(probe_jail(), "{s:s}", "command", "true");
	count = hostile_pids_titled("jaildaemon: launcher", pids, 64);
	for (i = 0; i < count && i < 64; i++)
		if (linux_status(pids[i], "PPid", parent, sizeof(parent)) && atoi(parent) == daemon)
			return (pids[i]);
	ck_abort_msg("the daemon has no launcher");
	return (-1);
}

/* What stays on the host and makes probes has given up what that doesn't take. */
START_TEST(launcher_has_few_capabilities)
{
	static const int gone[] = {CAP_KILL,	  CAP_NET_ADMIN, CAP_SYS_MODULE,
				   CAP_SYS_RAWIO, CAP_SYS_BOOT,	 CAP_MKNOD};
	char value[64] = "";
	unsigned long long permitted;
	pid_t launcher;
	size_t i;

	NEEDS_ROOT;
	launcher = launcher_of(daemon_start());
	ck_assert(linux_status(launcher, "CapPrm", value, sizeof(value)));
	permitted = strtoull(value, NULL, 16);
	ck_assert_uint_ne(permitted & 1ull << CAP_SYS_ADMIN, 0);
	for (i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
		ck_assert_msg((permitted & 1ull << gone[i]) == 0, "capability %d in %s", gone[i],
			      value);
}
END_TEST

START_TEST(launcher_is_confined_by_a_filter)
{
	char value[16];
	pid_t launcher;

	NEEDS_ROOT;
	launcher = launcher_of(daemon_start());
	ck_assert(linux_status(launcher, "Seccomp", value, sizeof(value)));
	ck_assert_str_eq(value, "2");
	ck_assert_int_eq(linux_filters(launcher), 1);
}
END_TEST

/* Somebody who had got hold of the launcher would end it with the first call that it never makes; and the next probe
 * has another launcher. */
START_TEST(system_call_that_the_launcher_never_makes_ends_it)
{
	static const long calls[] = {SYS_execve, SYS_execveat, SYS_mmap,   SYS_mprotect, SYS_ptrace, SYS_kill,
				     SYS_socket, SYS_connect,  SYS_setuid, SYS_mount,	 SYS_bpf,    SYS_read,
				     SYS_unshare, SYS_process_vm_writev};
	char wanted[96];
	pid_t daemon, launcher;
	size_t i;

	NEEDS_ROOT;
	SKIP_UNLESS(inject_possible(), "not on this processor");
	daemon = daemon_start();
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		launcher = launcher_of(daemon);
		inject_call(launcher, calls[i], 0);
		(void)snprintf(wanted, sizeof(wanted), "event=launcher-ended pid=%d status=%#x\n", (int)launcher,
			       SIGSYS);
		file_wait_text(place()->log, wanted);
	}
	probe_sentinel(probe_jail());
}
END_TEST

Suite *
hostile_state(void)
{
	Suite *suite = suite_create("state");

	PLACE_CASE(suite, armed_probe_has_no_descriptor);
	PLACE_CASE(suite, armed_probe_has_an_empty_environment);
	PLACE_CASE(suite, armed_probe_stands_in_the_jails_root);
	PLACE_CASE(suite, armed_probe_has_no_capability_in_any_set);
	PLACE_CASE(suite, armed_probe_has_its_ids_and_no_other_group);
	PLACE_CASE(suite, armed_probe_is_confined_by_a_filter);
	PLACE_CASE(suite, armed_probe_inherits_no_disposition_of_signals);
	PLACE_CASE(suite, armed_probe_has_its_own_session_and_no_terminal);
	PLACE_CASE(suite, armed_probe_runs_from_a_sealed_memfd_that_none_may_read);
	PLACE_CASE(suite, armed_probe_is_not_dumpable);
	PLACE_CASE(suite, armed_probe_is_in_every_namespace_of_the_jail);
	PLACE_CASE(suite, armed_probe_has_mapped_nothing_of_host_or_jail);
	PLACE_CASE(suite, armed_probe_leaves_no_core);
	PLACE_CASE(suite, launcher_has_few_capabilities);
	PLACE_CASE(suite, launcher_is_confined_by_a_filter);
	PLACE_CASE(suite, system_call_that_the_launcher_never_makes_ends_it);
	return (suite);
}
