/*
 * The trap: a filter in the kernel that holds each system call of the table, until a process of the
 * test's has said whether it is to fail. It is inherited by all that the daemon starts; of commands
 * nothing fails, and nothing is counted.
 */
#include "config.h"

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_daemon.h"
#include "fixture_place.h"
#include "starve.h"

#define PROCESSES 4096 /* that are remembered, by their pids' last bits */

/* What a process is, beside the roles of starve.h. */
enum { UNKNOWN = STARVE_ROLES, EXECUTING, LOADING, STRANGER };

struct process {
	pid_t pid;
	int role;
};

static struct process processes[PROCESSES];
static char daemon_program[PATH_MAX];
static struct starve_plan *plan;

/* ---- in the daemon-to-be ---- */

#define RULES_MAX (STARVE_CALLS_MAX + 4)

/* One comparison a call, and the way from each to the last rule. */
static unsigned short
make_rules(struct sock_filter rules[RULES_MAX])
{
	unsigned short used = 0;
	unsigned call, trapped = 1;

	for (call = STARVE_FIRST_TRAPPED; call < starve_call_count; call++)
		trapped += starve_calls[call].number >= 0;
	rules[used++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						     offsetof(struct seccomp_data, nr));
	rules[used++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sched_yield,
						     (unsigned char)trapped, 0);
	for (call = STARVE_FIRST_TRAPPED; call < starve_call_count; call++)
		if (starve_calls[call].number >= 0)
			rules[used++] = (struct sock_filter)BPF_JUMP(
			    BPF_JMP | BPF_JEQ | BPF_K, (unsigned)starve_calls[call].number,
			    (unsigned char)--trapped, 0);
	rules[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	rules[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	return (used);
}

/* The descriptor at which the calls are told, or -1. */
static int
set_filter(void)
{
	struct sock_filter rules[RULES_MAX];
	struct sock_fprog program = {.filter = rules, .len = make_rules(rules)};

	return ((int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			     SECCOMP_FILTER_FLAG_NEW_LISTENER |
				 SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV |
				 SECCOMP_FILTER_FLAG_SPEC_ALLOW,
			     &program));
}

int
starve_become(char **words)
{
	plan = starve_map(getenv(STARVE_VARIABLE));
	if (plan == NULL)
		return (1);
	plan->daemon = getpid();
	if ((plan->listener = set_filter()) == -1)
		plan->listener = -errno;
	(void)syscall(SYS_futex, &plan->listener, FUTEX_WAKE, 1, NULL, NULL, 0);
	(void)execv(words[0], words);
	return (127);
}

/* ---- in the process that decides ---- */

/* By the program that it runs, which for the daemon's children is the daemon's until they exec. */
static int
look_at(pid_t pid)
{
	char path[64], program[PATH_MAX];
	ssize_t length;

	(void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	length = readlink(path, program, sizeof(program) - 1);
	program[length > 0 ? length : 0] = '\0';
	if (strncmp(program, "/memfd:jaildaemon-probe", 23) == 0)
		return (STARVE_LAUNCHER);
	if (strcmp(program, daemon_program) == 0)
		return (pid == plan->daemon ? STARVE_DAEMON : STARVE_CHILD);
	return (STRANGER);
}

static struct process *
process_of(pid_t pid)
{
	struct process *process = &processes[(unsigned)pid % PROCESSES];

	if (process->pid != pid)
		*process = (struct process){.pid = pid, .role = UNKNOWN};
	if (process->role == UNKNOWN)
		process->role = look_at(pid);
	if (process->role == EXECUTING) {
		process->role = look_at(pid);
		if (process->role == STARVE_DAEMON || process->role == STARVE_CHILD)
			process->role = LOADING;
	}
	return (process);
}

static int
verdict(unsigned call, enum starve_role role)
{
	const struct starve_point *point = &plan->point;
	unsigned occurrence = __atomic_add_fetch(&plan->counts[role][call], 1, __ATOMIC_SEQ_CST);

	if (point->call != call || point->role != role || point->occurrence != occurrence)
		return (0);
	(void)__atomic_add_fetch(&plan->failed, 1, __ATOMIC_SEQ_CST);
	return (point->error);
}

static unsigned
call_of(int number)
{
	unsigned call = STARVE_FIRST_TRAPPED;

	while (starve_calls[call].number != number)
		call++;
	return (call);
}

/* What no kernel fails: to mark a descriptor that is open; and nobody is interrupted who doesn't wait. */
static bool
is_safe(const struct seccomp_data *call)
{
	return ((call->nr == SYS_fcntl && call->args[1] == F_SETFD) ||
		(call->nr == SYS_wait4 && (call->args[2] & WNOHANG) != 0) ||
		(call->nr == SYS_waitid && (call->args[3] & WNOHANG) != 0));
}

/* The errno with which the call is to fail, or 0. */
static int
decide(const struct seccomp_notif *call)
{
	struct process *process = process_of((pid_t)call->pid);
	int error = 0;

	if (call->data.nr == SYS_sched_yield) {
		if (process->role == LOADING)
			process->role = look_at(process->pid);
		return (0);
	}
	if (process->role < STARVE_ROLES && !is_safe(&call->data))
		error = verdict(call_of(call->data.nr), (enum starve_role)process->role);
	if (error == 0 && (call->data.nr == SYS_execve || call->data.nr == SYS_execveat))
		process->role = EXECUTING;
	return (error);
}

static void
serve(int listener)
{
	struct pollfd ready = {.fd = listener, .events = POLLIN};
	struct seccomp_notif call;
	struct seccomp_notif_resp answer;

	while (poll(&ready, 1, -1) != -1 && (ready.revents & POLLIN) != 0) {
		memset(&call, 0, sizeof(call));
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0)
			continue; /* whoever called was killed meanwhile */
		answer = (struct seccomp_notif_resp){.id = call.id, .error = -decide(&call)};
		if (answer.error == 0)
			answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	}
}

/* The daemon-to-be can't send us its descriptor: that would be a call that waits for our answer. */
static int
fetch_listener(pid_t daemon)
{
	int pidfd = (int)syscall(SYS_pidfd_open, daemon, 0), listener;

	while (__atomic_load_n(&plan->listener, __ATOMIC_SEQ_CST) == 0)
		(void)syscall(SYS_futex, &plan->listener, FUTEX_WAIT, 0, NULL, NULL, 0);
	listener =
	    plan->listener < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, plan->listener, 0);
	(void)close(pidfd);
	return (listener);
}

/* ---- in the test ---- */

pid_t
starve_start(char *const *words)
{
	char *argv[STARVE_WORDS_MAX + 2] = {(char *)(uintptr_t)daemon_self(),
					    (char *)(uintptr_t)STARVE_BECOME};
	struct launch launch = {.argv = argv, .log = place()->log};
	pid_t daemon, decider;
	size_t i;
	int listener;

	for (i = 0; words[i] != NULL && i < STARVE_WORDS_MAX - 1; i++)
		argv[i + 2] = words[i];
	plan = starve_plan();
	plan->listener = 0;
	ck_assert_ptr_nonnull(realpath(words[0], daemon_program));
	daemon = exec_start(&launch);
	decider = fork();
	ck_assert_int_ne(decider, -1);
	if (decider != 0)
		return (daemon);
	if ((listener = fetch_listener(daemon)) == -1)
		_exit(1);
	serve(listener);
	_exit(0);
}
