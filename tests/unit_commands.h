#ifndef UNIT_COMMANDS_H
#define UNIT_COMMANDS_H

/* What the files unit_start….c share: commands that they start, and what became of them. */

#include <stddef.h>

#include "job.h"
#include "probe.h"

#define UNIT_COMMANDS	       20 /* more than are on their way at once */
#define UNIT_COMMAND_SAID_SIZE 4096

/* One command, and what became of it. */
struct unit_command {
	struct probe probe;
	unsigned told, done;
	unsigned place; /* among those that were told */
	int error;
	struct job *job;
	char program[64];
	int status;
	char said[UNIT_COMMAND_SAID_SIZE];
	size_t said_length;
	struct unit_command *next; /* started when this one is told */
};

extern struct unit_command unit_commands[UNIT_COMMANDS];
extern unsigned unit_commands_told, unit_commands_done; /* of all of them together */

/* All that they need. What they are defined by is freed when the test ends. */
void unit_commands_begin(void);

/* Words and scripts are copied. A telling one says its own place and what numbers it has been
 * given, and exits with its place and one more. */
void unit_command_define_shell(struct unit_command *, const char *script);
void unit_command_define_words(struct unit_command *, char *const *words);
void unit_command_define_telling(struct unit_command *);

/* Its run's number is its place, from 100. */
void unit_command_start(struct unit_command *);

/* Turns the event loop until so many have ended; no other may be under way. */
void unit_commands_wait(unsigned count);

/* That it runs, or has run. */
void unit_command_check_started(const struct unit_command *, const char *program);

void unit_command_check_not_started(const struct unit_command *, const char *program, int error);
void unit_command_check_ended(const struct unit_command *, int status, const char *wanted);

/* That a telling one was started, and has ended as it should. */
void unit_command_check_telling(const struct unit_command *);

/* That all have been told, one after the other as they stand; and, once they have ended, that each is a telling one
 * and was told once. */
void unit_commands_check_order(void);
void unit_commands_check_all_telling(void);

#endif
