/*
 * Helpers: the processes that make probes (Linux), each for a party of attaches that began together. All of
 * a party share one, which is reaped when it has ended and killed when none of them has use for it.
 */
#ifndef HELPER_H
#define HELPER_H

#include <stdbool.h>
#include <sys/types.h>

struct helper;

/* Told when the process of a helper that somebody still holds has ended. */
typedef void helper_ended_cb(struct helper *);
void helper_init(helper_ended_cb *);

/* That of a party, which must be the latest one, held once more. NULL: no memory. */
struct helper *helper_join(unsigned party);

/* The caller's channel has ended: the helper can't do anything for it any more. Its end may be told from
 * within this call. */
void helper_done(struct helper *);

/* Held once less. Whoever leaves without helper_done has given up waiting. */
void helper_leave(struct helper *, bool done);

/* The pid that says so is the helper's; the first time counts. */
void helper_heard(struct helper *, pid_t);

/* 0 before it was heard of; the same also when the process has ended. */
pid_t helper_id(const struct helper *);

/* Whether its process is known, and has not been reaped. */
bool helper_is_there(const struct helper *);

#endif
