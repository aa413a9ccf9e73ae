/* Runs of real commands: what ends them, and what is kept of them. */
#include "config.h"

#include "job.h"

#include <sys/stat.h>
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
#include "util.h"

/* Without a configuration. */
#define KILL_DELAY_MS 5000
#define TAIL_LIMIT    65536

struct outcome {
	unsigned done;
	int status;
	bool timed_out;
	uint64_t total;
	char output[TAIL_LIMIT + 1];
};

static char gate_variable[512], path_variable[] = "PATH=/bin:/usr/bin";

static void
begin(void)
{
	ck_assert_int_eq(spawn_init(), 0);
	unit_reap_children();
	log_open(true);
}

static void
done(struct job *job, struct job_result *result, void *arg)
{
	struct outcome *outcome = arg;
	const char *bytes = tail_linear(&result->output);

	(void)job;
	outcome->done++;
	outcome->status = result->status;
	outcome->timed_out = result->timed_out;
	outcome->total = result->output.total;
	memcpy(outcome->output, bytes, result->output.used);
	outcome->output[result->output.used] = '\0';
	ck_assert_int_ge(result->finished_ms, result->started_ms);
}

/* A script for the shell; the gate's path is in $GATE. */
static struct job *
start(const char *script, int64_t timeout_ms, struct outcome *outcome)
{
	char sh[] = "/bin/sh", dash_c[] = "-c", *text = strdup(script);
	char *argv[] = {sh, dash_c, text, NULL};
	char *env[] = {path_variable, gate_variable, NULL};
	struct job_spec spec = {
	    .argv = argv, .env = env, .timeout_ms = timeout_ms, .tag = "t", .run = 1};
	struct job *job;

	ck_assert_ptr_nonnull(text);
	*outcome = (struct outcome){0};
	job = job_start(unit_base(), &spec, done, outcome);
	ck_assert_msg(job != NULL, "%s", strerror(errno));
	free(text);
	return job;
}

static int
open_gate(void)
{
	int gate = unit_gate("gate");

	snprintf(gate_variable, sizeof(gate_variable), "GATE=%s", unit_path("gate"));
	return gate;
}

static bool
is_done(void *arg)
{
	const struct outcome *outcome = arg;

	return outcome->done > 0;
}

static void
wait_done(struct outcome *outcome)
{
	unit_wait(is_done, outcome, "the end of the job");
	ck_assert_uint_eq(outcome->done, 1);
}

static bool
has_output(void *arg)
{
	return job_output(arg)->used > 0;
}

static void
check_outcome(const struct outcome *outcome, int status, const char *output)
{
	ck_assert_int_eq(outcome->status, status);
	ck_assert_str_eq(outcome->output, output);
	ck_assert_uint_eq(outcome->total, strlen(output));
	ck_assert(!outcome->timed_out);
}

START_TEST(exit_and_output)
{
	struct outcome outcome;

	begin();
	start("echo out; echo err >&2; exit 3", 0, &outcome);
	ck_assert_uint_eq(job_count(), 1);
	wait_done(&outcome);
	check_outcome(&outcome, 3 << 8, "out\nerr\n");
	ck_assert_uint_eq(job_count(), 0);
}
END_TEST

START_TEST(nothing_said)
{
	struct outcome outcome;

	begin();
	start(":", 0, &outcome);
	wait_done(&outcome);
	check_outcome(&outcome, 0, "");
}
END_TEST

START_TEST(ended_by_a_signal)
{
	struct outcome outcome;

	begin();
	start("echo x; kill -9 $$", 0, &outcome);
	wait_done(&outcome);
	check_outcome(&outcome, SIGKILL, "x\n");
}
END_TEST

/* It tells through the second fifo that it has closed its output, and then waits at the gate. */
START_TEST(end_of_output_before_the_exit)
{
	struct outcome outcome;
	int gate, told;
	char byte;

	begin();
	gate = open_gate();
	told = unit_gate("gate.told");
	start("echo x; exec >/dev/null 2>&1; echo >$GATE.told; read y <$GATE; exit 4", 0, &outcome);
	ck_assert_int_eq(read(told, &byte, 1), 1);
	unit_settle();
	ck_assert_uint_eq(outcome.done, 0);
	ck_assert_uint_eq(job_count(), 1);
	unit_release(gate);
	wait_done(&outcome);
	check_outcome(&outcome, 4 << 8, "x\n");
}
END_TEST

/* Nobody tells that it has exited: its end among thousands. */
START_TEST(nobody_names_it)
{
	struct outcome outcome = {0};
	siginfo_t info;

	ck_assert_int_eq(spawn_init(), 0);
	log_open(true);
	start("exit 3", 0, &outcome);
	ck_assert_int_eq(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
	wait_done(&outcome);
	ck_assert_int_eq(WEXITSTATUS(outcome.status), 3);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

/* What a grandchild says shortly after the exit still belongs to the run. */
START_TEST(exit_before_the_end_of_output)
{
	struct outcome outcome;
	int gate;

	begin();
	gate = open_gate();
	start("(read y <$GATE; echo late) & echo x; exit 5", 0, &outcome);
	unit_wait_reaped(1);
	ck_assert_uint_eq(outcome.done, 0);
	unit_release(gate);
	wait_done(&outcome);
	check_outcome(&outcome, 5 << 8, "x\nlate\n");
}
END_TEST

START_TEST(grandchild_that_keeps_the_pipe)
{
	struct outcome outcome;
	const char *text;
	int gate;

	begin();
	gate = open_gate();
	unit_capture();
	start("read y <$GATE & echo x; exit 6", 0, &outcome);
	wait_done(&outcome); /* though nobody has opened the gate */
	text = unit_captured();
	check_outcome(&outcome, 6 << 8, "x\n");
	ck_assert_ptr_nonnull(strstr(text, "event=run-output-abandoned t run=1\n"));
	ck_assert_uint_eq(job_count(), 0);
	unit_release(gate);
}
END_TEST

START_TEST(lines_are_logged)
{
	struct outcome outcome;
	const char *text;

	begin();
	unsetenv("JOURNAL_STREAM");
	log_open(true);
	unit_capture();
	start("echo one; printf two", 0, &outcome);
	wait_done(&outcome);
	text = unit_captured();
	ck_assert_str_eq(text, "jaildaemon: event=run-output t run=1 line=\"one\"\n"
			       "jaildaemon: event=run-output t run=1 line=\"two\"\n");
}
END_TEST

/* 80 times 64 KiB and a newline: only the end is kept, and all is counted. */
START_TEST(output_is_bounded)
{
	struct outcome outcome;

	begin();
	unit_capture();
	start("s=0123456789abcdef; for i in 1 2 3 4 5 6; do s=$s$s$s$s; done; i=0; "
	      "while [ $i -lt 80 ]; do echo $s; i=$((i+1)); done; echo end",
	      0, &outcome);
	wait_done(&outcome);
	unit_captured();
	ck_assert_uint_eq(outcome.total, 80 * (65536 + 1) + 4);
	ck_assert_uint_eq(strlen(outcome.output), TAIL_LIMIT);
	ck_assert_str_eq(outcome.output + TAIL_LIMIT - 10, "bcdef\nend\n");
	ck_assert_int_eq(outcome.status, 0);
}
END_TEST

START_TEST(several_at_once)
{
	static struct outcome outcomes[8];
	int gate;

	begin();
	gate = open_gate();
	for (size_t i = 0; i < UTIL_COUNT(outcomes); i++)
		start("read y <$GATE; echo $$ | { read n; echo x; }", 0, &outcomes[i]);
	ck_assert_uint_eq(job_count(), UTIL_COUNT(outcomes));
	for (size_t i = 0; i < UTIL_COUNT(outcomes); i++)
		unit_release(gate);
	for (size_t i = 0; i < UTIL_COUNT(outcomes); i++) {
		wait_done(&outcomes[i]);
		check_outcome(&outcomes[i], 0, "x\n");
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
	struct outcome outcome = {0};

	snprintf(word, sizeof(word), "%s", program);
	errno = 0;
	ck_assert_ptr_null(job_start(unit_base(), &spec, done, &outcome));
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

	begin();
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
	struct outcome outcome = {0};

	begin();
	ck_assert_ptr_nonnull(job_start(unit_base(), &spec, done, &outcome));
	wait_done(&outcome);
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

/* ---- time limits ---- */

START_TEST(timeout_ends_it)
{
	struct outcome outcome;

	begin();
	open_gate();
	start("exec 2>&1; read y <$GATE", 50, &outcome);
	wait_done(&outcome);
	ck_assert(outcome.timed_out);
	ck_assert_int_eq(outcome.status, SIGTERM);
}
END_TEST

START_TEST(timeout_that_is_not_reached)
{
	struct outcome outcome;

	begin();
	start("echo x", 3600000, &outcome);
	wait_done(&outcome);
	check_outcome(&outcome, 0, "x\n");
}
END_TEST

START_TEST(term_may_be_caught)
{
	struct outcome outcome;
	struct job *job;

	begin();
	open_gate();
	job = start("trap 'echo bye; exit 9' TERM; echo x; while :; do read y <$GATE; done", 0,
		    &outcome);
	unit_wait(has_output, job, "its first word");
	job_kill(job);
	job_kill(job); /* once is enough */
	wait_done(&outcome);
	check_outcome(&outcome, 9 << 8, "x\nbye\n");
}
END_TEST

START_TEST(kill_comes_after_term)
{
	struct outcome outcome;
	struct job *job;
	int64_t since;

	begin();
	open_gate();
	job = start("trap '' TERM; echo x; while :; do read y <$GATE; done", 0, &outcome);
	unit_wait(has_output, job, "its first word");
	since = util_monotonic_ms();
	job_kill(job);
	wait_done(&outcome);
	check_outcome(&outcome, SIGKILL, "x\n");
	ck_assert_int_ge(util_monotonic_ms() - since, KILL_DELAY_MS - 100);
}
END_TEST

static void
count_end(evutil_socket_t fd, short what, void *arg)
{
	unsigned *ended = arg;
	char byte;

	(void)what;
	if (read(fd, &byte, 1) == 0)
		*ended = 1;
}

static bool
is_set(void *arg)
{
	return *(unsigned *)arg != 0;
}

/* The leader ends at TERM; the grandchild, which doesn't, is killed with the rest of the group. The
 * fifo that it keeps open for writing tells when it is gone. */
START_TEST(kill_reaches_the_whole_group)
{
	struct event *event;
	struct outcome outcome;
	unsigned ended = 0;
	struct job *job;
	int alive;

	begin();
	open_gate();
	close(unit_gate("gate.alive"));
	alive = open(unit_path("gate.alive"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ck_assert_int_ne(alive, -1);
	job = start(
	    "(trap '' TERM; exec 3>$GATE.alive; echo x; while :; do read y <$GATE; done) & wait", 0,
	    &outcome);
	unit_wait(has_output, job, "its first word");
	job_kill(job);
	wait_done(&outcome);
	check_outcome(&outcome, SIGTERM, "x\n");
	event = event_new(unit_base(), alive, EV_READ | EV_PERSIST, count_end, &ended);
	ck_assert_ptr_nonnull(event);
	event_add(event, NULL);
	unit_wait(is_set, &ended, "the grandchild's end");
	event_free(event);
	close(alive);
}
END_TEST

/* ---- draining ---- */

static void
idle(void *arg)
{
	++*(unsigned *)arg;
}

START_TEST(draining_reads_to_the_end)
{
	static struct outcome outcomes[2];
	unsigned idled = 0;
	int gate;

	ck_assert_int_eq(spawn_init(),
			 0);	     /* nobody reaps: they are no children of such a process */
	job_drain_all(idle, &idled); /* nothing */
	ck_assert_uint_eq(idled, 1);
	idled = 0;
	gate = open_gate();
	start("read y <$GATE; echo one", 0, &outcomes[0]);
	start("read y <$GATE; echo two", 0, &outcomes[1]);
	unsetenv("JOURNAL_STREAM");
	log_open(true);
	unit_capture();
	job_drain_all(idle, &idled);
	ck_assert_uint_eq(idled, 0);
	unit_release(gate);
	unit_release(gate);
	unit_wait(is_set, &idled, "the end of the output");
	ck_assert_ptr_nonnull(strstr(unit_captured(), "line=\"one\""));
	ck_assert_uint_eq(idled, 1);
	ck_assert_uint_eq(job_count(), 0);
	ck_assert_uint_eq(outcomes[0].done + outcomes[1].done, 0); /* nobody is told */
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
	tcase_add_test(tests, timeout_ends_it);
	tcase_add_test(tests, timeout_that_is_not_reached);
	tcase_add_test(tests, term_may_be_caught);
	tcase_add_test(tests, kill_comes_after_term);
	tcase_add_test(tests, kill_reaches_the_whole_group);
	tcase_add_test(tests, draining_reads_to_the_end);
	return suite;
}
