/* Commands on their way, one or several at a time: real processes, and probes that are only looked
 * at. */
#include "config.h"

#include "start.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "job.h"
#include "log.h"
#include "spawn.h"
#include "unit.h"
#include "util.h"

#define MANY	 20 /* more than are on their way at once */
#define SAID_MAX 4096

/* One command, and what became of it. */
struct command {
	struct probe probe;
	unsigned told, done;
	unsigned place; /* among those that were told */
	int error;
	struct job *job;
	char program[64];
	int status;
	char said[SAID_MAX];
	size_t said_length;
	struct command *next; /* started when this one is told */
};

static struct command commands[MANY];
static struct jail_instance jail = {.jid = 4711};
static unsigned told, done;

static start_told_cb command_told;

static void
said(void *arg, const char *bytes, size_t length)
{
	struct command *command = arg;

	ck_assert_uint_lt(command->said_length + length, SAID_MAX);
	memcpy(command->said + command->said_length, bytes, length);
	command->said_length += length;
}

static void
command_done(struct job *job, struct job_result *result, void *arg)
{
	struct command *command = arg;

	ck_assert_ptr_eq(job, command->job);
	ck_assert_uint_eq(command->told, 1); /* its end is not told before its start */
	command->done++;
	command->status = result->status;
	done++;
}

/* Its run's number is its place, from 100. */
static void
start(struct command *command)
{
	const struct start wanted = {.probe = &command->probe,
				     .jail = &jail,
				     .run = 100 + (uint64_t)(command - commands),
				     .told = command_told,
				     .said = said,
				     .done = command_done,
				     .arg = command};

	start_command(unit_base(), &wanted);
}

static void
command_told(void *arg, struct job *job, const char *program, int error)
{
	struct command *command = arg;

	command->told++;
	command->place = told++;
	command->error = error;
	command->job = job;
	snprintf(command->program, sizeof(command->program), "%s", program);
	if (command->next != NULL)
		start(command->next);
}

static void
define(struct command *command)
{
	static char tag[] = "t";

	*command = (struct command){0};
	definition_init(&command->probe.def);
	unit_name_jail(&command->probe.def, "www");
	command->probe.number = 200 + (uint64_t)(command - commands);
	command->probe.tag = tag;
}

static void
define_shell(struct command *command, const char *script)
{
	define(command);
	command->probe.def.shell = strdup(script);
	ck_assert_ptr_nonnull(command->probe.def.shell);
}

static void
define_words(struct command *command, char *const *words)
{
	define(command);
	command->probe.def.argv = util_copy_strings(words);
	ck_assert_ptr_nonnull(command->probe.def.argv);
}

static void
forget_all(void)
{
	for (int i = 0; i < MANY; i++)
		definition_clear(&commands[i].probe.def);
}

static void
begin(void)
{
	ck_assert_int_eq(spawn_init(), 0);
	ck_assert_int_eq(atexit(forget_all), 0);
	unit_reap_children();
	log_open(true);
}

static bool
are_done(void *arg)
{
	return done == *(unsigned *)arg;
}

static void
wait_done(unsigned count)
{
	unit_wait(are_done, &count, "the end of the commands");
	ck_assert_uint_eq(job_count(), 0);
}

/* That it runs, or has run. */
static void
check_started(const struct command *command, const char *program)
{
	ck_assert_uint_eq(command->told, 1);
	ck_assert_int_eq(command->error, 0);
	ck_assert_ptr_nonnull(command->job);
	ck_assert_str_eq(command->program, program);
}

static void
check_not_started(const struct command *command, const char *program, int error)
{
	ck_assert_uint_eq(command->told, 1);
	ck_assert_int_eq(command->error, error);
	ck_assert_ptr_null(command->job);
	ck_assert_str_eq(command->program, program);
	ck_assert_uint_eq(command->done, 0);
}

static void
check_ended(const struct command *command, int status, const char *wanted)
{
	ck_assert_uint_eq(command->done, 1);
	ck_assert_int_eq(command->status, status);
	ck_assert_str_eq(command->said, wanted);
}

/* ---- one ---- */

START_TEST(one_is_told_within_the_call)
{
	begin();
	define_shell(&commands[0], "echo out; exit 3");
	start(&commands[0]);
	check_started(&commands[0], "/bin/sh");
	wait_done(1);
	check_ended(&commands[0], 3 << 8, "out\n");
	ck_assert_uint_eq(told, 1);
}
END_TEST

START_TEST(words_are_no_script)
{
	char echo[] = "echo", first[] = "$HOME  ;", second[] = "x y",
	     *words[] = {echo, first, second, NULL};

	begin();
	define_words(&commands[0], words);
	start(&commands[0]);
	check_started(&commands[0], "echo");
	wait_done(1);
	check_ended(&commands[0], 0, "$HOME  ; x y\n");
}
END_TEST

/* One that is looked for in vain, and one that its own child finds missing. */
START_TEST(what_is_not_there_is_told_within_the_call)
{
	char word[64], *words[] = {word, NULL};
	const char *programs[] = {"no-such-command-anywhere", "/nonexistent/command"};

	begin();
	for (size_t i = 0; i < UTIL_COUNT(programs); i++) {
		snprintf(word, sizeof(word), "%s", programs[i]);
		define_words(&commands[i], words);
		start(&commands[i]);
		check_not_started(&commands[i], programs[i], ENOENT);
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

	begin();
	snprintf(program, sizeof(program), "%s", unit_self());
	define_words(&commands[0], words);
	commands[0].probe.def.name = copy("a name");
	commands[0].probe.def.title = copy("a title");
	commands[0].probe.triggers = 12;
	setenv("SECRET", "1", 1);
	start(&commands[0]);
	wait_done(1);
	from = strstr(commands[0].said, "env ");
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
	struct command *limited = &commands[0], *other = &commands[1];
	char script[PATH_MAX + 64];

	begin();
	unit_gate("gate");
	snprintf(script, sizeof(script), "exec 2>&1; read x <%s", unit_path("gate"));
	define_shell(limited, script);
	limited->probe.def.timeout_ms = 50;
	define_shell(other, "exit 0");
	other->probe.def.timeout_ms = 3600000;
	start_overlap(true);
	start(limited);
	start(other);
	start_overlap(false);
	ck_assert_uint_eq(told, 2);
	wait_done(2);
	check_ended(limited, SIGTERM, "");
	check_ended(other, 0, "");
}
END_TEST

/* ---- several at a time ---- */

/* Each its own. */
static void
define_telling(struct command *command)
{
	char script[128];

	snprintf(script, sizeof(script),
		 "echo %d $JAILDAEMON_RUN $JAILDAEMON_PROBE $JAILDAEMON_TRIGGERS; exit %d",
		 (int)(command - commands), (int)(command - commands) + 1);
	define_shell(command, script);
	command->probe.triggers = 300 + (uint64_t)(command - commands);
}

static void
check_telling(const struct command *command)
{
	int place = (int)(command - commands);
	char wanted[64];

	check_started(command, "/bin/sh");
	snprintf(wanted, sizeof(wanted), "%d %d %d %d\n", place, 100 + place, 200 + place,
		 300 + place);
	check_ended(command, (place + 1) << 8, wanted);
}

START_TEST(each_of_many_is_told_in_its_turn)
{
	begin();
	unit_starts_linger();
	start_overlap(true);
	for (unsigned i = 0; i < MANY; i++) {
		define_telling(&commands[i]);
		start(&commands[i]);
		ck_assert_uint_eq(commands[i].told, 0); /* or they would not overlap */
		ck_assert_uint_eq(commands[i].done, 0);
	}
	start_overlap(false);
	ck_assert_uint_eq(told, MANY);
	for (unsigned i = 0; i < MANY; i++)
		ck_assert_uint_eq(commands[i].place, i);
	wait_done(MANY);
	for (int i = 0; i < MANY; i++)
		check_telling(&commands[i]);
	ck_assert_uint_eq(told, MANY);
}
END_TEST

/* Those that are looked for in JOB_PATH have each found their own program. */
START_TEST(each_of_many_executes_its_own)
{
	char word[16], argument[16], *words[] = {word, argument, NULL};

	begin();
	unit_starts_linger();
	start_overlap(true);
	for (int i = 0; i < MANY; i++) {
		snprintf(word, sizeof(word), "%s", i % 2 == 0 ? "echo" : "basename");
		snprintf(argument, sizeof(argument), "/x/%d", i);
		define_words(&commands[i], words);
		start(&commands[i]);
	}
	start_overlap(false);
	wait_done(MANY);
	for (int i = 0; i < MANY; i++) {
		snprintf(argument, sizeof(argument), "%s%d\n", i % 2 == 0 ? "/x/" : "", i);
		check_started(&commands[i], i % 2 == 0 ? "echo" : "basename");
		check_ended(&commands[i], 0, argument);
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

	begin();
	unit_starts_linger();
	start_overlap(true);
	for (int i = 0; i < MANY; i++) {
		if (missing_program(i) != NULL) {
			snprintf(word, sizeof(word), "%s", missing_program(i));
			define_words(&commands[i], words);
		} else {
			define_telling(&commands[i]);
			there++;
		}
		start(&commands[i]);
	}
	start_overlap(false);
	ck_assert_uint_eq(told, MANY);
	ck_assert_uint_eq(job_count(), there);
	wait_done(there);
	for (int i = 0; i < MANY; i++)
		if (missing_program(i) != NULL)
			check_not_started(&commands[i], missing_program(i), ENOENT);
		else
			check_telling(&commands[i]);
}
END_TEST

/* Of something that comes back; nothing is left of them. */
START_TEST(some_find_too_little_on_their_way)
{
	int before, after;

	begin();
	start_overlap(true);
	before = dup(STDERR_FILENO);
	unit_starts_fail(3, EAGAIN);
	for (int i = 0; i < 6; i++) {
		define_telling(&commands[i]);
		start(&commands[i]);
	}
	ck_assert_uint_eq(unit_starts_to_fail(), 0);
	start_overlap(false);
	for (int i = 0; i < 3; i++)
		check_not_started(&commands[i], "/bin/sh", EAGAIN);
	wait_done(3);
	after = dup(STDERR_FILENO);
	ck_assert_int_eq(after, before + 1); /* no descriptor was lost */
	for (int i = 3; i < 6; i++)
		check_telling(&commands[i]);
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

	begin();
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	define_telling(&commands[0]);
	define_telling(&commands[1]);
	define_telling(&commands[2]);
	start_overlap(true);
	start(&commands[0]);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	start(&commands[1]);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	start(&commands[2]);
	start_overlap(false);
	check_not_started(&commands[1], "/bin/sh", EMFILE);
	wait_done(2);
	check_telling(&commands[0]);
	check_telling(&commands[2]);
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

	begin();
	start_overlap(true);
	define_telling(&commands[0]);
	define_words(&commands[1], words);
	define_shell(&commands[2], "kill -9 $$");
	for (int i = 0; i < 3; i++)
		start(&commands[i]);
	reap_those_on_their_way(3);
	ck_assert_uint_eq(told + done, 0);
	start_overlap(false);
	check_started(&commands[2], "/bin/sh");
	check_not_started(&commands[1], missing, ENOENT);
	wait_done(2);
	check_telling(&commands[0]);
	check_ended(&commands[2], SIGKILL, "");
}
END_TEST

/* ---- whoever is told starts another ---- */

static void
chain_all(void)
{
	for (int i = 0; i < MANY; i++)
		define_telling(&commands[i]);
	for (int i = 0; i + 1 < MANY; i++)
		commands[i].next = &commands[i + 1];
}

static void
check_chain(void)
{
	ck_assert_uint_eq(told, MANY);
	for (unsigned i = 0; i < MANY; i++)
		ck_assert_uint_eq(commands[i].place, i);
	wait_done(MANY);
	for (int i = 0; i < MANY; i++)
		check_telling(&commands[i]);
}

START_TEST(each_starts_the_next)
{
	begin();
	chain_all();
	start(&commands[0]);
	check_chain();
}
END_TEST

START_TEST(each_starts_the_next_at_the_end_of_the_overlap)
{
	begin();
	chain_all();
	start_overlap(true);
	start(&commands[0]);
	ck_assert_uint_eq(told, 0);
	start_overlap(false);
	check_chain();
}
END_TEST

/* Each of the first half starts one of the second when it has to make room, or at the end. */
START_TEST(several_start_another_each)
{
	begin();
	unit_starts_linger();
	for (int i = 0; i < MANY; i++)
		define_telling(&commands[i]);
	for (int i = 0; i < MANY / 2; i++)
		commands[i].next = &commands[i + MANY / 2];
	start_overlap(true);
	for (int i = 0; i < MANY / 2; i++)
		start(&commands[i]);
	ck_assert_uint_ge(told, 1); /* some have had to */
	ck_assert_uint_lt(told, MANY);
	start_overlap(false);
	ck_assert_uint_eq(told, MANY);
	wait_done(MANY);
	for (int i = 0; i < MANY; i++)
		check_telling(&commands[i]);
}
END_TEST

/* The place of the one that is told of is taken while it is. */
START_TEST(one_that_is_not_there_starts_others)
{
	static const char *const missing[] = {"no-such-command-anywhere", "/nonexistent/command"};
	char word[64], *words[] = {word, NULL};

	begin();
	unit_starts_linger();
	for (int overlaps = 0; overlaps < 2; overlaps++) {
		struct command *command = &commands[overlaps * 4];

		for (int i = 0; i < 2; i++) {
			snprintf(word, sizeof(word), "%s", missing[i]);
			define_words(&command[i * 2], words);
			define_telling(&command[i * 2 + 1]);
			command[i * 2].next = &command[i * 2 + 1];
		}
		command[1].next = &command[2];
		start_overlap(overlaps != 0);
		start(command);
		start_overlap(false);
		check_not_started(&command[0], missing[0], ENOENT);
		check_not_started(&command[2], missing[1], ENOENT);
	}
	wait_done(4);
	for (int i = 1; i < 8; i += 2)
		check_telling(&commands[i]);
}
END_TEST

START_TEST(an_overlap_follows_another)
{
	begin();
	for (int i = 0; i < MANY; i++) {
		define_telling(&commands[i]);
		start_overlap(true);
		start(&commands[i]);
		start_overlap(i % 3 != 0); /* said twice, it makes no difference */
		if (i % 3 == 0)
			ck_assert_uint_eq(told, (unsigned)i + 1);
	}
	start_overlap(false);
	start_overlap(false);
	ck_assert_uint_eq(told, MANY);
	wait_done(MANY);
	for (int i = 0; i < MANY; i++)
		check_telling(&commands[i]);
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
	tcase_add_test(tests, each_starts_the_next);
	tcase_add_test(tests, each_starts_the_next_at_the_end_of_the_overlap);
	tcase_add_test(tests, several_start_another_each);
	tcase_add_test(tests, one_that_is_not_there_starts_others);
	tcase_add_test(tests, an_overlap_follows_another);
	return suite;
}
