#include "config.h"

#include "server.h"

#include <sys/param.h>
#include <sys/wait.h>

#include <errno.h>
#include <event2/event.h>
#include <libutil.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arm.h"
#include "attach.h"
#include "child.h"
#include "commands.h"
#include "conf.h"
#include "control.h"
#include "detach.h"
#include "job.h"
#include "log.h"
#include "probe.h"
#include "spawn.h"
#include "util.h"

/* How long the end may wait for probes to die and for clients to read their answers. */
#define STOP_MS	     2000
#define STOP_LOOK_MS 5

static struct event_base *base;
static struct event *signal_events[4];
static struct event *stop_timer;
static struct pidfh *pidfile;
static struct conf conf;
static char socket_path[PATH_MAX];
static char pidfile_path[PATH_MAX];
static int64_t started_ms;
static int64_t stop_deadline; /* 0: not stopping */

/* ---- the one waitpid loop ---- */

/* Several SIGCHLD can arrive as one. */
static void
reap(evutil_socket_t fd, short what, void *arg)
{
	int status;
	pid_t pid;

	(void)fd;
	(void)what;
	(void)arg;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		child_exited(pid, status);
}

/* ---- the end ---- */

/* Probes end before the daemon does: their jails must not find them without a host. */
static void
look_whether_over(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval again = {.tv_usec = STOP_LOOK_MS * 1000};
	bool late = util_monotonic_ms() > stop_deadline;

	(void)fd;
	(void)what;
	(void)arg;
	if ((child_dying() == 0 && arm_under_way() == 0 && !control_is_busy()) || late)
		event_base_loopbreak(base);
	else
		evtimer_add(stop_timer, &again);
}

static void
stop(void)
{
	if (stop_deadline != 0)
		return;
	log_info("event=daemon-stopping");
	stop_deadline = util_monotonic_ms() + STOP_MS;
	control_close();
	reap(-1, 0, NULL); /* who was pressed before now is told apart from who is ended now */
	probe_stop_all();
	attach_finish();
	event_active(stop_timer, EV_TIMEOUT, 0);
}

static void
asked_to_stop(evutil_socket_t signo, short what, void *arg)
{
	(void)signo;
	(void)what;
	(void)arg;
	stop();
}

static void
asked_to_reload(evutil_socket_t signo, short what, void *arg)
{
	(void)signo;
	(void)what;
	(void)arg;
	log_info("event=reload why=\"nothing is configured by files\"");
}

static void
break_loop(void *arg)
{
	event_base_loopbreak(arg);
}

/* Commands that are still running are left to finish. Somebody has to read their output to its end,
 * or their next line would be their death by SIGPIPE: a fork of the daemon that does nothing else. */
static void
leave_drain(void)
{
	pid_t pid;

	if (job_count() == 0)
		return;
	log_info("event=runs-left count=%u", job_count());
	pid = fork();
	if (pid != 0) {
		if (pid < 0)
			log_error("event=error why=\"fork: %s\"", strerror(errno));
		return;
	}
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	if (event_reinit(base) != 0)
		_exit(1);
	pidfile_close(pidfile);
	control_drop_all();
	setproctitle("reading what commands still write");
	job_drain_all(break_loop, base);
	if (job_count() > 0)
		event_base_dispatch(base);
	_exit(0);
}

/* ---- the start ---- */

static void
describe(struct commands_server_state *state)
{
	*state = (struct commands_server_state){.pid = getpid(),
						.started_ms = started_ms,
						.clients = control_clients(),
						.socket = socket_path};
}

static const struct commands_server for_commands = {.stop = stop, .describe = describe};

static int
watch_signals(struct error *e)
{
	static const struct {
		int signo;
		event_callback_fn callback;
	} watched[] = {
	    {SIGCHLD, reap}, {SIGTERM, asked_to_stop}, {SIGINT, asked_to_stop}, {SIGHUP, asked_to_reload}};

	signal(SIGPIPE, SIG_IGN); /* of clients that went away; writes say so themselves */
	for (size_t i = 0; i < UTIL_COUNT(watched); i++) {
		signal_events[i] = evsignal_new(base, watched[i].signo, watched[i].callback, NULL);
		if (signal_events[i] == NULL || evsignal_add(signal_events[i], NULL) != 0)
			return error_no_memory(e);
	}
	stop_timer = evtimer_new(base, look_whether_over, NULL);
	return stop_timer == NULL ? error_no_memory(e) : 0;
}

/* The daemon lives in /, so paths are made absolute while they still mean what the caller meant. */
static int
absolute(char out[PATH_MAX], const char *path, struct error *e)
{
	char cwd[PATH_MAX];
	int length;

	if (path[0] == '/')
		length = snprintf(out, PATH_MAX, "%s", path);
	else if (getcwd(cwd, sizeof(cwd)) == NULL)
		return error_set(e, ERR_INTERNAL, "the current directory: %s", strerror(errno));
	else
		length = snprintf(out, PATH_MAX, "%s/%s", cwd, path);
	if (length >= PATH_MAX)
		return error_set(e, ERR_INTERNAL, "%.64s…: the path is too long", path);
	return 0;
}

static int
lock_pidfile(struct error *e)
{
	pid_t other = 0;

	pidfile = pidfile_open(pidfile_path, 0644, &other);
	if (pidfile != NULL)
		return 0;
	if (errno == EEXIST)
		return error_set(e, ERR_EXISTS, "%s is locked: a daemon runs already, pid %d",
				 pidfile_path, (int)other);
	return error_set(e, ERR_INTERNAL, "%s: %s", pidfile_path, strerror(errno));
}

static int
start(struct error *e)
{
	if (chdir("/") != 0)
		return error_set(e, ERR_INTERNAL, "chdir: %s", strerror(errno));
	if ((base = event_base_new()) == NULL)
		return error_set(e, ERR_INTERNAL, "no event loop can be made");
	if (lock_pidfile(e) != 0 || watch_signals(e) != 0 || attach_prepare(e) != 0)
		return -1;
	if (probe_init(base) != 0)
		return error_no_memory(e);
	commands_init(&for_commands);
	if (control_listen(base, socket_path, e) != 0)
		return -1;
	if (conf.has_control_group && control_admit_group(conf.control_group, e) != 0)
		return -1;
	if (pidfile_write(pidfile) != 0)
		return error_set(e, ERR_INTERNAL, "%s: %s", pidfile_path, strerror(errno));
	return 0;
}

static int
fail(const struct error *e)
{
	detach_failed(e->text);
	control_close();
	if (pidfile != NULL)
		pidfile_remove(pidfile);
	return 1;
}

static int
prepare_process(const struct server_options *options, struct error *e)
{
	if (geteuid() != 0)
		return error_set(e, ERR_DENIED, "the daemon must be run as root");
	if (conf_load(options->config, &conf, e) != 0)
		return -1;
	if (spawn_init() != 0)
		return error_set(e, ERR_INTERNAL, "preparing the process: %s", strerror(errno));
	if (absolute(socket_path, options->socket, e) != 0 ||
	    absolute(pidfile_path, options->pidfile, e) != 0)
		return -1;
	if (!options->foreground && detach_begin() != 0)
		return error_set(e, ERR_INTERNAL, "detaching: %s", strerror(errno));
	return 0;
}

int
server_run(const struct server_options *options)
{
	struct error e;

	log_open(options->foreground);
	started_ms = util_wall_ms();
	if (prepare_process(options, &e) != 0 || start(&e) != 0)
		return fail(&e);
	log_info("event=daemon-started version=%s pid=%d", PACKAGE_VERSION, (int)getpid());
	detach_ready();
	event_base_dispatch(base);
	leave_drain();
	pidfile_remove(pidfile);
	log_info("event=daemon-stopped");
	return 0;
}

int
server_check(const char *config)
{
	struct conf checked;
	struct error e;

	if (conf_load(config, &checked, &e) == 0)
		return 0;
	fprintf(stderr, "jaildaemon: %s\n", e.text);
	return 1;
}
