/*
 * System calls without a libc: an armed probe costs its host little more than the kernel's own
 * bookkeeping, and nothing of a libc (locale, NSS, allocator) exists that could be led astray
 * inside a jail. Each call returns what the kernel returns: a negative errno on failure.
 *
 * On processors without an entry here the program is linked statically with the libc.
 */
#ifndef SYS_LINUX_H
#define SYS_LINUX_H

#include <sys/syscall.h>

#ifdef PROBE_NOLIBC

#include "rawcall_linux.h"

/* A stack beside the rest of the program shares its page tables, which cost more than what is in them. A
 * multiple of every page size; a page of 4 KiB is enough, the room for a title at its end included. */
#define PROBE_STACK_SIZE	65536
#define PROBE_STACK_USED	65216
#define TEXT_OF_VALUE(value)	#value
#define TEXT_OF(macro)		TEXT_OF_VALUE(macro)
#define PROBE_STACK_TEXT	TEXT_OF(PROBE_STACK_USED)

char probe_stack[PROBE_STACK_SIZE] __attribute__((aligned(PROBE_STACK_SIZE)));

#define sys_call rawcall

#if defined(__x86_64__)

/* The kernel starts a program with argc and argv on the stack and no return address. */
__asm__(".globl _start\n"
	"_start:\n"
	"	xor %ebp, %ebp\n"
	"	mov %rsp, %rdi\n"
	"	lea probe_stack + " PROBE_STACK_TEXT "(%rip), %rsp\n"
	"	call probe_start\n"
	"	hlt\n");

#elif defined(__aarch64__)

__asm__(".globl _start\n"
	"_start:\n"
	"	mov x29, #0\n"
	"	mov x0, sp\n"
	"	adrp x1, probe_stack\n"
	"	add x1, x1, :lo12:probe_stack\n"
	"	mov x2, #" PROBE_STACK_TEXT "\n"
	"	add sp, x1, x2\n"
	"	bl probe_start\n"
	"	brk #1\n");

#else
#error "no system call entry for this processor: configure must not define PROBE_NOLIBC"
#endif

/* The compiler may turn a loop or an initialiser into a call of these. */
void *memset(void *, int, __SIZE_TYPE__);
void *memcpy(void *restrict, const void *restrict, __SIZE_TYPE__);

void *
memset(void *dst, int c, __SIZE_TYPE__ n)
{
	volatile unsigned char *d = dst;

	while (n-- > 0)
		*d++ = (unsigned char)c;
	return dst;
}

void *
memcpy(void *restrict dst, const void *restrict src, __SIZE_TYPE__ n)
{
	volatile unsigned char *d = dst;
	const unsigned char *s = src;

	while (n-- > 0)
		*d++ = *s++;
	return dst;
}

#else /* with a libc */

#include <errno.h>
#include <string.h>
#include <unistd.h>

static inline long
sys_call(long nr, long a, long b, long c, long d, long e)
{
	long ret = syscall(nr, a, b, c, d, e);

	return ret == -1 ? -errno : ret;
}

#endif /* PROBE_NOLIBC */

#ifndef CLOSE_RANGE_CALL
#ifdef SYS_close_range
#define CLOSE_RANGE_CALL SYS_close_range
#else
#define CLOSE_RANGE_CALL 436 /* the same number on every architecture */
#endif
#endif

#define sys0(nr)	  sys_call((nr), 0, 0, 0, 0, 0)
#define sys1(nr, a)	  sys_call((nr), (long)(a), 0, 0, 0, 0)
#define sys2(nr, a, b)	  sys_call((nr), (long)(a), (long)(b), 0, 0, 0)
#define sys3(nr, a, b, c) sys_call((nr), (long)(a), (long)(b), (long)(c), 0, 0)
#define sys4(nr, a, b, c, d) \
	sys_call((nr), (long)(a), (long)(b), (long)(c), (long)(d), 0)
#define sys5(nr, a, b, c, d, e) \
	sys_call((nr), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e))

#endif
