/* Jails of the bench on Linux: a set of namespaces that a process of ours keeps alive. */
#define _GNU_SOURCE
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define JAIL_SPACES (CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET)

/* The caller dies with its parent. */
void
os_tether(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* The jail's init: its own /proc, then nothing more but to be there. */
static void
os_jail_init(int ready)
{
	os_tether();
	signal(SIGCHLD, SIG_IGN);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == -1 ||
	    sethostname("bench", 5) == -1)
		_exit(1);
	if (write(ready, "", 1) != 1)
		_exit(1);
	close(ready);
	for (;;)
		pause();
}

void
os_jail_make(struct os_jail *jail)
{
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC) == -1)
		bench_fail("pipe: %s", strerror(errno));
	if ((pid = (pid_t)syscall(SYS_clone, JAIL_SPACES | SIGCHLD, 0, 0, 0, 0)) == 0)
		os_jail_init(ready[1]);
	if (pid == -1)
		bench_fail("a jail can't be made: %s", strerror(errno));
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		bench_fail("the jail's first process failed");
	close(ready[0]);
	jail->holder = pid;
	jail->jid = (int)pid;
}

/* Its probes' parent must be gone or reaping, or this waits for it. */
void
os_jail_end(struct os_jail *jail)
{
	kill(jail->holder, SIGKILL);
	waitpid(jail->holder, NULL, 0);
}

void
os_door_open(struct os_door *door, int jid)
{
	char path[32];

	door->jid = jid;
	door->home = (int)syscall(SYS_pidfd_open, getpid(), 0);
	door->inside = (int)syscall(SYS_pidfd_open, jid, 0);
	snprintf(path, sizeof(path), "/proc/%d/root", jid);
	door->root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (door->home == -1 || door->inside == -1 || door->root == -1)
		bench_fail("the jail can't be looked at: %s", strerror(errno));
}

void
os_door_close(struct os_door *door)
{
	close(door->home);
	close(door->inside);
	close(door->root);
}

/* What runs between vfork and exec: only system calls, on our parent's memory. */
static void
os_door_enter(const struct os_door *door, char *const argv[], int ready)
{
	if (dup2(ready, FLOOR_READY) == -1 ||
	    setns(door->inside, JAIL_SPACES & ~CLONE_NEWPID) == -1)
		_exit(126);
	/* The jail's root can be deeper than that of its mounts: if this runs in a chroot. */
	if (fchdir(door->root) == -1 || chroot(".") == -1)
		_exit(126);
	execv(argv[0], argv);
	_exit(127);
}

/* Runs argv as our child in the jail, with ready as its descriptor FLOOR_READY; -1 with errno when
 * it can't be. */
pid_t
os_door_spawn(const struct os_door *door, char *const argv[], int ready)
{
	pid_t pid;

	if (setns(door->inside, CLONE_NEWPID) == -1)
		return -1;
	if ((pid = vfork()) == 0)
		os_door_enter(door, argv, ready);
	if (setns(door->home, CLONE_NEWPID) == -1)
		bench_fail("no way back from the jail: %s", strerror(errno));
	return pid;
}
