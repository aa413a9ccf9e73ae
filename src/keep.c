#include "config.h"

#include "keep.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry.h"
#include "stats.h"
#include "store.h"
#include "tell.h"

/* Numbers that are reserved at once. A crash skips the rest of them. */
#define NUMBERS_AT_ONCE 100

struct keep_change {
	struct store_change change; /* the first member */
	struct probe *probe;	    /* held */
	unsigned pending;	    /* of a STORE_PUT: triggers that its text tells of */
	keep_done_cb *done;
	void *arg;
};

static struct store_changes waiting = TAILQ_HEAD_INITIALIZER(waiting);
static struct event *commit_event;
static char *(*render_probe)(const struct probe *); /* NULL: nothing is kept */

static void
tell_not_saved(const struct probe *probe, const char *reason)
{
	char why[ERROR_TEXT_SIZE];

	snprintf(why, sizeof(why), "its state can't be saved: %.160s", reason);
	tell(TELL_NOT_SAVED, probe, TELL_TEXT("why", why), TELL_END);
}

static void
explain(const struct probe *probe, int error, struct error *e)
{
	stats.save_errors++;
	error_set(e, ERR_INTERNAL, "the state of probe %llu can't be saved: %s",
		  (unsigned long long)probe->number, strerror(error));
	tell_not_saved(probe, strerror(error));
}

static void
finish(struct keep_change *keep)
{
	struct probe *probe = keep->probe;
	struct error e;

	stats.save_changes++;
	if (keep->change.error != 0)
		explain(probe, keep->change.error, &e);
	if (keep->done != NULL)
		keep->done(probe, keep->change.error != 0 ? &e : NULL, keep->arg);
	free(keep->change.text);
	free(keep);
	probe_release(probe);
}

/* All that the store knows by now, before anybody is told: who is told may start a run. */
static void
note_pending(const struct store_changes *group)
{
	struct store_change *change;

	TAILQ_FOREACH(change, group, link)
		if (change->kind == STORE_PUT && change->error == 0) {
			struct keep_change *keep = (struct keep_change *)change;

			keep->probe->kept_pending = keep->pending;
		}
}

/* Those who are told may ask for more: that belongs to the next group. tests/model/store.pml checks this order: change
 * both. */
bool
keep_flush(void)
{
	struct store_changes group = TAILQ_HEAD_INITIALIZER(group);
	struct store_change *change;

	if (TAILQ_EMPTY(&waiting))
		return false;
	TAILQ_CONCAT(&group, &waiting, link);
	store_commit(&group);
	note_pending(&group);
	stats.save_groups++;
	while ((change = TAILQ_FIRST(&group)) != NULL) {
		TAILQ_REMOVE(&group, change, link);
		finish((struct keep_change *)change);
	}
	return true;
}

bool
keep_is_waiting(void)
{
	return !TAILQ_EMPTY(&waiting);
}

static void
commit(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	keep_flush();
}

int
keep_init(struct event_base *base, char *(*render)(const struct probe *))
{
	commit_event = evtimer_new(base, commit, NULL);
	render_probe = render;
	return commit_event == NULL ? -1 : 0;
}

static void
fail_without_memory(struct probe *probe, keep_done_cb *done, void *arg)
{
	struct error e;

	error_no_memory(&e);
	stats.save_errors++;
	tell_not_saved(probe, e.text);
	if (done != NULL)
		done(probe, &e, arg);
}

static void
ask(enum store_kind kind, struct probe *probe, keep_done_cb *done, void *arg)
{
	struct keep_change *keep = calloc(1, sizeof(*keep));

	if (keep != NULL && kind == STORE_PUT)
		keep->change.text = render_probe(probe);
	if (keep == NULL || (kind == STORE_PUT && keep->change.text == NULL)) {
		free(keep);
		fail_without_memory(probe, done, arg);
		return;
	}
	keep->change.kind = kind;
	keep->change.number = probe->number;
	keep->change.started = probe->kept_started;
	keep->probe = probe;
	keep->pending = probe->pending;
	if (kind == STORE_PUT) {
		probe->kept_triggers = probe->triggers;
		/* NOLINTNEXTLINE(Wanalyzer-malloc-leak): it will be on the list, and that on the caller's */
		probe->kept_last_ms = probe->last.finished_ms;
		if (probe->pending > probe->kept_pending)
			probe->kept_pending = probe->pending; /* from here on it may be there */
	}
	keep->done = done;
	keep->arg = arg;
	probe_hold(probe);
	TAILQ_INSERT_TAIL(&waiting, &keep->change, link);
	event_active(commit_event, EV_TIMEOUT, 0);
}

static void
ask_if_kept(enum store_kind kind, struct probe *probe, keep_done_cb *done, void *arg)
{
	if (render_probe != NULL)
		ask(kind, probe, done, arg);
	else if (done != NULL)
		done(probe, NULL, arg);
}

void
keep_save(struct probe *probe, keep_done_cb *done, void *arg)
{
	ask_if_kept(probe->dropped ? STORE_WAIT : STORE_PUT, probe, done, arg);
}

void
keep_start(struct probe *probe, keep_done_cb *done, void *arg)
{
	if (probe->kept_started) { /* and the trigger was given back since */
		keep_save(probe, done, arg);
		return;
	}
	probe->kept_started = true;
	probe->kept_pending = 0;
	ask_if_kept(STORE_START, probe, done, arg);
}

void
keep_drop(struct probe *probe, keep_done_cb *done, void *arg)
{
	probe->dropped = true;
	ask_if_kept(STORE_DROP, probe, done, arg);
}

void
keep_wait(struct probe *probe, keep_done_cb *done, void *arg)
{
	ask_if_kept(STORE_WAIT, probe, done, arg);
}

bool
keep_before_start(const struct probe *probe)
{
	if (render_probe == NULL)
		return false;
	return probe->kept_pending > 0 || (probe->def.respawn == RESPAWN_NO && !probe->kept_started);
}

int
keep_number(uint64_t number, struct error *e)
{
	int failed;

	if (render_probe == NULL || number < store_reserved())
		return 0;
	failed = store_reserve(number + NUMBERS_AT_ONCE);
	if (failed == 0)
		return 0;
	return error_set(e, ERR_INTERNAL, "the state directory can't be written: %s", strerror(failed));
}

/* Counts are only saved at the end: what a press costs must not depend on a disk. */
static bool
has_changed(const struct probe *probe)
{
	return probe->triggers != probe->kept_triggers || probe->last.finished_ms != probe->kept_last_ms ||
	       probe->pending > 0;
}

static void
flush_all(void)
{
	while (keep_flush())
		;
}

void
keep_finish(void)
{
	struct probe *probe;

	if (render_probe == NULL)
		return;
	flush_all(); /* one whose first record is on its way has changed, perhaps */
	for (probe = registry_first(); probe != NULL; probe = registry_after(probe->number))
		if (probe->kept && has_changed(probe))
			keep_save(probe, NULL, NULL);
	flush_all();
	store_reserve(registry_next_number());
	render_probe = NULL;
	store_close();
}
