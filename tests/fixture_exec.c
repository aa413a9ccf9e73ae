#include "config.h"

#include "fixture_exec.h"

#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_wait.h"

#define MAX_WORDS   64
#define LEAKED_FROM 30
#define LEAKED_TO   60

/* Pipes and files of one start: what the program reads, prints, and complains. */
struct streams {
	int in, out, err; /* the program's ends, -1: /dev/null */
	int our_in, our_out, our_err;
};

struct gather {
	char *text;
	size_t length, room;
};

static void
exec_signals(const struct launch *launch)
{
	static const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGALRM, SIGCHLD};
	sigset_t set;
	size_t i;
	int sig;

	for (sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	for (i = 0; launch->ignoring && i < sizeof(ignored) / sizeof(ignored[0]); i++)
		(void)signal(ignored[i], SIG_IGN);
	(void)sigemptyset(&set);
	if (launch->blocked)
		(void)sigfillset(&set);
	(void)sigprocmask(SIG_SETMASK, &set, NULL);
}

/* In the child: only what stands between the fork and the exec. */
static void
exec_descriptors(const struct launch *launch, const struct streams *streams)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), fd;

	(void)dup2(streams->in != -1 ? streams->in : null, 0);
	(void)dup2(streams->out != -1 ? streams->out : null, 1);
	(void)dup2(streams->err != -1 ? streams->err : null, 2);
	if (launch->leaks)
		for (fd = LEAKED_FROM; fd < LEAKED_TO; fd++)
			(void)dup2(null, fd);
	if (launch->closed_stdio)
		for (fd = 0; fd < 3; fd++)
			(void)close(fd);
}

static pid_t
exec_fork(const struct launch *launch, const struct streams *streams)
{
	pid_t pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid != 0)
		return (pid);
	exec_signals(launch);
	exec_descriptors(launch, streams);
	if (launch->env != NULL)
		(void)execve(launch->argv[0], launch->argv, launch->env);
	else
		(void)execvp(launch->argv[0], launch->argv);
	_exit(127);
}

pid_t
exec_start(const struct launch *launch)
{
	struct streams streams = {-1, -1, -1, -1, -1, -1};
	pid_t pid;

	if (launch->log != NULL) {
		streams.out = open(launch->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		ck_assert_int_ne(streams.out, -1);
		streams.err = streams.out;
	}
	pid = exec_fork(launch, &streams);
	if (streams.out != -1)
		(void)close(streams.out);
	return (pid);
}

static void
exec_pipe(int *read_end, int *write_end)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	*read_end = ends[0];
	*write_end = ends[1];
}

/* Takes what is there; false at the end. */
static bool
exec_gather(struct gather *gather, int fd)
{
	ssize_t got;

	if (gather->room - gather->length < 4096) {
		gather->room = gather->room * 2 + 8192;
		gather->text = realloc(gather->text, gather->room);
	}
	got = read(fd, gather->text + gather->length, gather->room - gather->length - 1);
	if (got > 0)
		gather->length += (size_t)got;
	gather->text[gather->length] = '\0';
	return (got > 0 || (got == -1 && errno == EINTR));
}

/* Reads both streams to their ends. */
static void
exec_listen(const struct streams *streams, struct gather gathers[2], const char *name)
{
	struct pollfd fds[2] = {{streams->our_out, POLLIN, 0}, {streams->our_err, POLLIN, 0}};
	long long deadline = wait_now() + WAIT_PATIENCE_MS;
	int i;

	while (fds[0].fd != -1 || fds[1].fd != -1) {
		ck_assert_msg(poll(fds, 2, wait_left(deadline)) > 0,
			      "%s does not end; it said: %s%s", name,
			      gathers[0].text != NULL ? gathers[0].text : "",
			      gathers[1].text != NULL ? gathers[1].text : "");
		for (i = 0; i < 2; i++)
			if (fds[i].fd != -1 && fds[i].revents != 0 &&
			    !exec_gather(&gathers[i], fds[i].fd)) {
				(void)close(fds[i].fd);
				fds[i].fd = -1;
			}
	}
}

void
exec_run(struct outcome *outcome, const struct launch *launch)
{
	struct streams streams = {-1, -1, -1, -1, -1, -1};
	struct gather gathers[2] = {{NULL, 0, 0}, {NULL, 0, 0}};
	pid_t pid;
	int status;

	exec_pipe(&streams.our_out, &streams.out);
	exec_pipe(&streams.our_err, &streams.err);
	if (launch->input != NULL)
		exec_pipe(&streams.in, &streams.our_in);
	pid = exec_fork(launch, &streams);
	(void)close(streams.out);
	(void)close(streams.err);
	if (launch->input != NULL) {
		(void)close(streams.in);
		(void)signal(SIGPIPE, SIG_IGN);
		(void)write(streams.our_in, launch->input, strlen(launch->input));
		(void)close(streams.our_in);
	}
	exec_listen(&streams, gathers, launch->argv[0]);
	status = exec_wait(pid);
	outcome->exit = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	outcome->out = gathers[0].text;
	outcome->err = gathers[1].text;
	outcome->out_length = gathers[0].length;
}

void
exec_words(struct outcome *outcome, const char *word, ...)
{
	char *argv[MAX_WORDS];
	struct launch launch = {.argv = argv};
	size_t count = 0;
	va_list words;

	va_start(words, word);
	for (; word != NULL && count < MAX_WORDS - 1; word = va_arg(words, const char *))
		argv[count++] = (char *)(uintptr_t)word;
	va_end(words);
	argv[count] = NULL;
	exec_run(outcome, &launch);
}

int
exec_wait(pid_t pid)
{
	long long deadline = wait_now() + WAIT_PATIENCE_MS;
	int status = 0;
	pid_t ended;

	while ((ended = waitpid(pid, &status, WNOHANG)) == 0 || (ended == -1 && errno == EINTR)) {
		ck_assert_msg(wait_left(deadline) > 0, "process %d does not end", (int)pid);
		wait_breath();
	}
	ck_assert_msg(ended == pid, "process %d is not our child", (int)pid);
	return (status);
}

bool
exec_gone(pid_t pid)
{
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
		return (info.si_pid == pid);
	return (kill(pid, 0) == -1 && errno == ESRCH);
}

static bool
exec_gone_cond(void *arg)
{
	return (exec_gone(*(const pid_t *)arg));
}

void
exec_wait_gone(pid_t pid)
{
	ck_assert_msg(wait_until(exec_gone_cond, &pid), "process %d does not end", (int)pid);
}

void
outcome_free(struct outcome *outcome)
{
	free(outcome->out);
	free(outcome->err);
	outcome->out = outcome->err = NULL;
}
