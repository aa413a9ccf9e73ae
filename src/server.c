#include "config.h"

#include "server.h"

#include <sys/param.h>
#include <sys/wait.h>

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
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
#include "jail.h"
#include "job.h"
#include "keep.h"
#include "log.h"
#include "notify.h"
#include "pidlock.h"
#include "probe.h"
#include "reaper.h"
#include "reload.h"
#include "server_parts.h"
#include "spawn.h"
#include "start.h"
#include "state.h"
#include "store.h"
#include "tally.h"
#include "tell.h"
#include "timer.h"
#include "upgrade.h"
#include "util.h"
#include "watch.h"

/* How long the end may wait for probes to die and for clients to read their answers. */
#define STOP_MS	     2000
#define STOP_LOOK_MS 5

struct server server;

static struct event *signal_events[3];
static struct event *stop_timer;
static int64_t stop_deadline; /* 0: not stopping */

/* ---- the end ---- */

/* Probes end before the daemon does: their jails must not find them without a host. */
static void
look_whether_over(evutil_socket_t fd, short what, void *arg)
{
	bool late = util_monotonic_ms() > stop_deadline;

	(void)fd;
	(void)what;
	(void)arg;
	if ((child_dying() == 0 && arm_under_way() == 0 && !control_is_busy()) || late)
		event_base_loopbreak(server.base);
	else
		timer_set(stop_timer, STOP_LOOK_MS);
}

static void
stop(void)
{
	if (stop_deadline != 0)
		return;
	notify_stopping();
	tally_finish();
	tell(TELL_DAEMON_STOPPING, NULL, TELL_END);
	upgrade_stop();
	stop_deadline = util_monotonic_ms() + STOP_MS;
	control_close();
	reaper_reap_all(); /* who was pressed before now is told apart from who is ended now */
	keep_finish();
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
	if (stop_deadline == 0)
		reload_asked();
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
	if (event_reinit(server.base) != 0)
		_exit(1);
	pidlock_drop();
	tell_set_sink(NULL);
	control_drop_all();
	setproctitle("reading what commands still write");
	job_drain_all(break_loop, server.base);
	if (job_count() > 0)
		event_base_dispatch(server.base);
	_exit(0);
}

/* ---- the start ---- */

static void
describe(struct commands_server_state *state)
{
	*state = (struct commands_server_state){.pid = getpid(),
						.started_ms = server.started_ms,
						.uptime_ms = util_monotonic_ms() - server.began_ms,
						.clients = control_clients(),
						.socket = server.socket};
}

static const struct commands_server for_commands = {
    .stop = stop, .describe = describe, .reload = reload_begin, .upgrade = upgrade_begin};

/* Whoever started us may block signals; and the daemon before this one did, lest one is lost. */
static void
unblock_signals(void)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD); /* the reaper's */
	sigprocmask(SIG_SETMASK, &mask, NULL);
}

static volatile sig_atomic_t came_early[NSIG];

static void
note_early(int signo)
{
	came_early[signo] = 1;
}

static int
watch_signals(struct error *e)
{
	static const struct {
		int signo;
		event_callback_fn callback;
	} watched[] = {
	    {SIGTERM, asked_to_stop}, {SIGINT, asked_to_stop}, {SIGHUP, asked_to_reload}};

	signal(SIGPIPE, SIG_IGN); /* of clients that went away; writes say so themselves */
	/* One that is pending has to come before libevent listens: where it has a kqueue it ignores the signal
	 * itself, and with that discards it. */
	for (size_t i = 0; i < UTIL_COUNT(watched); i++)
		signal(watched[i].signo, note_early);
	unblock_signals();
	for (size_t i = 0; i < UTIL_COUNT(watched); i++) {
		signal_events[i] = evsignal_new(server.base, watched[i].signo, watched[i].callback, NULL);
		if (signal_events[i] == NULL || evsignal_add(signal_events[i], NULL) != 0)
			return error_no_memory(e);
		if (came_early[watched[i].signo])
			event_active(signal_events[i], EV_SIGNAL, 1);
	}
	if (reaper_start(server.base, start_overlap) != 0)
		return error_set(e, ERR_INTERNAL, "watching children: %s", strerror(errno));
	stop_timer = evtimer_new(server.base, look_whether_over, NULL);
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

int
server_keep(struct error *e)
{
	configured_on_forgotten(state_forget);
	return keep_init(server.base, state_render) == 0 ? 0 : error_no_memory(e);
}

/* Only once the socket is ours: two daemons must not bring back the same probes. */
static int
restore(struct error *e)
{
	if (server.state[0] == '\0')
		return 0;
	if (store_open(server.state, e) != 0 || server_keep(e) != 0)
		return -1;
	return state_restore(configured_note_spent, e);
}

static void
fill_handover(struct handover *h)
{
	h->each_spent = configured_each_spent;
	h->each_event = watch_each;
	h->last_event = (int64_t)watch_last();
	h->dropped_event = (int64_t)watch_dropped();
	h->foreground = server.foreground;
	h->started_ms = server.started_ms;
	h->began_ms = server.began_ms;
	h->files = spawn_start_limit();
	h->listener_fd = control_listener();
	h->store_fd = store_fd();
	h->pidfile_fd = pidlock_fd();
	memcpy(h->socket, server.socket, sizeof(h->socket));
	memcpy(h->pidfile, server.pidfile, sizeof(h->pidfile));
	memcpy(h->state, server.state, sizeof(h->state));
	memcpy(h->config, server.config, sizeof(h->config));
}

/* What a daemon needs wherever its socket and its probes come from. */
int
server_start_loop(char *const *argv, struct error *e)
{
	if (chdir("/") != 0)
		return error_set(e, ERR_INTERNAL, "chdir: %s", strerror(errno));
	if ((server.base = event_base_new()) == NULL)
		return error_set(e, ERR_INTERNAL, "no event loop can be made");
	if (watch_signals(e) != 0 || jail_prepare(e) != 0 || attach_prepare(e) != 0 ||
	    upgrade_prepare(server.base, argv, fill_handover, e) != 0)
		return -1;
	if (watch_init() != 0 || probe_init(server.base) != 0)
		return error_no_memory(e);
	commands_init(&for_commands);
	return 0;
}

static int
start(char *const *argv, struct error *e)
{
	if (pidlock_take(server.pidfile, e) != 0 || server_start_loop(argv, e) != 0 ||
	    control_listen(server.base, server.socket, e) != 0)
		return -1;
	if (restore(e) != 0 || reload_start(e) != 0)
		return -1;
	return pidlock_write(e);
}

static int
fail(const struct error *e)
{
	detach_failed(e->text);
	control_close();
	pidlock_remove();
	return 1;
}

static int
prepare_process(const struct server_options *options, struct error *e)
{
	if (geteuid() != 0)
		return error_set(e, ERR_DENIED, "the daemon must be run as root");
	if (spawn_init() != 0)
		return error_set(e, ERR_INTERNAL, "preparing the process: %s", strerror(errno));
	if (absolute(server.socket, options->socket, e) != 0 ||
	    absolute(server.pidfile, options->pidfile, e) != 0)
		return -1;
	if (strcmp(options->state, "none") != 0 && absolute(server.state, options->state, e) != 0)
		return -1;
	if (options->config != NULL && absolute(server.config, options->config, e) != 0)
		return -1;
	if (reload_prepare(server.config[0] != '\0' ? server.config : NULL, e) != 0)
		return -1;
	if (!options->foreground && detach_begin() != 0)
		return error_set(e, ERR_INTERNAL, "detaching: %s", strerror(errno));
	return 0;
}

int
server_serve(void)
{
	event_base_dispatch(server.base);
	leave_drain();
	pidlock_remove();
	log_info("event=daemon-stopped");
	return 0;
}

int
server_run(const struct server_options *options)
{
	struct error e;

	server.foreground = options->foreground;
	log_open(server.foreground);
	server.started_ms = util_wall_ms();
	server.began_ms = util_monotonic_ms();
	if (prepare_process(options, &e) != 0 || start(options->argv, &e) != 0)
		return fail(&e);
	log_info("event=daemon-started version=%s pid=%d", PACKAGE_VERSION, (int)getpid());
	detach_ready();
	notify_ready();
	return server_serve();
}

int
server_check(const char *config)
{
	return reload_check(config) ? 0 : 1;
}
