/*
 * jaildaemon-probe on Linux: the launcher, and the probes that it forks.
 *
 * The daemon executes this program once, from a sealed memfd, and hands it one datagram a party: some
 * probes for the same jail, with the same ids. For each party the launcher forks a helper, which joins
 * everything of the jail but its pid namespace and gives up everything of the host's, and which then
 * forks the probes into the jail's pid namespace (all with CLONE_PARENT: the daemon's own children).
 * That is why the daemon doesn't fork probes itself:
 *
 *  - Nobody inside can see the helper. What appears inside has been born without a capability, a
 *    descriptor but the report pipe and this program, or a namespace of the host's: even a jail that
 *    may trace any process it sees finds nothing else in it but the channels on which its neighbours
 *    of the same jail are about to report, until it closes them.
 *  - Nobody inside can hold up the daemon: a probe that is stopped, frozen or killed half way is
 *    nobody's vfork, and shares neither memory nor descriptors with anything on the host.
 *  - A fork of this program carries nothing worth reading: no command, no other jail's title. It was
 *    executed on the host and is not dumpable, so its memory belongs to the host's user namespace.
 *
 * A probe is born with every signal blocked, ends with only HUP blocked, and waits for it.
 */
#undef _FORTIFY_SOURCE
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "attach_wire.h"
#include "capabilities_linux.h"
#include "confine_linux.h"
#include "stack_linux.h"
#include "sys_linux.h"

#define KERNEL_SIGSET_BYTES 8
#define NO_FD		    (-1)
#define FIRST_REPORT_FD	    (ATTACH_ALIVE_FD + 1)

/* Where the kernel reads our title from: argv[0], made large enough by the daemon. */
static char *title_area;

static _Noreturn void
finish(int code)
{
	for (;;)
		sys1(SYS_exit_group, code);
}

static long
report(int fd, enum attach_stage stage, long value)
{
	struct attach_report line = {.stage = (uint32_t)stage, .value = (int32_t)value};

	return sys3(SYS_write, fd, &line, sizeof(line));
}

static _Noreturn void
fail(int fd, enum attach_stage stage, long negative_errno)
{
	report(fd, stage, -negative_errno);
	finish(1);
}

/* A party: the probes that one helper makes, for one jail and with the same ids, and what it was sent. */
struct party {
	struct attach_request request;
	int fds[ATTACH_FD_MAX]; /* as enum attach_fd has them; NO_FD where there is none */
};

static int *
cgroups_of(struct party *party)
{
	return party->fds + ATTACH_FD_REPORTS + party->request.probes;
}

/* Whether anybody listens. */
static int
report_all(const struct party *party, enum attach_stage stage, long value)
{
	int heard = 0;

	for (uint32_t i = 0; i < party->request.probes; i++)
		if (report(party->fds[ATTACH_FD_REPORTS + i], stage, value) > 0)
			heard = 1;
	return heard;
}

static _Noreturn void
fail_all(const struct party *party, enum attach_stage stage, long negative_errno)
{
	report_all(party, stage, -negative_errno);
	finish(1);
}

/* A last byte that is not zero tells the kernel that the arguments were overwritten with a title:
 * /proc/PID/cmdline then ends at the first zero. It asks for no capability, as PR_SET_MM would. */
static void
set_title(const char *title)
{
	size_t i;

	/* cppcheck-suppress arrayIndexOutOfBoundsCond ; the zero ends it */
	for (i = 0; i < ATTACH_TITLE_SIZE - 2 && title[i] != '\0'; i++)
		title_area[i] = title[i]; /* cppcheck-suppress arrayIndexOutOfBounds ; the zero ends it */
	for (; i < ATTACH_TITLE_SIZE - 1; i++)
		title_area[i] = '\0';
	title_area[ATTACH_TITLE_SIZE - 1] = '.';
	sys5(SYS_prctl, PR_SET_NAME, "jaildaemon", 0, 0, 0);
}

static long
write_file(long fd, const char *text)
{
	long length = 0, written;

	if (fd < 0)
		return fd;
	while (text[length] != '\0')
		length++;
	written = sys3(SYS_write, fd, text, length);
	sys1(SYS_close, fd);
	return written;
}

static long
open_for_writing(int directory, const char *path)
{
	return sys4(SYS_openat, directory, path, O_WRONLY | O_CLOEXEC, 0);
}

/* Into the jail's cgroups, so that the probe is frozen, counted and killed with it; moving in, unlike
 * being forked there, is not stopped by a limit that the jail has used up. born_in: the fork has seen
 * to cgroup v2 already. */
static void
join_cgroups(struct party *party, int born_in)
{
	const int *cgroups = cgroups_of(party);

	for (uint32_t i = 0; i < party->request.cgroups; i++) {
		long fd = cgroups[i], failed;

		if (party->request.unified && i == 0) {
			if (born_in)
				continue;
			fd = open_for_writing(cgroups[i], "cgroup.procs");
		}
		if ((failed = write_file(fd, "0")) < 0)
			report_all(party, ATTACH_WARN_CGROUP, -failed);
	}
}

/* Before anything of the host's /proc is left behind. The label comes before no_new_privs and before
 * any change of credentials, because the kernel refuses it afterwards. */
static void
take_bookkeeping(struct party *party, int born_in)
{
	const struct attach_request *request = &party->request;
	long failed;

	join_cgroups(party, born_in);
	if (request->oom_score_adj[0] != '\0' &&
	    (failed = write_file(open_for_writing(AT_FDCWD, "/proc/self/oom_score_adj"),
				 request->oom_score_adj)) < 0)
		report_all(party, ATTACH_WARN_OOM_SCORE, -failed);
	if (request->label_path[0] != '\0' &&
	    (failed = write_file(open_for_writing(AT_FDCWD, request->label_path), request->label)) < 0)
		report_all(party, ATTACH_WARN_LABEL, -failed);
}

/* All namespaces in one call, which either joins them all or none. */
static void
enter_jail(const struct party *party)
{
	const uint32_t namespaces = party->request.namespaces;
	long failed;

	if ((failed = sys2(SYS_setns, party->fds[ATTACH_FD_INIT], CLONE_NEWPID)) < 0)
		fail_all(party, ATTACH_FAIL_PIDNS, failed);
	if (namespaces != 0 && (failed = sys2(SYS_setns, party->fds[ATTACH_FD_INIT], namespaces)) < 0)
		fail_all(party, ATTACH_FAIL_ENTER, failed);
	/* The jail's root may be deeper than its mount namespace's (a plain chroot). */
	if ((failed = sys1(SYS_fchdir, party->fds[ATTACH_FD_ROOT])) < 0 ||
	    (failed = sys1(SYS_chroot, ".")) < 0 || (failed = sys1(SYS_chdir, "/")) < 0)
		fail_all(party, ATTACH_FAIL_ROOT, failed);
}

/* The launcher's own supplementary groups were dropped when it started, on the host, where no user
 * namespace can forbid it; here it is only verified. */
static void
become_user(const struct party *party)
{
	const uint32_t uid = party->request.uid, gid = party->request.gid;
	uint32_t real, effective, saved;
	long got;

	if ((got = sys2(SYS_getgroups, 0, 0)) != 0)
		fail_all(party, ATTACH_FAIL_GROUPS, got < 0 ? got : -EPERM);
	if ((got = sys3(SYS_setresgid, gid, gid, gid)) < 0)
		fail_all(party, ATTACH_FAIL_GID, got);
	if ((got = sys3(SYS_setresuid, uid, uid, uid)) < 0)
		fail_all(party, ATTACH_FAIL_UID, got);
	/* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): the kernel has written them */
	if (sys3(SYS_getresgid, &real, &effective, &saved) < 0 || real != gid || effective != gid ||
	    saved != gid)
		fail_all(party, ATTACH_FAIL_GID, -EPERM);
	if (sys3(SYS_getresuid, &real, &effective, &saved) < 0 || real != uid || effective != uid ||
	    saved != uid)
		fail_all(party, ATTACH_FAIL_UID, -EPERM);
}

static void
drop_capabilities(const struct party *party)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};
	long failed;

	if ((failed = sys2(SYS_capset, &header, none)) < 0)
		fail_all(party, ATTACH_FAIL_CAPABILITIES, failed);
	if ((failed = sys5(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) < 0 ||
	    (failed = sys5(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0)) < 0)
		fail_all(party, ATTACH_FAIL_CONFINE, failed);
}

/* Every other signal does what it does by default: TERM and KILL end the probe and trigger nothing. */
static _Noreturn void
wait_for_press(void)
{
	const uint64_t hangup = UINT64_C(1) << (SIGHUP - 1);

	for (;;)
		if (sys4(SYS_rt_sigtimedwait, &hangup, 0, 0, KERNEL_SIGSET_BYTES) == SIGHUP)
			finish(PROBE_EXIT_TRIGGERED);
}

/*
 * A daemon that dies sends the signal to those who have asked for it by then. It has given up its lock before
 * that; the channel may seem to be whole for longer, held by a command that was just about to be executed.
 */
static void
die_with_daemon(int out)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	long failed;

	/* After the ids, because changing them clears it. */
	if ((failed = sys5(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)) < 0)
		fail(out, ATTACH_FAIL_PARENT_DEATH, failed);
	if ((failed = sys3(SYS_fcntl, ATTACH_ALIVE_FD, F_GETLK, &lock)) < 0)
		fail(out, ATTACH_FAIL_PARENT_DEATH, failed);
	/* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): the kernel has written it */
	if (lock.l_type == F_UNLCK)
		finish(1);
}

/* In the jail. Whoever is there may stop or kill us from now on; there is nothing else to gain. */
static _Noreturn void
become_probe(int report_fd)
{
	const uint64_t only_hangup = UINT64_C(1) << (SIGHUP - 1);
	const int out = ATTACH_INHERITED_FD;
	long failed;

	/* The channels of the probes after this one are at higher places. */
	if (sys3(SYS_dup3, report_fd, out, 0) < 0 || sys3(CLOSE_RANGE_CALL, FIRST_REPORT_FD, ~0U, 0) < 0)
		finish(1);
	if ((failed = sys0(SYS_setsid)) < 0)
		fail(out, ATTACH_FAIL_SESSION, failed);
	die_with_daemon(out);
	sys4(SYS_rt_sigprocmask, SIG_SETMASK, &only_hangup, 0, KERNEL_SIGSET_BYTES);
	if (report(out, ATTACH_READY, 0) < 0)
		finish(1);
	if ((failed = confine()) < 0)
		fail(out, ATTACH_FAIL_CONFINE, failed);
	if (sys3(CLOSE_RANGE_CALL, 0, ~0U, 0) < 0)
		finish(1);
	wait_for_press();
}

/* The report channels take the places from FIRST_REPORT_FD on, and all but those and ATTACH_ALIVE_FD is closed.
 * The kernel has given them ascending numbers above those places, so none is overwritten before its turn. */
static void
keep_only_reports(struct party *party)
{
	const int count = (int)party->request.probes;

	for (int i = 0; i < count; i++) {
		int *report_fd = &party->fds[ATTACH_FD_REPORTS + i], place = FIRST_REPORT_FD + i;

		if (*report_fd <= place || sys3(SYS_dup3, *report_fd, place, 0) < 0)
			finish(1);
		*report_fd = place;
	}
	if (sys3(CLOSE_RANGE_CALL, 0, ATTACH_ALIVE_FD - 1, 0) < 0 ||
	    sys3(CLOSE_RANGE_CALL, FIRST_REPORT_FD + count, ~0U, 0) < 0)
		finish(1);
}

/* A copy of us that is the daemon's own child. */
static long
fork_for_daemon(void)
{
#ifdef __s390x__ /* whose stack comes first */
	return sys5(SYS_clone, 0, CLONE_PARENT | SIGCHLD, 0, 0, 0);
#else
	return sys5(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
#endif
}

static void
make_probe(const char *title, int report_fd)
{
	long pid;

	set_title(title);
	pid = fork_for_daemon();
	if (pid == 0)
		become_probe(report_fd);
	if (pid < 0)
		report(report_fd, ATTACH_FAIL_FORK, -pid);
	else
		report(report_fd, ATTACH_PID, pid);
	sys1(SYS_close, report_fd);
}

/* On the host's side of the pid namespace, out of sight. */
static _Noreturn void
become_helper(struct party *party, int born_in)
{
	/* The first report of all, on every channel before anybody inside can have one; its sender is what
	 * it says. */
	if (!report_all(party, ATTACH_HELPER, 0))
		finish(1);
	sys5(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	take_bookkeeping(party, born_in);
	enter_jail(party);
	if (party->request.namespaces & CLONE_NEWUSER)
		drop_bounding_set(); /* joining a user namespace filled it again */
	become_user(party);
	drop_capabilities(party);
	keep_only_reports(party);
	for (uint32_t i = 0; i < party->request.probes; i++)
		make_probe(party->request.titles[i], party->fds[ATTACH_FD_REPORTS + i]);
	finish(0);
}

/* A fork straight into a cgroup of v2 costs nothing; moving there later waits for all processors. It
 * fails where the jail has used up its limit of processes, and then the helper moves by itself. */
static long
fork_into_cgroup(struct party *party)
{
	struct clone_args args = {.flags = CLONE_PARENT | CLONE_INTO_CGROUP,
				  .cgroup = (uint32_t)cgroups_of(party)[0]};

	if (!party->request.unified)
		return -ENOSYS;
	return sys2(SYS_clone3, &args, sizeof(args));
}

static void
launch(struct party *party)
{
	long pid = fork_into_cgroup(party);

	if (pid == 0)
		become_helper(party, 1);
	if (pid < 0)
		pid = fork_for_daemon();
	if (pid == 0)
		become_helper(party, 0);
	if (pid < 0)
		report_all(party, ATTACH_FAIL_HELPER, -pid);
}

/* Takes one datagram. Returns its length; 0 when the daemon is gone. */
static long
receive(struct party *party)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int) * ATTACH_FD_MAX)];
	} control = {.space = {0}};
	struct iovec part = {.iov_base = &party->request, .iov_len = sizeof(party->request)};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	long got;

	for (int i = 0; i < ATTACH_FD_MAX; i++)
		party->fds[i] = NO_FD;
	got = sys3(SYS_recvmsg, ATTACH_INHERITED_FD, &message, MSG_CMSG_CLOEXEC);
	if (got > 0 && control.header.cmsg_type == SCM_RIGHTS &&
	    control.header.cmsg_len >= CMSG_LEN(0) &&
	    control.header.cmsg_len <= CMSG_LEN(sizeof(int) * ATTACH_FD_MAX))
		memcpy(party->fds, CMSG_DATA(&control.header), control.header.cmsg_len - CMSG_LEN(0));
	return got;
}

/* As many titles and descriptors have come as it says. */
static int
is_whole(struct party *party, long length)
{
	const struct attach_request *request = &party->request;
	uint32_t fds = ATTACH_FD_REPORTS + request->probes + request->cgroups;

	return length >= (long)offsetof(struct attach_request, titles) && request->probes >= 1 &&
	       request->probes <= ATTACH_PARTY_MAX && request->cgroups <= ATTACH_CGROUPS_MAX &&
	       length == (long)offsetof(struct attach_request, titles[request->probes]) &&
	       party->fds[fds - 1] != NO_FD;
}

/* All of them: a libc keeps those that it uses itself from the daemon's hands. */
static void
default_signals(void)
{
	static const struct { /* as the kernel has it on 64-bit machines, zero: SIG_DFL */
		uint64_t handler, flags, restorer, mask;
	} standard;

	for (long signo = 1; signo <= 64; signo++)
		sys4(SYS_rt_sigaction, signo, &standard, 0, KERNEL_SIGSET_BYTES);
}

static void
prepare_launcher(void)
{
	const uint64_t no_limit[2] = {~UINT64_C(0), ~UINT64_C(0)};
	long failed;

	if (sys5(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    sys5(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || sys2(SYS_setgroups, 0, 0) < 0)
		finish(1);
	/* Helpers fork with the jail's uid, and jails that share one must not shut each other out. Not
	 * allowed everywhere; the limit that there is holds then. */
	sys4(SYS_prlimit64, 0, RLIMIT_NPROC, &no_limit, 0);
	default_signals();
	drop_bounding_set();
	if (keep_launcher_capabilities() < 0)
		finish(1);
	set_title("jaildaemon: launcher");
	/* Where the kernel has no filters, each probe says so when it asks for its own. */
	if ((failed = confine_launcher()) < 0 && failed != -ENOSYS && failed != -EINVAL)
		finish(1);
}

static _Noreturn void
serve(void)
{
	static struct party party; /* beside the stack, of which each probe has a copy */
	long got;

	prepare_launcher();
	while ((got = receive(&party)) != 0) {
		if (got == -EINTR)
			continue;
		if (got < 0)
			finish(1);
		if (is_whole(&party, got))
			launch(&party);
		for (int i = 0; i < ATTACH_FD_MAX; i++)
			if (party.fds[i] != NO_FD)
				sys1(SYS_close, party.fds[i]);
		memset(&party, 0, sizeof(party));
	}
	finish(0);
}

#ifdef PROBE_NOLIBC
_Noreturn void probe_start(long *stack);

/* stack: argc, then argv, as the kernel laid them out. */
_Noreturn void
probe_start(long *stack)
{
	title_area = leave_first_stack(stack);
	serve();
}
#else
int
main(int argc, char **argv)
{
	(void)argc;
	title_area = argv[0];
	serve();
}
#endif
