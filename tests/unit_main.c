/*
 * The unit tests: any user may run them, and they need nothing but this program. Each test is a
 * process of its own: CK_RUN_CASE=subject tests/unit runs one subject.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

static Suite *(*const suites[])(void) = {
    unit_util, unit_log, unit_linelog, unit_text, unit_tail,
    unit_definition, unit_limit, unit_jsonpos, unit_conf, unit_configured,
    unit_child, unit_ending, unit_newborn, unit_call, unit_spawn, unit_reaper,
    unit_start, unit_start_chain, unit_run, unit_run_many, unit_queue, unit_job, unit_job_end,
    unit_attach, unit_arm, unit_arm_party, unit_rate, unit_due, unit_jail, unit_sticky,
    unit_title, unit_probe, unit_probe_add, unit_registry, unit_stats, unit_tally, unit_show,
    unit_codec, unit_codec_check, unit_codec_event, unit_codec_record,
    unit_store, unit_store_found, unit_keep, unit_kept, unit_kept_runs, unit_state,
    unit_state_runs,
    unit_request, unit_request_line, unit_options, unit_listen, unit_control,
    unit_control_order,
    unit_ring, unit_tell, unit_watch, unit_watch_control, unit_watch_upgrade,
};

static int
run_all(void)
{
	SRunner *runner = srunner_create(NULL);
	int failed;

	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		srunner_add_suite(runner, suites[i]());
	srunner_set_fork_status(runner, CK_FORK);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed;
}

int
main(int argc, char **argv, char **environment)
{
	int failed;

	if (argc == 2 && strcmp(argv[1], "--report") == 0)
		return unit_report(environment);
	unit_know_self(argv[0]);
	if (unit_files_begin() != 0) {
		perror("a directory for the tests");
		return EXIT_FAILURE;
	}
	failed = run_all();
	unit_files_end();
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
