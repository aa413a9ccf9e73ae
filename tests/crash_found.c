/*
 * What a daemon may find where its state should be: damage, strangers' files, another daemon.
 */
#include "config.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crash.h"
#include "fixture_daemon.h"
#include "fixture_file.h"
#include "fixture_inside.h"
#include "fixture_probe.h"

#define STRANGER  501
#define TRUNCATED 1000 /* their numbers begin here */

/* The path of a file in the state directory. */
static const char *
kept(const char *name)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "state/%s", name);
	return (place_at(path));
}

static int
add_button(const struct jailfix *jail)
{
	char command[256];

	(void)snprintf(command, sizeof(command), "echo run >> %s", place_at("ran"));
	return (probe_add(jail, "{s:s,s:s}", "command", command, "title", "T"));
}

/* A daemon that kept one good probe, and is dead. Its record, to be freed. */
static char *
one_record(const struct jailfix *jail, int *number)
{
	pid_t daemon = crash_start(CRASH_PLAIN);
	char name[32];

	*number = add_button(jail);
	crash_kill(daemon);
	(void)snprintf(name, sizeof(name), "%d.json", *number);
	ck_assert(file_exists(kept(name)));
	return (file_text(kept(name)));
}

/* The good probe is there and alone, and it works. */
static void
expect_the_good_one(const struct jailfix *jail, int number)
{
	ck_assert_int_eq(probe_listed(), 1);
	probe_wait_state(number, "armed");
	inside_press(jail, "jaildaemon: T");
	file_wait_lines(place_at("ran"), 1);
}

static int
log_count(const char *text)
{
	char *log = file_text(place()->log), *at = log;
	int count = 0;

	for (; (at = strstr(at, text)) != NULL; at++)
		count++;
	free(log);
	return (count);
}

static void
expect_set_aside(const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "set-aside/%s", name);
	ck_assert_msg(file_exists(kept(path)), "%s was not set aside", name);
	ck_assert_msg(!file_exists(kept(name)), "%s is still there", name);
	(void)snprintf(path, sizeof(path), "event=state-set-aside file=\"%s\"", name);
	ck_assert_msg(log_count(path) == 1, "%s: %d log lines", name, log_count(path));
}

START_TEST(damaged_records_are_set_aside)
{
	static const struct {
		const char *name, *text;
	} damaged[] = {
	    {"101.json", ""},
	    {"102.json", "no JSON at all"},
	    {"103.json", "[]"},
	    {"104.json", "{}"},
	    {"105.json", "{\"format\":1,\"probe\":105,\"created\":1}"},
	    {"106.json", "{\"format\":2,\"probe\":106,\"created\":1,\"jail\":1,\"command\":\"x\"}"},
	    {"107.json",
	     "{\"format\":1,\"probe\":-107,\"created\":1,\"jail\":1,\"command\":\"x\"}"},
	    {"108.json", "{\"format\":1,\"probe\":9,\"created\":1,\"jail\":1,\"command\":\"x\"}"},
	    {"109.json", "{\"format\":1,\"probe\":109,\"created\":1,\"jail\":1,\"command\":1}"},
	    {"110.started", "\377\376\375"},
	    {"0.json", "{}"},
	    {"007.json", "{}"},
	    {"99999999999999999999999.json", "{}"},
	    {"notes.txt", "somebody's"},
	    {".hidden", "somebody's"},
	};
	struct jailfix *jail;
	size_t i;
	int number;

	NEEDS_ROOT;
	jail = probe_jail();
	free(one_record(jail, &number));
	for (i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++)
		file_write(kept(damaged[i].name), damaged[i].text);
	(void)crash_start(CRASH_PLAIN);
	for (i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++)
		expect_set_aside(damaged[i].name);
	expect_the_good_one(jail, number);
}
END_TEST

/* As a disk leaves a record that was being written, at every length. */
START_TEST(half_written_records_are_set_aside)
{
	struct jailfix *jail;
	size_t length, whole;
	char name[32], *text;
	int number;

	NEEDS_ROOT;
	jail = probe_jail();
	text = one_record(jail, &number);
	whole = strlen(text);
	ck_assert_uint_gt(whole, 50);
	for (length = whole; length-- > 0;) {
		text[length] = '\0';
		(void)snprintf(name, sizeof(name), "%zu.json", TRUNCATED + length);
		file_write(kept(name), text);
	}
	free(text);
	(void)crash_start(CRASH_PLAIN);
	ck_assert_int_eq(log_count("event=state-set-aside"), (int)whole);
	expect_the_good_one(jail, number);
}
END_TEST

/* What was being written when the daemon died was promised to nobody. */
START_TEST(unfinished_files_are_removed)
{
	struct jailfix *jail;
	int number;

	NEEDS_ROOT;
	jail = probe_jail();
	free(one_record(jail, &number));
	file_write(kept("0.new"), "{\"for");
	file_write(kept("63.new"), "");
	file_write(kept("next.new"), "4");
	(void)crash_start(CRASH_PLAIN);
	ck_assert(!file_exists(kept("0.new")));
	ck_assert(!file_exists(kept("63.new")));
	ck_assert(!file_exists(kept("next.new")));
	ck_assert(!file_exists(kept("set-aside")));
	expect_the_good_one(jail, number);
}
END_TEST

/* Nothing that another user could have written is executed as root, and nothing holds up the start.
 */
START_TEST(files_of_others_are_set_aside)
{
	struct jailfix *jail;
	int number, fifo;
	char *text;

	NEEDS_ROOT;
	jail = probe_jail();
	text = one_record(jail, &number);
	file_write(kept("201.json"), text);
	ck_assert_int_eq(chown(kept("201.json"), STRANGER, STRANGER), 0);
	file_write(kept("202.json"), text);
	ck_assert_int_eq(chmod(kept("202.json"), 0666), 0);
	file_write(place_at("elsewhere"), text);
	ck_assert_int_eq(symlink(place_at("elsewhere"), kept("203.json")), 0);
	fifo = file_fifo(kept("204.json"));
	file_write(kept("205.json"), text); /* a copy of the good one */
	free(text);
	(void)crash_start(CRASH_PLAIN);
	expect_set_aside("201.json");
	expect_set_aside("202.json");
	expect_set_aside("203.json");
	expect_set_aside("204.json");
	expect_set_aside("205.json");
	ck_assert(file_exists(place_at("elsewhere")));
	expect_the_good_one(jail, number);
	(void)close(fifo);
}
END_TEST

/* Of nothing but a hole; more than that a small machine's file system in memory doesn't take. */
#define HUGE_SIZE ((off_t)1 << 26)

START_TEST(huge_files_are_set_aside)
{
	struct jailfix *jail;
	int number, fd;

	NEEDS_ROOT;
	jail = probe_jail();
	free(one_record(jail, &number));
	fd = open(kept("301.json"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(ftruncate(fd, HUGE_SIZE), 0);
	(void)close(fd);
	(void)crash_start(CRASH_PLAIN);
	expect_set_aside("301.json");
	expect_the_good_one(jail, number);
}
END_TEST

START_TEST(directories_are_left_alone)
{
	struct jailfix *jail;
	int number;

	NEEDS_ROOT;
	jail = probe_jail();
	free(one_record(jail, &number));
	ck_assert_int_eq(mkdir(kept("lost+found"), 0700), 0);
	file_write(kept("lost+found/1.json"), "somebody's");
	(void)crash_start(CRASH_PLAIN);
	ck_assert(file_exists(kept("lost+found/1.json")));
	expect_the_good_one(jail, number);
}
END_TEST

/* Even a directory with a record's name, and where the place for such things is taken. */
START_TEST(what_can_not_be_set_aside_stays)
{
	struct jailfix *jail;
	int number;

	NEEDS_ROOT;
	jail = probe_jail();
	free(one_record(jail, &number));
	ck_assert_int_eq(mkdir(kept("401.json"), 0700), 0);
	file_write(kept("402.json"), "no JSON");
	file_write(kept("set-aside"), "somebody's");
	(void)crash_start(CRASH_PLAIN);
	expect_the_good_one(jail, number);
	ck_assert_int_gt(log_count("event=error file=\"402.json\""), 0);
}
END_TEST

/* A second one with the same name doesn't overwrite the first. */
START_TEST(set_aside_keeps_what_it_has)
{
	struct jailfix *jail;
	char *text;
	int number;

	NEEDS_ROOT;
	jail = probe_jail();
	free(one_record(jail, &number));
	file_write(kept("501.json"), "the first");
	crash_kill(crash_start(CRASH_PLAIN));
	file_write(kept("501.json"), "the second");
	(void)crash_start(CRASH_PLAIN);
	text = file_text(kept("set-aside/501.json"));
	ck_assert_str_eq(text, "the first");
	free(text);
	expect_the_good_one(jail, number);
}
END_TEST

START_TEST(damaged_count_of_numbers_is_set_aside)
{
	struct jailfix *jail;
	int number;

	NEEDS_ROOT;
	jail = probe_jail();
	free(one_record(jail, &number));
	file_write(kept("next"), "a number");
	(void)crash_start(CRASH_PLAIN);
	expect_set_aside("next");
	ck_assert_int_gt(probe_add(jail, "{s:s}", "command", "true"), number);
	probe_wait_state(number, "armed");
}
END_TEST

/* ---- the directory itself ---- */

static void
refused_on(const char *mode, const char *sock, const char *state, const char *mentions)
{
	struct outcome outcome;

	exec_words(&outcome, daemon_binary(), mode, "-f", sock, "-p", place_at("second.pid"), "-S",
		   state, NULL);
	ck_assert_msg(outcome.exit == 1, "%s: exit code %d: %s", mode, outcome.exit, outcome.err);
	ck_assert_msg(strstr(outcome.err, mentions) != NULL, "%s: does not mention \"%s\": %s",
		      mode, mentions, outcome.err);
	outcome_free(&outcome);
	ck_assert_msg(!file_exists(sock), "%s: its socket is left behind", mode);
	ck_assert_msg(!file_exists(place_at("second.pid")), "%s: its pidfile is left behind", mode);
}

START_TEST(state_of_another_daemon_is_refused)
{
	struct jailfix *jail;
	int number;

	NEEDS_ROOT;
	jail = probe_jail();
	(void)crash_start(CRASH_PLAIN);
	number = add_button(jail);
	refused_on("-F", place_at("second"), place()->state, "another daemon");
	refused_on("-D", place_at("second"), place()->state, "another daemon");
	expect_the_good_one(jail, number);
}
END_TEST

/* A command that still runs doesn't keep the state from the next daemon. */
START_TEST(runs_left_behind_do_not_hold_the_state)
{
	struct jailfix *jail;
	char command[256];
	pid_t daemon;
	int fifo;

	NEEDS_ROOT;
	jail = probe_jail();
	daemon = crash_start(CRASH_PLAIN);
	fifo = file_fifo(place_at("fifo"));
	(void)snprintf(command, sizeof(command), "echo run >> %s; read line < %s", place_at("ran"),
		       place_at("fifo"));
	(void)probe_add(jail, "{s:s,s:s}", "command", command, "title", "T");
	inside_press(jail, "jaildaemon: T");
	file_wait_lines(place_at("ran"), 1);
	daemon_end(daemon, SIGTERM);
	daemon = crash_start(CRASH_PLAIN);
	crash_kill(daemon);
	(void)crash_start(CRASH_PLAIN);
	file_release(fifo, 1);
}
END_TEST

START_TEST(unsafe_directories_are_refused)
{
	NEEDS_ROOT;
	ck_assert_int_eq(mkdir(place()->state, 0700), 0);
	ck_assert_int_eq(chmod(place()->state, 0777), 0);
	refused_on("-F", place()->sock, place()->state, "others may write");
	ck_assert_int_eq(chmod(place()->state, 0700), 0);
	ck_assert_int_eq(chown(place()->state, STRANGER, STRANGER), 0);
	refused_on("-F", place()->sock, place()->state, "another user");
	file_write(place_at("file"), "");
	refused_on("-F", place()->sock, place_at("file"), place_at("file"));
	refused_on("-F", place()->sock, place_at("none/state"), place_at("none/state"));
	ck_assert_int_eq(chown(place()->state, 0, 0), 0);
	(void)crash_start(CRASH_PLAIN);
}
END_TEST

Suite *
crash_found(void)
{
	Suite *suite = suite_create("found");

	PLACE_CASE(suite, damaged_records_are_set_aside);
	PLACE_CASE(suite, half_written_records_are_set_aside);
	PLACE_CASE(suite, unfinished_files_are_removed);
	PLACE_CASE(suite, files_of_others_are_set_aside);
	PLACE_CASE(suite, huge_files_are_set_aside);
	PLACE_CASE(suite, directories_are_left_alone);
	PLACE_CASE(suite, what_can_not_be_set_aside_stays);
	PLACE_CASE(suite, set_aside_keeps_what_it_has);
	PLACE_CASE(suite, damaged_count_of_numbers_is_set_aside);
	PLACE_CASE(suite, state_of_another_daemon_is_refused);
	PLACE_CASE(suite, runs_left_behind_do_not_hold_the_state);
	PLACE_CASE(suite, unsafe_directories_are_refused);
	return (suite);
}
