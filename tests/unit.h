/*
 * What the unit tests share. Each test runs in a process of its own, so each finds the library's
 * variables as a fresh daemon would.
 */
#ifndef UNIT_H
#define UNIT_H

#include <check.h>
#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "error.h"

/* The suites; each is a file of that name. */
Suite *unit_child(void);
Suite *unit_codec(void);
Suite *unit_codec_check(void);
Suite *unit_control(void);
Suite *unit_control_order(void);
Suite *unit_definition(void);
Suite *unit_job(void);
Suite *unit_linelog(void);
Suite *unit_listen(void);
Suite *unit_log(void);
Suite *unit_options(void);
Suite *unit_probe(void);
Suite *unit_queue(void);
Suite *unit_rate(void);
Suite *unit_registry(void);
Suite *unit_request(void);
Suite *unit_spawn(void);
Suite *unit_tail(void);
Suite *unit_title(void);
Suite *unit_util(void);

/* A suite with one case, whose time limit suits a slow machine. */
TCase *unit_case(const char *suite_name, Suite **suite);

/* Says on standard output that a test can't run here, and why. */
void unit_skip(const char *test, const char *why);

/* ---- time and events ---- */

/* The event loop of this test. */
struct event_base *unit_base(void);

/* Turns the event loop until done(arg), which is asked after each turn; what names it in the
 * failure that comes when it stays false. */
void unit_wait(bool (*done)(void *), void *arg, const char *what);

/* From now on the event loop reaps children and tells child_exited of them. */
void unit_reap_children(void);

/* ---- files ---- */

/* Before the tests: a directory for all of them; after: removes it. 0, or -1 with errno. */
int unit_files_begin(void);
void unit_files_end(void);

/* A directory of this test's own, that only its user may write. */
const char *unit_directory(void);

/* path inside it; valid until the test ends. */
const char *unit_path(const char *name);

/* ---- standard error ---- */

/* Standard error goes to a pipe until unit_captured, which returns what came, as one string that is
 * valid until the next. */
void unit_capture(void);
const char *unit_captured(void);

/* ---- JSON ---- */

/* Text with ' for " → value, with one reference for the caller. */
json_t *unit_json(const char *text);

/* ---- this program as a helper ---- */

/* What the process finds itself in, a fact a line on standard output. */
int unit_report(char *const *environment);
void unit_know_self(const char *argv0);
const char *unit_self(void);

/* ---- jails and arming, played by the test ---- */

/* A jail that jail_find finds from now on, by number and by name. */
struct jail_instance *unit_jail_begin(const char *name, pid_t jid);
void unit_jail_end(const char *name);

/* How many times the jails are held, together. */
unsigned unit_jails_held(void);

/* How many probes are on their way into a jail. */
unsigned unit_arms(void);

/* Title and ids of the newest of them. */
const char *unit_arm_title(void);
uid_t unit_arm_uid(void);
gid_t unit_arm_gid(void);

/* Ends the oldest. */
void unit_arm_succeed(pid_t);
void unit_arm_fail(const char *why);

#endif
