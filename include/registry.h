/* All probes: by number, by name, and for a while those that have ended. */
#ifndef REGISTRY_H
#define REGISTRY_H

#include <stddef.h>

#include "probe.h"

/* Gives it its number, unless it has one from a former life. The name is taken separately: a probe that
 * replaces another waits for it. */
void registry_insert(struct probe *);

/* The number that the next probe gets; may be raised, never lowered. */
uint64_t registry_next_number(void);
void registry_skip_numbers(uint64_t next);
void registry_take_name(struct probe *);
void registry_drop_name(struct probe *);
void registry_remove(struct probe *);

struct probe *registry_by_number(uint64_t);
struct probe *registry_by_name(const char *);

/* The one that is on its way to take this name, with the same definition. */
struct probe *registry_replacement(const struct definition *);

size_t registry_count(void);

/* In the order of their numbers. The next one may be asked for after the last was removed. */
struct probe *registry_first(void);
struct probe *registry_after(uint64_t number);

/* All that were inserted and not forgotten, ended ones too: the first (last NULL), or the one after it. */
struct probe *registry_every(const struct probe *last);

/* Before its memory is freed. */
void registry_forget(struct probe *);

/* Keeps an ended probe for questions. Returns the one that has to make room for it, or NULL. */
struct probe *registry_remember(struct probe *);
struct probe *registry_gone_by_number(uint64_t);
struct probe *registry_gone_by_name(const char *);

#endif
