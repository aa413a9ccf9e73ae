/*
 * Facts of a probe that a jail can bring about in any number: the first of a kind is told at once, and
 * those of the next second together at its end, and so on. Each time it is told how many they are, so
 * that the numbers add up to the probe's own.
 */
#ifndef TALLY_H
#define TALLY_H

#include <stdint.h>
#include <sys/queue.h>

#define TALLY_MS 1000

enum tally_kind {
	TALLY_THROTTLED,
	TALLY_COALESCED,
	TALLIES
};

struct event_base;
struct probe;

/* A part of the probe, zeroed at first. */
struct tally {
	TAILQ_ENTRY(tally) link;
	struct probe *probe;
	int64_t due; /* monotonic ms; 0: the next one is told at once */
	uint64_t told;
};

/* -1: no memory. */
int tally_init(struct event_base *);

/* For each, once the probe has counted it. */
void tally_tell(struct probe *, enum tally_kind);

/* What the probe has counted by now was told in a former life. */
void tally_skip(struct probe *);

/* Tells the rest: of one that ends, or of all. */
void tally_end(struct probe *);
void tally_finish(void);

#endif
