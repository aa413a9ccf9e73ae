/*
 * jaildaemon-probe on FreeBSD: executed on the host by the daemon, untraceable from before its exec,
 * it enters one jail, gives up everything, and waits.
 *
 * Called as: jaildaemon-probe PARENT JID NAME UID GID TITLE, with every signal blocked, an empty
 * environment and the report pipe as its only descriptor beside /dev/null.
 */
#include "config.h"

#include <sys/param.h>
#include <sys/jail.h>
#include <sys/procctl.h>
#include <sys/uio.h>
#ifdef HAVE_CAP_ENTER
#include <sys/capsicum.h>
#endif

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach_wire.h"

static void
report(enum attach_stage stage, int value)
{
	struct attach_report line = {.stage = (uint32_t)stage, .value = value};

	/* A daemon that is gone can't be told; then there is nobody to wait for either. */
	if (write(ATTACH_INHERITED_FD, &line, sizeof(line)) != (ssize_t)sizeof(line))
		_exit(1);
}

static _Noreturn void
fail(enum attach_stage stage, int error)
{
	report(stage, error);
	_exit(1);
}

/* The daemon disabled tracing before the exec; here it is read back, because a kernel that ignored
 * the call would leave us open to the jail's root. */
static void
verify_untraceable(void)
{
	int status = 0;

	if (procctl(P_PID, getpid(), PROC_TRACE_STATUS, &status) != 0)
		fail(ATTACH_FAIL_UNTRACEABLE, errno);
	if (status != -1) /* -1: disabled */
		fail(ATTACH_FAIL_UNTRACEABLE, EPERM);
}

static void
enter(int jid)
{
	if (jail_attach(jid) != 0)
		fail(ATTACH_FAIL_ENTER, errno);
	if (chdir("/") != 0)
		fail(ATTACH_FAIL_ROOT, errno);
}

/* A jail that has got this jid since the daemon looked it up has another name. The daemon asks once
 * more when we are ready: from inside nobody can, a jail doesn't know its own name. */
static void
verify_identity(int jid, const char *name)
{
	char name_key[] = "name", jid_key[] = "jid", found[MAXHOSTNAMELEN] = "";
	struct iovec params[] = {
	    {.iov_base = jid_key, .iov_len = sizeof(jid_key)},
	    {.iov_base = &jid, .iov_len = sizeof(jid)},
	    {.iov_base = name_key, .iov_len = sizeof(name_key)},
	    {.iov_base = found, .iov_len = sizeof(found)},
	};

	if (jail_get(params, nitems(params), 0) < 0)
		fail(ATTACH_FAIL_IDENTITY, errno);
	if (strcmp(found, name) != 0)
		fail(ATTACH_FAIL_IDENTITY, ESRCH);
}

/* Group first, or there would be no right left to change it. setgroups needs the group explicitly
 * before FreeBSD 15, where the first of the list is the effective one, and setresgid after it. */
static void
become_user(uid_t uid, gid_t gid)
{
	uid_t real, effective, saved;
	gid_t rgid, egid, sgid;

	if (setgroups(1, &gid) != 0)
		fail(ATTACH_FAIL_GROUPS, errno);
	if (setresgid(gid, gid, gid) != 0)
		fail(ATTACH_FAIL_GID, errno);
	if (setresuid(uid, uid, uid) != 0)
		fail(ATTACH_FAIL_UID, errno);
	if (getresgid(&rgid, &egid, &sgid) != 0 || rgid != gid || egid != gid || sgid != gid)
		fail(ATTACH_FAIL_GID, EPERM);
	if (getresuid(&real, &effective, &saved) != 0 || real != uid || effective != uid ||
	    saved != uid)
		fail(ATTACH_FAIL_UID, EPERM);
}

/* After the ids. A daemon that dies later kills us; one that died before is not our parent any more. The pipe
 * doesn't tell: it may be held by a command that was just about to be executed. */
static void
die_with_parent(pid_t parent)
{
	int signo = SIGKILL;

	if (procctl(P_PID, getpid(), PROC_PDEATHSIG_CTL, &signo) != 0)
		fail(ATTACH_FAIL_PARENT_DEATH, errno);
	if (getppid() != parent)
		_exit(1);
}

/* ENOSYS: a kernel without capability mode; everything before holds without it. */
static void
confine(void)
{
#ifdef HAVE_CAP_ENTER
	if (cap_enter() != 0 && errno != ENOSYS)
		fail(ATTACH_FAIL_CONFINE, errno);
#endif
}

/* Every other signal does what it does by default: TERM and KILL end the probe and trigger nothing. */
static _Noreturn void
wait_for_press(const sigset_t *hangup)
{
	int signo;

	for (;;)
		if (sigwait(hangup, &signo) == 0 && signo == SIGHUP)
			_exit(PROBE_EXIT_TRIGGERED);
}

int
main(int argc, char **argv)
{
	sigset_t hangup;
	int jid;

	if (argc != 7)
		fail(ATTACH_FAIL_EXEC, EINVAL);
	jid = (int)strtol(argv[2], NULL, 10);
	verify_untraceable();
	verify_identity(jid, argv[3]);
	setproctitle("-%s%s", PROBE_TITLE_PREFIX, argv[6]);
	enter(jid);
	become_user((uid_t)strtoul(argv[4], NULL, 10), (gid_t)strtoul(argv[5], NULL, 10));
	die_with_parent((pid_t)strtol(argv[1], NULL, 10));
	sigemptyset(&hangup);
	sigaddset(&hangup, SIGHUP);
	sigprocmask(SIG_SETMASK, &hangup, NULL);
	confine();
	report(ATTACH_READY, 0);
	closefrom(0); /* the report pipe with it, which says "armed" */
	wait_for_press(&hangup);
}
