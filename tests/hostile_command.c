/*
 * What a command finds itself in, whatever the daemon was started in: asked of a shell, because
 * that is what most commands are, and of this program.
 */
#include "config.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_exec.h"
#include "fixture_file.h"
#include "fixture_inside.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "hostile.h"
#include "hostile_adds.h"

/* Presses a probe with this command, and waits for the end of its run. */
static void
run_command(struct jailfix *jail, const char *command)
{
	int probe = probe_add(jail, "{s:s,s:s,s:s}", "command", command, "title", hostile_title(),
			      "name", "asks");

	inside_press(jail, hostile_inside());
	json_decref(probe_wait_last(probe));
}

/* What a shell command says, as the daemon runs it; to be freed. */
static char *
what_a_run_says(struct jailfix *jail, const char *shell)
{
	char command[512];

	(void)snprintf(command, sizeof(command), "{ %s; } > %s 2>&1", shell, place_at("said"));
	run_command(jail, command);
	return (file_text(place_at("said")));
}

static void
expect_said(struct jailfix *jail, const char *shell, const char *wanted)
{
	char *said = what_a_run_says(jail, shell);

	ck_assert_msg(strcmp(said, wanted) == 0, "%s: says\n%sand not\n%s", shell, said, wanted);
	free(said);
}

/* A daemon that was started in the worst surroundings that it may meet. */
static struct jailfix *
careless(void)
{
	struct jailfix *jail = probe_jail();

	(void)umask(0);
	(void)setenv("LEAKED_VARIABLE", "leaked", 1);
	(void)setenv("LD_PRELOAD", "/nowhere/evil.so", 1);
	(void)setenv("IFS", "/", 1);
	(void)setenv("ENV", "/nowhere/evil", 1);
	ck_assert_int_eq(chdir("/tmp"), 0);
	(void)daemon_start_as(&(struct launch){.leaks = true, .ignoring = true, .blocked = true});
	(void)unsetenv("LD_PRELOAD");
	return (jail);
}

START_TEST(commands_umask_is_022)
{
	NEEDS_ROOT;
	expect_said(careless(), "umask", "0022\n");
}
END_TEST

START_TEST(commands_directory_is_the_root)
{
	NEEDS_ROOT;
	expect_said(careless(), "pwd -P", "/\n");
}
END_TEST

/* The shell adds a few of its own. */
START_TEST(commands_environment_has_nothing_inherited)
{
	static const char *const allowed[] = {"PATH=", "JAILDAEMON_", "PWD=/",
					      "_=",    "SHLVL=",      "OLDPWD="};
	char *said, *line, *rest;
	size_t i;

	NEEDS_ROOT;
	rest = said = what_a_run_says(careless(), "env");
	ck_assert_ptr_nonnull(strstr(said, "JAILDAEMON_NAME=asks\n"));
	while ((line = strsep(&rest, "\n")) != NULL && line[0] != '\0') {
		for (i = 0; i < 6 && strncmp(line, allowed[i], strlen(allowed[i])) != 0; i++)
			;
		ck_assert_msg(i < 6, "it has %s", line);
	}
	free(said);
}
END_TEST

START_TEST(commands_limits_are_those_of_the_daemons_start)
{
	static char *const argv[] = {(char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c",
				     (char *)(uintptr_t) "ulimit -a", NULL};
	struct launch launch = {.argv = argv};
	struct rlimit limit;
	struct outcome here;

	NEEDS_ROOT;
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 300;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	exec_run(&here, &launch);
	expect_said(careless(), "ulimit -a", here.out);
	outcome_free(&here);
}
END_TEST

/* A signal that is ignored can't be trapped by a shell that did not make it so. */
START_TEST(commands_signals_are_not_ignored)
{
	NEEDS_ROOT;
	expect_said(careless(),
		    "for s in HUP INT QUIT TERM PIPE ALRM USR1 USR2; do trap \"echo $s\" $s; "
		    "kill -$s $$; done",
		    "HUP\nINT\nQUIT\nTERM\nPIPE\nALRM\nUSR1\nUSR2\n");
}
END_TEST

START_TEST(commands_input_is_empty)
{
	NEEDS_ROOT;
	expect_said(careless(), "read x && echo something || echo nothing", "nothing\n");
}
END_TEST

START_TEST(commands_terminal_is_none)
{
	NEEDS_ROOT;
	expect_said(careless(), "(true < /dev/tty) 2> /dev/null && echo one || echo none",
		    "none\n");
}
END_TEST

static void
expect_report(const char *line)
{
	ck_assert_msg(file_count(place_at("report"), line) == 1, "not reported: %s in:\n%s", line,
		      file_text(place_at("report")));
}

/* The same asked of a program that can look closer than a shell. */
START_TEST(commands_descriptors_and_session_are_its_own)
{
	char *text, *line, *rest;
	struct jailfix *jail;

	NEEDS_ROOT;
	jail = careless();
	(void)probe_add(jail, "{s:[sss],s:s}", "command", daemon_self(), "--report",
			place_at("report"), "title", hostile_title());
	inside_press(jail, hostile_inside());
	file_wait_exists(place_at("report"), true);
	expect_report("session own");
	expect_report("group own");
	expect_report("terminal none");
	expect_report("input null");
	expect_report("uid 0 0");
	rest = text = file_text(place_at("report"));
	while ((line = strsep(&rest, "\n")) != NULL) {
		ck_assert_msg(strncmp(line, "signal ", 7) != 0, "%s", line);
		ck_assert_msg(strncmp(line, "descriptor ", 11) != 0 || atoi(line + 11) < 3, "%s",
			      line);
	}
	free(text);
}
END_TEST

/* What the jail's administrator knows of it is its title; the words of the command are the host's.
 */
START_TEST(commands_text_is_not_seen_in_the_jail)
{
	struct jailfix *jail;

	NEEDS_ROOT;
	jail = careless();
	(void)probe_add(jail, "{s:s,s:s}", "command", ": a-secret-of-the-host", "title",
			hostile_title());
	ck_assert(inside_mentions(jail, hostile_title()));
	ck_assert(!inside_mentions(jail, "a-secret-of-the-host"));
	ck_assert(!inside_mentions(jail, place()->sock));
}
END_TEST

Suite *
hostile_command(void)
{
	Suite *suite = suite_create("command");

	PLACE_CASE(suite, commands_umask_is_022);
	PLACE_CASE(suite, commands_directory_is_the_root);
	PLACE_CASE(suite, commands_environment_has_nothing_inherited);
	PLACE_CASE(suite, commands_limits_are_those_of_the_daemons_start);
	PLACE_CASE(suite, commands_signals_are_not_ignored);
	PLACE_CASE(suite, commands_input_is_empty);
	PLACE_CASE(suite, commands_terminal_is_none);
	PLACE_CASE(suite, commands_descriptors_and_session_are_its_own);
	PLACE_CASE(suite, commands_text_is_not_seen_in_the_jail);
	return (suite);
}
