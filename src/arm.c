#include "config.h"

#include "arm.h"

#include <sys/wait.h>

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "helper.h"
#include "lanes.h"
#include "log.h"
#include "timer.h"
#include "util.h"

/* Attaches under way at once; the others wait their turn. Enough to keep some processors busy, and
 * few enough that a socket buffer holds all their requests. */
#define UNDER_WAY_MAX 96

/* And of one jail: whoever is inside can make each last as long as it may. Two parties. */
#define UNDER_WAY_JAIL_MAX (2 * ATTACH_PARTY_MAX)

/* Nothing begins before there are places for a whole party: those that wait go together then. */
#define BEGIN_MAX	(UNDER_WAY_MAX - ATTACH_PARTY_MAX)
#define BEGIN_JAIL_MAX	(UNDER_WAY_JAIL_MAX - ATTACH_PARTY_MAX)

/* A probe that somebody inside stops while it is being set up must not be waited for longer. */
#define READY_SECONDS 5

struct arm {
	struct lane_entry entry; /* while it waits its turn */
	TAILQ_ENTRY(arm) link;	 /* among those that are begun */
	bool begun; /* the process is under way; otherwise it waits its turn */
	bool placed; /* it counts among those under way at once */
	bool ready;
	bool ended; /* the report pipe is; the helper's exit may be still to come */
	bool exited;
	int status; /* when exited */
	pid_t pid;  /* 0: not known yet */
	pid_t ready_by; /* who said so; 0: the system doesn't tell */
	struct helper *helper; /* NULL: there is none on this system */
	int report_fd;
	struct jail_instance *jail;
	struct attach_params params;
	struct attach_report failed; /* stage 0: none */
	struct event report_event;
	struct event timer;
	arm_done_cb *done; /* NULL: cancelled */
	void *arg;
	char title[]; /* of params */
};

static struct lanes turns;
static TAILQ_HEAD(, arm) begun = TAILQ_HEAD_INITIALIZER(begun);
static unsigned under_way; /* begun and not released */
static struct event_base *base;
static struct event turn_event; /* begins the next ones, from the event loop */
static bool paused;

static void
schedule_turn(void)
{
	event_active(&turn_event, EV_TIMEOUT, 0);
}

static void
give_up_place(struct arm *arm)
{
	if (!arm->placed)
		return;
	arm->placed = false;
	lanes_release(&turns, &arm->jail->attaches);
	schedule_turn();
}

static void
release(struct arm *arm)
{
	if (arm->begun) {
		event_del(&arm->report_event);
		evtimer_del(&arm->timer);
		util_close(&arm->report_fd);
		child_unexpect();
		under_way--;
		TAILQ_REMOVE(&begun, arm, link);
		give_up_place(arm);
		if (arm->helper != NULL)
			helper_leave(arm->helper, arm->ended);
	} else {
		lanes_remove(&turns, &arm->entry);
	}
	jail_release(arm->jail);
	free(arm);
}

static void
finish(struct arm *arm, pid_t pid, const struct error *e)
{
	if (arm->done != NULL)
		arm->done(arm->arg, pid, e);
	release(arm);
}

static void probe_exited(pid_t, int status, void *arg);
static void discard_probe(struct arm *);

/* A probe that somebody inside can trace could say anything, so a pid is believed once, and only of
 * a child of ours that is nobody's yet. */
static void
take_pid(struct arm *arm, pid_t pid)
{
	if (arm->pid != 0 || !child_is_unclaimed(pid))
		return;
	arm->pid = pid;
	child_add(pid, probe_exited, arm);
	if (arm->done == NULL)
		discard_probe(arm);
}

static void
discard_probe(struct arm *arm)
{
	/* A helper that was killed, or stands still, may have made a probe without telling: that one is
	 * known by its own word. */
	if (arm->pid == 0 && arm->ready_by > 0)
		take_pid(arm, arm->ready_by);
	if (arm->pid <= 0 || arm->exited)
		return;
	kill(arm->pid, SIGKILL);
	child_forget(arm->pid);
	arm->exited = true; /* for us: its number may be anybody's from now on */
}

static void
explain_exit(int status, struct error *e)
{
	if (WIFSIGNALED(status))
		error_set(e, ERR_ATTACH_FAILED, "the probe was ended by signal %d while it was being set up",
			  WTERMSIG(status));
	else if (WEXITSTATUS(status) == PROBE_EXIT_TRIGGERED)
		error_set(e, ERR_ATTACH_FAILED, "the probe was pressed while it was being set up");
	else
		error_set(e, ERR_ATTACH_FAILED, "the probe exited with %d while it was being set up",
			  WEXITSTATUS(status));
}

static void
finish_failed(struct arm *arm)
{
	bool exited = arm->exited; /* by itself */
	struct error e;

	discard_probe(arm);
	attach_explain(&arm->failed, &arm->params, &e);
	if (arm->failed.stage == 0 && exited)
		explain_exit(arm->status, &e);
	finish(arm, 0, &e);
}

/* The jail is looked at once more from the host, now that the probe is in it: on FreeBSD that makes
 * the jid and the name together an identity. */
static void
finish_ready(struct arm *arm)
{
	struct error e;
	pid_t pid = arm->pid;
	int status = arm->status;
	bool exited = arm->exited;

	if (arm->done == NULL || !jail_alive(arm->jail)) {
		discard_probe(arm);
		error_set(&e, ERR_ATTACH_FAILED, "the jail ended while the probe was being set up");
		finish(arm, 0, &e);
		return;
	}
	if (!exited)
		child_forget(pid); /* the caller's from here */
	finish(arm, pid, NULL);
	if (exited)
		child_exited(pid, status);
}

/* Not before the helper has been reaped, so that nothing is left of the work when it is answered. */
static void
finish_at_end(struct arm *arm)
{
	if (!arm->ended || (arm->helper != NULL && helper_is_there(arm->helper)))
		return;
	if (arm->ready && arm->failed.stage == 0 && arm->pid > 0 &&
	    (arm->ready_by == 0 || arm->ready_by == arm->pid))
		finish_ready(arm);
	else
		finish_failed(arm);
}

static void
take_report(struct arm *arm, const struct attach_report *line)
{
	if (line->stage == ATTACH_HELPER) {
		/* The first to speak: nobody else has a channel of the party before it has made a probe. */
		if (arm->helper != NULL)
			helper_heard(arm->helper, line->value);
	} else if (line->stage == ATTACH_PID) {
		take_pid(arm, line->value);
	} else if (line->stage == ATTACH_READY) {
		/* Whoever else says so is not the probe. */
		if (arm->pid == 0 || line->value == 0 || line->value == arm->pid) {
			arm->ready = true;
			arm->ready_by = line->value;
		}
	} else if (attach_is_warning(line)) {
		if (arm->done != NULL) /* else the probe and its tag may be gone */
			log_warn("event=attach-warning %s jid=%d what=\"%s\"", arm->params.tag,
				 (int)arm->jail->jid, attach_warning(line));
	} else if (arm->failed.stage == 0) {
		arm->failed = *line;
	}
}

/* True at the end of the pipe. */
static bool
read_reports(struct arm *arm)
{
	struct attach_report line;
	int got;

	do {
		pid_t helper = arm->helper == NULL ? 0 : helper_id(arm->helper);

		got = attach_read(arm->report_fd, helper, &line);
		if (got > 0)
			take_report(arm, &line);
	} while (got > 0);
	return got == 0;
}

static void
report_ready(evutil_socket_t fd, short what, void *arg)
{
	struct arm *arm = arg;
	bool waits = false;

	(void)fd;
	(void)what;
	if (!read_reports(arm))
		return;
	event_del(&arm->report_event);
	arm->ended = true;
	if (arm->helper != NULL) {
		waits = helper_is_there(arm->helper);
		helper_done(arm->helper); /* it may end here and now, and the arm with it */
	}
	if (!waits)
		finish_at_end(arm);
}

static struct arm *
waits_for(const struct helper *helper)
{
	struct arm *arm;

	TAILQ_FOREACH(arm, &begun, link)
		if (arm->ended && arm->helper == helper)
			return arm;
	return NULL;
}

/* One by one, because whoever is told that a probe is armed may do away with the next one. */
static void
helper_ended(struct helper *helper)
{
	struct arm *arm;

	while ((arm = waits_for(helper)) != NULL)
		finish_at_end(arm);
}

/* A probe that is dead has closed its end; the helper closes the other right after telling us the
 * pid. So the end of the pipe is near, and the decision is made there. */
static void
probe_exited(pid_t pid, int status, void *arg)
{
	struct arm *arm = arg;

	(void)pid;
	arm->exited = true;
	arm->status = status;
}

static void
ready_expired(evutil_socket_t fd, short what, void *arg)
{
	struct arm *arm = arg;
	struct error e;

	(void)fd;
	(void)what;
	error_set(&e, ERR_ATTACH_FAILED, "the probe was not ready within %d seconds", READY_SECONDS);
	if (arm->done != NULL)
		arm->done(arm->arg, 0, &e);
	arm->done = NULL;
	give_up_place(arm);
	if (arm->pid > 0 || (arm->helper != NULL && helper_id(arm->helper) != 0)) {
		/* A probe that the helper has made without telling yet finds nobody to report to. */
		discard_probe(arm);
		release(arm);
	}
	/* Else the launcher is slow: pids are still to come, and those processes to be ended. */
}

static int
begin_attach(struct arm *arm, pid_t *pid, struct error *e)
{
	struct attach_begun attach;

	if (attach_begin(arm->jail, &arm->params, &attach, e) != 0)
		return -1;
	if (attach.party != 0 && (arm->helper = helper_join(attach.party)) == NULL) {
		close(attach.report_fd); /* the probe finds nobody to report to */
		return error_no_memory(e);
	}
	arm->report_fd = attach.report_fd;
	*pid = attach.pid;
	event_assign(&arm->report_event, base, arm->report_fd, EV_READ | EV_PERSIST, report_ready, arm);
	if (event_add(&arm->report_event, NULL) == 0)
		return 0;
	error_set(e, ERR_INTERNAL, "the system can't watch the probe being set up: %s", strerror(errno));
	if (arm->helper != NULL)
		helper_leave(arm->helper, false);
	arm->helper = NULL;
	if (attach.pid > 0)
		kill(attach.pid, SIGKILL);
	util_close(&arm->report_fd); /* and here too */
	return -1;
}

static int
begin(struct arm *arm, struct error *e)
{
	pid_t pid = -1;

	if (child_reserve() != 0)
		return error_no_memory(e);
	child_expect();
	if (begin_attach(arm, &pid, e) != 0) {
		child_unexpect();
		return -1;
	}
	arm->begun = true;
	under_way++;
	TAILQ_INSERT_TAIL(&begun, arm, link);
	evtimer_assign(&arm->timer, base, ready_expired, arm);
	timer_set(&arm->timer, READY_SECONDS * 1000);
	if (pid > 0) {
		arm->pid = pid;
		child_add(pid, probe_exited, arm);
	}
	return 0;
}

/* False: it failed, and with it the jail may be gone. */
static bool
begin_or_fail(struct lane_entry *entry)
{
	struct arm *arm = (struct arm *)((char *)entry - offsetof(struct arm, entry));
	struct error e;

	arm->placed = true;
	if (begin(arm, &e) == 0)
		return true;
	give_up_place(arm);
	finish(arm, 0, &e);
	return false;
}

/* All that a jail may have at once, before the next one's: they can share the way in. */
static void
take_turns(evutil_socket_t fd, short what, void *arg)
{
	struct lane_entry *entry;
	struct lane *lane;

	(void)fd;
	(void)what;
	(void)arg;
	while (!paused && turns.taken <= BEGIN_MAX &&
	       (entry = lanes_take(&turns, BEGIN_JAIL_MAX + 1, &lane)) != NULL)
		while (begin_or_fail(entry) &&
		       (entry = lanes_take_more(&turns, UNDER_WAY_JAIL_MAX, lane)) != NULL)
			continue;
	attach_flush();
}

void
arm_init(struct event_base *event_base)
{
	base = event_base;
	helper_init(helper_ended);
	lanes_init(&turns, UNDER_WAY_MAX);
	evtimer_assign(&turn_event, base, take_turns, NULL);
}

struct arm *
arm_begin(struct jail_instance *jail, const struct attach_params *params, arm_done_cb *done, void *arg)
{
	size_t title_size = strlen(params->title) + 1;
	struct arm *arm = calloc(1, sizeof(*arm) + title_size);

	if (arm == NULL)
		return NULL;
	arm->report_fd = -1;
	arm->jail = jail_hold(jail);
	arm->params = *params;
	arm->params.title = memcpy(arm->title, params->title, title_size);
	arm->done = done;
	arm->arg = arg;
	lanes_push(&turns, &jail->attaches, &arm->entry);
	schedule_turn();
	return arm;
}

void
arm_cancel(struct arm *arm)
{
	arm->done = NULL;
	if (!arm->begun || arm->pid > 0) {
		discard_probe(arm);
		release(arm);
	}
	/* Else it ends by itself when the pid has come: take_pid sees that nobody waits. */
}

unsigned
arm_under_way(void)
{
	return under_way;
}

void
arm_pause(bool wanted)
{
	paused = wanted;
	schedule_turn();
}
