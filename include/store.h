/*
 * Small files that survive a power cut: one for each number, in a directory that is this daemon's alone.
 * Changes are made in groups: each file is written beside its place, synchronized and renamed, and the
 * directory is synchronized once for all of them.
 *
 *   N.json      what is kept of probe N
 *   N.started   the same, of a single-shot probe from just before its one run on; if it says that the
 *               trigger was given back, the run has not started after all
 *   next        the first number that was never given to a probe
 *   set-aside/  what was found and could not be used
 */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "error.h"

enum store_kind {
	STORE_PUT,   /* write N.json (or N.started), whether it is there or not */
	STORE_START, /* N.json becomes N.started; one that isn't there is no error */
	STORE_DROP,  /* neither is there afterwards */
	STORE_WAIT,  /* nothing, but in its turn */
};

struct store_change {
	TAILQ_ENTRY(store_change) link;
	enum store_kind kind;
	uint64_t number;
	char *text; /* of STORE_PUT; the caller's */
	bool started; /* of STORE_PUT: which of the two names */
	int error;  /* after store_commit: 0, or the errno of what failed */
};

TAILQ_HEAD(store_changes, store_change);

/* Makes the directory if need be, and takes it for this process. -1 with *e: another daemon has it,
 * others than root may write there, or it can't be written. */
int store_open(const char *directory, struct error *e);
void store_close(void);

/* The directory's descriptor, which holds the lock; -1: not open. A daemon that comes after this one goes
 * on with it. */
int store_fd(void);
int store_adopt(const char *directory, int fd, struct error *e);

/* Makes all changes, in their order, durable. */
void store_commit(struct store_changes *);

/* Makes it durable that numbers below next may have been given. 0, or an errno. */
int store_reserve(uint64_t next);

/* The last value that was reserved; 1: none. */
uint64_t store_reserved(void);

/* One file as it was found. */
typedef void store_found_cb(void *arg, uint64_t number, bool started, const char *text, size_t length);

/* Tells of every record, from the highest number down, and sets aside all that can't be one. -1 with
 * *e when the directory can't be read. */
int store_read_all(store_found_cb *, void *arg, struct error *e);

/* A record that makes no sense. */
void store_set_aside(uint64_t number, bool started, const char *why);

#endif
