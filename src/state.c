#include "config.h"

#include "state.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "jsontext.h"
#include "log.h"
#include "registry.h"
#include "stats.h"
#include "store.h"
#include "tell.h"

/* Of one reading of the store. */
struct restoring {
	void (*spent)(const struct definition *, uint64_t number);
	struct store_changes drops;
	unsigned restored;
	uint64_t ended;	/* the number of the last one whose one run is over */
	uint64_t gone;	/* and of the last one that could not come back */
	bool failed;
	struct error error; /* why, if it failed */
};

char *
state_render(const struct probe *probe)
{
	json_t *record = codec_record(probe, true);
	char *text = record == NULL ? NULL : jsontext_dump(record, JSON_COMPACT);

	json_decref(record);
	return text;
}

/* Without memory for it the record stays, and is looked at again at the next start. */
static void
drop(struct restoring *restoring, uint64_t number)
{
	struct store_change *change = calloc(1, sizeof(*change));

	if (change == NULL)
		return;
	change->kind = STORE_DROP;
	change->number = number;
	TAILQ_INSERT_TAIL(&restoring->drops, change, link);
}

static void
tell_removed(const struct definition *def, const struct probe_saved *saved, uint64_t runs, const char *why)
{
	tell_of(TELL_REMOVED, def, saved->number, TELL_NUMBER("triggers", saved->triggers),
		TELL_NUMBER("runs", runs), TELL_TEXT("why", why), TELL_END);
}

static void
commit_drops(struct store_changes *drops)
{
	struct store_change *change;

	if (!TAILQ_EMPTY(drops))
		store_commit(drops);
	while ((change = TAILQ_FIRST(drops)) != NULL) {
		if (change->error != 0) /* NOLINT(clang-analyzer-unix.Malloc): TAILQ_REMOVE took the freed one off */
			log_error("event=error probe=%llu why=\"its state can't be removed: %s\"",
				  (unsigned long long)change->number, strerror(change->error));
		TAILQ_REMOVE(drops, change, link);
		free(change);
	}
}

/* A single shot is never pressed twice. What is configured is remembered, or its file would bring it
 * back. */
static void
end_started(struct restoring *restoring, const struct definition *def, const struct probe_saved *saved)
{
	restoring->ended = saved->number;
	tell_removed(def, saved, 1, "its one run had been started before the daemon ended");
	if (saved->configured)
		restoring->spent(def, saved->number);
	else
		drop(restoring, saved->number);
}

static void
bring_back(struct restoring *restoring, struct definition *def, const struct probe_saved *saved)
{
	struct error e;

	if (probe_restore(def, saved, &e) == 0) {
		restoring->restored++;
	} else if (e.code == ERR_NO_SUCH_JAIL || e.code == ERR_EXISTS) {
		stats.triggers += saved->pending;
		stats.dropped += saved->pending;
		if (saved->pending > 0)
			tell_of(TELL_TRIGGER_DROPPED, def, saved->number,
				TELL_NUMBER("count", saved->pending), TELL_TEXT("why", e.text), TELL_END);
		tell_removed(def, saved, saved->runs, e.text);
		restoring->gone = saved->number;
		drop(restoring, saved->number);
	} else {
		restoring->failed = true;
		restoring->error = e;
	}
}

/* Only what is wrong with the record itself is the record's fault. */
static void
read_failed(struct restoring *restoring, uint64_t number, bool started, const struct error *e)
{
	if (e->code == ERR_BAD_REQUEST) {
		store_set_aside(number, started, e->text);
		return;
	}
	restoring->failed = true;
	restoring->error = *e;
}

static void
found(void *arg, uint64_t number, bool started, const char *text, size_t length)
{
	struct restoring *restoring = arg;
	struct probe_saved saved;
	struct definition def;
	json_error_t why;
	json_t *record;
	struct error e;

	if (restoring->failed)
		return;
	definition_init(&def);
	record = jsontext_load(text, length, JSON_REJECT_DUPLICATES, &why);
	if (record == NULL && errno == ENOMEM)
		restoring->failed = error_no_memory(&restoring->error) != 0;
	else if (record == NULL)
		store_set_aside(number, started, why.text);
	else if (codec_read_record(record, &def, &saved, &e) != 0)
		read_failed(restoring, number, started, &e);
	else if (number == restoring->ended)
		drop(restoring, number);
	else if (saved.number != number || number == restoring->gone || registry_by_number(number) != NULL)
		store_set_aside(number, started, "it is a copy of another one");
	else if (saved.given_back && !started)
		store_set_aside(number, started, "it tells of a run that can't have begun");
	else if (started && !saved.given_back)
		end_started(restoring, &def, &saved);
	else
		bring_back(restoring, &def, &saved);
	json_decref(record);
	definition_clear(&def);
	registry_skip_numbers(number + 1);
}

int
state_restore(void (*spent)(const struct definition *, uint64_t number), struct error *e)
{
	struct restoring restoring = {.spent = spent};

	TAILQ_INIT(&restoring.drops);
	registry_skip_numbers(store_reserved());
	if (store_read_all(found, &restoring, e) != 0)
		return -1;
	commit_drops(&restoring.drops);
	if (restoring.failed) {
		*e = restoring.error;
		return -1;
	}
	log_info("event=state-restored probes=%u", restoring.restored);
	return 0;
}

void
state_forget(uint64_t number)
{
	struct store_change change = {.kind = STORE_DROP, .number = number};
	struct store_changes changes = TAILQ_HEAD_INITIALIZER(changes);

	TAILQ_INSERT_TAIL(&changes, &change, link);
	store_commit(&changes);
	if (change.error != 0)
		log_error("event=error probe=%llu why=\"its state can't be removed: %s\"",
			  (unsigned long long)number, strerror(change.error));
}
