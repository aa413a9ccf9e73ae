#include "config.h"

#include "configured.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "probe.h"
#include "registry.h"
#include "tell.h"

/* One definition of the configuration. */
struct entry {
	struct conf_probe wanted;
	struct probe *probe; /* held, even after its end; NULL: it was never armed in this life */
	uint64_t spent;	     /* the number with which it had its run in an earlier life; or 0 */
	bool changes;	     /* it takes the place of another definition */
};

struct entries {
	struct entry *list; /* in the order of names */
	size_t count;
};

static struct entries current;
static struct configured_counts counts;
static unsigned under_way; /* answers to come, and one for the call itself */
static configured_done_cb *done;
static void *done_arg;
static void (*forget_spent)(uint64_t);

static int
compare(const void *a, const void *b)
{
	const struct entry *one = a, *other = b;

	return strcmp(one->wanted.def.name, other->wanted.def.name);
}

static struct entry *
find(const struct entries *entries, const char *name)
{
	struct entry key = {.wanted.def.name = (char *)(uintptr_t)name}; /* only compared */

	if (entries->count == 0)
		return NULL;
	return bsearch(&key, entries->list, entries->count, sizeof(key), compare);
}

static void
clear(struct entries *entries)
{
	for (size_t i = 0; i < entries->count; i++) {
		if (entries->list[i].probe != NULL)
			probe_release(entries->list[i].probe);
		conf_clear_probe(&entries->list[i].wanted);
	}
	free(entries->list);
	*entries = (struct entries){0};
}

/* A single shot that was pressed. One that ended without having been pressed is no use to anybody,
 * and is tried again. */
static bool
is_spent(const struct entry *entry)
{
	if (entry->spent != 0)
		return true;
	return entry->probe != NULL && entry->probe->gone &&
	       entry->wanted.def.respawn == RESPAWN_NO && entry->probe->triggers > 0;
}

static uint64_t
number_of_spent(const struct entry *entry)
{
	return entry->spent != 0 ? entry->spent : entry->probe->number;
}

static void
log_failure(const struct conf_probe *wanted, const struct error *e)
{
	tell_of(TELL_CONFIGURED_FAILED, &wanted->def, 0, TELL_TEXT("file", wanted->file),
		TELL_TEXT("why", e->text), TELL_END);
}

/* ---- answers ---- */

static void
finish_one(void)
{
	if (--under_way == 0)
		done(done_arg, &counts);
}

static void
added(void *arg, struct probe *probe, const struct error *e)
{
	struct entry *entry = arg;

	if (probe == NULL) {
		counts.failed++;
		log_failure(&entry->wanted, e);
	} else {
		probe_hold(probe);
		entry->probe = probe;
		entry->changes ? counts.changed++ : counts.added++;
	}
	finish_one();
}

static void
removed(void *arg, struct probe *probe, const struct error *e)
{
	char why[ERROR_TEXT_SIZE];

	(void)arg;
	if (e == NULL) {
		counts.removed++;
	} else {
		counts.failed++;
		snprintf(why, sizeof(why), "it can't be removed: %.200s", e->text);
		tell(TELL_CONFIGURED_FAILED, probe, TELL_TEXT("why", why), TELL_END);
	}
	finish_one();
}

/* ---- the difference ---- */

static void
add(struct entry *entry)
{
	struct definition def;
	struct error e;

	under_way++;
	if (definition_copy(&def, &entry->wanted.def) == 0) {
		probe_add(&def, PROBE_ADD_REPLACE | PROBE_ADD_CONFIGURED, added, entry);
	} else {
		error_no_memory(&e);
		added(entry, NULL, &e);
	}
}

static void
settle(struct entry *entry)
{
	const struct definition *def = &entry->wanted.def;
	struct probe *alive = registry_by_name(def->name);
	struct entry *old = find(&current, def->name);
	bool same = old != NULL && definition_equal(&old->wanted.def, def);

	if (alive != NULL && !alive->configured)
		alive = NULL;
	if (alive != NULL && definition_equal(&alive->def, def)) {
		probe_hold(alive);
		entry->probe = alive;
		counts.unchanged++;
	} else if (same && is_spent(old)) {
		entry->probe = old->probe;
		entry->spent = old->spent;
		old->probe = NULL;
		old->spent = 0;
		counts.unchanged++;
	} else {
		entry->changes = alive != NULL || (old != NULL && !same);
		add(entry);
	}
}

static void
remove_others(const struct entries *wanted)
{
	struct probe *probe;
	uint64_t number;

	for (probe = registry_first(); probe != NULL; probe = registry_after(number)) {
		number = probe->number;
		if (!probe->configured || find(wanted, probe->def.name) != NULL)
			continue;
		under_way++;
		probe_remove(probe, false, removed, NULL);
	}
}

static void
forget(struct entries *entries)
{
	for (size_t i = 0; i < entries->count; i++) {
		const struct entry *entry = &entries->list[i];

		if (forget_spent != NULL && is_spent(entry))
			forget_spent(number_of_spent(entry));
	}
	clear(entries);
}

static void
sort(struct entries *entries)
{
	if (entries->count > 0)
		qsort(entries->list, entries->count, sizeof(entries->list[0]), compare);
}

static int
take_over(struct entries *entries, struct conf *conf)
{
	*entries = (struct entries){.count = conf->probe_count};
	if ((entries->list = calloc(entries->count + 1, sizeof(entries->list[0]))) == NULL)
		return -1;
	for (size_t i = 0; i < entries->count; i++)
		entries->list[i].wanted = conf->probes[i];
	free(conf->probes);
	conf->probes = NULL;
	conf->probe_count = 0;
	sort(entries);
	return 0;
}

int
configured_apply(struct conf *conf, configured_done_cb *callback, void *arg, struct error *e)
{
	struct entries wanted;

	if (under_way > 0)
		return error_set(e, ERR_LIMIT, "a reload is under way already");
	if (take_over(&wanted, conf) != 0)
		return error_no_memory(e);
	counts = (struct configured_counts){0};
	done = callback;
	done_arg = arg;
	under_way = 1;
	sort(&current);
	remove_others(&wanted);
	for (size_t i = 0; i < wanted.count; i++)
		settle(&wanted.list[i]);
	forget(&current);
	current = wanted;
	finish_one();
	return 0;
}

bool
configured_is_busy(void)
{
	return under_way > 0;
}

void
configured_note_spent(const struct definition *def, uint64_t number)
{
	struct entry *larger = reallocarray(current.list, current.count + 1, sizeof(*larger));
	struct entry entry = {.spent = number};

	if (larger != NULL)
		current.list = larger;
	if (larger == NULL || definition_copy(&entry.wanted.def, def) != 0)
		log_error("event=error why=\"out of memory: probe %llu will be armed again\"",
			  (unsigned long long)number);
	else
		current.list[current.count++] = entry;
}

void
configured_on_forgotten(void (*callback)(uint64_t number))
{
	forget_spent = callback;
}

void
configured_each_spent(void (*callback)(void *arg, const struct definition *, uint64_t number), void *arg)
{
	for (size_t i = 0; i < current.count; i++)
		if (is_spent(&current.list[i]))
			callback(arg, &current.list[i].wanted.def, number_of_spent(&current.list[i]));
}
