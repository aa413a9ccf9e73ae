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
#include "text.h"
#include "tell.h"

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
	CODEC_EVENTS,  /* an array of names of events */
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

/* What is kept of a probe: its definition in the words of `add`, and what becomes of it beside them; its
 * jail's instance where that isn't told otherwise. NULL: no memory. */
json_t *codec_record(const struct probe *, bool with_instance);

/* Checks and reads it. The caller clears *def in any case. */
int codec_read_record(json_t *record, struct definition *def, struct probe_saved *, struct error *);

/* The members of `add` that were given. NULL: no memory. */
json_t *codec_definition(const struct definition *);

/* A checked CODEC_JAIL value; a name lives as long as that does. */
void codec_read_jail(json_t *value, struct jail_ref *);

/* New references; NULL: no memory. */

/* Of what codec_print_probe tells, its names, its state and what became of it. */
json_t *codec_probe_brief(const struct probe *);

/* The counters of stats.h, each a member; the histograms as Prometheus has them: seconds, and in each bucket
 * those below it too. */
json_t *codec_stats(void);

/* Goes on counting where that one was. What it doesn't have begins anew. */
void codec_read_stats(json_t *);

json_t *codec_error(const struct error *);

/* Any bytes as a string: what is no valid UTF-8 becomes U+FFFD. */
json_t *codec_bytes(const char *bytes, size_t length);

/* One line with its newline, into memory of the caller's and without any of its own. Control characters
 * and DEL are escaped, so that a line may be shown on a terminal. Returns its length. */
#define CODEC_EVENT_SIZE 65536
size_t codec_event(const struct tell_event *, uint64_t seq, char line[CODEC_EVENT_SIZE]);

/* For a watcher that was too slow for as many: a line like those of the daemon's own events. */
size_t codec_missed(uint64_t count, uint64_t seq, int64_t wall_ms, char line[CODEC_EVENT_SIZE]);

/* What the line of an event says of it, but for the jid, which it doesn't have. */
struct codec_event_head {
	uint64_t seq;
	enum tell_kind kind;
	uint64_t probe; /* 0: none */
	char name[DEFINITION_NAME_MAX + 1]; /* "": none */
	int64_t jail;			    /* 0: none, or by name */
	char jail_name[JAIL_NAME_SIZE];	    /* "": none, or by number */
	int64_t jid;			    /* 0: none */
};

/* -1: it is no such line, or with ENOMEM in errno there is no memory. Leaves the jid. */
int codec_read_event(const char *line, size_t length, struct codec_event_head *);

/* A probe as the protocol shows it: an object. */
void codec_print_probe(struct text *, const struct probe *);

/* The names of RESPAWN_… and PROBE_… as the protocol spells them. */
const char *codec_respawn_name(enum respawn);
const char *codec_state_name(enum probe_state);

#endif
