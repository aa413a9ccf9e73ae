/*
 * The doors from one process into another. Each is tried as an attacker would, and counts as open
 * also where the kernel refused only what came after the question of who may.
 */
#include "config.h"

#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "hostile_linux.h"

#define SOME_ADDRESS 0x400000 /* where a program that is not moved begins */
#define DESCRIPTORS  8

static int
open_below(pid_t pid, const char *name, int flags)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd != -1)
		(void)close(fd);
	return (fd == -1 ? errno : 0);
}

/* Has it memory? An old kernel opens the memory of what has none: a process that has ended. */
static bool
is_running(pid_t pid)
{
	char path[64], text[64] = "";
	ssize_t length;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return (false);
	length = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	return (length > 0 && text[0] != '0');
}

/* A process that is ending has no memory left by which the kernel could tell that nobody may trace
 * it: an attach succeeds, and meets a dead process. That is no door; one that stops is. */
static bool
stopped_for_us(pid_t pid)
{
	int status = 0;

	if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
		return (false);
	(void)ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return (true);
}

static bool
try_ptrace_attach(pid_t pid)
{
	return (ptrace(PTRACE_ATTACH, pid, NULL, NULL) == 0 && stopped_for_us(pid));
}

static bool
try_ptrace_seize(pid_t pid)
{
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) != 0)
		return (false);
	(void)ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
	return (stopped_for_us(pid));
}

static bool
try_vm(pid_t pid, long number)
{
	char byte = 0;
	struct iovec here = {&byte, 1}, there = {(void *)(uintptr_t)SOME_ADDRESS, 1};

	return (syscall(number, pid, &here, 1, &there, 1, 0) >= 0 || errno == EFAULT);
}

static bool
try_process_vm_readv(pid_t pid)
{
	return (try_vm(pid, SYS_process_vm_readv));
}

static bool
try_process_vm_writev(pid_t pid)
{
	return (try_vm(pid, SYS_process_vm_writev));
}

static bool
try_read(pid_t pid, const char *name, int flags)
{
	return (open_below(pid, name, flags) == 0 && is_running(pid));
}

static bool
try_mem_read(pid_t pid)
{
	return (try_read(pid, "mem", O_RDONLY));
}

static bool
try_mem_write(pid_t pid)
{
	return (try_read(pid, "mem", O_RDWR));
}

static bool
try_environ(pid_t pid)
{
	return (try_read(pid, "environ", O_RDONLY));
}

static bool
try_maps(pid_t pid)
{
	return (try_read(pid, "maps", O_RDONLY));
}

static bool
try_auxv(pid_t pid)
{
	return (try_read(pid, "auxv", O_RDONLY));
}

static bool
try_exe_read(pid_t pid)
{
	return (open_below(pid, "exe", O_RDONLY) == 0);
}

static bool
try_exe_write(pid_t pid)
{
	int refused = open_below(pid, "exe", O_RDWR);

	return (refused == 0 || refused == ETXTBSY);
}

static bool
try_root(pid_t pid)
{
	return (open_below(pid, "root", O_PATH) == 0);
}

static bool
try_cwd(pid_t pid)
{
	return (open_below(pid, "cwd", O_PATH) == 0);
}

static bool
try_descriptor_links(pid_t pid)
{
	char name[16];
	int fd;

	for (fd = 0; fd < DESCRIPTORS; fd++) {
		(void)snprintf(name, sizeof(name), "fd/%d", fd);
		if (open_below(pid, name, O_PATH) == 0)
			return (true);
	}
	return (false);
}

static bool
try_pidfd_getfd(pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), fd, got = -1;

	for (fd = 0; pidfd != -1 && got == -1 && fd < DESCRIPTORS; fd++)
		got = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	if (got != -1)
		(void)close(got);
	if (pidfd != -1)
		(void)close(pidfd);
	return (got != -1);
}

static bool
try_namespace_files(pid_t pid)
{
	static const char *const names[] = {"ns/mnt", "ns/net", "ns/pid", "ns/uts", "ns/user"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (open_below(pid, names[i], O_RDONLY) == 0)
			return (true);
	return (false);
}

static bool
try_setns_pidfd(pid_t pid)
{
	static const int flags[] = {CLONE_NEWUTS, CLONE_NEWNS, CLONE_NEWNET};
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	bool opened = false;
	size_t i;

	for (i = 0; pidfd != -1 && i < sizeof(flags) / sizeof(flags[0]); i++)
		opened = opened || setns(pidfd, flags[i]) == 0;
	if (pidfd != -1)
		(void)close(pidfd);
	return (opened);
}

static bool
try_kcmp(pid_t pid)
{
	return (syscall(SYS_kcmp, getpid(), pid, KCMP_VM, 0, 0) >= 0);
}

static const struct {
	const char *name;
	bool (*attempt)(pid_t);
} doors[] = {
    {"PTRACE_ATTACH", try_ptrace_attach},
    {"PTRACE_SEIZE", try_ptrace_seize},
    {"process_vm_readv", try_process_vm_readv},
    {"process_vm_writev", try_process_vm_writev},
    {"reading mem", try_mem_read},
    {"writing mem", try_mem_write},
    {"environ", try_environ},
    {"maps", try_maps},
    {"auxv", try_auxv},
    {"opening exe", try_exe_read},
    {"opening exe for writing", try_exe_write},
    {"following root", try_root},
    {"following cwd", try_cwd},
    {"following fd/*", try_descriptor_links},
    {"pidfd_getfd", try_pidfd_getfd},
    {"opening ns/*", try_namespace_files},
    {"setns with a pidfd", try_setns_pidfd},
    {"kcmp", try_kcmp},
};

size_t
door_count(void)
{
	return (sizeof(doors) / sizeof(doors[0]));
}

const char *
door_name(size_t door)
{
	return (doors[door].name);
}

bool
door_try(size_t door, pid_t pid)
{
	return (doors[door].attempt(pid));
}

void
door_try_all(pid_t pid, size_t first, unsigned long opened[DOORS_MAX])
{
	size_t i, door;

	for (i = 0; i < door_count(); i++) {
		door = (first + i) % door_count();
		if (door_try(door, pid))
			opened[door]++;
	}
}

void
door_expect_shut(const unsigned long opened[DOORS_MAX])
{
	size_t i;

	for (i = 0; i < door_count(); i++)
		ck_assert_msg(opened[i] == 0, "%s stood open %lu times", door_name(i), opened[i]);
}
