/* The latest of what was put in, bounded both in number and in bytes. Each entry has a place that
 * counts up for ever, so that a reader is no more than the place it has come to. */
#ifndef RING_H
#define RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring_entry {
	uint64_t seq; /* the caller's */
	uint64_t at; /* in all bytes that ever were in the ring */
	size_t length;
};

struct ring {
	char *bytes; /* NULL: not there */
	size_t size;
	struct ring_entry *entries;
	size_t limit;
	uint64_t first; /* the place of the oldest entry */
	uint64_t next;	/* the place that the next one will have */
	uint64_t end;
};

/* -1: no memory. Pages that nothing was put into cost none. */
int ring_init(struct ring *, size_t entries, size_t bytes);
void ring_free(struct ring *);

/* Whether an entry fits without dropping the oldest. One longer than the ring never does. */
bool ring_has_room(const struct ring *, size_t length);
void ring_drop_oldest(struct ring *);

/* Only with room. */
void ring_append(struct ring *, uint64_t seq, const void *bytes, size_t length);

/* place: from first to before next. The bytes are valid until that entry is dropped, and not aligned. */
const char *ring_get(const struct ring *, uint64_t place, size_t *length);
uint64_t ring_seq(const struct ring *, uint64_t place);

#endif
