/* Runs of real commands: how their exits and their outputs come, and what is kept of them. */
#include "config.h"

#include "job.h"

#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "spawn.h"
#include "unit.h"
#include "unit_script.h"
#include "util.h"

START_TEST(exit_and_output)
{
	struct unit_outcome outcome;

	unit_script_begin();
	unit_script_start("echo out; echo err >&2; exit 3", 0, &outcome);
	ck_assert_uint_eq(job_count(), 1);
	unit_script_wait(&outcome);
	unit_script_check(&outcome, 3 << 8, "out\nerr\n");
	ck_assert_uint_eq(job_count(), 0);
}
END_TEST

START_TEST(nothing_said)
{
	struct unit_outcome outcome;

	unit_script_begin();
	unit_script_start(":", 0, &outcome);
	unit_script_wait(&outcome);
	unit_script_check(&outcome, 0, "");
}
END_TEST

START_TEST(ended_by_a_signal)
{
	struct unit_outcome outcome;

	unit_script_begin();
	unit_script_start("echo x; kill -9 $$", 0, &outcome);
	unit_script_wait(&outcome);
	unit_script_check(&outcome, SIGKILL, "x\n");
}
END_TEST

/* It tells through the second fifo that it has closed its output, and then waits at the gate. */
START_TEST(end_of_output_before_the_exit)
{
	struct unit_outcome outcome;
	int gate, told;
	char byte;

	unit_script_begin();
	gate = unit_script_gate();
	told = unit_gate("gate.told");
	unit_script_start("echo x; exec >/dev/null 2>&1; echo >$GATE.told; read y <$GATE; exit 4",
			  0, &outcome);
	ck_assert_int_eq(read(told, &byte, 1), 1);
	unit_settle();
	ck_assert_uint_eq(outcome.done, 0);
	ck_assert_uint_eq(job_count(), 1);
	unit_release(gate);
	unit_script_wait(&outcome);
	unit_script_check(&outcome, 4 << 8, "x\n");
}
END_TEST

/* Nobody tells that it has exited: its end among thousands. */
START_TEST(nobody_names_it)
{
	struct unit_outcome outcome = {0};
	siginfo_t info;

	ck_assert_int_eq(spawn_init(), 0);
	log_open(true);
	unit_script_start("exit 3", 0, &outcome);
	ck_assert_int_eq(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
	unit_script_wait(&outcome);
	ck_assert_int_eq(WEXITSTATUS(outcome.status), 3);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

/* What a grandchild says shortly after the exit still belongs to the run. */
START_TEST(exit_before_the_end_of_output)
{
	struct unit_outcome outcome;
	int gate;

	unit_script_begin();
	gate = unit_script_gate();
	unit_script_start("(read y <$GATE; echo late) & echo x; exit 5", 0, &outcome);
	unit_wait_reaped(1);
	ck_assert_uint_eq(outcome.done, 0);
	unit_release(gate);
	unit_script_wait(&outcome);
	unit_script_check(&outcome, 5 << 8, "x\nlate\n");
}
END_TEST

START_TEST(grandchild_that_keeps_the_pipe)
{
	struct unit_outcome outcome;
	const char *text;
	int gate;

	unit_script_begin();
	gate = unit_script_gate();
	unit_capture();
	unit_script_start("read y <$GATE & echo x; exit 6", 0, &outcome);
	unit_script_wait(&outcome); /* though nobody has opened the gate */
	text = unit_captured();
	unit_script_check(&outcome, 6 << 8, "x\n");
	ck_assert_ptr_nonnull(strstr(text, "event=run-output-abandoned t run=1\n"));
	ck_assert_uint_eq(job_count(), 0);
	unit_release(gate);
}
END_TEST

START_TEST(lines_are_logged)
{
	struct unit_outcome outcome;
	const char *text;

	unit_script_begin();
	unsetenv("JOURNAL_STREAM");
	log_open(true);
	unit_capture();
	unit_script_start("echo one; printf two", 0, &outcome);
	unit_script_wait(&outcome);
	text = unit_captured();
	ck_assert_str_eq(text, "jaildaemon: event=run-output t run=1 line=\"one\"\n"
			       "jaildaemon: event=run-output t run=1 line=\"two\"\n");
}
END_TEST

/* 80 times 64 KiB and a newline: only the end is kept, and all is counted. */
START_TEST(output_is_bounded)
{
	struct unit_outcome outcome;

	unit_script_begin();
	unit_capture();
	unit_script_start("s=0123456789abcdef; for i in 1 2 3 4 5 6; do s=$s$s$s$s; done; i=0; "
			  "while [ $i -lt 80 ]; do echo $s; i=$((i+1)); done; echo end",
			  0, &outcome);
	unit_script_wait(&outcome);
	unit_captured();
	ck_assert_uint_eq(outcome.total, 80 * (65536 + 1) + 4);
	ck_assert_uint_eq(strlen(outcome.output), UNIT_TAIL_LIMIT);
	ck_assert_str_eq(outcome.output + UNIT_TAIL_LIMIT - 10, "bcdef\nend\n");
	ck_assert_int_eq(outcome.status, 0);
}
END_TEST

START_TEST(several_at_once)
{
	static struct unit_outcome outcomes[8];
	int gate;

	unit_script_begin();
	gate = unit_script_gate();
	for (size_t i = 0; i < UTIL_COUNT(outcomes); i++)
		unit_script_start("read y <$GATE; echo $$ | { read n; echo x; }", 0, &outcomes[i]);
	ck_assert_uint_eq(job_count(), UTIL_COUNT(outcomes));
	for (size_t i = 0; i < UTIL_COUNT(outcomes); i++)
		unit_release(gate);
	for (size_t i = 0; i < UTIL_COUNT(outcomes); i++) {
		unit_script_wait(&outcomes[i]);
		unit_script_check(&outcomes[i], 0, "x\n");
	}
	ck_assert_uint_eq(job_count(), 0);
}
END_TEST

/* ---- what can't be executed ---- */

static void
check_unexecutable(const char *program, int wanted)
{
	char word[512], *argv[] = {word, NULL}, *env[] = {NULL};
	struct job_spec spec = {.argv = argv, .env = env, .tag = "t", .run = 1};
	struct unit_outcome outcome = {0};

	snprintf(word, sizeof(word), "%s", program);
	errno = 0;
	ck_assert_ptr_null(job_start(unit_base(), &spec, unit_script_done, &outcome));
	ck_assert_int_eq(errno, wanted);
	ck_assert(!util_is_shortage(wanted));
	ck_assert_uint_eq(job_count(), 0);
	unit_settle();
	ck_assert_uint_eq(outcome.done, 0);
}

START_TEST(unexecutable)
{
	const char *path = unit_path("file");
	int before, after;

	unit_script_begin();
	close(open(path, O_CREAT | O_WRONLY, 0600));
	before = dup(STDERR_FILENO);
	check_unexecutable("/nonexistent/command", ENOENT);
	check_unexecutable("no-such-command-anywhere", ENOENT);
	check_unexecutable(path, EACCES);
	after = dup(STDERR_FILENO);
	ck_assert_int_eq(after, before + 1);
	close(before);
	close(after);
}
END_TEST

START_TEST(found_in_the_path)
{
	char sh[] = "sh", dash_c[] = "-c", script[] = "exit 7",
	     *argv[] = {sh, dash_c, script, NULL};
	char *env[] = {NULL};
	struct job_spec spec = {.argv = argv, .env = env, .tag = "t", .run = 1};
	struct unit_outcome outcome = {0};

	unit_script_begin();
	ck_assert_ptr_nonnull(job_start(unit_base(), &spec, unit_script_done, &outcome));
	unit_script_wait(&outcome);
	ck_assert_int_eq(outcome.status, 7 << 8);
}
END_TEST

START_TEST(what_may_come_back)
{
	ck_assert(util_is_shortage(EAGAIN) && util_is_shortage(ENOMEM));
	ck_assert(util_is_shortage(EMFILE) && util_is_shortage(ENFILE));
	ck_assert(!util_is_shortage(ENOENT) && !util_is_shortage(EACCES));
}
END_TEST

Suite *
unit_job(void)
{
	Suite *suite;
	TCase *tests = unit_case("job", &suite);

	tcase_add_test(tests, exit_and_output);
	tcase_add_test(tests, nothing_said);
	tcase_add_test(tests, ended_by_a_signal);
	tcase_add_test(tests, end_of_output_before_the_exit);
	tcase_add_test(tests, nobody_names_it);
	tcase_add_test(tests, exit_before_the_end_of_output);
	tcase_add_test(tests, grandchild_that_keeps_the_pipe);
	tcase_add_test(tests, lines_are_logged);
	tcase_add_test(tests, output_is_bounded);
	tcase_add_test(tests, several_at_once);
	tcase_add_test(tests, unexecutable);
	tcase_add_test(tests, found_in_the_path);
	tcase_add_test(tests, what_may_come_back);
	return suite;
}
