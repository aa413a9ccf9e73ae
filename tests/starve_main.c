/*
 * The daemon, starved: whatever it calls fails once, each call at each of its occurrences in a
 * session. First a session counts them. Each failure is a test of its own, whose name says what
 * fails: CK_RUN_CASE=openat/daemon@12=EMFILE tests/starve runs one.
 *
 *   STARVE_MOST=N    of each call no more than N failures, evenly spread; STARVE_SEED moves them
 *   STARVE_SHARE=I/N of those the Ith of N shares, for programs that run beside each other
 */
#include "config.h"

#include <sys/mman.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_daemon.h"
#include "fixture_place.h"
#include "jailfix.h"
#include "starve.h"
#include "starve_session.h"

#define SESSIONS_COUNTED 2
#define POINTS_MAX	 65536

/* What the sessions without a failure found, and what came of the others; shared with the tests. */
struct findings {
	unsigned counts[STARVE_ROLES][STARVE_CALLS_MAX];
	struct starve_usage usage[STARVE_LIVES];
	unsigned failed[STARVE_ROLES][STARVE_CALLS_MAX];
	unsigned not_met;
};

static struct findings *findings;
static struct starve_point points[POINTS_MAX];
static int point_count;

/* A test that failed leaves its memory behind. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return ("detect_leaks=0:handle_abort=0");
}

/* ---- the tests ---- */

static void
note_counts(void)
{
	const struct starve_plan *plan = starve_plan();
	unsigned role, call;

	for (role = 0; role < STARVE_ROLES; role++)
		for (call = 0; call < starve_call_count; call++)
			if (plan->counts[role][call] > findings->counts[role][call])
				findings->counts[role][call] = plan->counts[role][call];
}

START_TEST(nothing_fails)
{
	struct starve_session session = {.jail = NULL};
	unsigned life;

	NEEDS_ROOT;
	session_play(&session, NULL);
	note_counts();
	for (life = 0; life < STARVE_LIVES; life++)
		findings->usage[life] = session.usage[life];
}
END_TEST

START_TEST(something_fails)
{
	struct starve_session session = {.jail = NULL};
	struct starve_point *point = &starve_plan()->point;

	*point = points[_i];
	session_play(&session, findings->usage);
	if (session_has_failed())
		(void)__atomic_add_fetch(&findings->failed[point->role][point->call], 1,
					 __ATOMIC_SEQ_CST);
	else
		(void)__atomic_add_fetch(&findings->not_met, 1, __ATOMIC_SEQ_CST);
}
END_TEST

/* ---- which ---- */

struct choice {
	unsigned most; /* 0: all */
	unsigned seed, share, shares;
};

static unsigned
number_from(const char *variable)
{
	const char *value = getenv(variable);

	return (value == NULL ? 0 : (unsigned)strtoul(value, NULL, 10));
}

static struct choice
choose(void)
{
	struct choice choice = {
	    .most = number_from("STARVE_MOST"), .seed = number_from("STARVE_SEED"), .shares = 1};
	const char *share = getenv("STARVE_SHARE");

	if (share != NULL)
		(void)sscanf(share, "%u/%u", &choice.share, &choice.shares);
	return (choice);
}

static void
add_point(Suite *suite, const struct starve_point *point)
{
	char name[STARVE_NAME_SIZE];

	if (point_count == POINTS_MAX)
		return;
	starve_format_point(name, point);
	points[point_count] = *point;
	place_numbered_case(suite, strdup(name), something_fails, point_count++);
}

static unsigned
error_count(unsigned call)
{
	unsigned count = 0;

	while (count < STARVE_ERRORS_MAX && starve_calls[call].errors[count] != 0)
		count++;
	return (count);
}

/* Each occurrence in each way, or as many of them as were chosen. */
static void
add_call(Suite *suite, struct starve_point *point, const struct choice *choice)
{
	static unsigned serial;
	const unsigned ways = error_count(point->call);
	const unsigned all = findings->counts[point->role][point->call] * ways;
	const unsigned step = choice->most == 0 || all <= choice->most ? 1 : all / choice->most;
	unsigned i, added = 0;

	for (i = choice->seed % step; i < all; i += step) {
		if (choice->most != 0 && added++ == choice->most)
			break;
		point->occurrence = i / ways + 1;
		point->error = starve_calls[point->call].errors[i % ways];
		if (serial++ % choice->shares == choice->share)
			add_point(suite, point);
	}
}

static Suite *
failures(const char *name, unsigned from, unsigned to)
{
	const struct choice choice = choose();
	Suite *suite = suite_create(name);
	struct starve_point point;
	unsigned role;

	for (role = 0; role < STARVE_ROLES; role++)
		for (point.call = from; point.call < to; point.call++) {
			point.role = (enum starve_role)role;
			add_call(suite, &point, &choice);
		}
	return (suite);
}

static Suite *
counting(void)
{
	Suite *suite = suite_create("counting");
	int session;

	for (session = 0; session < SESSIONS_COUNTED; session++)
		PLACE_CASE(suite, nothing_fails);
	return (suite);
}

/* ---- the program ---- */

/* What can go wrong for longer than a call. */
static Suite *(*const conditions[])(void) = {starve_limits, starve_clock, starve_signals};

static int
run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_set_fork_status(runner, CK_FORK);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return (failed);
}

static void
report(void)
{
	unsigned role, call;

	for (role = 0; role < STARVE_ROLES; role++)
		for (call = 0; call < starve_call_count; call++)
			if (findings->counts[role][call] > 0)
				(void)printf("%s of the %s: %u failed, %u counted\n",
					     starve_calls[call].name, starve_role_name(role),
					     findings->failed[role][call],
					     findings->counts[role][call]);
	(void)printf("not met: %u\n", findings->not_met);
}

static bool
prepare(const char *self)
{
	daemon_know_self(self);
	if (access(daemon_binary(), X_OK) != 0) {
		(void)fprintf(stderr,
			      "%s: not there; JAILDAEMON_BUILD names the directory of the build\n",
			      daemon_binary());
		return (false);
	}
	findings = mmap(NULL, sizeof(*findings), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	return (findings != MAP_FAILED && host_reaper());
}

/* Counting comes before all, whatever was chosen. */
static int
count_first(void)
{
	static const char *const chosen[] = {"CK_RUN_CASE", "CK_RUN_SUITE"};
	const char *values[2];
	int i, failed;

	for (i = 0; i < 2; i++) {
		values[i] = getenv(chosen[i]);
		if (values[i] != NULL)
			values[i] = strdup(values[i]);
		(void)unsetenv(chosen[i]);
	}
	failed = run(counting());
	for (i = 0; i < 2; i++)
		if (values[i] != NULL)
			(void)setenv(chosen[i], values[i], 1);
	return (failed);
}

int
main(int argc, char **argv)
{
	size_t i;
	int failed;

	if (argc > 2 && strcmp(argv[1], STARVE_BECOME) == 0)
		return (starve_become(argv + 2));
	if (!prepare(argv[0]))
		return (EXIT_FAILURE);
	failed = count_first();
	for (i = 0; i < sizeof(conditions) / sizeof(conditions[0]) && choose().share == 0; i++)
		failed += run(conditions[i]());
	if (failed == 0)
		failed = run(failures("memory", 0, STARVE_FIRST_TRAPPED)) +
			 run(failures("calls", STARVE_FIRST_TRAPPED, starve_call_count));
	report();
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
