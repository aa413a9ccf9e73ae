/*
 * The doors from one process into another, tried from inside: on an armed probe, and on every new
 * process of 2,000 attaches.
 */
#include "config.h"

#include <sys/param.h>
#include <sys/mman.h>
#include <sys/procctl.h>
#include <sys/ptrace.h>
#include <sys/sysctl.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/ktrace.h> /* after uio.h, which it needs */
#include <sys/user.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_daemon.h"
#include "fixture_exec.h"
#include "fixture_inside.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "fixture_wait.h"
#include "hostile.h"
#include "hostile_adds.h"
#include "hostile_freebsd.h"
#include "hostile_host.h"

#define ATTACHES   2000
#define GROWTH_KIB 1024
#define USER	   501u

static bool
try_ptrace(pid_t pid)
{
	int status = 0;

	if (ptrace(PT_ATTACH, pid, NULL, 0) != 0)
		return (false);
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		return (false); /* it was ending, and has no memory any more */
	(void)ptrace(PT_DETACH, pid, (caddr_t)1, 0);
	return (true);
}

static bool
try_sysctl(pid_t pid, int what)
{
	int mib[4] = {CTL_KERN, KERN_PROC, what, pid};
	static char text[65536];
	size_t size = sizeof(text);

	return (sysctl(mib, 4, text, &size, NULL, 0) == 0 && size > 0);
}

static bool
try_environment(pid_t pid)
{
	return (try_sysctl(pid, KERN_PROC_ENV));
}

static bool
try_memory_map(pid_t pid)
{
	return (try_sysctl(pid, KERN_PROC_VMMAP));
}

static bool
try_descriptors(pid_t pid)
{
	return (try_sysctl(pid, KERN_PROC_FILEDESC));
}

static bool
try_auxv(pid_t pid)
{
	return (try_sysctl(pid, KERN_PROC_AUXV));
}

/* Its system calls, written to a file of the attacker's. */
static bool
try_ktrace(pid_t pid)
{
	char path[64];
	bool opened;
	int fd;

	(void)snprintf(path, sizeof(path), "/tmp/jdtest.ktrace.%d", (int)getpid());
	if ((fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600)) == -1)
		return (false);
	(void)close(fd);
	opened = ktrace(path, KTROP_SET, KTRFAC_SYSCALL, pid) == 0;
	if (opened)
		(void)ktrace(path, KTROP_CLEAR, KTRFAC_SYSCALL, pid);
	(void)unlink(path);
	return (opened);
}

/* Making it traceable again. */
static bool
try_trace_ctl(pid_t pid)
{
	int mode = PROC_TRACE_CTL_ENABLE;

	return (procctl(P_PID, pid, PROC_TRACE_CTL, &mode) == 0);
}

static const struct {
	const char *name;
	bool (*attempt)(pid_t);
} doors[] = {
    {"PT_ATTACH", try_ptrace},
    {"its environment", try_environment},
    {"its memory map", try_memory_map},
    {"its descriptors", try_descriptors},
    {"its auxv", try_auxv},
    {"ktrace", try_ktrace},
    {"PROC_TRACE_CTL", try_trace_ctl},
};

#define DOORS (sizeof(doors) / sizeof(doors[0]))

/* Those that open on an ordinary process: only its own tracing can a process allow. */
#define DOORS_THAT_OPEN (DOORS - 1)

struct trying {
	size_t door;
	pid_t target;
};

static int
try_body(void *arg)
{
	const struct trying *trying = arg;

	return (doors[trying->door].attempt(trying->target) ? 1 : 0);
}

static void
expect_shut(struct jailfix *jail, uid_t attacker, uid_t uid)
{
	struct trying trying = {.target = 0};
	char out[256];
	int probe = probe_add(jail, "{s:s,s:s,s:i,s:i}", "command", hostile_command_text(), "title",
			      hostile_title(), "uid", (int)uid, "gid", (int)uid);

	trying.target = (pid_t)probe_int(probe, "pid");
	for (trying.door = 0; trying.door < DOORS; trying.door++)
		ck_assert_msg(inside_call(jail, attacker, try_body, &trying, out, sizeof(out)) == 0,
			      "%s is open to uid %u on a probe of uid %u", doors[trying.door].name,
			      attacker, uid);
	ck_assert_str_eq(probe_state(probe), "armed");
	hostile_expect_no_run();
}

START_TEST(jail_root_opens_no_door)
{
	struct jailfix *jail;

	NEEDS_JAIL(jail, false);
	(void)daemon_start();
	expect_shut(jail, INSIDE_ROOT, 0);
	expect_shut(jail, INSIDE_ROOT, USER);
}
END_TEST

START_TEST(same_uid_in_the_jail_opens_no_door)
{
	struct jailfix *jail;

	NEEDS_JAIL(jail, false);
	(void)daemon_start();
	expect_shut(jail, USER, USER);
}
END_TEST

/* A child of the attacker's own, whose program knows an environment. */
static int
ordinary_body(void *arg)
{
	const struct trying *trying = arg;
	char name[] = "sleep", time[] = "60", variable[] = "A=b";
	char *argv[] = {name, time, NULL}, *env[] = {variable, NULL};
	int ends[2];
	bool opened;
	pid_t pid;
	char byte;

	if (pipe2(ends, O_CLOEXEC) != 0 || (pid = fork()) == -1)
		return (2);
	if (pid == 0) {
		(void)execve("/bin/sleep", argv, env);
		_exit(1);
	}
	(void)close(ends[1]);
	(void)read(ends[0], &byte, 1); /* ends with the exec */
	opened = doors[trying->door].attempt(pid);
	(void)kill(pid, SIGKILL);
	return (opened ? 1 : 0);
}

START_TEST(every_door_opens_on_an_ordinary_process)
{
	struct trying trying = {.target = 0};
	struct jailfix *jail;
	char out[256];

	NEEDS_JAIL(jail, false);
	for (trying.door = 0; trying.door < DOORS_THAT_OPEN; trying.door++)
		ck_assert_msg(
		    inside_call(jail, INSIDE_ROOT, ordinary_body, &trying, out, sizeof(out)) == 1,
		    "%s fails on anything", doors[trying.door].name);
}
END_TEST

/* ---- the race ---- */

struct race {
	atomic_int ready, stop;
	atomic_ulong seen;
	unsigned long opened[DOORS];
	const struct jailfix *jail;
};

static void
attack_new(struct race *race, const struct kinfo_proc *process)
{
	size_t i;

	if (process->ki_pid == getpid() || process->ki_pid == getppid())
		return;
	race->seen++;
	for (i = 0; i < DOORS; i++)
		if (doors[i].attempt(process->ki_pid))
			race->opened[i]++;
}

/* A jail's root sees the processes of its own jail, and there are no others than the probes. */
static int
spin_body(void *arg)
{
	struct race *race = arg;
	struct kinfo_proc *processes;
	size_t count, i;

	race->ready = 1;
	while (!race->stop) {
		processes = freebsd_processes(&count);
		for (i = 0; processes != NULL && i < count; i++)
			attack_new(race, &processes[i]);
		free(processes);
	}
	return (0);
}

static int
enter_and_spin(struct race *race)
{
	if (jailfix_enter(race->jail) != 0)
		return (1);
	return (spin_body(race));
}

static bool
is_ready(void *arg)
{
	struct race *race = arg;

	return (race->ready != 0);
}

static struct race *
race_prepare(const struct jailfix *jail)
{
	struct race *race =
	    mmap(NULL, sizeof(*race), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANON, -1, 0);

	ck_assert_ptr_ne(race, MAP_FAILED);
	race->jail = jail;
	return (race);
}

START_TEST(two_thousand_attaches_open_no_door_to_the_jail_root)
{
	struct hostile_cost before;
	struct jailfix *jail;
	pid_t daemon, spinner;
	struct race *race;
	size_t i;

	NEEDS_JAIL(jail, false);
	race = race_prepare(jail);
	daemon = daemon_start();
	(void)hostile_attach_many(jail, 50, true);
	hostile_expect_no_target();
	hostile_note(daemon, &before);
	if ((spinner = fork()) == 0)
		_exit(enter_and_spin(race));
	ck_assert(wait_until(is_ready, race));
	ck_assert_int_eq(hostile_attach_many(jail, ATTACHES, true), ATTACHES);
	race->stop = 1;
	ck_assert_int_eq(exec_wait(spinner), 0);
	(void)printf("NOTE: %lu looks at a probe\n", (unsigned long)race->seen);
	for (i = 0; i < DOORS; i++)
		ck_assert_msg(race->opened[i] == 0, "%s stood open %lu times", doors[i].name,
			      race->opened[i]);
	ck_assert_uint_gt(race->seen, 0);
	ck_assert_int_eq(probe_listed(), 0);
	hostile_expect_no_target();
	hostile_expect(daemon, &before, GROWTH_KIB);
	hostile_expect_no_run();
	probe_sentinel(jail);
}
END_TEST

Suite *
hostile_attacks(void)
{
	Suite *suite = suite_create("attacks");

	PLACE_CASE(suite, every_door_opens_on_an_ordinary_process);
	PLACE_CASE(suite, jail_root_opens_no_door);
	PLACE_CASE(suite, same_uid_in_the_jail_opens_no_door);
	PLACE_CASE(suite, two_thousand_attaches_open_no_door_to_the_jail_root);
	return (suite);
}
