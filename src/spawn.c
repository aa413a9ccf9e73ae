#include "config.h"

#include "spawn.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "attach_wire.h"
#include "util.h"

#define EXEC_FD	     ATTACH_ALIVE_FD
#define COMMAND_MASK 022

/* Signals whose disposition the daemon (libevent included) changes for itself. All others were made
 * default by spawn_init, and exec keeps them so. */
static const int changed_signals[] = {SIGHUP, SIGINT, SIGTERM, SIGCHLD, SIGPIPE};

static int null_fd = SPAWN_NO_FD;
static struct rlimit start_limit; /* descriptors, before spawn_init raised it */

static int
take_standard_fds(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (fd < 0)
			return -1;
	} while (fd <= STDERR_FILENO);
	null_fd = fd;
	return 0;
}

static void
default_signals(const int *signals, size_t count)
{
	struct sigaction action = {.sa_handler = SIG_DFL};

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < count; i++)
		sigaction(signals[i], &action, NULL);
}

int
spawn_init(void)
{
	struct rlimit raised;

	if (take_standard_fds() != 0 || getrlimit(RLIMIT_NOFILE, &start_limit) != 0)
		return -1;
	raised = start_limit;
	raised.rlim_cur = raised.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &raised) != 0)
		return -1;
	/* Whoever started us may ignore signals (nohup, /etc/rc); commands must not inherit that. KILL and
	 * STOP refuse, harmlessly. */
	for (int signo = 1; signo < NSIG; signo++)
		default_signals(&signo, 1);
	return 0;
}

int64_t
spawn_start_limit(void)
{
	return (int64_t)start_limit.rlim_cur;
}

void
spawn_set_start_limit(int64_t limit)
{
	start_limit.rlim_cur = (rlim_t)limit;
}

static int
place_fd(int fd, int place)
{
	if (fd != place)
		return dup2(fd, place);
	return fcntl(fd, F_SETFD, 0); /* dup2 onto itself would keep close-on-exec */
}

/* In the child of a vfork: system calls only, and no memory of the parent's may change but the
 * stack and what is meant to. */
static int
set_up_descriptors(const struct spawn *s)
{
	int output = s->output_fd == SPAWN_NO_FD ? null_fd : s->output_fd;
	int last = STDERR_FILENO;

	if (place_fd(null_fd, STDIN_FILENO) < 0 || place_fd(output, STDOUT_FILENO) < 0 ||
	    place_fd(output, STDERR_FILENO) < 0)
		return errno;
	if (s->inherited_fd != SPAWN_NO_FD) {
		last = ATTACH_INHERITED_FD;
		if (place_fd(s->inherited_fd, ATTACH_INHERITED_FD) < 0)
			return errno;
	}
	if (s->path == NULL) {
		last = EXEC_FD;
		if (dup2(s->exec_fd, EXEC_FD) < 0 ||
		    (!s->keeps_exec_fd && fcntl(EXEC_FD, F_SETFD, FD_CLOEXEC) < 0))
			return errno;
	}
	closefrom(last + 1);
	return 0;
}

static int
set_up_child(const struct spawn *s)
{
	sigset_t mask;
	int failed;

	if (setsid() < 0 || chdir("/") != 0)
		return errno;
	umask(COMMAND_MASK);
	if ((failed = set_up_descriptors(s)) != 0)
		return failed;
	if (setrlimit(RLIMIT_NOFILE, &start_limit) != 0)
		return errno;
	default_signals(changed_signals, UTIL_COUNT(changed_signals));
	if (s->prepare != NULL && (failed = s->prepare()) != 0)
		return failed;
	sigemptyset(&mask);
	if (s->block_signals)
		sigfillset(&mask);
	return sigprocmask(SIG_SETMASK, &mask, NULL) == 0 ? 0 : errno;
}

static int
run_child(const struct spawn *s)
{
	int failed = set_up_child(s);

	if (failed != 0)
		return failed;
	if (s->path != NULL)
		execve(s->path, s->argv, s->env);
	else
		fexecve(EXEC_FD, s->argv, s->env);
	return errno;
}

/* Of a child that never executed anything: no event loop is to hear of it. */
static void
collect(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* All signals stay blocked until the child has its own dispositions, or libevent's handlers would
 * run in it and write into the descriptors that it shares with us. */
pid_t
spawn_process(const struct spawn *s)
{
	volatile int failed = 0; /* written by the child, whose memory is ours until it execs */
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	/* cppcheck-suppress vforkCalled ; costs the same however much memory we have */
	pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork): the same reason */
	if (pid == 0) {
		failed = run_child(s); /* NOLINT(clang-analyzer-unix.Vfork): it is written for that */
		_exit(127);
	}
	if (pid < 0)
		failed = errno;
	else if (failed != 0)
		collect(pid);
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = failed;
	return failed == 0 ? pid : -1;
}
