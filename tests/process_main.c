/*
 * The process tests: the real daemon, real jails. Each test is a case of its own:
 * CK_RUN_CASE=name tests/process runs one, CK_RUN_SUITE=name one subject. JAILDAEMON_TEST_KEEP
 * keeps the directories.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_daemon.h"
#include "fixture_suites.h"
#include "jailfix.h"

/* A test that failed leaves its memory behind, and the report tells of signals: only what the
 * daemon does is of interest. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return ("detect_leaks=0:handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:"
		"handle_abort=0");
}

static Suite *(*const suites[])(void) = {
    process_options,  process_client,  process_life,   process_death,
    process_inside,   process_run,     process_output, process_protocol,
    process_refusals, process_hostile, process_daemon, process_detached,
    process_group,    process_names,   process_notify,    process_limits,  process_races,  process_runtimes,
    process_sticky, process_storm, process_crowd,   process_status,   process_terminal,
    process_config,   process_upgrade, process_upgrade_clients, process_upgrade_daemon,
    process_watch,    process_watch_many,
};

int
main(int argc, char **argv, char **environment)
{
	SRunner *runner = srunner_create(NULL);
	size_t i;
	int failed;

	if (argc == 3 && strcmp(argv[1], "--report") == 0)
		return (process_report(argv[2], environment));
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
