/* Runs that begin within one turn of the reaper, when their commands overlap (start.h): probes with
 * real processes and commands, in jails that the test plays. */
#include "config.h"

#include "run.h"

#include <sys/wait.h>

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "queue.h"
#include "reaper.h"
#include "start.h"
#include "stats.h"
#include "unit.h"
#include "util.h"

#define PROBES 12 /* more than are on their way at once */

static const char *told_path; /* where each run writes who it is */
static const char *gate_path;

static void
begin(void)
{
	unit_life_begin();
	told_path = unit_path("told");
	gate_path = unit_path("gate");
}

/* A script that writes which run it is, and ends; or waits at the gate, and will say no more. */
static struct definition
define(enum respawn respawn, bool waits)
{
	char script[3 * PATH_MAX];
	int length;

	length = snprintf(script, sizeof(script), "echo $JAILDAEMON_PROBE $JAILDAEMON_RUN >>%s",
			  told_path);
	if (waits)
		snprintf(script + length, sizeof(script) - (size_t)length,
			 "; exec >/dev/null 2>&1; read x <%s", gate_path);
	return unit_life_define(script, respawn);
}

/* A line of each run, complete once it has ended; before the first one there is a newline, too. */
static const char *
told_runs(void)
{
	static char text[4096] = "\n";
	FILE *file = fopen(told_path, "r");
	size_t length = file == NULL ? 0 : fread(text + 1, 1, sizeof(text) - 2, file);

	text[1 + length] = '\0';
	if (file != NULL)
		fclose(file);
	return text;
}

/* That the runs of this probe were told these numbers, each once. */
static void
check_numbers(const struct probe *probe, uint64_t count)
{
	char line[64];

	for (uint64_t run = 1; run <= count; run++) {
		const char *text = told_runs(), *found;

		snprintf(line, sizeof(line), "\n%llu %llu\n", (unsigned long long)probe->number,
			 (unsigned long long)run);
		found = strstr(text, line);
		ck_assert_msg(found != NULL, "no run %s in:%s", line, text);
		ck_assert_msg(strstr(found + 1, line) == NULL, "run %s twice in:%s", line, text);
	}
}

static void
check_balance(const struct probe *probe)
{
	ck_assert_uint_eq(probe->triggers, probe->runs + probe->coalesced + run_waiting(probe));
	ck_assert_uint_le(probe->pending, run_waiting(probe));
}

/* ---- presses ---- */

/* Until its process is a zombie, of which nobody has been told. */
static void
press(const struct probe *probe)
{
	siginfo_t info;

	unit_life_press(probe);
	ck_assert_int_eq(waitid(P_PID, (id_t)probe->pid, &info, WEXITED | WNOWAIT), 0);
}

/* One more while it isn't armed: of a former life, or from the host. */
static void
press_more(struct probe *probe)
{
	probe->triggers++;
	stats.triggers++;
	run_request(probe);
}

static bool
has_no_run(void *arg)
{
	const struct probe *probe = arg;

	return probe->active == 0 && run_waiting(probe) == 0;
}

static void
wait_runs(struct probe *probe, uint64_t runs)
{
	unit_wait(has_no_run, probe, "the end of its runs");
	ck_assert_uint_eq(probe->runs, runs);
	check_balance(probe);
}

/* ---- one probe ---- */

START_TEST(the_next_one_waits_for_its_number)
{
	struct probe *probe;

	begin();
	unit_starts_linger();
	probe = unit_life_add(define(RESPAWN_NOW, false));
	start_overlap(true);
	for (unsigned i = 1; i <= 3; i++) {
		press_more(probe);
		ck_assert_uint_eq(probe->active, 1);
		ck_assert_uint_eq(run_waiting(probe), i);
		check_balance(probe);
	}
	start_overlap(false);
	ck_assert_uint_eq(probe->runs, 3);
	ck_assert_uint_eq(probe->active, 3);
	wait_runs(probe, 3);
	check_numbers(probe, 3);
	ck_assert_int_eq(stats.runs, 3);
	ck_assert_int_eq(stats.runs_ok, 3);
	unit_life_remove(probe, false);
}
END_TEST

/* Each of several probes has its own numbers, and none waits for another. */
START_TEST(others_do_not_wait_for_it)
{
	struct probe *probes[3];

	begin();
	for (int i = 0; i < 3; i++)
		probes[i] = unit_life_add(define(RESPAWN_NOW, false));
	start_overlap(true);
	for (int i = 0; i < 9; i++)
		press_more(probes[i % 3]);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(probes[i]->active, 1);
	start_overlap(false);
	for (int i = 0; i < 3; i++) {
		wait_runs(probes[i], 3);
		check_numbers(probes[i], 3);
		unit_life_remove(probes[i], false);
	}
}
END_TEST

static struct job_saved
job_at(const struct probe *probe, unsigned place)
{
	struct run_saved saved;

	ck_assert(run_save(probe, place, &saved));
	return saved.job;
}

static bool
two_say_no_more(void *arg)
{
	return job_at(arg, 0).output_fd < 0 && job_at(arg, 1).output_fd < 0;
}

/* What has said all can end in the reaper's turn; then those that wait take its place. */
static void
end_two(struct probe *probe)
{
	pid_t first = job_at(probe, 0).pid, second = job_at(probe, 1).pid;
	siginfo_t info;

	unit_release(unit_life_gate);
	unit_release(unit_life_gate);
	ck_assert_int_eq(waitid(P_PID, (id_t)first, &info, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(waitid(P_PID, (id_t)second, &info, WEXITED | WNOWAIT), 0);
	start_overlap(true);
	ck_assert(child_reap(first));
	ck_assert_uint_eq(probe->active, 2); /* the other one, and one that is on its way */
	ck_assert(child_reap(second));
	ck_assert_uint_eq(probe->active, 1);
	check_balance(probe);
	start_overlap(false);
}

START_TEST(two_end_while_more_wait)
{
	struct definition def;
	struct probe *probe;

	begin();
	def = define(RESPAWN_NOW, true);
	def.max_runs = 2;
	probe = unit_life_add(def);
	press_more(probe);
	press_more(probe);
	unit_wait(two_say_no_more, probe, "all that they say");
	probe->triggers += 3;
	run_restore(probe, probe->jail, 3);
	check_balance(probe);
	end_two(probe);
	ck_assert_uint_eq(probe->runs, 4);
	ck_assert_uint_eq(probe->active, 2);
	ck_assert_uint_eq(probe->pending, 1);
	check_balance(probe);
	for (int i = 0; i < 3; i++)
		unit_release(unit_life_gate);
	wait_runs(probe, 5);
	check_numbers(probe, 5);
	unit_life_remove(probe, false);
}
END_TEST

/* Of those that are on their way as of those that have executed. */
START_TEST(presses_beyond_max_runs_are_one)
{
	struct definition def;
	struct probe *probe;

	begin();
	def = define(RESPAWN_NOW, false);
	def.max_runs = 2;
	probe = unit_life_add(def);
	start_overlap(_i != 0);
	for (int i = 0; i < 6; i++) {
		press_more(probe);
		check_balance(probe);
	}
	start_overlap(false);
	check_balance(probe);
	ck_assert_uint_eq(probe->runs, 2);
	ck_assert_uint_eq(probe->coalesced, 3);
	wait_runs(probe, 3);
	check_numbers(probe, 3);
	unit_life_remove(probe, false);
}
END_TEST

/* ---- what can't be started ---- */

static struct definition
define_missing(enum respawn respawn)
{
	char program[] = "/nonexistent/command", *argv[] = {program, NULL};
	struct definition def = unit_life_define("", respawn);

	free(def.shell);
	def.shell = NULL;
	def.argv = util_copy_strings(argv);
	return def;
}

START_TEST(what_is_not_there_is_a_run)
{
	struct probe *probe;

	begin();
	probe = unit_life_add(define_missing(RESPAWN_NOW));
	start_overlap(true);
	for (int i = 0; i < 3; i++)
		press_more(probe);
	ck_assert_uint_eq(run_waiting(probe), 3);
	check_balance(probe);
	start_overlap(false);
	ck_assert_uint_eq(probe->runs, 3);
	ck_assert(has_no_run(probe));
	check_balance(probe);
	ck_assert_int_eq(probe->last.status, 127 << 8);
	ck_assert_int_eq(stats.runs_failed, 3);
	unit_life_remove(probe, false);
}
END_TEST

/* Its trigger waits again, and the next one behind it; nothing of the failed one is left. */
START_TEST(what_lacks_something_is_started_later)
{
	struct probe *probe;

	begin();
	probe = unit_life_add(define(RESPAWN_NOW, false));
	start_overlap(true);
	unit_starts_fail(1, EAGAIN);
	press_more(probe);
	press_more(probe);
	ck_assert_uint_eq(unit_starts_to_fail(), 0);
	ck_assert_uint_eq(probe->active, 1);
	start_overlap(false);
	ck_assert_uint_eq(probe->runs, 0);
	ck_assert_uint_eq(probe->active, 0);
	ck_assert_uint_eq(probe->pending, 2);
	ck_assert_uint_eq(job_count(), 0);
	ck_assert_int_eq(stats.runs, 0);
	ck_assert_int_eq(probe_state(probe), PROBE_ARMED);
	check_balance(probe);
	wait_runs(probe, 2);
	check_numbers(probe, 2);
	unit_life_remove(probe, false);
}
END_TEST

/* A press that comes after the failure doesn't make it hurry. */
START_TEST(a_press_after_the_failure_waits_with_it)
{
	struct probe *probe;

	begin();
	probe = unit_life_add(define(RESPAWN_NOW, false));
	press_more(probe);
	wait_runs(probe, 1);
	start_overlap(true);
	unit_starts_fail(1, ENOMEM);
	press_more(probe);
	start_overlap(false);
	ck_assert_uint_eq(probe->pending, 1);
	start_overlap(true);
	press_more(probe);
	start_overlap(false);
	ck_assert_uint_eq(probe->pending, 2);
	ck_assert_uint_eq(probe->runs, 1);
	check_balance(probe);
	wait_runs(probe, 3);
	check_numbers(probe, 3);
	unit_life_remove(probe, false);
}
END_TEST

/* ---- many probes ---- */

static struct probe *probes[PROBES];

/* Each is held, because a single shot ends with its run. */
typedef struct definition make_definition(int place);

static void
add_all(make_definition *make)
{
	for (int i = 0; i < PROBES; i++) {
		probes[i] = unit_life_add(make(i));
		probe_hold(probes[i]);
	}
}

static struct definition
single_shot(int place)
{
	(void)place;
	return define(RESPAWN_NO, false);
}

static struct definition
often_missing(int place)
{
	return place % 3 == 1 ? define_missing(RESPAWN_NO) : define(RESPAWN_NO, false);
}

/* As the reaper's turn does it. */
static void
press_all_in_one_turn(void)
{
	for (int i = 0; i < PROBES; i++)
		press(probes[i]);
	start_overlap(true);
	for (int i = 0; i < PROBES; i++) {
		ck_assert(child_reap(probes[i]->pid));
		ck_assert_uint_eq(probes[i]->triggers, 1);
		check_balance(probes[i]);
	}
	start_overlap(false);
	for (int i = 0; i < PROBES; i++)
		check_balance(probes[i]);
}

static bool
all_are_gone(void *arg)
{
	(void)arg;
	for (int i = 0; i < PROBES; i++)
		if (!has_no_run(probes[i]) || probe_state(probes[i]) != PROBE_GONE)
			return false;
	return true;
}

static void
wait_all_gone(void)
{
	unit_wait(all_are_gone, NULL, "the end of all of them");
	for (int i = 0; i < PROBES; i++) {
		ck_assert_uint_eq(probes[i]->runs, 1);
		ck_assert_uint_eq(probes[i]->coalesced, 0);
		check_balance(probes[i]);
	}
	ck_assert_int_eq(stats.runs, PROBES);
	ck_assert_uint_eq(job_count(), 0);
	unit_life_check_clean();
}

START_TEST(many_in_one_turn)
{
	begin();
	unit_starts_linger();
	add_all(single_shot);
	press_all_in_one_turn();
	for (int i = 0; i < PROBES; i++)
		ck_assert_uint_eq(probes[i]->runs, 1);
	wait_all_gone();
	for (int i = 0; i < PROBES; i++)
		check_numbers(probes[i], 1);
}
END_TEST

START_TEST(some_of_many_are_not_there)
{
	begin();
	add_all(often_missing);
	press_all_in_one_turn();
	wait_all_gone();
	for (int i = 0; i < PROBES; i++) {
		ck_assert_int_eq(probes[i]->last.status, i % 3 == 1 ? 127 << 8 : 0);
		if (i % 3 != 1)
			check_numbers(probes[i], 1);
	}
}
END_TEST

/* More than have a place, or fewer: those that lacked something have given theirs back. */
START_TEST(some_of_many_lack_something)
{
	static const unsigned limits_of_runs[] = {16, 2, 3};

	begin();
	queue_set_limit(limits_of_runs[_i]);
	add_all(single_shot);
	unit_starts_fail(3, EAGAIN);
	press_all_in_one_turn();
	ck_assert_uint_le(job_count(), limits_of_runs[_i]);
	wait_all_gone();
	ck_assert_uint_eq(unit_starts_to_fail(), 0);
	for (int i = 0; i < PROBES; i++)
		check_numbers(probes[i], 1);
}
END_TEST

/* ---- the reaper itself ---- */

static unsigned turns;
static bool in_turn;

static void
turn(bool begins)
{
	ck_assert(begins != in_turn); /* or the event loop would run while starts overlap */
	in_turn = begins;
	turns += begins;
	start_overlap(begins);
}

static bool
have_begun(void *arg)
{
	return turns >= *(unsigned *)arg;
}

/* Those that were named have a turn, and the walk that comes after them. */
static void
wait_two_turns(void)
{
	unsigned wanted = turns + 2;
	pid_t pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid == 0)
		_exit(0);
	unit_wait(have_begun, &wanted, "two turns of the reaper");
	ck_assert(!in_turn);
}

START_TEST(the_reaper_lets_them_overlap)
{
	begin();
	add_all(often_missing);
	ck_assert_int_eq(reaper_start(unit_base(), turn), 0);
	for (int i = 0; i < PROBES; i++)
		press(probes[i]);
	wait_all_gone();
	ck_assert_uint_gt(turns, 0);
	wait_two_turns();
	for (int i = 0; i < PROBES; i++)
		if (i % 3 != 1)
			check_numbers(probes[i], 1);
}
END_TEST

Suite *
unit_run(void)
{
	Suite *suite;
	TCase *tests = unit_case("run", &suite);

	tcase_add_test(tests, the_next_one_waits_for_its_number);
	tcase_add_test(tests, others_do_not_wait_for_it);
	tcase_add_test(tests, two_end_while_more_wait);
	tcase_add_loop_test(tests, presses_beyond_max_runs_are_one, 0, 2);
	tcase_add_test(tests, what_is_not_there_is_a_run);
	tcase_add_test(tests, what_lacks_something_is_started_later);
	tcase_add_test(tests, a_press_after_the_failure_waits_with_it);
	tcase_add_test(tests, many_in_one_turn);
	tcase_add_test(tests, some_of_many_are_not_there);
	tcase_add_loop_test(tests, some_of_many_lack_something, 0, 3);
	tcase_add_test(tests, the_reaper_lets_them_overlap);
	return suite;
}
