/*
 * A probe without the stack that the kernel gave its program: far from everything else, that takes three
 * pages of tables for itself, of the seventeen pages that a probe would cost.
 */
#ifndef STACK_LINUX_H
#define STACK_LINUX_H

#ifdef PROBE_NOLIBC

#include <sys/mman.h>
#include <sys/prctl.h>

#include <elf.h>
#include <stdint.h>

#include "attach_wire.h"
#include "sys_linux.h"

/* At least a page, on every machine; and at least what the kernel has made of the stack by now. */
#define PAGE_MOST	 65536
#define FIRST_STACK_MOST (1L << 20)

/* Where the kernel reads the title from when it is told so: memory of no file, in the one page of the stack that is in
 * use, because a page of its own would be copied for each probe. */
_Static_assert(PROBE_STACK_USED == PROBE_STACK_SIZE - ATTACH_TITLE_SIZE && PROBE_STACK_USED % 16 == 0,
	       "the title is where the stack begins");
static char *const title_place = probe_stack + PROBE_STACK_SIZE - ATTACH_TITLE_SIZE;

/* The program's own places, from the linker. */
extern char __executable_start[], etext[], edata[], end[];

/* Needs no capability, unlike the rest of PR_SET_MM, but a kernel that knows checkpoints. */
static inline int
move_title(void)
{
	struct prctl_mm_map map = {
	    .start_code = (uint64_t)(uintptr_t)__executable_start,
	    .end_code = (uint64_t)(uintptr_t)etext,
	    .start_data = (uint64_t)(uintptr_t)etext,
	    .end_data = (uint64_t)(uintptr_t)edata,
	    .start_brk = (uint64_t)(uintptr_t)end,
	    .brk = (uint64_t)(uintptr_t)end,
	    .start_stack = (uint64_t)(uintptr_t)probe_stack,
	    .arg_start = (uint64_t)(uintptr_t)title_place,
	    .arg_end = (uint64_t)(uintptr_t)title_place + ATTACH_TITLE_SIZE,
	    .env_start = (uint64_t)(uintptr_t)title_place + ATTACH_TITLE_SIZE,
	    .env_end = (uint64_t)(uintptr_t)title_place + ATTACH_TITLE_SIZE,
	    .exe_fd = ~0U,
	};

	return sys5(SYS_prctl, PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0) < 0 ? -1 : 0;
}

/* Nor the kernel's own pages for whoever asks for the time without a call, which lie around the address that follows
 * argv and the environment. */
static inline void
leave_kernel_pages(const long *stack)
{
	const long *at = stack + 1 + stack[0] + 1;

	while (*at++ != 0)
		;
	for (; at[0] != AT_NULL; at += 2)
		if (at[0] == AT_SYSINFO_EHDR)
			sys3(SYS_madvise, at[1] - PAGE_MOST, 2 * PAGE_MOST, MADV_DONTFORK);
}

/* stack: argc, then argv, as the kernel laid them out. Returns the room for the title.
 *
 * Processes that are forked don't get the stack that the kernel made: nothing of it is needed but the
 * title, unless that can't be elsewhere. The range may begin before it and end beyond it; what isn't
 * there is passed over. */
static inline char *
leave_first_stack(long *stack)
{
	uintptr_t here = (uintptr_t)stack & ~(uintptr_t)(PAGE_MOST - 1);

	leave_kernel_pages(stack);
	if (move_title() != 0)
		return (char *)stack[1];
	sys3(SYS_madvise, here - FIRST_STACK_MOST, FIRST_STACK_MOST + PAGE_MOST, MADV_DONTFORK);
	return title_place;
}

#endif /* PROBE_NOLIBC */

#endif
