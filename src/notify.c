#include "config.h"

#include "notify.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "util.h"

/* A manager that takes nothing must not hold up the daemon for longer. */
#define SEND_S 1

static bool reloading;

/* An '@' stands for the NUL with which an abstract name begins, and which has none at its end. 0: it is no address. */
static socklen_t
fill_address(struct sockaddr_un *address, const char *name)
{
	size_t length = strlen(name);

	if ((name[0] != '/' && name[0] != '@') || length >= sizeof(address->sun_path))
		return 0;
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(address->sun_path, name, length);
	if (name[0] == '/')
		return sizeof(*address);
	address->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

static int
send_to(const char *name, const char *text)
{
	const struct timeval patience = {.tv_sec = SEND_S};
	struct sockaddr_un address;
	socklen_t length = fill_address(&address, name);
	ssize_t sent;
	int fd;

	if (length == 0) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	if ((fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	sent = sendto(fd, text, strlen(text), 0, (const struct sockaddr *)&address, length);
	util_close(&fd);
	return sent < 0 ? -1 : 0;
}

/* The variable is left in the environment, for the program that an upgrade puts in this one's place. Commands have an
 * environment of their own. */
static void
tell_manager(const char *text)
{
	const char *name = getenv("NOTIFY_SOCKET");

	if (name != NULL && name[0] != '\0' && send_to(name, text) != 0)
		log_warn("event=error why=\"NOTIFY_SOCKET: %s\"", strerror(errno));
}

void
notify_ready(void)
{
	reloading = false;
	tell_manager("READY=1");
}

/* The time tells the manager which reload of several this is. */
void
notify_reloading(void)
{
	char text[64];

	reloading = true;
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRId64, util_monotonic_us());
	tell_manager(text);
}

void
notify_reloaded(void)
{
	if (reloading)
		notify_ready();
}

void
notify_stopping(void)
{
	tell_manager("STOPPING=1");
}
