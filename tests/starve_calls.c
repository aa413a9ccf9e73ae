/*
 * What can fail, and how. A row a call; which processes make it is found out by counting.
 */
#include "config.h"

#include <sys/syscall.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "starve.h"

/* Not every machine has those that others replaced. */
#ifdef SYS_open
#define OLD(name) SYS_##name
#else
#define OLD(name) (-1)
#endif

#define SYSTEM(name, ...) \
	{ \
#name, SYS_##name, \
		{ \
			__VA_ARGS__ \
		} \
	}
#define SYSTEM_OLD(name, ...) \
	{ \
#name, OLD(name), \
		{ \
			__VA_ARGS__ \
		} \
	}
#define MEMORY(name) \
	{ \
#name, -1, \
		{ \
			ENOMEM \
		} \
	}

const struct starve_call starve_calls[] = {
    [STARVE_MALLOC] = MEMORY(malloc),
    [STARVE_CALLOC] = MEMORY(calloc),
    [STARVE_REALLOC] = MEMORY(realloc),

    /* processes */
    SYSTEM_OLD(fork, EAGAIN, ENOMEM),
    SYSTEM_OLD(vfork, EAGAIN, ENOMEM),
    SYSTEM(clone, EAGAIN, ENOMEM),
    SYSTEM(clone3, EAGAIN, ENOMEM),
    SYSTEM(execve, ENOMEM, EACCES, ETXTBSY),
    SYSTEM(execveat, ENOMEM, EACCES),
    SYSTEM(wait4, EINTR),
    SYSTEM(waitid, EINTR),
    SYSTEM(setsid, EPERM),
    SYSTEM(prlimit64, EPERM),

    /* what goes into a jail */
    SYSTEM(setns, ENOMEM, EPERM),
    SYSTEM(fchdir, EACCES),
    SYSTEM(chroot, EPERM),
    SYSTEM(chdir, EACCES),
    SYSTEM(setgroups, EPERM),
    SYSTEM(setresgid, EPERM),
    SYSTEM(setresuid, EAGAIN),
    SYSTEM(capget, EPERM),
    SYSTEM(capset, EPERM),
    SYSTEM(seccomp, ENOMEM),
    SYSTEM(pidfd_open, EMFILE, ENFILE, ENOMEM),

    /* descriptors; close_range fails only where it has to copy a table, which nobody here asks of it */
    SYSTEM_OLD(open, EMFILE, ENFILE, ENOMEM),
    SYSTEM(openat, EMFILE, ENFILE, ENOMEM, EIO),
    SYSTEM_OLD(pipe, EMFILE, ENFILE),
    SYSTEM(pipe2, EMFILE, ENFILE),
    SYSTEM(socketpair, EMFILE, ENFILE, ENOMEM),
    SYSTEM(socket, EMFILE, ENFILE, ENOMEM),
    SYSTEM(fcntl, EMFILE),
    SYSTEM_OLD(dup2, EMFILE),
    SYSTEM(dup3, EMFILE),
    SYSTEM(memfd_create, EMFILE, ENOMEM),
    SYSTEM(mmap, ENOMEM),
    SYSTEM(ftruncate, ENOSPC),

    /* the event loop */
    SYSTEM_OLD(epoll_create, EMFILE),
    SYSTEM(epoll_create1, EMFILE),
    SYSTEM(epoll_ctl, ENOMEM, ENOSPC),
    SYSTEM_OLD(epoll_wait, EINTR),
    SYSTEM(epoll_pwait, EINTR),
    SYSTEM(eventfd2, EMFILE),
    SYSTEM(timerfd_create, EMFILE),
    SYSTEM(signalfd4, EMFILE, ENOMEM),
    SYSTEM(inotify_init1, EMFILE),
    SYSTEM(inotify_add_watch, ENOSPC, ENOMEM),

    /* connections */
    SYSTEM(bind, EADDRINUSE),
    SYSTEM(listen, EADDRINUSE),
    SYSTEM(accept, EMFILE, ENFILE, ENOMEM, ECONNABORTED),
    SYSTEM(accept4, EMFILE, ENFILE, ENOMEM, ECONNABORTED),
    SYSTEM(getsockopt, ENOBUFS),
    SYSTEM(setsockopt, ENOMEM),
    SYSTEM(recvfrom, ENOMEM, EINTR),
    SYSTEM(recvmsg, ENOMEM, EINTR),
    SYSTEM(sendto, ENOBUFS, EINTR),
    SYSTEM(sendmsg, ENOBUFS, ENOMEM, EINTR),
    SYSTEM(read, EIO, EINTR, ENOMEM),
    SYSTEM(readv, ECONNRESET, EINTR),
    SYSTEM(write, EIO, ENOSPC, EINTR),
    SYSTEM(writev, EPIPE, EINTR),
    SYSTEM(pwrite64, ENOSPC),

    /* files */
    SYSTEM(fsync, EIO, ENOSPC),
    SYSTEM_OLD(rename, EIO, ENOSPC),
    SYSTEM(renameat, EIO, ENOSPC),
    SYSTEM(renameat2, EIO, ENOSPC),
    SYSTEM_OLD(unlink, EIO),
    SYSTEM(unlinkat, EIO, EROFS),
    SYSTEM_OLD(mkdir, ENOSPC),
    SYSTEM(mkdirat, ENOSPC),
    SYSTEM_OLD(chmod, EIO),
    SYSTEM(fchmod, EIO),
    SYSTEM(fchmodat, EIO),
    SYSTEM_OLD(chown, EIO),
    SYSTEM(flock, ENOLCK, EINTR),
    SYSTEM(fstat, EIO),
    SYSTEM_OLD(stat, EIO),
    SYSTEM(newfstatat, EIO),
    SYSTEM_OLD(access, EIO),
    SYSTEM(faccessat, EIO),
    SYSTEM_OLD(readlink, ENOMEM),
    SYSTEM(readlinkat, ENOMEM),
    SYSTEM(getdents64, EIO),
    SYSTEM(getrandom, EINTR),
};

const unsigned starve_call_count = sizeof(starve_calls) / sizeof(starve_calls[0]);
_Static_assert(sizeof(starve_calls) / sizeof(starve_calls[0]) <= STARVE_CALLS_MAX,
	       "a plan counts as many");

static const char *const role_names[STARVE_ROLES] = {"daemon", "child", "launcher"};

const char *
starve_role_name(enum starve_role role)
{
	return (role_names[role]);
}

void
starve_format_point(char name[STARVE_NAME_SIZE], const struct starve_point *point)
{
	(void)snprintf(name, STARVE_NAME_SIZE, "%s/%s@%u=%s", starve_calls[point->call].name,
		       role_names[point->role], point->occurrence, strerrorname_np(point->error));
}
