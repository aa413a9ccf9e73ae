#include "config.h"

#include "spawn.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "attach_wire.h"
#include "call.h"
#include "util.h"

#define EXEC_FD	     ATTACH_ALIVE_FD
#define COMMAND_MASK 022

/* Signals whose disposition the daemon (libevent included) changes for itself. All others were made
 * default by spawn_init, and exec keeps them so. */
static const int changed_signals[] = {SIGHUP, SIGINT, SIGTERM, SIGCHLD, SIGPIPE};

static int null_fd = SPAWN_NO_FD;
static struct rlimit start_limit; /* descriptors, before spawn_init raised it */
static sigset_t no_signals, all_signals;

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

int
spawn_init(void)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	struct rlimit raised;

	sigemptyset(&no_signals);
	sigfillset(&all_signals);
	sigemptyset(&action.sa_mask);
	if (take_standard_fds() != 0 || getrlimit(RLIMIT_NOFILE, &start_limit) != 0)
		return -1;
	raised = start_limit;
	raised.rlim_cur = raised.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &raised) != 0)
		return -1;
	/* Whoever started us may ignore signals (nohup, /etc/rc); commands must not inherit that. KILL and
	 * STOP refuse, harmlessly. */
	for (int signo = 1; signo < NSIG; signo++)
		sigaction(signo, &action, NULL);
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
	return fd != place ? call_dup(fd, place) : call_set_fd_flags(fd, 0);
}

/* From here to run_child: the child, in our memory (newborn.h). */
static int
set_up_descriptors(const struct spawn *s)
{
	int output = s->output_fd == SPAWN_NO_FD ? null_fd : s->output_fd;
	int last = STDERR_FILENO, failed;

	if ((failed = place_fd(null_fd, STDIN_FILENO)) != 0 || (failed = place_fd(output, STDOUT_FILENO)) != 0 ||
	    (failed = place_fd(output, STDERR_FILENO)) != 0)
		return failed;
	if (s->inherited_fd != SPAWN_NO_FD) {
		last = ATTACH_INHERITED_FD;
		if ((failed = place_fd(s->inherited_fd, ATTACH_INHERITED_FD)) != 0)
			return failed;
	}
	if (s->path == NULL) {
		last = EXEC_FD;
		if ((failed = call_dup(s->exec_fd, EXEC_FD)) != 0 ||
		    (!s->keeps_exec_fd && (failed = call_set_fd_flags(EXEC_FD, FD_CLOEXEC)) != 0))
			return failed;
	}
	return call_close_from(last + 1);
}

static int
set_up_signals(const struct spawn *s)
{
	int failed;

	for (size_t i = 0; i < UTIL_COUNT(changed_signals); i++)
		if ((failed = call_default_signal(changed_signals[i])) != 0)
			return failed;
	if (s->prepare != NULL && (failed = s->prepare()) != 0)
		return failed;
	return call_set_mask(s->block_signals ? &all_signals : &no_signals);
}

static int
set_up_child(const struct spawn *s)
{
	int failed;

	if ((failed = call_setsid()) != 0 || (failed = call_chdir("/")) != 0)
		return failed;
	call_umask(COMMAND_MASK);
	if ((failed = set_up_descriptors(s)) != 0 || (failed = call_limit_files(&start_limit)) != 0)
		return failed;
	return set_up_signals(s);
}

static int
run_child(const void *arg)
{
	const struct spawn *s = arg;
	int failed = set_up_child(s);

	if (failed != 0)
		return failed;
	if (s->path != NULL)
		return call_execute(s->path, s->argv, s->env);
	return call_execute_fd(EXEC_FD, s->argv, s->env);
}

/* All signals are blocked until the child has its own dispositions, or libevent's handlers would run in
 * it and write into the descriptors that it shares with us. */
pid_t
spawn_begin(struct spawning *spawning, const struct spawn *spawn)
{
	sigset_t before;
	pid_t pid;
	int failed;

	spawning->spawn = *spawn;
	sigprocmask(SIG_SETMASK, &all_signals, &before);
	pid = newborn_start(&spawning->newborn, run_child, &spawning->spawn);
	failed = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = failed;
	return pid;
}

int
spawn_end(struct spawning *spawning)
{
	return newborn_wait(&spawning->newborn);
}

/* Of a child that never executed anything: no event loop is to hear of it. */
static void
collect(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

pid_t
spawn_process(const struct spawn *spawn)
{
	static struct spawning spawning;
	pid_t pid = spawn_begin(&spawning, spawn);
	int failed;

	if (pid < 0 || (failed = spawn_end(&spawning)) == 0)
		return pid;
	collect(pid);
	errno = failed;
	return -1;
}
