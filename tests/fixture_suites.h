#ifndef FIXTURE_SUITES_H
#define FIXTURE_SUITES_H

#include <check.h>

/* The suites of tests/process; each is a file of that name. */
Suite *process_options(void);
Suite *process_client(void);
Suite *process_config(void);
Suite *process_life(void);
Suite *process_death(void);
Suite *process_inside(void);
Suite *process_run(void);
Suite *process_output(void);
Suite *process_protocol(void);
Suite *process_refusals(void);
Suite *process_hostile(void);
Suite *process_daemon(void);
Suite *process_group(void);
Suite *process_detached(void);
Suite *process_names(void);
Suite *process_notify(void);
Suite *process_limits(void);
Suite *process_races(void);
Suite *process_runtimes(void);
Suite *process_status(void);
Suite *process_sticky(void);
Suite *process_storm(void);
Suite *process_crowd(void);
Suite *process_terminal(void);
Suite *process_upgrade(void);
Suite *process_upgrade_clients(void);
Suite *process_upgrade_daemon(void);
Suite *process_watch(void);
Suite *process_watch_many(void);

/* What a run finds itself in, written to a file by this program when the daemon runs it. */
int process_report(const char *path, char **environment);

#endif
