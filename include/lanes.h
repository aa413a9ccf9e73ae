/*
 * Fair turns: entries wait in the lane of whoever they belong to, lanes take turns, and within a lane
 * it is first come, first served. Places at once are bounded, all lanes together and each by itself.
 * Nothing here allocates: entries and lanes are embedded in what they stand for.
 */
#ifndef LANES_H
#define LANES_H

#include <stdbool.h>
#include <sys/queue.h>

struct lane_entry {
	TAILQ_ENTRY(lane_entry) link;
	struct lane *lane; /* NULL: not waiting */
};

/* Zeroed but for entries, which lane_init sets up. */
struct lane {
	TAILQ_ENTRY(lane) link; /* in the circle, while it has entries */
	TAILQ_HEAD(, lane_entry) entries;
	unsigned taken; /* places that it holds */
};

struct lanes {
	TAILQ_HEAD(, lane) circle;
	unsigned limit; /* places, all lanes together */
	unsigned taken;
	unsigned waiting;
};

void lane_init(struct lane *);
void lanes_init(struct lanes *, unsigned limit);

void lanes_push(struct lanes *, struct lane *, struct lane_entry *);

/* Takes an entry out of its lane, wherever it stands. */
void lanes_remove(struct lanes *, struct lane_entry *);

/* The next entry whose turn it is, taken out, with a place for it; *lane is whose place it is. A lane
 * that holds lane_limit places is passed over. NULL: nothing may go now. */
struct lane_entry *lanes_take(struct lanes *, unsigned lane_limit, struct lane **lane);

/* The next of that very lane, in the same way: for entries that are better served together. */
struct lane_entry *lanes_take_more(struct lanes *, unsigned lane_limit, struct lane *);

/* Undoes lanes_take: the entry is the first of its lane again. */
void lanes_put_back(struct lanes *, struct lane *, struct lane_entry *);

/* Takes a place out of turn, whatever the limits say. */
void lanes_occupy(struct lanes *, struct lane *);

/* Gives a place back. */
void lanes_release(struct lanes *, struct lane *);

#endif
