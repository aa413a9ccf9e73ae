/*
 * The attacks: a hostile root in a jail, other users, clients of ill will. Each promise is a test
 * of its own: CK_RUN_CASE=name tests/hostile runs one, CK_RUN_SUITE=name one subject.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_daemon.h"
#include "fixture_suites.h"
#include "hostile.h"
#include "jailfix.h"

const char *__asan_default_options(void);

/* A test that failed leaves its memory behind, and attackers die of signals. */
const char *
__asan_default_options(void)
{
	return ("detect_leaks=0:handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:"
		"handle_abort=0");
}

static Suite *(*const suites[])(void) = {
    hostile_signals, hostile_socket, hostile_lines, hostile_flood, hostile_command, hostile_words,
};

static int
run_suites(void)
{
	SRunner *runner = srunner_create(NULL);
	size_t i;
	int failed;

	for (i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		srunner_add_suite(runner, suites[i]());
	for (i = 0; hostile_os_suites[i] != NULL; i++)
		srunner_add_suite(runner, hostile_os_suites[i]());
	srunner_set_fork_status(runner, CK_FORK);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

int
main(int argc, char **argv, char **environment)
{
	if (hostile_fake_is_asked(argc, argv))
		return (hostile_fake());
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
	return (run_suites());
}
