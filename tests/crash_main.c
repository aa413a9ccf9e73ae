/*
 * What survives: the daemon is killed at every point that matters and at any other, its disk fails,
 * its state is damaged. CK_RUN_CASE=name tests/crash runs one test, CK_RUN_SUITE=name one subject.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "crash.h"
#include "fixture_daemon.h"
#include "jailfix.h"

/* A test that failed leaves its memory behind. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return ("detect_leaks=0:handle_abort=0");
}

static Suite *(*const suites[])(void) = {
    crash_points,
    crash_cycles,
    crash_disk,
    crash_found,
};

int
main(int argc, char **argv)
{
	SRunner *runner = srunner_create(NULL);
	size_t i;
	int failed;

	(void)argc;
	daemon_know_self(argv[0]);
	if (access(daemon_binary(), X_OK) != 0) {
		(void)fprintf(stderr,
			      "%s: not there; JAILDAEMON_BUILD names the directory of the build\n",
			      daemon_binary());
		return (EXIT_FAILURE);
	}
	if (!host_reaper()) {
		perror("reaper");
		return (EXIT_FAILURE);
	}
	for (i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		srunner_add_suite(runner, suites[i]());
	srunner_set_fork_status(runner, CK_FORK);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
