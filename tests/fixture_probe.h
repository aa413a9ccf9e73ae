#ifndef FIXTURE_PROBE_H
#define FIXTURE_PROBE_H

#include <jansson.h>
#include <stdbool.h>

#include "jailfix.h"

/* What -j takes for this jail: its number as text; one of four buffers, used in turn. */
const char *probe_jid(const struct jailfix *jail);

/*
 * Asks the daemon for a probe in the jail: the other members of the request are packed as json_pack
 * does, like probe_ask(jail, "{s:s,s:s}", "command", "true", "title", "T"). The answer, whatever it
 * is.
 */
json_t *probe_ask(const struct jailfix *jail, const char *format, ...);

/* The same; the answer must be ok. The probe's number. */
int probe_add(const struct jailfix *jail, const char *format, ...);

/* The answer must be a refusal with this code, and nothing may be left of the attempt. */
void probe_add_refused(const struct jailfix *jail, const char *code, const char *mentions,
		       const char *format, ...);

/* The probe object. */
json_t *probe_get(int probe);

/* One member of the probe object that is a number, or a string, which lies in a static buffer. */
json_int_t probe_int(int probe, const char *member);
const char *probe_state(int probe);

/* Waits until the probe is in this state, or until this counter has reached a value. */
void probe_wait_state(int probe, const char *state);
void probe_wait_count(int probe, const char *member, int value);

/* Waits until a run has been finished, and returns its "last". */
json_t *probe_wait_last(int probe);

/* A request that names a probe; the answer must be ok. */
json_t *probe_op(const char *op, int probe);

/* A jail with a probe in it is all that many tests need: the jail, or a failed test. */
struct jailfix *probe_jail(void);

/* Adds a probe and removes it: what the daemon sets up once and for all is there from then on. */
void probe_warm_up(const struct jailfix *jail);

/* Fails the test unless the daemon says no-such-probe. */
void probe_expect_none(int probe);

/* The number of probes that list has. */
int probe_listed(void);

/* Adds a probe, presses it and waits for its run: all that came before it in this jail has been
 * seen by then. */
void probe_sentinel(const struct jailfix *jail);

#endif
