#ifndef CRASH_MODEL_H
#define CRASH_MODEL_H

#include <jansson.h>
#include <stdbool.h>

#include "jailfix.h"

/*
 * What must be there after a crash, as a client knows it: it has sent requests, and has heard the
 * answers to some of them. Every button has a tag, which is its title, and which its command
 * appends to the file "ran".
 */

enum button_state {
	BUTTON_ASKED,	/* to be added, and no answer yet */
	BUTTON_THERE,	/* an answer, or a list, said so */
	BUTTON_LEAVING, /* to be removed or replaced, or a single shot that was pressed */
	BUTTON_GONE,	/* an answer, or a list after a crash, said so: never to come back */
};

struct button {
	unsigned tag;
	unsigned name; /* 0: none */
	const char *respawn;
	enum button_state state, before; /* before: this cycle */
	json_int_t number;		 /* 0: not known */
	struct button *replaces;
	unsigned sent, answered, ran; /* presses and runs */
	bool busy;		      /* something is done to it in this cycle already */
};

enum model_op { MODEL_ADD, MODEL_ADD_AGAIN, MODEL_REMOVE, MODEL_TRIGGER, MODEL_HUP };

/* A new button that takes over the name of another one, if there is one. Null: the model is full.
 */
struct button *model_create(unsigned name, const char *respawn);

/* One at random that nothing is done to in this cycle yet, or null. */
struct button *model_pick(void);

/* Whoever may have the name. */
struct button *model_named(unsigned name);

/* How many may be there. */
unsigned model_count(void);

const char *model_title(const struct button *button);

/* The request for it; from then on it is busy, and its outcome open. Null: a HUP, which is none. */
json_t *model_request(enum model_op op, struct button *button, const struct jailfix *jail);

/* What was answered; fails the test when that can't be. */
void model_answered(enum model_op op, struct button *button, const json_t *answer);

/* Compares with the list of the next daemon: what was open is settled by it. */
void model_settle(const json_t *probes);

/* Waits until every answered press has had its run; none has had two. */
void model_check_runs(void);

#endif
