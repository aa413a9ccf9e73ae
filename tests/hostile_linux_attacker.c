/*
 * Attackers: processes in a jail, with the rights that its root may have.
 */
#include "config.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fixture_exec.h"
#include "hostile_linux.h"

/* What the container runtimes leave to root by default. */
#define USUAL \
	(1u << CAP_CHOWN | 1u << CAP_DAC_OVERRIDE | 1u << CAP_FSETID | 1u << CAP_FOWNER | \
	 1u << CAP_MKNOD | 1u << CAP_NET_RAW | 1u << CAP_SETGID | 1u << CAP_SETUID | \
	 1u << CAP_SETFCAP | 1u << CAP_SETPCAP | 1u << CAP_NET_BIND_SERVICE | \
	 1u << CAP_SYS_CHROOT | 1u << CAP_KILL | 1u << CAP_AUDIT_WRITE)

static int
keep_only(uint32_t kept)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{.effective = kept, .permitted = kept}, {0, 0, 0}};
	unsigned long each;

	for (each = 0; each < 64; each++)
		if (each >= 32 || (kept & 1u << each) == 0)
			(void)prctl(PR_CAPBSET_DROP, each, 0, 0, 0);
	return ((int)syscall(SYS_capset, &header, data));
}

static int
become(const struct attacker *attacker)
{
	if (setgroups(0, NULL) != 0 || setgid(0) != 0 || setuid(0) != 0)
		return (-1);
	if (attacker->rights != RIGHTS_ALL &&
	    keep_only(USUAL | (attacker->rights == RIGHTS_PTRACE ? 1u << CAP_SYS_PTRACE : 0)) != 0)
		return (-1);
	return (setgid((gid_t)attacker->uid) != 0 || setuid(attacker->uid) != 0 ? -1 : 0);
}

/* The test's process is a reaper: what the helper leaves behind becomes our child. */
static void
helper(const struct attacker *attacker, int answer)
{
	pid_t pid = -1;

	if (jailfix_enter(attacker->jail) == 0)
		pid = fork();
	if (pid == 0) {
		(void)close(answer);
		if (become(attacker) != 0)
			_exit(126);
		_exit(attacker->body(attacker->arg));
	}
	(void)write(answer, &pid, sizeof(pid));
	_exit(0);
}

pid_t
attacker_start(const struct attacker *attacker)
{
	pid_t pid = -1, made;
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	(void)fflush(stdout);
	made = fork();
	ck_assert_int_ne(made, -1);
	if (made == 0)
		helper(attacker, ends[1]);
	(void)close(ends[1]);
	ck_assert_int_eq(read(ends[0], &pid, sizeof(pid)), (ssize_t)sizeof(pid));
	(void)close(ends[0]);
	(void)exec_wait(made);
	ck_assert_msg(pid > 0, "no attacker could be started");
	return (pid);
}

int
attacker_run(const struct attacker *attacker)
{
	int status = exec_wait(attacker_start(attacker));

	ck_assert_msg(!WIFEXITED(status) || WEXITSTATUS(status) != 126, "no rights to attack with");
	return (WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

void *
attacker_shared(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(memory, MAP_FAILED);
	return (memory);
}

pid_t
attacker_last_pid(void)
{
	static int fd = -1;
	char text[16];
	ssize_t length;

	if (fd == -1)
		fd = open("/proc/sys/kernel/ns_last_pid", O_RDONLY | O_CLOEXEC);
	if (fd == -1 || (length = pread(fd, text, sizeof(text) - 1, 0)) <= 0)
		return (-1);
	text[length] = '\0';
	return ((pid_t)strtol(text, NULL, 10));
}
