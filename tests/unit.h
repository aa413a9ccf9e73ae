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

#include "attach_wire.h"
#include "error.h"
#include "newborn.h"
#include "probe.h"

/* The suites; each is a file of that name. */
Suite *unit_arm(void);
Suite *unit_arm_party(void);
Suite *unit_attach(void);
Suite *unit_call(void);
Suite *unit_child(void);
Suite *unit_codec(void);
Suite *unit_codec_check(void);
Suite *unit_codec_event(void);
Suite *unit_codec_record(void);
Suite *unit_conf(void);
Suite *unit_configured(void);
Suite *unit_control(void);
Suite *unit_control_order(void);
Suite *unit_definition(void);
Suite *unit_due(void);
Suite *unit_ending(void);
Suite *unit_jail(void);
Suite *unit_job(void);
Suite *unit_job_end(void);
Suite *unit_jsonpos(void);
Suite *unit_keep(void);
Suite *unit_kept(void);
Suite *unit_kept_runs(void);
Suite *unit_limit(void);
Suite *unit_linelog(void);
Suite *unit_listen(void);
Suite *unit_log(void);
Suite *unit_newborn(void);
Suite *unit_options(void);
Suite *unit_probe(void);
Suite *unit_probe_add(void);
Suite *unit_queue(void);
Suite *unit_rate(void);
Suite *unit_reaper(void);
Suite *unit_registry(void);
Suite *unit_request(void);
Suite *unit_request_line(void);
Suite *unit_ring(void);
Suite *unit_run(void);
Suite *unit_run_many(void);
Suite *unit_spawn(void);
Suite *unit_start(void);
Suite *unit_start_chain(void);
Suite *unit_state(void);
Suite *unit_state_runs(void);
Suite *unit_show(void);
Suite *unit_stats(void);
Suite *unit_store(void);
Suite *unit_store_found(void);
Suite *unit_sticky(void);
Suite *unit_tail(void);
Suite *unit_tally(void);
Suite *unit_text(void);
Suite *unit_tell(void);
Suite *unit_title(void);
Suite *unit_util(void);
Suite *unit_watch(void);
Suite *unit_watch_control(void);
Suite *unit_watch_upgrade(void);

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

/* From now on the event loop reaps children and tells child_exited of them; how many it has. */
void unit_reap_children(void);
unsigned unit_reaped(void);
void unit_wait_reaped(unsigned count);

/* ---- children ---- */

/* One in our memory, whose start must succeed. */
pid_t unit_newborn_start(struct newborn *, newborn_life *, const void *arg);

/* Waits for the end of a child, whose status, as waitpid tells it, must be the wanted one. */
void unit_reap(pid_t, int wanted);

/* For unit_wait: that no process has this number any more; arg: a pid_t. */
bool unit_is_reaped(void *arg);

/* ---- files ---- */

/* Before the tests: a directory for all of them; after: removes it. 0, or -1 with errno. */
int unit_files_begin(void);
void unit_files_end(void);

/* A directory of this test's own, that only its user may write. */
const char *unit_directory(void);

/* path inside it; valid until the test ends. */
const char *unit_path(const char *name);

/* ---- the state directory of this test ---- */

const char *unit_state_directory(void);

/* A file in it; valid until the next. */
const char *unit_state_path(const char *name);

/* Makes it, and probes are kept in it from now on. */
void unit_state_begin(void);

bool unit_state_has(const char *name);
void unit_state_write(const char *name, const char *text);

/* That it has exactly this text; what it says, with one reference for the caller. */
void unit_state_check(const char *name, const char *wanted);
json_t *unit_state_read(const char *name);

/* A member of its record that is a number. */
int64_t unit_state_count(const char *file, const char *member);

/* ---- records that are found in it, and the probes that come of them ---- */

/* The instance of the jail "www" that unit_life_begin begins, ' for ". */
#define UNIT_WWW "'instance':{'jid':4711,'born':0,'pid_namespace':0,'known_as':'','boot':'1'}"

/* A record of it with these members beside. */
#define UNIT_RECORD(number, members) \
	"{'format':1,'probe':" #number ",'created':1700000000123,'jail':'www'," members "," UNIT_WWW "}"

/* As unit_state_write; ' stands for ". */
void unit_state_put(const char *name, const char *text);

/* Brings back all probes. Returns what was logged. */
const char *unit_state_restore(void);

/* The configured single shots that have had their run, as state_restore tells: how many, and the last. */
struct unit_spent {
	unsigned count;
	uint64_t number;
	char name[DEFINITION_NAME_MAX + 1];
};
extern struct unit_spent unit_state_spent;

/* For state_restore: counts them. */
void unit_state_spend(const struct definition *, uint64_t number);

/* ---- standard error ---- */

/* Standard error goes to a file until unit_captured, which returns what came, as one string that is
 * valid until the next. */
void unit_capture(void);
const char *unit_captured(void);

/* ---- JSON ---- */

/* A copy of text with " for each ', to be freed with free(). */
char *unit_quotes(const char *text);

/* Text with ' for " → value, with one reference for the caller. */
json_t *unit_json(const char *text);

/* ---- this program as a helper ---- */

/* What the process finds itself in, a fact a line on standard output. */
int unit_report(char *const *environment);

/* All that comes out of the pipe until its end, which is closed; valid until the next call. Whether one of its lines is
 * this one. */
const char *unit_read_all(int fd);
bool unit_has_line(const char *text, const char *line);
void unit_know_self(const char *argv0);
const char *unit_self(void);

/* ---- jails and attaching, played by the test ---- */

/* A jail that jail_find finds from now on, by number and by name; and its end. */
void unit_jail_begin(const char *name, pid_t jid);
void unit_jail_end(const char *name);
void unit_host_boot(void); /* what was saved before is of another boot now */

/* How often a jail has been looked for. */
unsigned unit_jail_looks(void);

/* The system tells that a jail may have begun; whether anybody wants to know. */
void unit_runtime_changes(void);
bool unit_runtime_watched(void);

/* How many attaches are under way. Below they are meant by their places; the oldest has 0. */
unsigned unit_attaches(void);

const char *unit_attach_title(unsigned place);
void unit_attach_parties(unsigned size); /* so many share a helper; 1 at first */
void unit_attach_check_ids(unsigned place, uid_t, gid_t);

/* Reports of the probe, and the end of its pipe, which also turns the event loop. */
void unit_attach_report(unsigned place, enum attach_stage, int value);
void unit_attach_end(unsigned place);

/* The whole of an attach. */
void unit_attach_succeed(unsigned place, pid_t);
void unit_attach_fail(unsigned place);
#define UNIT_ATTACH_FAILED \
	"the probe could not execute the probe program: No such file or directory"

/* Turns the event loop until so many are under way. */
void unit_attach_wait(unsigned count);

/* A child that ends as a probe does when it is sent a HUP, and exits with 0 at USR1, 1 at USR2. */
pid_t unit_probe_process(void);

/* ---- commands that can't be started ---- */

/* So many that are begun from now on fail with this errno between their birth and their exec; how many
 * still are to. */
void unit_starts_fail(unsigned count, int error);
unsigned unit_starts_to_fail(void);

/* All others are on their way for so long that others are begun meanwhile. */
void unit_starts_linger(void);

/* ---- a probe's life ---- */

/* Asks for a jail by this name, of which the definition has a copy. */
void unit_name_jail(struct definition *, const char *name);

/* How an add was answered. */
struct unit_added {
	unsigned count;
	struct probe *probe; /* NULL: error */
	struct error error;
};

/* For probe_add; arg: a struct unit_added. */
void unit_life_added(void *arg, struct probe *, const struct error *);

/* A jail "www", and all that a probe in it needs. */
void unit_life_begin(void);

/* A definition for it; the waiting one's command needs a unit_release of the gate to end. */
struct definition unit_life_define(const char *shell, enum respawn);
struct definition unit_life_define_waiting(enum respawn);
extern int unit_life_gate;

/* Adds a probe and arms it; arms it again; sends it a HUP. All with a real process. */
struct probe *unit_life_add(struct definition);
void unit_life_rearm(const struct probe *);
void unit_life_press(const struct probe *);

/* Turns the event loop until the probe is in that state, after so many runs. */
void unit_life_wait(struct probe *, enum probe_state, uint64_t runs);

/* How a removal or a trigger was answered. */
struct unit_done {
	unsigned count;
	enum probe_state state; /* of the probe, just then */
	bool failed;
	struct error error;
};

/* For probe_remove and probe_trigger; arg: a struct unit_done. */
void unit_life_done(void *arg, struct probe *, const struct error *);

/* Removes a probe where nothing is kept: that is answered from within the call. */
void unit_life_remove(struct probe *, bool kill_runs);

/* As unit_life_begin, and from now on probes are kept. */
void unit_life_begin_kept(void);

/* That an answer has come, for unit_wait; arg: a struct unit_added, or a struct unit_done. */
bool unit_life_is_answered(void *arg);
bool unit_life_is_done(void *arg);

/* Adds a probe that is kept and arms it; its answer is still to come. */
void unit_life_arm_kept(struct definition, unsigned flags, struct unit_added *);

/* Likewise, until the answer; and removes it, runs and all. */
struct probe *unit_life_add_kept(struct definition, unsigned flags);
void unit_life_remove_kept(struct probe *);

/* No probe is there, and none on its way. */
void unit_life_check_clean(void);

/* ---- commands that wait for the test ---- */

/* A fifo of that name in unit_directory; reading from it blocks a command until unit_release has
 * been called as often. Returns the test's own descriptor. */
int unit_gate(const char *name);
void unit_release(int gate);

/* ---- clients of the control socket ---- */

struct unit_client {
	int fd;
	char *text; /* all that came, terminated */
	size_t length;
	bool ended; /* the daemon has closed */
	struct event *readable;
};

/* Listens on the path that it returns. */
const char *unit_control_begin(void);

void unit_client_open(struct unit_client *, const char *path);
void unit_client_close(struct unit_client *);

/* ' stands for ". Turns the event loop as long as the daemon doesn't read. */
void unit_client_send(struct unit_client *, const char *text);
void unit_client_send_bytes(struct unit_client *, const char *bytes, size_t length);

/* No more will be sent. */
void unit_client_end(struct unit_client *);

/* Turns the event loop until so many lines have come, or until the daemon has closed. */
void unit_client_wait_lines(struct unit_client *, unsigned lines);
void unit_client_wait_end(struct unit_client *);

unsigned unit_client_lines(const struct unit_client *);

/* That all that came is exactly this, ' for ". */
void unit_client_check(const struct unit_client *, const char *wanted);

/* Turns the event loop until it has nothing to do but wait. */
void unit_settle(void);

#endif
