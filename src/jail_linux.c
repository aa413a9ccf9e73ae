/*
 * A jail on Linux: a pid namespace that isn't the daemon's own, with whatever other namespaces its
 * init has.
 */
#include "config.h"

#include "jail.h"

#include <sys/socket.h>
#include <sys/syscall.h>

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc_linux.h"
#include "runtime_linux.h"
#include "util.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif
#ifndef SO_PEERPIDFD /* Linux 6.5 */
#define SO_PEERPIDFD 77
#endif

/* The pid namespace isn't here: a probe gets into it by being born there. */
static const struct {
	const char *name;
	uint32_t flag;
} namespaces[] = {
    {"user", CLONE_NEWUSER}, {"mnt", CLONE_NEWNS},	 {"net", CLONE_NEWNET},
    {"ipc", CLONE_NEWIPC},   {"uts", CLONE_NEWUTS},	 {"cgroup", CLONE_NEWCGROUP},
    {"time", CLONE_NEWTIME},
};

/* A jail that can't be looked at for now is not one that has ended: what is known of that one is dropped. */
static int
no_such_process(pid_t pid, struct error *e)
{
	if (errno == ENOENT || errno == ESRCH)
		return error_set(e, ERR_NO_SUCH_JAIL, "no process has the pid %d", (int)pid);
	return error_set(e, util_is_shortage(errno) ? ERR_INTERNAL : ERR_NO_SUCH_JAIL,
			 "process %d can't be looked at: %s", (int)pid, strerror(errno));
}

/* A slip of the number must never put a button on the host itself. */
static int
check_is_jailed(pid_t pid, struct error *e)
{
	struct proc_ns own, theirs;

	if (proc_namespace(0, "pid", &own) != 0)
		return error_set(e, ERR_INTERNAL, "can't read /proc/self/ns/pid: %s",
				 strerror(errno));
	if (proc_namespace(pid, "pid", &theirs) != 0)
		return no_such_process(pid, e);
	if (proc_same_namespace(&own, &theirs))
		return error_set(e, ERR_NO_SUCH_JAIL,
				 "process %d is in no jail: it shares the host's pid namespace",
				 (int)pid);
	return 0;
}

int
jail_os_find(const struct jail_ref *ref, struct jail_instance *found, struct error *e)
{
	pid_t pid = (pid_t)ref->number;
	struct proc_ns ns;

	if (ref->number > INT32_MAX)
		return error_set(e, ERR_NO_SUCH_JAIL, "no process has the pid %lld",
				 (long long)ref->number);
	if (ref->number == 0 && runtime_find(ref->name, &pid, e) != 0)
		return -1;
	if (check_is_jailed(pid, e) != 0)
		return -1;
	errno = 0;
	found->jid = proc_init_of(pid);
	if (found->jid == 0 && util_is_shortage(errno))
		return no_such_process(pid, e);
	if (found->jid == 0)
		return error_set(e, ERR_NO_SUCH_JAIL,
				 "the jail of process %d has no init that can be seen from here",
				 (int)pid);
	if (proc_start_time(found->jid, &found->born) != 0 || proc_namespace(pid, "pid", &ns) != 0)
		return no_such_process(found->jid, e);
	found->pid_namespace = ns.inode;
	return 0;
}

uint32_t
jail_namespaces(const struct jail_instance *jail)
{
	uint32_t flags = 0;

	for (size_t i = 0; i < UTIL_COUNT(namespaces); i++) {
		struct proc_ns own, theirs;

		if (proc_namespace(0, namespaces[i].name, &own) == 0 &&
		    proc_namespace(jail->jid, namespaces[i].name, &theirs) == 0 &&
		    !proc_same_namespace(&own, &theirs))
			flags |= namespaces[i].flag;
	}
	return flags;
}

/* The pidfd is opened first and everything else read again after it: if it is alive at the end, all
 * that was read is of that very process; and its pid namespace is the one of the process that was asked
 * for. */
int
jail_os_open(struct jail_instance *jail, struct error *e)
{
	struct proc_ns ns = {0};
	uint64_t born = 0;

	jail->watch_fd = (int)syscall(SYS_pidfd_open, jail->jid, 0);
	if (jail->watch_fd < 0 && errno != ESRCH)
		return error_set(e, ERR_INTERNAL, "pidfd_open: %s", strerror(errno));
	if (jail->watch_fd >= 0 && check_is_jailed(jail->jid, e) != 0)
		return -1;
	errno = 0;
	if (jail->watch_fd >= 0 && (proc_start_time(jail->jid, &born) != 0 ||
				    proc_namespace(jail->jid, "pid", &ns) != 0) &&
	    util_is_shortage(errno))
		return no_such_process(jail->jid, e);
	if (jail->watch_fd < 0 || born != jail->born || ns.inode != jail->pid_namespace ||
	    !jail_os_alive(jail))
		return error_set(e, ERR_NO_SUCH_JAIL, "the jail of process %d ended just now",
				 (int)jail->jid);
	return 0;
}

/* Interrupted means undecided: taken for an end it would cost a living probe. */
static bool
pidfd_alive(int fd)
{
	struct pollfd ended = {.fd = fd, .events = POLLIN};
	int ready;

	do
		ready = poll(&ended, 1, 0);
	while (ready < 0 && errno == EINTR);
	return ready == 0;
}

bool
jail_os_alive(const struct jail_instance *jail)
{
	return pidfd_alive(jail->watch_fd);
}

/* Random, and made anew at each boot. */
void
jail_os_boot(char boot[JAIL_BOOT_SIZE])
{
	static char known[JAIL_BOOT_SIZE];
	char id[JAIL_BOOT_SIZE];

	if (known[0] == '\0' && util_read_file("/proc/sys/kernel/random/boot_id", id, sizeof(id)) > 0)
		memcpy(known, id, strcspn(id, "\n"));
	memcpy(boot, known, sizeof(known));
}

bool
jail_os_same_boot(const char *boot)
{
	char ours[JAIL_BOOT_SIZE];

	jail_os_boot(ours);
	return boot[0] != '\0' && strcmp(boot, ours) == 0;
}

/* Both namespaces, because a container may share one of them with the host. */
static bool
is_on_host(pid_t pid)
{
	static const char *const decisive[] = {"pid", "user"};

	for (size_t i = 0; i < UTIL_COUNT(decisive); i++) {
		struct proc_ns own, theirs;

		if (proc_namespace(0, decisive[i], &own) != 0 ||
		    proc_namespace(pid, decisive[i], &theirs) != 0 ||
		    !proc_same_namespace(&own, &theirs))
			return false;
	}
	return true;
}

/* A pid that is 0 belongs to a process that can't be seen from here. Where the kernel gives a pidfd
 * of the peer (and it refuses only for one that is gone), it proves that the number didn't change hands while we looked. */
static bool
peer_is_on_host(int fd, pid_t pid)
{
	socklen_t length = sizeof(int);
	int pidfd = -1;
	bool on_host;

	if (pid <= 0)
		return false;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &length) != 0)
		return errno == ENOPROTOOPT && is_on_host(pid);
	on_host = is_on_host(pid) && pidfd_alive(pidfd);
	close(pidfd);
	return on_host;
}

int
jail_check_peer(int fd, uid_t *uid, struct error *e)
{
	struct ucred peer = {0};
	socklen_t length = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
		return error_set(e, ERR_DENIED, "the peer's credentials can't be read: %s",
				 strerror(errno));
	if (!peer_is_on_host(fd, peer.pid))
		return error_set(e, ERR_DENIED, "the socket may not be used from inside a jail");
	*uid = peer.uid;
	return 0;
}
