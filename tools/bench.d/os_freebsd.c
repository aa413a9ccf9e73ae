/* Jails of the bench on FreeBSD: one that lives as long as the process of ours in it. */
#include <sys/param.h>
#include <sys/jail.h>
#include <sys/procctl.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

/* The caller dies with its parent. */
void
os_tether(void)
{
	int signal_number = SIGKILL;

	procctl(P_PID, getpid(), PROC_PDEATHSIG_CTL, &signal_number);
}

static void
os_jail_text(struct iovec *pair, char *name, char *value)
{
	pair[0].iov_base = name;
	pair[0].iov_len = strlen(name) + 1;
	pair[1].iov_base = value;
	pair[1].iov_len = strlen(value) + 1;
}

/* Makes the jail and stays in it: without "persist" it ends with its last process. */
static void
os_jail_hold(int ready)
{
	struct iovec parameters[4];
	char path_name[] = "path", path[] = "/", name_name[] = "name", name[32];
	int jid;

	os_tether();
	snprintf(name, sizeof(name), "jdbench%ld", (long)getpid());
	os_jail_text(&parameters[0], path_name, path);
	os_jail_text(&parameters[2], name_name, name);
	jid = jail_set(parameters, 4, JAIL_CREATE | JAIL_ATTACH);
	if (write(ready, &jid, sizeof(jid)) != (ssize_t)sizeof(jid) || jid == -1)
		_exit(1);
	close(ready);
	for (;;)
		pause();
}

void
os_jail_make(struct os_jail *jail)
{
	int ready[2];

	if (pipe2(ready, O_CLOEXEC) == -1)
		bench_fail("pipe: %s", strerror(errno));
	if ((jail->holder = fork()) == 0)
		os_jail_hold(ready[1]);
	if (jail->holder == -1)
		bench_fail("fork: %s", strerror(errno));
	close(ready[1]);
	if (read(ready[0], &jail->jid, sizeof(jail->jid)) != (ssize_t)sizeof(jail->jid) ||
	    jail->jid == -1)
		bench_fail("a jail can't be made");
	close(ready[0]);
}

void
os_jail_end(struct os_jail *jail)
{
	kill(jail->holder, SIGKILL);
	waitpid(jail->holder, NULL, 0);
}

void
os_door_open(struct os_door *door, int jid)
{
	door->jid = jid;
	door->home = door->inside = door->root = -1;
}

void
os_door_close(struct os_door *door)
{
	(void)door;
}

/* Runs argv as our child in the jail, with ready as its descriptor FLOOR_READY; -1 with errno when
 * it can't be. */
pid_t
os_door_spawn(const struct os_door *door, char *const argv[], int ready)
{
	pid_t pid;

	if ((pid = vfork()) != 0)
		return pid;
	if (dup2(ready, FLOOR_READY) == -1 || jail_attach(door->jid) == -1 || chdir("/") == -1)
		_exit(126);
	execv(argv[0], argv);
	_exit(127);
}
