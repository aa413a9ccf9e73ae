#include "config.h"

#include "registry.h"

#include <string.h>

#include "limit.h"

static int
compare_numbers(const struct probe *a, const struct probe *b)
{
	return (a->number > b->number) - (a->number < b->number);
}

static int
compare_names(const struct probe *a, const struct probe *b)
{
	return strcmp(a->def.name, b->def.name);
}

RB_HEAD(numbers, probe);
RB_HEAD(names, probe);
RB_GENERATE_STATIC(numbers, probe, by_number, compare_numbers)
RB_GENERATE_STATIC(names, probe, by_name, compare_names)

static struct numbers numbers = RB_INITIALIZER(&numbers);
static struct names names = RB_INITIALIZER(&names);
static TAILQ_HEAD(gone_list, probe) gone = TAILQ_HEAD_INITIALIZER(gone);
static TAILQ_HEAD(, probe) every = TAILQ_HEAD_INITIALIZER(every);
static uint64_t next_number = 1;
static size_t count, gone_count;

void
registry_insert(struct probe *probe)
{
	if (probe->number == 0)
		probe->number = next_number;
	registry_skip_numbers(probe->number + 1);
	RB_INSERT(numbers, &numbers, probe);
	TAILQ_INSERT_TAIL(&every, probe, every);
	count++;
}

void
registry_forget(struct probe *probe)
{
	TAILQ_REMOVE(&every, probe, every);
}

struct probe *
registry_every(const struct probe *last)
{
	return last == NULL ? TAILQ_FIRST(&every) : TAILQ_NEXT(last, every);
}

uint64_t
registry_next_number(void)
{
	return next_number;
}

void
registry_skip_numbers(uint64_t next)
{
	if (next_number < next)
		next_number = next;
}

void
registry_take_name(struct probe *probe)
{
	if (probe->def.name != NULL)
		RB_INSERT(names, &names, probe);
}

void
registry_drop_name(struct probe *probe)
{
	if (probe->def.name != NULL && registry_by_name(probe->def.name) == probe)
		RB_REMOVE(names, &names, probe);
}

void
registry_remove(struct probe *probe)
{
	registry_drop_name(probe);
	RB_REMOVE(numbers, &numbers, probe);
	count--;
}

struct probe *
registry_by_number(uint64_t number)
{
	struct probe key;

	key.number = number;
	return RB_FIND(numbers, &numbers, &key);
}

struct probe *
registry_by_name(const char *name)
{
	struct probe key;

	key.def.name = (char *)(uintptr_t)name; /* only compared */
	return RB_FIND(names, &names, &key);
}

struct probe *
registry_replacement(const struct definition *def)
{
	struct probe *probe;

	RB_FOREACH(probe, numbers, &numbers)
		if (probe->replaces && definition_equal(&probe->def, def))
			return probe;
	return NULL;
}

size_t
registry_count(void)
{
	return count;
}

struct probe *
registry_first(void)
{
	return RB_MIN(numbers, &numbers);
}

struct probe *
registry_after(uint64_t number)
{
	struct probe key;

	key.number = number + 1;
	return RB_NFIND(numbers, &numbers, &key);
}

struct probe *
registry_remember(struct probe *probe)
{
	struct probe *oldest;

	TAILQ_INSERT_TAIL(&gone, probe, link);
	probe->remembered = true;
	if (++gone_count <= limits()->gone_probes)
		return NULL;
	oldest = TAILQ_FIRST(&gone);
	TAILQ_REMOVE(&gone, oldest, link);
	oldest->remembered = false;
	gone_count--;
	return oldest;
}

struct probe *
registry_gone_by_number(uint64_t number)
{
	struct probe *probe;

	TAILQ_FOREACH(probe, &gone, link)
		if (probe->number == number)
			return probe;
	return NULL;
}

struct probe *
registry_gone_by_name(const char *name)
{
	struct probe *probe;

	TAILQ_FOREACH_REVERSE(probe, &gone, gone_list, link)
		if (probe->def.name != NULL && strcmp(probe->def.name, name) == 0)
			return probe;
	return NULL;
}
