/* The system calls that are left to the launcher and its forks, and those that a probe keeps. */
#ifndef CONFINE_LINUX_H
#define CONFINE_LINUX_H

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>

#include "sys_linux.h"

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define NATIVE_ARCH AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define NATIVE_ARCH AUDIT_ARCH_PPC64LE
#elif defined(__s390x__)
#define NATIVE_ARCH AUDIT_ARCH_S390X
#else
#error "tell the system call filter this processor's AUDIT_ARCH_ constant"
#endif

/* A filter: its beginning, what it allows, and its end. Anything else is death by SIGSYS. */
#define ONLY_NATIVE                                                                  \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),     \
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0),                  \
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),                     \
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
#define ALLOW(nr) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define NOTHING_ELSE BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

#define INSTALL(rules) install((rules), sizeof(rules) / sizeof((rules)[0]))

static inline long
install(struct sock_filter *rules, unsigned short length)
{
	struct sock_fprog program = {.len = length, .filter = rules};

	return sys3(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

/* All that the launcher calls once it serves, and those that it forks, to the end; nothing that executes, maps, traces
 * or connects. The kernel also tries each call that is still allowed on a filter that is added, once a probe: beside
 * these few that costs little. Negative errno. */
static __attribute__((noinline)) long /* its rules are not to be on the stack for good */
confine_launcher(void)
{
	struct sock_filter rules[] = {
	    ONLY_NATIVE,
	    /* It is sent a party, and forks a helper. */
	    ALLOW(SYS_recvmsg), ALLOW(SYS_clone3), ALLOW(SYS_clone), ALLOW(SYS_close), ALLOW(SYS_write),
	    /* The helper joins the jail, and gives up what it has. */
	    ALLOW(SYS_openat), ALLOW(SYS_setns), ALLOW(SYS_fchdir), ALLOW(SYS_chroot), ALLOW(SYS_chdir),
	    ALLOW(SYS_getgroups), ALLOW(SYS_setresgid), ALLOW(SYS_getresgid), ALLOW(SYS_setresuid),
	    ALLOW(SYS_getresuid), ALLOW(SYS_capset), ALLOW(SYS_prctl), ALLOW(SYS_dup3), ALLOW(CLOSE_RANGE_CALL),
	    /* The probe detaches itself, and waits. */
	    ALLOW(SYS_setsid), ALLOW(SYS_fcntl), ALLOW(SYS_rt_sigprocmask), ALLOW(SYS_seccomp),
	    ALLOW(SYS_rt_sigtimedwait), ALLOW(SYS_restart_syscall), ALLOW(SYS_exit_group), ALLOW(SYS_exit),
	    NOTHING_ELSE};

	return INSTALL(rules);
}

/* From here on: wait for a signal, close descriptors, exit. A death by SIGSYS is not the magic exit and triggers
 * nothing. close_range stays allowed because closing the report channel is what says "armed", and so has to come after
 * this filter is in force. Negative errno. */
static inline long
confine(void)
{
	struct sock_filter rules[] = {
	    ONLY_NATIVE,
	    ALLOW(SYS_rt_sigtimedwait), ALLOW(SYS_restart_syscall), ALLOW(CLOSE_RANGE_CALL), ALLOW(SYS_exit_group),
	    ALLOW(SYS_exit),
	    NOTHING_ELSE};

	return INSTALL(rules);
}

#endif
