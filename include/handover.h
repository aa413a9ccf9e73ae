/*
 * What one daemon leaves to the next when a new binary takes its place in the same process: all of it in
 * one document, in memory that only the two of them have. The document is one JSON object and a newline;
 * after it come bytes (outputs, what clients sent) that the object names by place and length.
 *
 * The two are not built from one tree, so the document has a format of its own, and a binary that doesn't
 * know it says so before the old one gives anything up.
 */
#ifndef HANDOVER_H
#define HANDOVER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "definition.h"
#include "error.h"
#include "jail.h"

/* Of the document. A daemon of another format can't be upgraded in place, but stopped and started. */
#ifndef HANDOVER_FORMAT
#define HANDOVER_FORMAT 1
#endif

struct codec_event_head;
struct definition;

/* What a client is told: of which events, and up to which one it was. */
struct handover_feed {
	uint64_t probe; /* 0: any */
	char name[DEFINITION_NAME_MAX + 1]; /* "": any */
	int64_t jail; /* 0 and jail_name "": any */
	char jail_name[JAIL_NAME_SIZE];
	unsigned kinds; /* 1 << TELL_KIND_… */
	uint64_t since; /* the last that it was told of, */
	uint64_t output_since; /* and what runs write apart */
	uint64_t missed;
};

/* A connection to the control socket; the flags are control's. */
struct handover_client {
	int fd;
	char *input; /* received, not taken yet */
	size_t input_length;
	char *output; /* answers that are still to be sent */
	size_t output_length;
	bool looks_only;
	bool asked;
	bool keep;
	bool discarding;
	bool at_end;
	bool waits; /* it has a request without an answer: the one that asked for all this */
	bool follows;
	struct handover_feed feed; /* what follows */
};

/* An event that is kept, in the line that it is sent as, and the jid of its jail. */
typedef void handover_event_cb(void *arg, const char *line, size_t length, int64_t jid);

/* A configured single shot that had its run. */
typedef void handover_spent_cb(void *arg, const struct definition *, uint64_t number);

struct handover {
	void (*each_spent)(handover_spent_cb *, void *arg); /* asked when it is written, */
	void (*note_spent)(const struct definition *, uint64_t number); /* told when it is resumed */
	void (*each_event)(handover_event_cb *, void *arg); /* likewise: in the order in which */
	int (*note_event)(const struct codec_event_head *, const char *line, size_t length); /* -1: no memory */
	bool foreground;
	char socket[PATH_MAX];
	char pidfile[PATH_MAX];
	char state[PATH_MAX];  /* "": nothing is kept */
	char config[PATH_MAX]; /* "": the default one */
	int64_t started_ms;    /* wall clock */
	int64_t began_ms;      /* the same, of a clock that nobody sets */
	int64_t files;	       /* the limit of descriptors that commands get */
	int64_t last_event;
	int64_t dropped_event; /* the latest that is no longer kept */
	int listener_fd;
	int store_fd; /* -1: nothing is kept */
	int pidfile_fd;
	char *id;     /* JSON, of the request that is still to be answered; NULL: it has none */
	struct handover_client *clients;
	size_t client_count;
	char *memory; /* the document that was read, */
	size_t memory_size;
	size_t object_size; /* its JSON with the newline, */
	void *object;	    /* and what that says */
};

/* Writes it, with all probes, runs and jails, to memory: its descriptor, or -1 with *e. *inherit: the
 * descriptors that must be open in the new program beside this one, to be freed by the caller. */
int handover_write(const struct handover *, int **inherit, size_t *count, struct error *e);

/* Reads what it says of the daemon itself. -1 with *e. In any case handover_clear frees what *h holds: the
 * bytes of clients are a part of that. */
int handover_read(int fd, struct handover *h, struct error *e);
void handover_clear(struct handover *);

/* Then jails, probes and runs go on, and note_spent is told; or, if not really, are only looked at: whether they could. */
int handover_resume(const struct handover *, bool really, struct error *e);

/* A descriptor that was inherited is not inherited any further. */
void handover_take_fd(int fd);

#endif
