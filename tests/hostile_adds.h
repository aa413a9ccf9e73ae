#ifndef HOSTILE_ADDS_H
#define HOSTILE_ADDS_H

#include <stdbool.h>

#include "fixture_ctl.h"
#include "jailfix.h"

/* The title of the probes under attack, which no other test's have, and what it looks like inside.
 */
const char *hostile_title(void);
const char *hostile_inside(void);

/* The command that no attack may cause to run: it leaves a line in the file "ran". */
const char *hostile_command_text(void);
void hostile_expect_no_run(void);

/* A probe under attack in this jail; its number. */
int hostile_target(const struct jailfix *jail);

/* A connection for many requests. */
void hostile_open(struct ctl *ctl);

/* Asks for so many targets at once, without waiting for the answers. */
void hostile_say_adds(struct ctl *ctl, const struct jailfix *jail, int count);

/* Hears so many answers; how many were ok. The numbers of those probes go into numbers (null:
 * nowhere). Anything but ok, attach-failed and
 * no-such-jail fails the test. */
int hostile_hear_adds(struct ctl *ctl, int count, int *numbers);

/* Removes probes, those that have ended by themselves included. */
void hostile_remove(struct ctl *ctl, const int *numbers, int count);

/* Removes all that are listed. */
void hostile_remove_all(void);

/* Adds and removes so many targets, in batches. All must be armed when strict; how many were. */
int hostile_attach_many(const struct jailfix *jail, int total, bool strict);

/* How long the daemon takes to answer a ping, in ms. */
long long hostile_ping_ms(void);

/* Waits until no process on the host has the targets' title. */
void hostile_expect_no_target(void);

/* A jail, with a user namespace or without. Null with *reason where there is none. */
struct jailfix *hostile_jail(bool userns, const char **reason);

/* In a test: the same, or it is skipped. */
#define NEEDS_JAIL(jail, userns) \
	do { \
		const char *why_not = NULL; \
		NEEDS_ROOT; \
		(jail) = hostile_jail((userns), &why_not); \
		SKIP_UNLESS((jail) != NULL, why_not); \
	} while (0)

#endif
