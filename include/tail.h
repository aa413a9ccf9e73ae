/* The last bytes of a stream: grows to limits()->output_bytes, then forgets from the front. */
#ifndef TAIL_H
#define TAIL_H

#include <stddef.h>
#include <stdint.h>

struct tail {
	char *bytes;
	size_t capacity; /* allocated */
	size_t used;
	size_t start;	 /* where the oldest byte is, once it has wrapped */
	uint64_t total;	 /* bytes ever appended */
};

/* Keeps what memory allows; total is right in any case. */
void tail_append(struct tail *, const char *bytes, size_t length);

/* Puts the bytes in order and returns them: used of them, valid until the next append. */
const char *tail_linear(struct tail *);

/* Gives back what is allocated beyond need. */
void tail_trim(struct tail *);

void tail_free(struct tail *);

#endif
