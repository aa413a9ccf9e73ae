/*
 * A process made to do what it never would by itself, through the debugger of the host's root.
 */
#include "config.h"

#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <elf.h>
#include <errno.h>

#include "hostile_linux.h"

#if defined(__x86_64__)

#define POSSIBLE true

/* Back to the instruction that it waits in, for another call; -1: the old one is not restarted. */
static void
turn(struct user_regs_struct *registers, long number, long argument)
{
	registers->rip -= 2;
	registers->rax = (unsigned long long)number;
	registers->orig_rax = (unsigned long long)-1;
	registers->rdi = (unsigned long long)argument;
}

#elif defined(__aarch64__)

#define POSSIBLE true

static void
turn(struct user_regs_struct *registers, long number, long argument)
{
	registers->pc -= 4;
	registers->regs[8] = (unsigned long long)number;
	registers->regs[0] = (unsigned long long)argument;
}

#else

#define POSSIBLE false

static void
turn(struct user_regs_struct *registers, long number, long argument)
{
	(void)registers;
	(void)number;
	(void)argument;
}

#endif

bool
inject_possible(void)
{
	return (POSSIBLE);
}

void
inject_call(pid_t pid, long number, long argument)
{
	struct user_regs_struct registers;
	struct iovec part = {&registers, sizeof(registers)};
	int status = 0;

	ck_assert_int_eq(ptrace(PTRACE_SEIZE, pid, NULL, NULL), 0);
	ck_assert_int_eq(ptrace(PTRACE_INTERRUPT, pid, NULL, NULL), 0);
	ck_assert_int_eq(waitpid(pid, &status, __WALL), pid);
	ck_assert_msg(WIFSTOPPED(status), "it has not stopped: 0x%x", (unsigned)status);
	ck_assert_int_eq(ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &part), 0);
	turn(&registers, number, argument);
	ck_assert_int_eq(ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &part), 0);
	ck_assert_int_eq(ptrace(PTRACE_DETACH, pid, NULL, NULL), 0);
}
