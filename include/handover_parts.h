/* How parts of the handover's document are written and read: for handover.c and handover_….c alone. */
#ifndef HANDOVER_PARTS_H
#define HANDOVER_PARTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "error.h"
#include "handover.h"

/* Members of a struct that are plain numbers, and are called in the document as they are in the struct. What is
 * 0 or false is left out. */
enum handover_type {
	HANDOVER_BOOL,
	HANDOVER_INT, /* and pid_t, unsigned, enums: four bytes, below 2^31 */
	HANDOVER_INT64, /* and uint64_t below 2^63, size_t */
};

struct handover_field {
	const char *name; /* NULL ends a list */
	size_t offset;
	enum handover_type type;
};

#define HANDOVER_FIELD(type, member, kind) {#member, offsetof(type, member), kind}
#define HANDOVER_END			   {NULL, 0, HANDOVER_BOOL}

/* What is being written: the bytes after the object, and descriptors that must stay open. Zeroed at first,
 * then freed by handover_out_clear. */
struct handover_out {
	char *bytes;
	size_t used;
	size_t capacity;
	int *fds;
	size_t fd_count;
	bool failed; /* no memory */
	json_t *spent; /* borrowed, while they are listed, */
	json_t *events; /* and likewise */
};

/* New references. NULL: no memory, which whoever puts them into an object or a list notes as failed. */
json_t *handover_put_fields(const void *, const struct handover_field *);
json_t *handover_put_bytes(struct handover_out *, const char *bytes, size_t length);
void handover_put(struct handover_out *, json_t *object, const char *name, json_t *value); /* takes the value */
void handover_put_fd(struct handover_out *, int fd); /* negative: nothing */
void handover_out_clear(struct handover_out *);

/* What is being read. */
struct handover_in {
	const char *bytes;
	size_t size;
	bool really; /* false: only look whether it can be read */
};

int handover_get_fields(json_t *from, void *to, const struct handover_field *, struct error *);

/* The bytes are those of *in. */
int handover_get_bytes(const struct handover_in *in, json_t *from, const char **bytes, size_t *length,
		       struct error *);

/* A member that must be an array; NULL with *e. */
json_t *handover_get_array(json_t *from, const char *name, struct error *e);

int handover_refuse(const char *what, struct error *);

/* Jails, probes and their runs: handover_probes.c. */
json_t *handover_put_jails(struct handover_out *);
json_t *handover_put_probes(struct handover_out *);
int handover_get_jails(const struct handover_in *, json_t *list, struct error *);
int handover_get_probes(const struct handover_in *, json_t *list, struct error *);

/* What is told to those who watch, and who they are: handover_watch.c. */
json_t *handover_put_feed(struct handover_out *, const struct handover_feed *);
int handover_get_feed(json_t *object, struct handover_feed *, struct error *);
json_t *handover_put_events(struct handover_out *, const struct handover *);
int handover_get_events(const struct handover_in *, json_t *list, const struct handover *, struct error *);

/* Configured single shots that had their run. */
json_t *handover_put_spent(struct handover_out *, const struct handover *);
int handover_get_spent(const struct handover_in *, json_t *list, const struct handover *, struct error *);

/* Lets go of the jails, which those who need them hold by now. */
void handover_forget_jails(void);

#endif
