#include "config.h"

#include "listen.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "util.h"

#define LISTEN_QUEUE	 128
#define PING_TIMEOUT_MS 2000

static int
fill_address(struct sockaddr_un *address, const char *path)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(address->sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address->sun_path, path, strlen(path));
	return 0;
}

int
listen_connect(const char *path)
{
	struct sockaddr_un address;
	int fd, failed;

	if (fill_address(&address, path) != 0 || (fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	failed = errno;
	close(fd);
	errno = failed;
	return -1;
}

bool
listen_has_hung_up(int fd)
{
	struct pollfd peer = {.fd = fd};

	return poll(&peer, 1, 0) > 0 && (peer.revents & (POLLHUP | POLLERR)) != 0;
}

void
listen_say_once(void *arg, const char *text, size_t length)
{
	const int *fd = arg;

	if (send(*fd, text, length, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_debug("event=error why=\"send: %s\"", strerror(errno));
}

bool
listen_answers(const char *path)
{
	static const char ping[] = "{\"op\":\"ping\"}\n";
	struct pollfd answer = {.events = POLLIN};
	char byte;
	bool came;

	answer.fd = listen_connect(path);
	if (answer.fd < 0)
		return false;
	came = send(answer.fd, ping, sizeof(ping) - 1, MSG_NOSIGNAL) > 0 &&
	       poll(&answer, 1, PING_TIMEOUT_MS) == 1 && recv(answer.fd, &byte, 1, 0) == 1;
	close(answer.fd);
	return came;
}

/* Only the sticky bit makes a directory in which others write bearable: they can't replace ours. */
static int
check_directory(const char *path, struct error *e)
{
	char copy[PATH_MAX];
	const char *directory;
	struct stat st;

	snprintf(copy, sizeof(copy), "%s", path);
	directory = dirname(copy);
	if (stat(directory, &st) != 0)
		return error_set(e, ERR_INTERNAL, "%s: %s", directory, strerror(errno));
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) && !(st.st_mode & S_ISVTX))
		return error_set(e, ERR_INTERNAL,
				 "%s: others may write in this directory, and so replace the socket",
				 directory);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return error_set(e, ERR_INTERNAL, "%s belongs to user %u, who could replace the socket",
				 directory, (unsigned)st.st_uid);
	return 0;
}

/* Makes way on the path: nothing there, or a socket on which nobody listens any more. */
static int
clear_path(const char *path, struct error *e)
{
	struct stat st;
	int fd;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ? 0
				       : error_set(e, ERR_INTERNAL, "%s: %s", path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return error_set(e, ERR_EXISTS, "%s is there already, and is no socket", path);
	if (listen_answers(path))
		return error_set(e, ERR_EXISTS, "a daemon answers on %s already", path);
	fd = listen_connect(path);
	if (fd >= 0) {
		close(fd);
		return error_set(e, ERR_EXISTS, "something listens on %s, but answers no ping", path);
	}
	if (errno != ECONNREFUSED)
		return error_set(e, ERR_INTERNAL, "%s: %s", path, strerror(errno));
	if (unlink(path) != 0)
		return error_set(e, ERR_INTERNAL, "removing %s: %s", path, strerror(errno));
	log_info("event=stale-socket-removed");
	return 0;
}

int
listen_open(const char *path, struct error *e)
{
	struct sockaddr_un address;
	mode_t before;
	int fd, bound;

	if (fill_address(&address, path) != 0)
		return error_set(e, ERR_INTERNAL, "%.64s…: a socket's path may have %zu bytes at most",
				 path, sizeof(address.sun_path) - 1);
	if (check_directory(path, e) != 0 || clear_path(path, e) != 0)
		return -1;
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0)
		return error_set(e, ERR_INTERNAL, "socket: %s", strerror(errno));
	before = umask(0177);
	bound = bind(fd, (struct sockaddr *)&address, sizeof(address));
	umask(before);
	if (bound != 0 || listen(fd, LISTEN_QUEUE) != 0 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
		error_set(e, ERR_INTERNAL, "%s: %s", path, strerror(errno));
		close(fd);
		if (bound == 0)
			unlink(path);
		return -1;
	}
	return fd;
}
