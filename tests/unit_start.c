/* Commands on their way, one or several at a time: real processes, and probes that are only looked
 * at. */
#include "config.h"

#include "start.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "job.h"
#include "unit.h"
#include "unit_commands.h"
#include "util.h"

/* ---- one ---- */

START_TEST(one_is_told_within_the_call)
{
	unit_commands_begin();
	unit_command_define_shell(&unit_commands[0], "echo out; exit 3");
	unit_command_start(&unit_commands[0]);
	unit_command_check_started(&unit_commands[0], "/bin/sh");
	unit_commands_wait(1);
	unit_command_check_ended(&unit_commands[0], 3 << 8, "out\n");
	ck_assert_uint_eq(unit_commands_told, 1);
}
END_TEST

START_TEST(words_are_no_script)
{
	char echo[] = "echo", first[] = "$HOME  ;", second[] = "x y",
	     *words[] = {echo, first, second, NULL};

	unit_commands_begin();
	unit_command_define_words(&unit_commands[0], words);
	unit_command_start(&unit_commands[0]);
	unit_command_check_started(&unit_commands[0], "echo");
	unit_commands_wait(1);
	unit_command_check_ended(&unit_commands[0], 0, "$HOME  ; x y\n");
}
END_TEST

/* One that is looked for in vain, and one that its own child finds missing. */
START_TEST(what_is_not_there_is_told_within_the_call)
{
	char word[64], *words[] = {word, NULL};
	const char *programs[] = {"no-such-command-anywhere", "/nonexistent/command"};

	unit_commands_begin();
	for (size_t i = 0; i < UTIL_COUNT(programs); i++) {
		snprintf(word, sizeof(word), "%s", programs[i]);
		unit_command_define_words(&unit_commands[i], words);
		unit_command_start(&unit_commands[i]);
		unit_command_check_not_started(&unit_commands[i], programs[i], ENOENT);
	}
	ck_assert_uint_eq(job_count(), 0);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

static char *
copy(const char *text)
{
	char *same = strdup(text);

	ck_assert_ptr_nonnull(same);
	return same;
}

START_TEST(its_environment_is_all_of_it)
{
	char report[] = "--report", program[PATH_MAX], *words[] = {program, report, NULL}, *from;

	unit_commands_begin();
	snprintf(program, sizeof(program), "%s", unit_self());
	unit_command_define_words(&unit_commands[0], words);
	unit_commands[0].probe.def.name = copy("a name");
	unit_commands[0].probe.def.title = copy("a title");
	unit_commands[0].probe.triggers = 12;
	setenv("SECRET", "1", 1);
	unit_command_start(&unit_commands[0]);
	unit_commands_wait(1);
	from = strstr(unit_commands[0].said, "env ");
	ck_assert_ptr_nonnull(from);
	ck_assert_str_eq(from, "env PATH=" JOB_PATH "\n"
			       "env JAILDAEMON_PROBE=200\n"
			       "env JAILDAEMON_NAME=a name\n"
			       "env JAILDAEMON_JAIL=www\n"
			       "env JAILDAEMON_JID=4711\n"
			       "env JAILDAEMON_TITLE=a title\n"
			       "env JAILDAEMON_TRIGGERS=12\n"
			       "env JAILDAEMON_RUN=100\n");
}
END_TEST

START_TEST(its_time_limit_is_its_own)
{
	struct unit_command *limited = &unit_commands[0], *other = &unit_commands[1];
	char script[PATH_MAX + 64];

	unit_commands_begin();
	unit_gate("gate");
	snprintf(script, sizeof(script), "exec 2>&1; read x <%s", unit_path("gate"));
	unit_command_define_shell(limited, script);
	limited->probe.def.timeout_ms = 50;
	unit_command_define_shell(other, "exit 0");
	other->probe.def.timeout_ms = 3600000;
	start_overlap(true);
	unit_command_start(limited);
	unit_command_start(other);
	start_overlap(false);
	ck_assert_uint_eq(unit_commands_told, 2);
	unit_commands_wait(2);
	unit_command_check_ended(limited, SIGTERM, "");
	unit_command_check_ended(other, 0, "");
}
END_TEST

/* ---- several at a time ---- */

START_TEST(each_of_many_is_told_in_its_turn)
{
	unit_commands_begin();
	unit_starts_linger();
	start_overlap(true);
	for (unsigned i = 0; i < UNIT_COMMANDS; i++) {
		unit_command_define_telling(&unit_commands[i]);
		unit_command_start(&unit_commands[i]);
		ck_assert_uint_eq(unit_commands[i].told, 0); /* or they would not overlap */
		ck_assert_uint_eq(unit_commands[i].done, 0);
	}
	start_overlap(false);
	unit_commands_check_order();
	unit_commands_check_all_telling();
}
END_TEST

/* Those that are looked for in JOB_PATH have each found their own program. */
START_TEST(each_of_many_executes_its_own)
{
	char word[16], argument[16], *words[] = {word, argument, NULL};

	unit_commands_begin();
	unit_starts_linger();
	start_overlap(true);
	for (int i = 0; i < UNIT_COMMANDS; i++) {
		snprintf(word, sizeof(word), "%s", i % 2 == 0 ? "echo" : "basename");
		snprintf(argument, sizeof(argument), "/x/%d", i);
		unit_command_define_words(&unit_commands[i], words);
		unit_command_start(&unit_commands[i]);
	}
	start_overlap(false);
	unit_commands_wait(UNIT_COMMANDS);
	for (int i = 0; i < UNIT_COMMANDS; i++) {
		snprintf(argument, sizeof(argument), "%s%d\n", i % 2 == 0 ? "/x/" : "", i);
		unit_command_check_started(&unit_commands[i], i % 2 == 0 ? "echo" : "basename");
		unit_command_check_ended(&unit_commands[i], 0, argument);
	}
}
END_TEST

/* The one is missed by the child, on its way; the other by the call, which looks for it. */
static const char *
missing_program(int place)
{
	if (place % 8 == 3)
		return "/nonexistent/command";
	return place % 8 == 6 ? "no-such-command-anywhere" : NULL;
}

START_TEST(those_that_are_not_there_keep_nobody_back)
{
	char word[64], *words[] = {word, NULL};
	unsigned there = 0;

	unit_commands_begin();
	unit_starts_linger();
	start_overlap(true);
	for (int i = 0; i < UNIT_COMMANDS; i++) {
		if (missing_program(i) != NULL) {
			snprintf(word, sizeof(word), "%s", missing_program(i));
			unit_command_define_words(&unit_commands[i], words);
		} else {
			unit_command_define_telling(&unit_commands[i]);
			there++;
		}
		unit_command_start(&unit_commands[i]);
	}
	start_overlap(false);
	ck_assert_uint_eq(unit_commands_told, UNIT_COMMANDS);
	ck_assert_uint_eq(job_count(), there);
	unit_commands_wait(there);
	for (int i = 0; i < UNIT_COMMANDS; i++)
		if (missing_program(i) != NULL)
			unit_command_check_not_started(&unit_commands[i], missing_program(i),
						       ENOENT);
		else
			unit_command_check_telling(&unit_commands[i]);
}
END_TEST

/* Of something that comes back; nothing is left of them. */
START_TEST(some_find_too_little_on_their_way)
{
	int before, after;

	unit_commands_begin();
	start_overlap(true);
	before = dup(STDERR_FILENO);
	unit_starts_fail(3, EAGAIN);
	for (int i = 0; i < 6; i++) {
		unit_command_define_telling(&unit_commands[i]);
		unit_command_start(&unit_commands[i]);
	}
	ck_assert_uint_eq(unit_starts_to_fail(), 0);
	start_overlap(false);
	for (int i = 0; i < 3; i++)
		unit_command_check_not_started(&unit_commands[i], "/bin/sh", EAGAIN);
	unit_commands_wait(3);
	after = dup(STDERR_FILENO);
	ck_assert_int_eq(after, before + 1); /* no descriptor was lost */
	for (int i = 3; i < 6; i++)
		unit_command_check_telling(&unit_commands[i]);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
	close(before);
	close(after);
}
END_TEST

/* There is no pipe for it: told at once, while another is on its way. */
START_TEST(some_find_too_little_before_it)
{
	struct rlimit limit, none;

	unit_commands_begin();
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	unit_command_define_telling(&unit_commands[0]);
	unit_command_define_telling(&unit_commands[1]);
	unit_command_define_telling(&unit_commands[2]);
	start_overlap(true);
	unit_command_start(&unit_commands[0]);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	unit_command_start(&unit_commands[1]);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	unit_command_start(&unit_commands[2]);
	start_overlap(false);
	unit_command_check_not_started(&unit_commands[1], "/bin/sh", EMFILE);
	unit_commands_wait(2);
	unit_command_check_telling(&unit_commands[0]);
	unit_command_check_telling(&unit_commands[2]);
}
END_TEST

/* As the reaper's walk does it, while nobody has been told of a start. */
static void
reap_those_on_their_way(int count)
{
	siginfo_t info;
	int status;

	for (int i = 0; i < count; i++) {
		ck_assert_int_eq(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
		ck_assert_int_eq(waitpid(info.si_pid, &status, 0), info.si_pid);
		child_exited(info.si_pid, status);
	}
}

/* The reaper's turn comes past those that it has itself brought about. */
START_TEST(some_end_before_they_are_told)
{
	char missing[] = "/nonexistent/command", *words[] = {missing, NULL};

	unit_commands_begin();
	start_overlap(true);
	unit_command_define_telling(&unit_commands[0]);
	unit_command_define_words(&unit_commands[1], words);
	unit_command_define_shell(&unit_commands[2], "kill -9 $$");
	for (int i = 0; i < 3; i++)
		unit_command_start(&unit_commands[i]);
	reap_those_on_their_way(3);
	ck_assert_uint_eq(unit_commands_told + unit_commands_done, 0);
	start_overlap(false);
	unit_command_check_started(&unit_commands[2], "/bin/sh");
	unit_command_check_not_started(&unit_commands[1], missing, ENOENT);
	unit_commands_wait(2);
	unit_command_check_telling(&unit_commands[0]);
	unit_command_check_ended(&unit_commands[2], SIGKILL, "");
}
END_TEST

START_TEST(an_overlap_follows_another)
{
	unit_commands_begin();
	for (int i = 0; i < UNIT_COMMANDS; i++) {
		unit_command_define_telling(&unit_commands[i]);
		start_overlap(true);
		unit_command_start(&unit_commands[i]);
		start_overlap(i % 3 != 0); /* said twice, it makes no difference */
		if (i % 3 == 0)
			ck_assert_uint_eq(unit_commands_told, (unsigned)i + 1);
	}
	start_overlap(false);
	start_overlap(false);
	unit_commands_check_all_telling();
}
END_TEST

Suite *
unit_start(void)
{
	Suite *suite;
	TCase *tests = unit_case("start", &suite);

	tcase_add_test(tests, one_is_told_within_the_call);
	tcase_add_test(tests, words_are_no_script);
	tcase_add_test(tests, what_is_not_there_is_told_within_the_call);
	tcase_add_test(tests, its_environment_is_all_of_it);
	tcase_add_test(tests, its_time_limit_is_its_own);
	tcase_add_test(tests, each_of_many_is_told_in_its_turn);
	tcase_add_test(tests, each_of_many_executes_its_own);
	tcase_add_test(tests, those_that_are_not_there_keep_nobody_back);
	tcase_add_test(tests, some_find_too_little_on_their_way);
	tcase_add_test(tests, some_find_too_little_before_it);
	tcase_add_test(tests, some_end_before_they_are_told);
	tcase_add_test(tests, an_overlap_follows_another);
	return suite;
}
