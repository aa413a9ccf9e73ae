/*
 * Structs ↔ JSON: the only place that knows how a definition, a probe or a member of a request looks
 * on the wire.
 */
#ifndef CODEC_H
#define CODEC_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "definition.h"
#include "error.h"
#include "probe.h"

/* What a member of an object may be. */
enum codec_type {
	CODEC_BOOL,
	CODEC_COUNT,   /* an integer in [low, high] */
	CODEC_SECONDS, /* a number in [low, high], to the millisecond */
	CODEC_TEXT,    /* a string of 1 to high bytes, without control characters */
	CODEC_NAME,    /* the same of letters, digits and . _ - + @ : with something else than digits */
	CODEC_JAIL,    /* a positive integer, or a text */
	CODEC_COMMAND, /* a string, or an array of strings, not empty */
	CODEC_RESPAWN, /* "no", "after" or "now" */
	CODEC_USER,    /* a number, or the name of a user of the host */
	CODEC_GROUP,   /* likewise of a group */
	CODEC_PROBE,   /* a positive integer, or a name */
	CODEC_ANY,
};

struct codec_member {
	const char *name; /* NULL ends a list */
	enum codec_type type;
	bool required;
	int64_t low;
	int64_t high;
};

/* The members of `add`, of a state file and of a configured probe. */
extern const struct codec_member codec_definition_members[];

/* Checks one value; the error names the member. */
int codec_check_member(const struct codec_member *, json_t *value, struct error *);

/* Checks that object has all required members of the lists (NULL ends them), no others, and each of
 * the right type. */
int codec_check_object(json_t *object, const struct codec_member *const *lists, struct error *);

/* The same; *wrong is the name of the member that is wrong, the object's own string, or NULL when one
 * is missing. */
int codec_find_wrong(json_t *object, const struct codec_member *const *lists, const char **wrong,
		     struct error *);

/* From an object that has been checked. The caller clears *def in any case. */
int codec_read_definition(json_t *object, struct definition *def, struct error *);

/* What is kept of a probe: its definition in the words of `add`, and what becomes of it beside them. NULL:
 * no memory. */
json_t *codec_record(const struct probe *);

/* Checks and reads it. The caller clears *def in any case. */
int codec_read_record(json_t *record, struct definition *def, struct probe_saved *, struct error *);

/* The members of `add` that were given. NULL: no memory. */
json_t *codec_definition(const struct definition *);

/* A checked CODEC_JAIL value. */
void codec_read_jail(json_t *value, struct jail_ref *);

/* New references; NULL: no memory. */
json_t *codec_probe(const struct probe *);
json_t *codec_error(const struct error *);

/* Any bytes as a string: what is no valid UTF-8 becomes U+FFFD. */
json_t *codec_bytes(const char *bytes, size_t length);

/* The names of PROBE_… as the protocol spells them. */
const char *codec_state_name(enum probe_state);

#endif
