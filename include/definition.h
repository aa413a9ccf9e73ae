/* What an administrator asked for: the words of `add`, checked, and kept as they were given. */
#ifndef DEFINITION_H
#define DEFINITION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "jail.h"

enum respawn {
	RESPAWN_NO,    /* single shot */
	RESPAWN_AFTER, /* once the run has ended (-r) */
	RESPAWN_NOW,   /* at once; runs may overlap (-R) */
};

#define DEFINITION_UNSET (-1) /* of the numbers below: the default holds */

/* Bounds of the members; the errors name them. */
#define DEFINITION_TITLE_MAX   255	   /* bytes */
#define DEFINITION_NAME_MAX    64	   /* bytes */
#define DEFINITION_COMMAND_MAX 32768	   /* bytes, a list's strings together */
#define DEFINITION_SECONDS_MAX 31622400LL  /* a leap year */
#define DEFINITION_RUNS_MAX    1000

struct definition {
	struct jail_ref jail; /* its name is the definition's own */
	char *shell;	  /* for /bin/sh -c; NULL: argv */
	char **argv;	  /* one block (util_copy_strings); NULL: shell */
	char *title;	  /* NULL: "probe N" */
	char *name;	  /* NULL: none */
	enum respawn respawn;
	int64_t uid;	  /* as counted inside; unset: 0 */
	int64_t gid;	  /* unset: 0 */
	bool sticky;
	bool show_status;
	int64_t cooldown_ms; /* unset: a burst of 10, then 1 a second; 0: no limit */
	int64_t timeout_ms;  /* unset or 0: none */
	int64_t max_runs;    /* of a RESPAWN_NOW probe at once; unset: the limit of all runs */
};

/* All unset. */
void definition_init(struct definition *);

/* Frees the members, not the struct. */
void definition_clear(struct definition *);

/* -1: no memory, and copy is unset. */
int definition_copy(struct definition *copy, const struct definition *);

bool definition_equal(const struct definition *, const struct definition *);

#endif
