#include "config.h"

#include "lanes.h"

#include <stddef.h>

void
lane_init(struct lane *lane)
{
	*lane = (struct lane){0};
	TAILQ_INIT(&lane->entries);
}

void
lanes_init(struct lanes *lanes, unsigned limit)
{
	*lanes = (struct lanes){.limit = limit};
	TAILQ_INIT(&lanes->circle);
}

void
lanes_push(struct lanes *lanes, struct lane *lane, struct lane_entry *entry)
{
	if (TAILQ_EMPTY(&lane->entries))
		TAILQ_INSERT_TAIL(&lanes->circle, lane, link);
	TAILQ_INSERT_TAIL(&lane->entries, entry, link);
	entry->lane = lane;
	lanes->waiting++;
}

void
lanes_remove(struct lanes *lanes, struct lane_entry *entry)
{
	struct lane *lane = entry->lane;

	if (lane == NULL)
		return;
	TAILQ_REMOVE(&lane->entries, entry, link);
	entry->lane = NULL;
	lanes->waiting--;
	if (TAILQ_EMPTY(&lane->entries))
		TAILQ_REMOVE(&lanes->circle, lane, link);
}

/* Lanes that are full are looked at again and again; there are as many as busy jails. */
static struct lane *
next_lane(struct lanes *lanes, unsigned lane_limit)
{
	struct lane *lane;

	if (lanes->taken >= lanes->limit)
		return NULL;
	TAILQ_FOREACH(lane, &lanes->circle, link)
		if (lane->taken < lane_limit)
			return lane;
	return NULL;
}

void
lanes_occupy(struct lanes *lanes, struct lane *lane)
{
	lane->taken++;
	lanes->taken++;
}

struct lane_entry *
lanes_take_more(struct lanes *lanes, unsigned lane_limit, struct lane *lane)
{
	struct lane_entry *entry = TAILQ_FIRST(&lane->entries);

	if (entry == NULL || lanes->taken >= lanes->limit || lane->taken >= lane_limit)
		return NULL;
	lanes_remove(lanes, entry);
	lanes_occupy(lanes, lane);
	return entry;
}

struct lane_entry *
lanes_take(struct lanes *lanes, unsigned lane_limit, struct lane **lane)
{
	struct lane_entry *entry;

	if ((*lane = next_lane(lanes, lane_limit)) == NULL)
		return NULL;
	entry = TAILQ_FIRST(&(*lane)->entries);
	lanes_remove(lanes, entry);
	if (!TAILQ_EMPTY(&(*lane)->entries)) { /* its next turn comes after the others' */
		TAILQ_REMOVE(&lanes->circle, *lane, link);
		TAILQ_INSERT_TAIL(&lanes->circle, *lane, link);
	}
	lanes_occupy(lanes, *lane);
	return entry;
}

void
lanes_put_back(struct lanes *lanes, struct lane *lane, struct lane_entry *entry)
{
	lanes_release(lanes, lane);
	if (TAILQ_EMPTY(&lane->entries))
		TAILQ_INSERT_TAIL(&lanes->circle, lane, link);
	TAILQ_INSERT_HEAD(&lane->entries, entry, link);
	entry->lane = lane;
	lanes->waiting++;
}

void
lanes_release(struct lanes *lanes, struct lane *lane)
{
	lane->taken--;
	lanes->taken--;
}
