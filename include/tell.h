/*
 * What there is to say of a probe, said in one place: a fact is a line of the log, and with the same
 * fields an event for whoever watches. Call it when what the fact is about has been done: it may
 * write to the log.
 */
#ifndef TELL_H
#define TELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe.h"

/* What the protocol calls an event. */
enum tell_kind {
	TELL_KIND_PROBE_ADDED,
	TELL_KIND_ARMED,
	TELL_KIND_TRIGGERED,
	TELL_KIND_RUN_STARTED,
	TELL_KIND_RUN_OUTPUT, /* never in the log, which has the same by lines */
	TELL_KIND_RUN_ENDED,
	TELL_KIND_THROTTLED,
	TELL_KIND_COALESCED,
	TELL_KIND_JAIL_GONE,
	TELL_KIND_JAIL_BACK,
	TELL_KIND_REMOVED,
	TELL_KIND_ERROR,
	TELL_KIND_DAEMON_STOPPING,
	TELL_KIND_DAEMON_UPGRADED,
	TELL_KINDS
};

/* What is told. In the log each has its own name; several are one kind of event. */
enum tell_fact {
	TELL_PROBE_ADDED,
	TELL_PROBE_RESTORED,
	TELL_ARMED,
	TELL_ATTACH_FAILED,
	TELL_TRIGGERED,
	TELL_PROBE_KILLED,
	TELL_PROBE_ENDED,
	TELL_RUN_STARTED,
	TELL_RUN_OUTPUT,
	TELL_RUN_ENDED,
	TELL_THROTTLED,
	TELL_COALESCED,
	TELL_TRIGGER_DROPPED,
	TELL_JAIL_GONE,
	TELL_JAIL_BACK,
	TELL_REMOVED,
	TELL_ERROR,
	TELL_NOT_SAVED,
	TELL_CONFIGURED_FAILED,
	TELL_RELOAD_FAILED,
	TELL_UPGRADE_FAILED,
	TELL_DAEMON_STOPPING,
	TELL_DAEMON_UPGRADED,
	TELL_FACTS
};

struct tell_field {
	const char *name; /* NULL ends a list */
	const char *text; /* any bytes; NULL: it is a number */
	size_t length;
	int64_t number;
};

#define TELL_NUMBER(field, value)	  {.name = (field), .number = (int64_t)(value)}
#define TELL_TEXT(field, string)	  {.name = (field), .text = (string), .length = strlen(string)}
#define TELL_BYTES(field, bytes, count) {.name = (field), .text = (bytes), .length = (count)}
#define TELL_END			  {.name = NULL}

/* probe: NULL where a fact is the daemon's own. The fields, in the order of the log line, end with
 * TELL_END: tell(TELL_JAIL_BACK, probe, TELL_NUMBER("jid", jid), TELL_END). Keeps errno. */
#define tell(fact, probe, ...) \
	tell_fields((fact), (probe), (const struct tell_field[]){__VA_ARGS__})
void tell_fields(enum tell_fact, const struct probe *, const struct tell_field *);

/* The same of a probe that is only a definition: it never came to be, and number is 0, or it was another
 * daemon's. */
#define tell_of(fact, def, number, ...) \
	tell_fields_of((fact), (def), (number), (const struct tell_field[]){__VA_ARGS__})
void tell_fields_of(enum tell_fact, const struct definition *, uint64_t number, const struct tell_field *);

/* What a run has written, in pieces of at most TELL_OUTPUT_MAX bytes, none of which ends within a
 * character. Costs nothing unless somebody wants it. */
#define TELL_OUTPUT_MAX 8192
void tell_output(const struct probe *, uint64_t run, const char *bytes, size_t length);

/* Texts that are no output are cut to this, in bytes. */
#define TELL_TEXT_MAX 1024

/* Valid during the call, as all that it points to. */
struct tell_event {
	enum tell_kind kind;
	const char *name; /* the fact's own in the log, which may say more than the kind */
	const struct probe *probe;
	const struct tell_field *fields;
	int64_t wall_ms;
};

/* Who is told of each fact after the log. NULL: nobody. It may neither change nor end a probe. */
void tell_set_sink(void (*)(const struct tell_event *));
void tell_want_output(bool);

/* As the protocol spells it; TELL_KINDS where there is none of that name. */
const char *tell_kind_name(enum tell_kind);
enum tell_kind tell_find_kind(const char *name);

#endif
