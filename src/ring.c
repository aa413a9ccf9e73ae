#include "config.h"

#include "ring.h"

#include <stdlib.h>
#include <string.h>

int
ring_init(struct ring *ring, size_t entries, size_t bytes)
{
	*ring = (struct ring){.size = bytes, .limit = entries};
	ring->bytes = malloc(bytes);
	ring->entries = calloc(entries, sizeof(*ring->entries));
	if (ring->bytes != NULL && ring->entries != NULL)
		return 0;
	ring_free(ring);
	return -1;
}

void
ring_free(struct ring *ring)
{
	free(ring->bytes);
	free(ring->entries);
	*ring = (struct ring){.bytes = NULL};
}

static const struct ring_entry *
entry_at(const struct ring *ring, uint64_t place)
{
	return &ring->entries[place % ring->limit];
}

/* Where an entry would begin. None lies across the end of the memory: what is left there is passed
 * over. */
static uint64_t
place_for(const struct ring *ring, size_t length)
{
	size_t offset = (size_t)(ring->end % ring->size);

	return offset + length <= ring->size ? ring->end : ring->end + (ring->size - offset);
}

bool
ring_has_room(const struct ring *ring, size_t length)
{
	if (length > ring->size)
		return false;
	if (ring->first == ring->next)
		return true;
	return ring->next - ring->first < ring->limit &&
	       place_for(ring, length) + length <= entry_at(ring, ring->first)->at + ring->size;
}

void
ring_drop_oldest(struct ring *ring)
{
	ring->first++;
}

void
ring_append(struct ring *ring, uint64_t seq, const void *bytes, size_t length)
{
	uint64_t at = place_for(ring, length);

	memcpy(ring->bytes + at % ring->size, bytes, length);
	ring->entries[ring->next % ring->limit] = (struct ring_entry){.seq = seq, .at = at, .length = length};
	ring->next++;
	ring->end = at + length;
}

const char *
ring_get(const struct ring *ring, uint64_t place, size_t *length)
{
	const struct ring_entry *entry = entry_at(ring, place);

	*length = entry->length;
	return ring->bytes + entry->at % ring->size;
}

uint64_t
ring_seq(const struct ring *ring, uint64_t place)
{
	return entry_at(ring, place)->seq;
}
