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
#include <string.h>
#include <unistd.h>

#include "util.h"

#define MESSAGE_SIZE 256 /* the kernel cuts its text to it */

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
	snprintf(found->known_as, sizeof(found->known_as), "%s", ref->name);
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

/* Nothing to hold on to before FreeBSD 15: the jid and the name together are the identity, and the
 * probe checks them again. */
int
jail_os_open(struct jail_instance *jail, struct error *e)
{
	(void)e;
	jail->watch_fd = -1;
	return 0;
}

bool
jail_os_alive(const struct jail_instance *jail)
{
	char name[JAIL_NAME_SIZE], message[MESSAGE_SIZE];
	int jid = jail->jid;

	return get_jail(&jid, name, message, sizeof(message)) == 0 &&
	       strcmp(name, jail->known_as) == 0;
}

#ifdef HAVE_STRUCT_XUCRED_CR_PID
static bool
is_on_host(pid_t pid)
{
	int mib[] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, pid};
	struct kinfo_proc process;
	size_t size = sizeof(process);

	return sysctl(mib, nitems(mib), &process, &size, NULL, 0) == 0 && size == sizeof(process) &&
	       process.ki_jid == 0;
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
