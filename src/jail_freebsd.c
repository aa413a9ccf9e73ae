/* A jail on FreeBSD: jail_get(2) knows it by jid and by name. */
#include "config.h"

#include "jail.h"

#include <sys/param.h>
#include <sys/jail.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <sys/ucred.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/user.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "jail_descriptor.h"
#include "util.h"

#define MESSAGE_SIZE 256 /* the kernel cuts its text to it */

/* A leap second, or what a clock's first small correction moves the time of the boot by. */
#define BOOT_TOLERANCE_S 2

#ifndef SOL_LOCAL /* FreeBSD 13; the option has always been at this level */
#define SOL_LOCAL 0
#endif

/* Looks up by jid when it isn't 0, else by name; fills in both. Jails that are ending don't count.
 * -1 with errno, and the kernel's own words in message where it has any. */
static int
get_jail(int *jid, char name[JAIL_NAME_SIZE], char *message, size_t message_size)
{
	char jid_key[] = "jid", name_key[] = "name", message_key[] = "errmsg";
	struct iovec by_jid[] = {
	    {.iov_base = jid_key, .iov_len = sizeof(jid_key)},
	    {.iov_base = jid, .iov_len = sizeof(*jid)},
	    {.iov_base = name_key, .iov_len = sizeof(name_key)},
	    {.iov_base = name, .iov_len = JAIL_NAME_SIZE},
	    {.iov_base = message_key, .iov_len = sizeof(message_key)},
	    {.iov_base = message, .iov_len = message_size},
	};
	struct iovec by_name[] = {
	    {.iov_base = name_key, .iov_len = sizeof(name_key)},
	    {.iov_base = name, .iov_len = strlen(name) + 1},
	    {.iov_base = message_key, .iov_len = sizeof(message_key)},
	    {.iov_base = message, .iov_len = message_size},
	};
	int found;

	message[0] = '\0';
	if (*jid != 0)
		return jail_get(by_jid, nitems(by_jid), 0) < 0 ? -1 : 0;
	found = jail_get(by_name, nitems(by_name), 0);
	if (found < 0)
		return -1;
	*jid = found;
	return get_jail(jid, name, message, message_size);
}

int
jail_os_find(const struct jail_ref *ref, struct jail_instance *found, struct error *e)
{
	char message[MESSAGE_SIZE];
	int jid = (int)ref->number;

	if (ref->number > INT_MAX)
		return error_set(e, ERR_NO_SUCH_JAIL, "no jail has the jid %lld",
				 (long long)ref->number);
	snprintf(found->known_as, sizeof(found->known_as), "%s", ref->name == NULL ? "" : ref->name);
	if (get_jail(&jid, found->known_as, message, sizeof(message)) != 0) {
		if (ref->number != 0)
			return error_set(e, ERR_NO_SUCH_JAIL, "no jail has the jid %lld",
					 (long long)ref->number);
		return error_set(e, ERR_NO_SUCH_JAIL, "no jail is named \"%s\"", ref->name);
	}
	found->jid = jid;
	found->born = 0;
	return 0;
}

/* The descriptor is opened first, and the name then read through it. Before FreeBSD 15 there is nothing
 * to hold on to: the jid and the name together are the identity, and the probe checks them again. */
int
jail_os_open(struct jail_instance *jail, struct error *e)
{
	if (jail_descriptor_open(jail) != 0 || !jail_os_alive(jail))
		return error_set(e, ERR_NO_SUCH_JAIL, "the jail with the jid %d ended just now",
				 (int)jail->jid);
	return 0;
}

bool
jail_os_alive(const struct jail_instance *jail)
{
	char name[JAIL_NAME_SIZE] = "", message[MESSAGE_SIZE];
	int jid = jail->jid;

	if (jail->descriptor >= 0)
		return jail_descriptor_name(jail->descriptor, name) == 0 &&
		       strcmp(name, jail->known_as) == 0;
	return get_jail(&jid, name, message, sizeof(message)) == 0 &&
	       strcmp(name, jail->known_as) == 0;
}

static int
process_of(pid_t pid, struct kinfo_proc *process)
{
	int mib[] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, pid};
	size_t size = sizeof(*process);

	return sysctl(mib, nitems(mib), process, &size, NULL, 0) == 0 && size == sizeof(*process)
		   ? 0
		   : -1;
}

/* Random, and made anew at each boot; FreeBSD 14. */
static int
boot_id(char boot[JAIL_BOOT_SIZE])
{
	uint8_t id[16];
	size_t size = sizeof(id);

	if (sysctlbyname("kern.boot_id", id, &size, NULL, 0) != 0 || size != sizeof(id))
		return -1;
	for (size_t i = 0; i < sizeof(id); i++)
		snprintf(boot + 2 * i, 3, "%02x", id[i]);
	return 0;
}

/* The kernel keeps when a process began as the time since the boot, which no clock that is set changes,
 * and adds the time of the boot when asked: so both are asked for until no setting came between. */
static int
boot_times(long long *booted, long long *init_us)
{
	struct timeval before, after;
	struct kinfo_proc init;
	size_t size;

	do {
		size = sizeof(before);
		if (sysctlbyname("kern.boottime", &before, &size, NULL, 0) != 0 ||
		    process_of(1, &init) != 0 ||
		    sysctlbyname("kern.boottime", &after, &size, NULL, 0) != 0)
			return -1;
	} while (timercmp(&before, &after, !=));
	*booted = before.tv_sec;
	*init_us = (init.ki_start.tv_sec - before.tv_sec) * 1000000LL + init.ki_start.tv_usec -
		   before.tv_usec;
	return 0;
}

void
jail_os_boot(char boot[JAIL_BOOT_SIZE])
{
	long long booted, init_us;

	if (boot_id(boot) == 0)
		return;
	boot[0] = '\0';
	if (boot_times(&booted, &init_us) == 0)
		snprintf(boot, JAIL_BOOT_SIZE, "%lld+%lld", booted, init_us);
}

bool
jail_os_same_boot(const char *boot)
{
	char ours[JAIL_BOOT_SIZE];
	long long then, then_us, now, now_us;

	jail_os_boot(ours);
	if (sscanf(boot, "%lld+%lld", &then, &then_us) == 2 &&
	    sscanf(ours, "%lld+%lld", &now, &now_us) == 2)
		return then_us == now_us && llabs(then - now) <= BOOT_TOLERANCE_S;
	return boot[0] != '\0' && strcmp(boot, ours) == 0;
}

#ifdef HAVE_STRUCT_XUCRED_CR_PID
static bool
is_on_host(pid_t pid)
{
	struct kinfo_proc process;

	return process_of(pid, &process) == 0 && process.ki_jid == 0;
}
#endif

/* FreeBSD 12 doesn't tell the peer's pid: there the socket's directory, which no jail sees, is what
 * keeps a jail's root away. */
static bool
peer_is_on_host(const struct xucred *peer)
{
#ifdef HAVE_STRUCT_XUCRED_CR_PID
	return peer->cr_pid > 0 && is_on_host(peer->cr_pid);
#else
	(void)peer;
	return true;
#endif
}

int
jail_check_peer(int fd, uid_t *uid, struct error *e)
{
	struct xucred peer = {0};
	socklen_t length = sizeof(peer);

	if (getsockopt(fd, SOL_LOCAL, LOCAL_PEERCRED, &peer, &length) != 0 ||
	    peer.cr_version != XUCRED_VERSION)
		return error_set(e, ERR_DENIED, "the peer's credentials can't be read: %s",
				 strerror(errno));
	if (!peer_is_on_host(&peer))
		return error_set(e, ERR_DENIED, "the socket may not be used from inside a jail");
	*uid = peer.cr_uid;
	return 0;
}
