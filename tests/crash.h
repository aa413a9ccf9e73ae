#ifndef CRASH_H
#define CRASH_H

#include <sys/types.h>

#include <check.h>
#include <jansson.h>
#include <stdbool.h>

#include "fixture_place.h"

Suite *crash_points(void);
Suite *crash_cycles(void);
Suite *crash_disk(void);
Suite *crash_found(void);

/* The daemon that is installed, and the one that fails on demand (tests/fault.c). */
enum crash_binary { CRASH_PLAIN, CRASH_FAULTY };

bool crash_has_faulty(void);

#define NEEDS_FAULTY SKIP_UNLESS(crash_has_faulty(), "the linker can't wrap functions")

/* What the faulty daemon is to do from its next call on (null: nothing), or from its next start on.
 */
void crash_plan(const char *plan);
void crash_plan_start(const char *plan);

/* Starts a daemon on this place's state, and waits until it answers. */
pid_t crash_start(enum crash_binary binary);

/* The same, for one that may be killed before it answers: then -1. */
pid_t crash_start_doomed(void);

/* SIGKILL, unless something else was quicker with it. */
void crash_kill(pid_t daemon);

/* Whether the daemon has been killed by now; one that has is reaped. */
bool crash_is_killed(pid_t daemon);

/* An answer, or null when the daemon dies over it. Takes the request's reference. */
json_t *crash_ask(json_t *request);

/* One that must come, and be ok. */
json_t *crash_ask_ok(json_t *request);

bool crash_is_ok(const json_t *answer);

/* The probe object of list with this member, or null; a new reference. */
json_t *crash_listed(const char *member, const char *value);

#endif
