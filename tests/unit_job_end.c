/* Jobs that are ended by a time limit or a signal, and what is read of them when a daemon stops. */
#include "config.h"

#include "job.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "spawn.h"
#include "unit.h"
#include "unit_script.h"
#include "util.h"

/* Without a configuration. */
#define KILL_DELAY_MS 5000

static bool
has_output(void *arg)
{
	return job_output(arg)->used > 0;
}

/* ---- time limits ---- */

START_TEST(timeout_ends_it)
{
	struct unit_outcome outcome;

	unit_script_begin();
	unit_script_gate();
	unit_script_start("exec 2>&1; read y <$GATE", 50, &outcome);
	unit_script_wait(&outcome);
	ck_assert(outcome.timed_out);
	ck_assert_int_eq(outcome.status, SIGTERM);
}
END_TEST

START_TEST(timeout_that_is_not_reached)
{
	struct unit_outcome outcome;

	unit_script_begin();
	unit_script_start("echo x", 3600000, &outcome);
	unit_script_wait(&outcome);
	unit_script_check(&outcome, 0, "x\n");
}
END_TEST

START_TEST(term_may_be_caught)
{
	struct unit_outcome outcome;
	struct job *job;

	unit_script_begin();
	unit_script_gate();
	job = unit_script_start(
	    "trap 'echo bye; exit 9' TERM; echo x; while :; do read y <$GATE; done", 0, &outcome);
	unit_wait(has_output, job, "its first word");
	job_kill(job);
	job_kill(job); /* once is enough */
	unit_script_wait(&outcome);
	unit_script_check(&outcome, 9 << 8, "x\nbye\n");
}
END_TEST

START_TEST(kill_comes_after_term)
{
	struct unit_outcome outcome;
	struct job *job;
	int64_t since;

	unit_script_begin();
	unit_script_gate();
	job =
	    unit_script_start("trap '' TERM; echo x; while :; do read y <$GATE; done", 0, &outcome);
	unit_wait(has_output, job, "its first word");
	since = util_monotonic_ms();
	job_kill(job);
	unit_script_wait(&outcome);
	unit_script_check(&outcome, SIGKILL, "x\n");
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
	struct unit_outcome outcome;
	unsigned ended = 0;
	struct job *job;
	int alive;

	unit_script_begin();
	unit_script_gate();
	close(unit_gate("gate.alive"));
	alive = open(unit_path("gate.alive"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ck_assert_int_ne(alive, -1);
	job = unit_script_start(
	    "(trap '' TERM; exec 3>$GATE.alive; echo x; while :; do read y <$GATE; done) & wait", 0,
	    &outcome);
	unit_wait(has_output, job, "its first word");
	job_kill(job);
	unit_script_wait(&outcome);
	unit_script_check(&outcome, SIGTERM, "x\n");
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
	static struct unit_outcome outcomes[2];
	unsigned idled = 0;
	int gate;

	ck_assert_int_eq(spawn_init(),
			 0);	     /* nobody reaps: they are no children of such a process */
	job_drain_all(idle, &idled); /* nothing */
	ck_assert_uint_eq(idled, 1);
	idled = 0;
	gate = unit_script_gate();
	unit_script_start("read y <$GATE; echo one", 0, &outcomes[0]);
	unit_script_start("read y <$GATE; echo two", 0, &outcomes[1]);
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
unit_job_end(void)
{
	Suite *suite;
	TCase *tests = unit_case("job_end", &suite);

	tcase_add_test(tests, timeout_ends_it);
	tcase_add_test(tests, timeout_that_is_not_reached);
	tcase_add_test(tests, term_may_be_caught);
	tcase_add_test(tests, kill_comes_after_term);
	tcase_add_test(tests, kill_reaches_the_whole_group);
	tcase_add_test(tests, draining_reads_to_the_end);
	return suite;
}
