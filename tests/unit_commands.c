/* Commands for the tests of start.h: real processes, and probes that are only looked at. */
#include "config.h"

#include "unit_commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job.h"
#include "log.h"
#include "spawn.h"
#include "start.h"
#include "unit.h"
#include "util.h"

struct unit_command unit_commands[UNIT_COMMANDS];
static struct jail_instance jail = {.jid = 4711};
unsigned unit_commands_told, unit_commands_done;

static start_told_cb command_told;

static void
said(void *arg, const char *bytes, size_t length)
{
	struct unit_command *command = arg;

	ck_assert_uint_lt(command->said_length + length, UNIT_COMMAND_SAID_SIZE);
	memcpy(command->said + command->said_length, bytes, length);
	command->said_length += length;
}

static void
command_done(struct job *job, struct job_result *result, void *arg)
{
	struct unit_command *command = arg;

	ck_assert_ptr_eq(job, command->job);
	ck_assert_uint_eq(command->told, 1); /* its end is not told before its start */
	command->done++;
	command->status = result->status;
	unit_commands_done++;
}

void
unit_command_start(struct unit_command *command)
{
	const struct start wanted = {.probe = &command->probe,
				     .jail = &jail,
				     .run = 100 + (uint64_t)(command - unit_commands),
				     .told = command_told,
				     .said = said,
				     .done = command_done,
				     .arg = command};

	start_command(unit_base(), &wanted);
}

static void
command_told(void *arg, struct job *job, const char *program, int error)
{
	struct unit_command *command = arg;

	command->told++;
	command->place = unit_commands_told++;
	command->error = error;
	command->job = job;
	snprintf(command->program, sizeof(command->program), "%s", program);
	if (command->next != NULL)
		unit_command_start(command->next);
}

static void
define(struct unit_command *command)
{
	static char tag[] = "t";

	*command = (struct unit_command){0};
	definition_init(&command->probe.def);
	unit_name_jail(&command->probe.def, "www");
	command->probe.number = 200 + (uint64_t)(command - unit_commands);
	command->probe.tag = tag;
}

void
unit_command_define_shell(struct unit_command *command, const char *script)
{
	define(command);
	command->probe.def.shell = strdup(script);
	ck_assert_ptr_nonnull(command->probe.def.shell);
}

void
unit_command_define_words(struct unit_command *command, char *const *words)
{
	define(command);
	command->probe.def.argv = util_copy_strings(words);
	ck_assert_ptr_nonnull(command->probe.def.argv);
}

static void
forget_all(void)
{
	for (int i = 0; i < UNIT_COMMANDS; i++)
		definition_clear(&unit_commands[i].probe.def);
}

void
unit_commands_begin(void)
{
	ck_assert_int_eq(spawn_init(), 0);
	ck_assert_int_eq(atexit(forget_all), 0);
	unit_reap_children();
	log_open(true);
}

static bool
are_done(void *arg)
{
	return unit_commands_done == *(unsigned *)arg;
}

void
unit_commands_wait(unsigned count)
{
	unit_wait(are_done, &count, "the end of the commands");
	ck_assert_uint_eq(job_count(), 0);
}

void
unit_command_check_started(const struct unit_command *command, const char *program)
{
	ck_assert_uint_eq(command->told, 1);
	ck_assert_int_eq(command->error, 0);
	ck_assert_ptr_nonnull(command->job);
	ck_assert_str_eq(command->program, program);
}

void
unit_command_check_not_started(const struct unit_command *command, const char *program, int error)
{
	ck_assert_uint_eq(command->told, 1);
	ck_assert_int_eq(command->error, error);
	ck_assert_ptr_null(command->job);
	ck_assert_str_eq(command->program, program);
	ck_assert_uint_eq(command->done, 0);
}

void
unit_command_check_ended(const struct unit_command *command, int status, const char *wanted)
{
	ck_assert_uint_eq(command->done, 1);
	ck_assert_int_eq(command->status, status);
	ck_assert_str_eq(command->said, wanted);
}

void
unit_command_define_telling(struct unit_command *command)
{
	char script[128];

	snprintf(script, sizeof(script),
		 "echo %d $JAILDAEMON_RUN $JAILDAEMON_PROBE $JAILDAEMON_TRIGGERS; exit %d",
		 (int)(command - unit_commands), (int)(command - unit_commands) + 1);
	unit_command_define_shell(command, script);
	command->probe.triggers = 300 + (uint64_t)(command - unit_commands);
}

void
unit_command_check_telling(const struct unit_command *command)
{
	int place = (int)(command - unit_commands);
	char wanted[64];

	unit_command_check_started(command, "/bin/sh");
	snprintf(wanted, sizeof(wanted), "%d %d %d %d\n", place, 100 + place, 200 + place,
		 300 + place);
	unit_command_check_ended(command, (place + 1) << 8, wanted);
}

void
unit_commands_check_order(void)
{
	ck_assert_uint_eq(unit_commands_told, UNIT_COMMANDS);
	for (unsigned i = 0; i < UNIT_COMMANDS; i++)
		ck_assert_uint_eq(unit_commands[i].place, i);
}

void
unit_commands_check_all_telling(void)
{
	ck_assert_uint_eq(unit_commands_told, UNIT_COMMANDS);
	unit_commands_wait(UNIT_COMMANDS);
	for (int i = 0; i < UNIT_COMMANDS; i++)
		unit_command_check_telling(&unit_commands[i]);
	ck_assert_uint_eq(unit_commands_told, UNIT_COMMANDS);
}
