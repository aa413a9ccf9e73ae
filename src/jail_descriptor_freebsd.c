#include "config.h"

#include "jail_descriptor.h"

#include <sys/param.h>
#include <sys/event.h>
#include <sys/jail.h>
#include <sys/uio.h>

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

/* libevent can't wait for a jail's end itself, but for a queue that has it: -1 if there can be
 * none, and then the end is found out later. */
static int
watch_for_end(int descriptor)
{
	struct kevent end;
	int queue = kqueue();

	if (queue < 0)
		return -1;
	fcntl(queue, F_SETFD, FD_CLOEXEC);
	EV_SET(&end, (uintptr_t)descriptor, EVFILT_JAILDESC, EV_ADD, NOTE_JAIL_REMOVE, 0, NULL);
	if (kevent(queue, &end, 1, NULL, 0, NULL) == 0)
		return queue;
	close(queue);
	return -1;
}

/* Never an owning descriptor (JAIL_OWN_DESC): to close one removes the jail. */
int
jail_descriptor_open(struct jail_instance *jail)
{
	char jid_key[] = "jid", descriptor_key[] = "desc";
	int jid = jail->jid, descriptor = -1;
	struct iovec by_jid[] = {
	    {.iov_base = jid_key, .iov_len = sizeof(jid_key)},
	    {.iov_base = &jid, .iov_len = sizeof(jid)},
	    {.iov_base = descriptor_key, .iov_len = sizeof(descriptor_key)},
	    {.iov_base = &descriptor, .iov_len = sizeof(descriptor)},
	};

	if (jail_get(by_jid, nitems(by_jid), JAIL_GET_DESC) < 0)
		return -1;
	fcntl(descriptor, F_SETFD, FD_CLOEXEC);
	jail->descriptor = descriptor;
	jail->watch_fd = watch_for_end(descriptor);
	return 0;
}

int
jail_descriptor_name(int descriptor, char name[JAIL_NAME_SIZE])
{
	char descriptor_key[] = "desc", name_key[] = "name";
	struct iovec by_descriptor[] = {
	    {.iov_base = descriptor_key, .iov_len = sizeof(descriptor_key)},
	    {.iov_base = &descriptor, .iov_len = sizeof(descriptor)},
	    {.iov_base = name_key, .iov_len = sizeof(name_key)},
	    {.iov_base = name, .iov_len = JAIL_NAME_SIZE},
	};

	return jail_get(by_descriptor, nitems(by_descriptor), JAIL_USE_DESC) < 0 ? -1 : 0;
}
