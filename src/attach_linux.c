/*
 * The daemon's end of the launcher (src/jaildaemon-probe/linux.c), which makes the probes. The
 * launcher runs from a sealed memfd that nobody may open: a probe's /proc/PID/exe is then no handle
 * on any file of the host's. It is started when it is first needed, and again if it should die.
 */
#include "config.h"

#include "attach.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bookkeeping_linux.h"
#include "child.h"
#include "log.h"
#include "spawn.h"
#include "util.h"

#ifndef MFD_EXEC /* Linux 6.3: asks for what older kernels always gave */
#define MFD_EXEC 0x0010U
#endif

/* Above the places that spawn_process fills in the child. */
#define FIRST_HIGH_FD 10

static int program_fd = -1;
static int launcher_fd = -1; /* our end of the socket; -1: no launcher runs */
static pid_t launcher_pid;

/* The party that gathers until attach_flush: probes for one jail, with the same ids. */
static struct {
	unsigned number;
	const struct jail_instance *jail;
	struct attach_request request;
	int reports[ATTACH_PARTY_MAX]; /* the probes' ends of the channels */
} party;

static int
copy_file(int from, int to)
{
	char buffer[65536];
	ssize_t got;

	while ((got = read(from, buffer, sizeof(buffer))) > 0)
		if (write(to, buffer, (size_t)got) != got)
			return -1;
	return got == 0 ? 0 : -1;
}

static int
make_memfd(void)
{
	int fd = memfd_create("jaildaemon-probe", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	int high;

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("jaildaemon-probe", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -1;
	high = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_HIGH_FD);
	close(fd);
	return high;
}

/* Mode 0111: not even root of a user namespace may read it through /proc/PID/exe. */
static int
seal(int fd)
{
	if (fchmod(fd, 0111) != 0)
		return -1;
	return fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
}

int
attach_prepare(struct error *e)
{
	char path[1024];
	int file;

	if (attach_find_program(path, sizeof(path), e) != 0)
		return -1;
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return error_set(e, ERR_INTERNAL, "%s: %s", path, strerror(errno));
	program_fd = make_memfd();
	if (program_fd < 0 || copy_file(file, program_fd) != 0 || seal(program_fd) != 0) {
		error_set(e, ERR_INTERNAL, "copying %s to memory: %s", path, strerror(errno));
		close(file);
		util_close(&program_fd);
		return -1;
	}
	close(file);
	return 0;
}

int
attach_os_own_path(char *path, size_t size)
{
	ssize_t length = readlink("/proc/self/exe", path, size - 1);

	if (length < 0)
		return -1;
	path[length] = '\0';
	return 0;
}

static void
launcher_ended(pid_t pid, int status, void *arg)
{
	(void)arg;
	launcher_pid = 0;
	if (launcher_fd < 0)
		return; /* it was told to end */
	util_close(&launcher_fd);
	log_warn("event=launcher-ended pid=%d status=%#x", (int)pid, (unsigned)status);
}

static int
start_launcher(struct error *e)
{
	/* Its argv is the room in which every probe writes its title. */
	char title_room[ATTACH_TITLE_SIZE];
	char *argv[] = {title_room, NULL};
	char *env[] = {NULL};
	struct spawn spawn = {.exec_fd = program_fd,
			      .keeps_exec_fd = true,
			      .argv = argv,
			      .env = env,
			      .output_fd = SPAWN_NO_FD,
			      .block_signals = true};
	struct flock alive = {.l_type = F_WRLCK, .l_whence = SEEK_SET}; /* see ATTACH_ALIVE_FD */
	int pair[2];

	memset(title_room, ' ', sizeof(title_room) - 1);
	title_room[sizeof(title_room) - 1] = '\0';
	if (child_reserve() != 0)
		return error_no_memory(e);
	if (fcntl(program_fd, F_SETLK, &alive) != 0)
		return error_set(e, ERR_INTERNAL, "locking the probe program: %s", strerror(errno));
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return error_set(e, ERR_INTERNAL, "socketpair: %s", strerror(errno));
	spawn.inherited_fd = pair[1];
	launcher_pid = spawn_process(&spawn);
	close(pair[1]);
	if (launcher_pid < 0) {
		error_set(e, ERR_INTERNAL, "starting the probe program: %s", strerror(errno));
		close(pair[0]);
		return -1;
	}
	launcher_fd = pair[0];
	child_add(launcher_pid, launcher_ended, NULL);
	return 0;
}

void
attach_finish(void)
{
	util_close(&launcher_fd); /* the launcher reads the end and exits */
	util_close(&program_fd);
}

/* Opened through the init's /proc entry, which is that of the right process only as long as the
 * pidfd is alive: checked after opening. */
static int
open_root(const struct jail_instance *jail)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/root", (int)jail->jid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && !jail_alive(jail)) {
		util_close(&fd);
		errno = ESRCH;
	}
	return fd;
}

static int
send_request(const struct attach_request *request, const int fds[ATTACH_FD_MAX])
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int) * ATTACH_FD_MAX)];
	} control = {.space = {0}};
	const size_t bytes = sizeof(int) * (ATTACH_FD_REPORTS + request->probes + request->cgroups);
	struct iovec part = {.iov_base = (void *)(uintptr_t)request,
			     .iov_len = offsetof(struct attach_request, titles[request->probes])};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = (socklen_t)CMSG_SPACE(bytes)}; /* as musl has it */
	ssize_t sent;

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = (socklen_t)CMSG_LEN(bytes);
	memcpy(CMSG_DATA(&control.header), fds, bytes);
	do
		sent = sendmsg(launcher_fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -1 : 0;
}

static int
send_with_root(struct attach_request *request, const struct jail_instance *jail, int fds[ATTACH_FD_MAX])
{
	int *cgroups = fds + ATTACH_FD_REPORTS + request->probes;
	int sent = -1, failed;

	fds[ATTACH_FD_INIT] = jail->watch_fd;
	fds[ATTACH_FD_ROOT] = open_root(jail);
	if (fds[ATTACH_FD_ROOT] >= 0) {
		request->namespaces = jail_namespaces(jail);
		bookkeeping_fill(jail->jid, request, cgroups);
		sent = send_request(request, fds);
	}
	failed = errno;
	for (uint32_t i = 0; i < request->cgroups; i++)
		close(cgroups[i]);
	util_close(&fds[ATTACH_FD_ROOT]);
	errno = failed;
	return sent;
}

/* Through the channels, as if the launcher had said it. Whoever doesn't get it reads the end. */
static void
tell_party(enum attach_stage stage, int value)
{
	const struct attach_report line = {.stage = (uint32_t)stage, .value = value};

	for (uint32_t i = 0; i < party.request.probes; i++)
		(void)send(party.reports[i], &line, sizeof(line), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void
attach_flush(void)
{
	int fds[ATTACH_FD_MAX];

	if (party.request.probes == 0)
		return;
	memcpy(fds + ATTACH_FD_REPORTS, party.reports, sizeof(party.reports));
	if (send_with_root(&party.request, party.jail, fds) != 0)
		tell_party(ATTACH_FAIL_REQUEST, errno);
	for (uint32_t i = 0; i < party.request.probes; i++)
		close(party.reports[i]);
	party.request.probes = 0;
}

/* One more probe for the party, or the first of the next one. */
static void
join_party(const struct jail_instance *jail, const struct attach_params *params, int report_fd)
{
	struct attach_request *request = &party.request;

	if (request->probes == ATTACH_PARTY_MAX || party.jail != jail || request->uid != params->uid ||
	    request->gid != params->gid)
		attach_flush();
	if (request->probes == 0) {
		*request = (struct attach_request){.uid = params->uid, .gid = params->gid};
		party.jail = jail;
		party.number += party.number == UINT_MAX ? 2 : 1; /* never 0 */
	}
	snprintf(request->titles[request->probes], ATTACH_TITLE_SIZE, "%s%s", PROBE_TITLE_PREFIX,
		 params->title);
	party.reports[request->probes++] = report_fd;
}

/* A probe in a jail that may trace it could have its end of the channel taken, so what comes is
 * believed by its sender, whom the kernel names. */
static int
open_channel(int ends[2])
{
	const int on = 1;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return -1;
	if (setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0 &&
	    fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0)
		return 0;
	close(ends[0]);
	close(ends[1]);
	return -1;
}

/* One message, whatever it is. *sender is 0 at the end of the channel: an empty message has one. */
static ssize_t
receive(int fd, struct attach_report *line, pid_t *sender)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(struct ucred))];
	} control = {.space = {0}};
	struct iovec part = {.iov_base = line, .iov_len = sizeof(*line)};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	struct ucred from = {0};
	ssize_t got;

	do
		got = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got >= 0 && message.msg_controllen >= sizeof(struct cmsghdr) &&
	    control.header.cmsg_type == SCM_CREDENTIALS)
		memcpy(&from, CMSG_DATA(&control.header), sizeof(from));
	*sender = from.pid;
	return got;
}

int
attach_read(int report_fd, pid_t helper, struct attach_report *line)
{
	pid_t sender;
	ssize_t got;

	while ((got = receive(report_fd, line, &sender)) > 0 || (got == 0 && sender != 0)) {
		if (got != (ssize_t)sizeof(*line))
			continue;
		if (line->stage == ATTACH_PID && sender != helper)
			continue;
		if (line->stage == ATTACH_HELPER || line->stage == ATTACH_READY)
			line->value = sender;
		return 1;
	}
	return got < 0 && util_is_shortage(errno) ? -1 : 0; /* what could not be taken now is still there */
}

int
attach_begin(const struct jail_instance *jail, const struct attach_params *params, struct attach_begun *begun,
	     struct error *e)
{
	int ends[2];

	if (launcher_fd < 0 && start_launcher(e) != 0)
		return -1;
	if (open_channel(ends) != 0)
		return error_set(e, ERR_INTERNAL, "socketpair: %s", strerror(errno));
	join_party(jail, params, ends[1]);
	*begun = (struct attach_begun){.report_fd = ends[0], .pid = -1, .party = party.number};
	return 0;
}
