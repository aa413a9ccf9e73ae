/*
 * A clone that shares our memory like the child of a vfork, but has its own stack, so that we needn't wait. The kernel
 * clears a word of ours, and wakes who waits for it, at the moment when the child leaves our memory.
 */
#include "config.h"

#include "newborn.h"

#include <sys/syscall.h>

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#define EXIT_STATUS 127

static int
live(struct newborn *newborn)
{
	newborn->failed = newborn->life(newborn->arg);
	return EXIT_STATUS;
}

/* The parent returns from the call as from any other. The child finds itself on its own, empty stack: it can't return
 * from here, and ends with what its function returns. Not a libc's clone(3), for musl's refuses to clear the word. */
#define FLAGS (CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD)

#if defined(__x86_64__)

static long
clone_beside(char *stack, int *word, struct newborn *newborn)
{
	register int *r10 __asm__("r10") = word;
	register long r8 __asm__("r8") = 0;
	register struct newborn *r12 __asm__("r12") = newborn;
	register int (*r13)(struct newborn *) __asm__("r13") = live;
	long ret;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "mov %%r12, %%rdi\n\t"
			 "call *%%r13\n\t"
			 "mov %%eax, %%edi\n\t"
			 "mov %[exit], %%eax\n\t"
			 "syscall\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(ret)
			 : "a"((long)SYS_clone), "D"((long)FLAGS), "S"(stack), "d"(0L), "r"(r10), "r"(r8), "r"(r12),
			   "r"(r13), [exit] "i"(SYS_exit)
			 : "rcx", "r11", "memory", "cc");
	return ret;
}

#elif defined(__aarch64__)

static long
clone_beside(char *stack, int *word, struct newborn *newborn)
{
	register long x8 __asm__("x8") = SYS_clone;
	register long x0 __asm__("x0") = FLAGS;
	register char *x1 __asm__("x1") = stack;
	register long x2 __asm__("x2") = 0;
	register long x3 __asm__("x3") = 0;
	register int *x4 __asm__("x4") = word;
	register struct newborn *x20 __asm__("x20") = newborn;
	register int (*x21)(struct newborn *) __asm__("x21") = live;

	__asm__ volatile("svc #0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, xzr\n\t"
			 "mov x0, x20\n\t"
			 "blr x21\n\t"
			 "mov x8, %[exit]\n\t"
			 "svc #0\n\t"
			 "brk #1\n"
			 "1:"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x20), "r"(x21), [exit] "i"(SYS_exit)
			 : "memory", "cc");
	return x0;
}

#else
#error "configure must know the processors that are known here"
#endif

pid_t
newborn_start(struct newborn *newborn, newborn_life *life, const void *arg)
{
	long pid;

	newborn->life = life;
	newborn->arg = arg;
	newborn->failed = 0;
	newborn->unborn = 1;
	pid = clone_beside(newborn->stack + sizeof(newborn->stack), &newborn->unborn, newborn);
	if (pid >= 0)
		return (pid_t)pid;
	newborn->unborn = 0;
	errno = (int)-pid;
	return -1;
}

int
newborn_wait(struct newborn *newborn)
{
	while (__atomic_load_n(&newborn->unborn, __ATOMIC_ACQUIRE) != 0)
		syscall(SYS_futex, &newborn->unborn, FUTEX_WAIT, 1, NULL, NULL, 0);
	return newborn->failed;
}
