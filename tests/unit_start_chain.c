/* Whoever is told of a command's start starts another. */
#include "config.h"

#include "start.h"

#include <errno.h>
#include <stdio.h>

#include "unit.h"
#include "unit_commands.h"

static void
chain_all(void)
{
	for (int i = 0; i < UNIT_COMMANDS; i++)
		unit_command_define_telling(&unit_commands[i]);
	for (int i = 0; i + 1 < UNIT_COMMANDS; i++)
		unit_commands[i].next = &unit_commands[i + 1];
}

START_TEST(each_starts_the_next)
{
	unit_commands_begin();
	chain_all();
	unit_command_start(&unit_commands[0]);
	unit_commands_check_order();
	unit_commands_check_all_telling();
}
END_TEST

START_TEST(each_starts_the_next_at_the_end_of_the_overlap)
{
	unit_commands_begin();
	chain_all();
	start_overlap(true);
	unit_command_start(&unit_commands[0]);
	ck_assert_uint_eq(unit_commands_told, 0);
	start_overlap(false);
	unit_commands_check_order();
	unit_commands_check_all_telling();
}
END_TEST

/* Each of the first half starts one of the second when it has to make room, or at the end. */
START_TEST(several_start_another_each)
{
	unit_commands_begin();
	unit_starts_linger();
	for (int i = 0; i < UNIT_COMMANDS; i++)
		unit_command_define_telling(&unit_commands[i]);
	for (int i = 0; i < UNIT_COMMANDS / 2; i++)
		unit_commands[i].next = &unit_commands[i + UNIT_COMMANDS / 2];
	start_overlap(true);
	for (int i = 0; i < UNIT_COMMANDS / 2; i++)
		unit_command_start(&unit_commands[i]);
	ck_assert_uint_ge(unit_commands_told, 1); /* some have had to */
	ck_assert_uint_lt(unit_commands_told, UNIT_COMMANDS);
	start_overlap(false);
	unit_commands_check_all_telling();
}
END_TEST

/* The place of the one that is told of is taken while it is. */
START_TEST(one_that_is_not_there_starts_others)
{
	static const char *const missing[] = {"no-such-command-anywhere", "/nonexistent/command"};
	char word[64], *words[] = {word, NULL};

	unit_commands_begin();
	unit_starts_linger();
	for (int overlaps = 0; overlaps < 2; overlaps++) {
		struct unit_command *command = &unit_commands[overlaps * 4];

		for (int i = 0; i < 2; i++) {
			snprintf(word, sizeof(word), "%s", missing[i]);
			unit_command_define_words(&command[i * 2], words);
			unit_command_define_telling(&command[i * 2 + 1]);
			command[i * 2].next = &command[i * 2 + 1];
		}
		command[1].next = &command[2];
		start_overlap(overlaps != 0);
		unit_command_start(command);
		start_overlap(false);
		unit_command_check_not_started(&command[0], missing[0], ENOENT);
		unit_command_check_not_started(&command[2], missing[1], ENOENT);
	}
	unit_commands_wait(4);
	for (int i = 1; i < 8; i += 2)
		unit_command_check_telling(&unit_commands[i]);
}
END_TEST

Suite *
unit_start_chain(void)
{
	Suite *suite;
	TCase *tests = unit_case("start_chain", &suite);

	tcase_add_test(tests, each_starts_the_next);
	tcase_add_test(tests, each_starts_the_next_at_the_end_of_the_overlap);
	tcase_add_test(tests, several_start_another_each);
	tcase_add_test(tests, one_that_is_not_there_starts_others);
	return suite;
}
