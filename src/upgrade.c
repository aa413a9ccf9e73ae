#include "config.h"

#include "upgrade.h"

#include <sys/stat.h>
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
#include "control.h"
#include "job.h"
#include "keep.h"
#include "log.h"
#include "registry.h"
#include "tally.h"
#include "tell.h"
#include "timer.h"
#include "util.h"

#if !HAVE_DECL_ENVIRON
extern char **environ;
#endif

#define TRY_MS	 10000 /* that the new binary may take to look at the handover */
#define QUIET_MS 6000  /* longer than any attach that is under way */
#define LOOK_MS	 1

/* Of the event loop: until what was caught before the signals were held has been told. */
#define HELD_TURNS 2

/* Descriptors beyond the last one that is handed over among which a library may have one of its own. */
#define SPARE_FDS 64

static struct event_base *base;
static struct event *look_timer;
static char program[PATH_MAX];
static char *const *program_argv;
static upgrade_fill_cb *fill;

/* Of the one that is under way. */
static upgrade_failed_cb *on_failed; /* NULL: none is */
static void *on_failed_arg;
static const void *asker;
static char *asked_id;
static struct stat tried_file; /* what program was when it was tried */
static struct job *trial;      /* NULL: it is over */
static int64_t deadline;       /* of what it waits for */
static bool arms_paused;
static unsigned held_turns;    /* since signals are held; 0: they aren't */

/* ---- signals ---- */

static const int told_signals[] = {SIGHUP, SIGINT, SIGTERM};
static struct sigaction dispositions[UTIL_COUNT(told_signals)];
static sigset_t mask_before;

/* From here on they wait, for whichever program there is in the end. What libevent has caught by then it
 * still has to tell. One that is ignored would not wait, and where it has a kqueue libevent ignores them. */
static void
hold_signals(void)
{
	struct sigaction plain = {.sa_handler = SIG_DFL};
	sigset_t all;

	sigemptyset(&plain.sa_mask);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask_before);
	for (size_t i = 0; i < UTIL_COUNT(told_signals); i++)
		sigaction(told_signals[i], &plain, &dispositions[i]);
	held_turns = 1;
}

static void
let_signals_go(void)
{
	if (held_turns == 0)
		return;
	for (size_t i = 0; i < UTIL_COUNT(told_signals); i++)
		sigaction(told_signals[i], &dispositions[i], NULL);
	sigprocmask(SIG_SETMASK, &mask_before, NULL);
	held_turns = 0;
}

/* ---- the end of an attempt ---- */

static void
fail(const struct error *e)
{
	upgrade_failed_cb *failed = on_failed;

	tell(TELL_UPGRADE_FAILED, NULL, TELL_TEXT("why", e->text), TELL_END);
	let_signals_go();
	arm_pause(false);
	arms_paused = false;
	control_pause(false);
	free(asked_id);
	asked_id = NULL;
	on_failed = NULL;
	failed(on_failed_arg, e);
}

/* ---- the handover ---- */

static int
write_handover(int **inherit, size_t *count, struct error *e)
{
	struct handover handover = {.id = asked_id};
	int fd;

	fill(&handover);
	handover.clients = control_save(&handover.client_count, e);
	if (handover.clients == NULL)
		return -1;
	fd = handover_write(&handover, inherit, count, e);
	control_forget_saved(handover.clients, handover.client_count);
	return fd;
}

/* The environment with one variable more. The list is to be freed; its strings are ours. NULL: no memory. */
static char **
make_environment(char *variable)
{
	size_t count = 0;
	char **list;

	while (environ[count] != NULL)
		count++;
	list = calloc(count + 2, sizeof(*list));
	if (list == NULL)
		return NULL;
	memcpy(list, environ, count * sizeof(*list));
	list[count] = variable;
	return list;
}

static void
let_inherit(const int *fds, size_t count, bool inherit)
{
	for (size_t i = 0; i < count; i++)
		fcntl(fds[i], F_SETFD, inherit ? 0 : FD_CLOEXEC);
}

/* Not every library marks those that it opens. */
static void
let_no_other_inherit(const int *fds, size_t count)
{
	int last = STDERR_FILENO;

	for (size_t i = 0; i < count; i++)
		if (fds[i] > last)
			last = fds[i];
	for (int fd = STDERR_FILENO + 1; fd <= last + SPARE_FDS; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* Returns only if it can't be. */
static void
execute(int fd, const int *inherit, size_t count, struct error *e)
{
	char variable[sizeof(UPGRADE_VARIABLE) + 16];
	char **env;

	snprintf(variable, sizeof(variable), "%s=%d", UPGRADE_VARIABLE, fd);
	if ((env = make_environment(variable)) == NULL) {
		error_no_memory(e);
		return;
	}
	let_no_other_inherit(inherit, count);
	let_inherit(&fd, 1, true);
	let_inherit(inherit, count, true);
	execve(program, program_argv, env);
	error_set(e, ERR_INTERNAL, "%.200s: %s", program, strerror(errno));
	let_inherit(inherit, count, false);
	free(env);
}

/* Somebody may install another one meanwhile. */
static bool
is_as_tried(struct error *e)
{
	struct stat now;

	if (stat(program, &now) == 0 && now.st_dev == tried_file.st_dev && now.st_ino == tried_file.st_ino &&
	    now.st_ctim.tv_sec == tried_file.st_ctim.tv_sec &&
	    now.st_ctim.tv_nsec == tried_file.st_ctim.tv_nsec)
		return true;
	error_set(e, ERR_INTERNAL, "%.200s was changed while it was tried", program);
	return false;
}

static void
go(void)
{
	int *inherit = NULL;
	size_t count = 0;
	struct error e;
	int fd = -1;

	while (keep_flush())
		;
	tally_finish();
	if (is_as_tried(&e) && (fd = write_handover(&inherit, &count, &e)) >= 0) {
		log_info("event=daemon-upgrading from=%s", PACKAGE_VERSION);
		execute(fd, inherit, count, &e);
		close(fd);
		free(inherit);
	}
	fail(&e);
}

/* ---- coming to rest ---- */

static bool
somebody_waits(void)
{
	const struct probe *probe = NULL;

	if (control_outstanding() > (control_is_there(asker) ? 1 : 0))
		return true;
	while ((probe = registry_every(probe)) != NULL)
		if (!SLIST_EMPTY(&probe->waiters))
			return true;
	return false;
}

/* The time for the adds is not at the cost of the attaches. */
static void
pause_arms(bool wanted)
{
	if (wanted == arms_paused)
		return;
	arms_paused = wanted;
	arm_pause(wanted);
	if (wanted)
		deadline = util_monotonic_ms() + QUIET_MS;
}

/* First the requests that were taken are answered, adds among them; then the attaches that have begun
 * come to their end, and at last the signals. Runs go on meanwhile, and triggers are taken. */
static bool
is_at_rest(void)
{
	bool waits = somebody_waits();

	pause_arms(!waits);
	return !waits && arm_under_way() == 0;
}

static void
look(evutil_socket_t fd, short what, void *arg)
{
	struct error e;

	(void)fd;
	(void)what;
	(void)arg;
	if (is_at_rest()) {
		if (held_turns == 0)
			hold_signals();
		else if (held_turns++ == HELD_TURNS) {
			go();
			return;
		}
		timer_set(look_timer, 0);
		return;
	}
	let_signals_go();
	if (util_monotonic_ms() < deadline) {
		timer_set(look_timer, LOOK_MS);
		return;
	}
	error_set(&e, ERR_INTERNAL, "requests and attaches under way don't come to an end");
	fail(&e);
}

static void
come_to_rest(void)
{
	control_pause(true);
	deadline = util_monotonic_ms() + QUIET_MS;
	timer_set(look_timer, 0);
}

/* ---- the trial ---- */

/* The last line that it said, which is its reason. */
static const char *
last_line(struct tail *output, char text[256])
{
	static const char prefix[] = "jaildaemon: ";
	const char *bytes = tail_linear(output);
	size_t end = output->used, start;

	while (end > 0 && bytes[end - 1] == '\n')
		end--;
	for (start = end; start > 0 && bytes[start - 1] != '\n'; start--)
		;
	/* cppcheck-suppress knownConditionTrueFalse ; the loops have moved both */
	if (end - start > strlen(prefix) && memcmp(bytes + start, prefix, strlen(prefix)) == 0)
		start += strlen(prefix);
	snprintf(text, 256, "%.*s", (int)(end - start), bytes + start);
	util_make_printable(text);
	return text;
}

static void
tried(struct job *job, struct job_result *result, void *arg)
{
	char said[256];
	struct error e;

	(void)job;
	(void)arg;
	trial = NULL;
	if (on_failed == NULL)
		return; /* the daemon is stopping */
	if (result->status == 0 && !result->timed_out) {
		come_to_rest();
		return;
	}
	last_line(&result->output, said);
	if (result->timed_out)
		error_set(&e, ERR_INTERNAL, "%.160s doesn't take over: it took too long", program);
	else if (WIFSIGNALED(result->status))
		error_set(&e, ERR_INTERNAL, "%.160s doesn't take over: it was ended by signal %d", program,
			  WTERMSIG(result->status));
	else
		error_set(&e, ERR_INTERNAL, "%.160s doesn't take over: %s", program,
			  said[0] != '\0' ? said : "it says no reason");
	fail(&e);
}

static void
try_out(int fd)
{
	char variable[] = UPGRADE_VARIABLE "=" UPGRADE_TRY;
	char **env = make_environment(variable);
	struct job_spec spec = {.argv = program_argv,
				.path = program,
				.env = env,
				.timeout_ms = TRY_MS,
				.tag = "what=upgrade-trial",
				.inherits = true,
				.inherited_fd = fd};
	struct error e;

	if (env == NULL)
		error_no_memory(&e);
	else if (stat(program, &tried_file) == 0 && (trial = job_start(base, &spec, tried, NULL)) != NULL)
		e.code = ERR_NONE;
	else
		error_set(&e, ERR_INTERNAL, "%.200s: %s", program, strerror(errno));
	free(env);
	if (e.code != ERR_NONE)
		fail(&e);
}

/* ---- */

int
upgrade_prepare(struct event_base *event_base, char *const *argv, upgrade_fill_cb *fill_in, struct error *e)
{
	base = event_base;
	program_argv = argv;
	fill = fill_in;
	if (attach_os_own_path(program, sizeof(program)) != 0)
		return error_set(e, ERR_INTERNAL, "the path of this program can't be found: %s",
				 strerror(errno));
	look_timer = evtimer_new(base, look, NULL);
	return look_timer == NULL ? error_no_memory(e) : 0;
}

void
upgrade_begin(const char *id, const void *reply_arg, upgrade_failed_cb *failed, void *arg)
{
	int *inherit = NULL;
	struct error e;
	size_t count;
	int fd;

	if (on_failed != NULL) {
		error_set(&e, ERR_LIMIT, "an upgrade is under way already");
		failed(arg, &e);
		return;
	}
	on_failed = failed;
	on_failed_arg = arg;
	asker = reply_arg;
	asked_id = id == NULL ? NULL : strdup(id);
	fd = write_handover(&inherit, &count, &e);
	if (fd < 0) {
		fail(&e);
		return;
	}
	free(inherit);
	try_out(fd);
	close(fd);
}

void
upgrade_stop(void)
{
	struct error e;

	if (on_failed == NULL)
		return;
	if (trial != NULL)
		job_kill(trial);
	evtimer_del(look_timer);
	error_set(&e, ERR_STOPPING, "the daemon is stopping");
	fail(&e);
}
