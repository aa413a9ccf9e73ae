/*
 * Who watches, and what happened lately. Events are kept in one place for all, bounded, as the lines
 * that they are sent as; a watcher is a filter and the place it has come to. So one that is slow
 * costs no more than one that is not, and is told how many went by in the meantime.
 */
#ifndef WATCH_H
#define WATCH_H

#include <stdint.h>

#include "definition.h"
#include "handover.h"
#include "jail.h"
#include "request.h"
#include "tell.h"

/* How much is kept. What runs write is kept apart, so that it pushes nothing else out, only while
 * somebody watches it, and not for those who come later. */
#define WATCH_EVENTS	   8192
#define WATCH_BYTES	   2097152
#define WATCH_HANDED	   256 /* events that nobody waits for, over an upgrade */
#define WATCH_OUTPUTS	   1024
#define WATCH_OUTPUT_BYTES 1048576

/* An event passes if all fits. What is the daemon's own fits every probe and jail. A probe need not be
 * there: who watches for it may be earlier. */
struct watch_filter {
	uint64_t probe;			    /* 0: any */
	char name[DEFINITION_NAME_MAX + 1]; /* "": any */
	int64_t jail;			    /* 0: any, or by name. It fits the jid too */
	char jail_name[JAIL_NAME_SIZE];	    /* "": any, or by number */
	unsigned kinds;			    /* 1 << TELL_KIND_… */
};

#define WATCH_ALL_KINDS ((1u << TELL_KINDS) - 1)
#define WATCH_KIND(kind) (1u << (kind))

/* From now on facts are kept. -1: no memory. */
int watch_init(void);

/* The latest event's number. The first one has 1. */
uint64_t watch_last(void);

/* What is told from now on, after what is kept of the events later than since; -1: nothing of those.
 * One that is later than watch_last was a former daemon's, and all is new. Ends when it is closed.
 * NULL: no memory. */
struct request_feed *watch_begin(const struct watch_filter *, int64_t since);

unsigned watch_count(void);

/* The latest event that was no output and is no longer kept, or not handed on; 0: none. */
uint64_t watch_dropped(void);

/* For the daemon that comes after this one: of what is kept, all that a watcher is still to have, and the
 * latest WATCH_HANDED. watch_dropped then tells of the rest. */
void watch_each(handover_event_cb *, void *arg);

/* From the one before this one, and before anything else is told: how far it had come, its events in
 * order (-1: no memory), and those who watched it. A NULL is no memory, too. */
void watch_go_on(uint64_t last, uint64_t dropped);
int watch_keep(const struct codec_event_head *, const char *line, size_t length);
struct request_feed *watch_resume(const struct handover_feed *);

#endif
