#ifndef FIXTURE_PLACE_H
#define FIXTURE_PLACE_H

#include <check.h>
#include <stdbool.h>

/*
 * The private place of one test: a directory with its socket, its pidfile, its state directory, its
 * log and its effect files. place_make and place_clear run in the parent of the test's process, so
 * that a test that failed or hung is cleaned up after like any other.
 */
struct place {
	char dir[80];
	char sock[96];
	char pidfile[96];
	char state[96]; /* not there before a daemon makes it */
	char log[96];
};

/* The place of the test that runs now. */
const struct place *place(void);

/* The path of a file in it; one of sixteen buffers, used in turn. */
const char *place_at(const char *name);

/* Adds a test to a suite, as a case of its own: its place is made before and cleared after it. */
void place_case(Suite *suite, const char *name, const TTest *test);

/* The same, for a test that is run with many numbers: it finds its own in _i. */
void place_numbered_case(Suite *suite, const char *name, const TTest *test, int number);

#define PLACE_CASE(suite, test) place_case((suite), #test, (test))

/* A shell command that is run when the test is over, whatever became of it, and all its processes
 * have been killed. */
void place_afterwards(const char *command);

/* Says on standard output that a test does not run here, and why. */
void place_skip(const char *function, const char *reason);

#define SKIP(reason) \
	do { \
		place_skip(__func__, (reason)); \
		return; \
	} while (0)

#define SKIP_UNLESS(condition, reason) \
	do { \
		if (!(condition)) \
			SKIP(reason); \
	} while (0)

bool place_is_root(void);

#define NEEDS_ROOT SKIP_UNLESS(place_is_root(), "needs root")

/* The path of a tool in PATH, or null. The answer lies in a static buffer. */
const char *place_tool(const char *name);

#endif
