/*
 * The session: everything that a daemon can be asked, from its start to its next start on what it
 * has kept. Each button appends its name to the file "ran"; what must be there is counted beside
 * it.
 */
#include "config.h"

#include <sys/stat.h>

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_config.h"
#include "fixture_ctl.h"
#include "fixture_file.h"
#include "fixture_inside.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "fixture_wait.h"
#include "jailfix_names.h"
#include "starve.h"
#include "starve_session.h"

/* What would have to be waited for comes soon. */
#define CONFIGURATION \
	"{'kill_delay':0.05,'drain_delay':0.2,'jail_poll':0.05,'rearm_delay':0.02," \
	"'rearm_delay_max':0.1,'interval':0}"

#define LATER "starve_later" /* a jail that is not there at first */

/* Looks for what is there without a failure, and what a failure may leave in memory beside it:
 * events that tell of it. */
#define LOOKS	     30
#define SPARE_BLOCKS 8

#define NEWS_MS 100

/* ---- waiting ---- */

/* Whatever changes for a probe is logged: without a new line there is no need to ask, for a while.
 */
static void
await_news(off_t *seen)
{
	long long deadline = wait_now() + NEWS_MS;
	struct stat log;

	while (stat(place()->log, &log) == 0 && log.st_size == *seen && wait_left(deadline) > 0)
		wait_breath();
	*seen = log.st_size;
}

/* What was pressed had died of what failed, and unpressed another one has taken its place. */
static bool
was_in_vain(const json_t *pressed, const json_t *now)
{
	return (strcmp(ctl_string(now, "state"), "armed") == 0 &&
		ctl_int(now, "pid") != ctl_int(pressed, "pid") &&
		ctl_int(now, "triggers") == ctl_int(pressed, "triggers"));
}

/* The probe object, once it has this state and has had so many runs; or once it was pressed in vain
 * (null: it was not pressed). */
static json_t *
await_press(struct starve_session *session, const char *name, const char *state, int runs,
	    const json_t *pressed)
{
	long long deadline = wait_now() + WAIT_PATIENCE_MS;
	json_t *probe;
	off_t seen = 0;

	for (;;) {
		probe = session_get(session, name);
		if (strcmp(ctl_string(probe, "state"), state) == 0 &&
		    ctl_int(probe, "runs") >= runs)
			return (probe);
		if (pressed != NULL && was_in_vain(pressed, probe))
			return (probe);
		ck_assert_msg(wait_left(deadline) > 0, "not %s with %d runs: %s", state, runs,
			      json_dumps(probe, JSON_COMPACT));
		json_decref(probe);
		await_news(&seen);
	}
}

static json_t *
await(struct starve_session *session, const char *name, const char *state, int runs)
{
	return (await_press(session, name, state, runs, NULL));
}

static void
await_armed(struct starve_session *session, const char *name)
{
	json_decref(await(session, name, "armed", 0));
}

/* ---- presses ---- */

static const char *
appending(const char *name)
{
	static char command[256];

	(void)snprintf(command, sizeof(command), "echo %s; echo %s >> %s", name, name,
		       place_at("ran"));
	return (command);
}

/* The pid that a process of this host's has in its jail. */
static pid_t
inner_pid(pid_t pid)
{
	char path[64], *text, *at;
	int inner = -1;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	text = file_text(path);
	if ((at = strstr(text, "\nNSpid:")) != NULL)
		(void)sscanf(at, "\nNSpid: %*d %d", &inner);
	free(text);
	return (inner);
}

struct effect {
	const char *name;
	int least;
};

static bool
has_run(void *arg)
{
	const struct effect *effect = arg;

	return (file_count(place_at("ran"), effect->name) >= effect->least);
}

/* A run that could not be started is still a run; but what failed in a child may have kept it from
 * its command. */
static void
check_effect(const char *name, int runs)
{
	const struct starve_point *point = &starve_plan()->point;
	int may_lack = session_has_failed() && point->role == STARVE_CHILD;
	struct effect effect = {name, runs - may_lack};

	ck_assert_msg(wait_until(has_run, &effect), "%s ran %d times and not %d", name,
		      file_count(place_at("ran"), name), runs);
	ck_assert_int_le(file_count(place_at("ran"), name), runs);
}

/* HUP from inside. What has died of what failed may be gone by then. */
static void
signal_probe(struct starve_session *session, const json_t *probe)
{
	pid_t inside = inner_pid((pid_t)ctl_int(probe, "pid"));
	int failed = ESRCH;

	if (inside > 0)
		failed = inside_signal(session->jail, INSIDE_ROOT, inside, SIGHUP);
	ck_assert(failed == 0 || (failed == ESRCH && session_has_failed()));
}

/* The probe object once there was one run more, and it is in this state. */
static json_t *
hang_up(struct starve_session *session, const char *name, const char *state)
{
	json_t *probe = await(session, name, "armed", 0), *after;
	const int runs = (int)ctl_int(probe, "runs");
	int in_vain = 0;

	for (;;) {
		signal_probe(session, probe);
		after = await_press(session, name, state, runs + 1, probe);
		if (!was_in_vain(probe, after))
			break;
		session_excuse(&in_vain, "a probe that had died was pressed");
		json_decref(probe);
		probe = after;
	}
	json_decref(probe);
	return (after);
}

/* Its command has run so often by then, in all. */
static void
press(struct starve_session *session, const char *name, const char *state, int total)
{
	json_decref(hang_up(session, name, state));
	check_effect(name, total);
}

/* ---- the parts of a session ---- */

static void
add_probes(struct starve_session *session)
{
	const long jail = jailfix_number(session->jail);

	session_say(session, "ok", "{'op':'ping'}");
	session_say(session, "ok", "{'op':'add','jail':%ld,'name':'single','command':'%s'}", jail,
		    appending("single"));
	session_say(session, "ok",
		    "{'op':'add','jail':%ld,'name':'after','command':'false','respawn':'after'}",
		    jail);
	session_say(session, "ok",
		    "{'op':'add','jail':%ld,'name':'after','command':'%s','respawn':'after',"
		    "'title':'AFTER','replace':true}",
		    jail, appending("after"));
	session_say(session, "ok",
		    "{'op':'add','jail':%ld,'name':'now','command':'%s','respawn':'now',"
		    "'uid':1000,'gid':1000,'max_runs':2,'show_status':true}",
		    jail, appending("now"));
	session_say(session, "ok",
		    "{'op':'add','jail':%ld,'name':'slow','command':['sleep','60'],"
		    "'respawn':'after','timeout':0.05}",
		    jail);
	session_say(session, "ok",
		    "{'op':'add','jail':'" LATER
		    "','name':'sticky','command':'%s','respawn':'after',"
		    "'sticky':true}",
		    appending("sticky"));
}

static void
be_refused(struct starve_session *session)
{
	const long jail = jailfix_number(session->jail);

	session_say(session, "exists", "{'op':'add','jail':%ld,'name':'now','command':'other'}",
		    jail);
	session_say(session, "no-such-jail", "{'op':'add','jail':'starve_never','command':'true'}");
	session_say(session, "no-such-probe", "{'op':'get','probe':'nobody'}");
	session_say(session, "bad-request", "{'op':'add','jail':%ld,'commando':'true'}", jail);
	session_say(session, "bad-json", "{'op':");
}

static void
look(struct starve_session *session)
{
	session_say(session, "ok", "{'op':'list'}");
	session_say(session, "ok", "{'op':'list','jail':%ld}", jailfix_number(session->jail));
	session_say(session, "ok", "{'op':'status'}");
}

static void
check_output(struct starve_session *session)
{
	json_t *answer = session_ask(session, "ok", "{'op':'output','probe':'after'}");

	if (!session_has_failed())
		ck_assert_str_eq(ctl_string(answer, "output"), "after\n");
	json_decref(answer);
}

/* What was refused for want of something may have been done before that. */
static void
trigger(struct starve_session *session)
{
	const int refusals = session->refusals;
	json_t *probe;

	session_say(session, "ok", "{'op':'trigger','probe':'now'}");
	probe = await(session, "now", "armed", 2);
	ck_assert_int_le(ctl_int(probe, "runs"), 2 + session->refusals - refusals);
	json_decref(probe);
}

static void
press_all(struct starve_session *session)
{
	press(session, "single", "gone", 1);
	press(session, "after", "armed", 1);
	check_output(session);
	press(session, "now", "armed", 1);
	trigger(session);
	jailfix_call(session->jail, LATER);
	press(session, "sticky", "armed", 1);
}

/* Its command is ended by the time limit. */
static void
time_out(struct starve_session *session)
{
	json_t *probe = hang_up(session, "slow", "armed");

	if (!session_has_failed())
		ck_assert(ctl_true(ctl_member(probe, "last"), "timeout"));
	json_decref(probe);
}

static bool
reloaded(struct starve_session *session)
{
	json_t *answer = session_ask(session, "ok", "{'op':'reload'}");
	bool all = ctl_int(ctl_member(answer, "reload"), "failed") == 0;

	json_decref(answer);
	return (all);
}

static void
reload(struct starve_session *session)
{
	config_write("jaildaemon.d/second.json", session->jail,
		     "{'jail':%,'command':'true','respawn':'after'}");
	while (!reloaded(session))
		session_excuse(&session->refusals, "a configured probe was not armed");
	await_armed(session, "second");
}

/* There is no way back from a program that can't go on: then it has to be started again. */
static void
upgrade(struct starve_session *session)
{
	json_t *answer = session_ask(session, "ok", "{'op':'upgrade'}");

	if (answer == NULL)
		session_start_again(session);
	json_decref(answer);
}

static void
remove_one(struct starve_session *session)
{
	json_t *answer = session_ask(session, "ok no-such-probe", "{'op':'remove','probe':'now'}");

	ck_assert_msg(answer != NULL, "the daemon ended over a removal");
	ck_assert(json_is_true(json_object_get(answer, "ok")) || session->refusals > 0);
	json_decref(answer);
}

/* ---- what must be there ---- */

static const char *const lasting[] = {"first", "second", "after", "slow", "sticky"};

#define LASTING (sizeof(lasting) / sizeof(lasting[0]))

static void
check_there(struct starve_session *session)
{
	json_t *answer;
	size_t i;

	for (i = 0; i < LASTING; i++)
		await_armed(session, lasting[i]);
	answer = session_ask(session, "ok", "{'op':'list'}");
	ck_assert_uint_eq(json_array_size(ctl_member(answer, "probes")), LASTING);
	json_decref(answer);
}

static struct starve_usage
measure(const struct starve_session *session)
{
	return ((struct starve_usage){
	    .descriptors = host_descriptors(session->daemon),
	    .children = host_children(session->daemon),
	    .blocks = __atomic_load_n(&starve_plan()->blocks, __ATOMIC_SEQ_CST),
	});
}

struct quiet {
	const struct starve_session *session;
	struct starve_usage *usage;
	const struct starve_usage *most;
};

/* Clients that have just gone may not have been noticed yet. */
static bool
is_within(void *arg)
{
	const struct quiet *quiet = arg;

	*quiet->usage = measure(quiet->session);
	return (quiet->usage->descriptors <= quiet->most->descriptors &&
		quiet->usage->children <= quiet->most->children &&
		quiet->usage->blocks <= quiet->most->blocks + SPARE_BLOCKS);
}

static void
raise_to(struct starve_usage *most, const struct starve_usage *usage)
{
	if (usage->descriptors > most->descriptors)
		most->descriptors = usage->descriptors;
	if (usage->children > most->children)
		most->children = usage->children;
	if (usage->blocks > most->blocks)
		most->blocks = usage->blocks;
}

/* One that was started, and one that took over: each holds a little that the other doesn't. */
static void
check_usage(struct starve_session *session, unsigned life,
	    const struct starve_usage all[STARVE_LIVES])
{
	struct starve_usage most = all[life];
	struct quiet quiet = {session, &session->usage[life], &most};
	const struct starve_usage *usage = quiet.usage;
	unsigned other;

	for (other = 0; session->restarts > 0 && other < STARVE_LIVES; other++)
		raise_to(&most, &all[other]);
	ck_assert_msg(
	    wait_until(is_within, &quiet),
	    "%d descriptors, %d children, %u blocks of memory; without a failure %d, %d, %u",
	    usage->descriptors, usage->children, usage->blocks, most.descriptors, most.children,
	    most.blocks);
}

/* The least that is seen for a while, because clients that are going hold a little. */
static void
find_usage(struct starve_session *session, unsigned life)
{
	struct starve_usage *least = &session->usage[life], now;
	int look;

	*least = measure(session);
	for (look = 0; look < LOOKS; look++) {
		wait_breath();
		now = measure(session);
		if (now.descriptors <= least->descriptors && now.children <= least->children)
			*least = now;
	}
}

static void
settle(struct starve_session *session, unsigned life, const struct starve_usage most[STARVE_LIVES])
{
	check_there(session);
	if (most == NULL)
		find_usage(session, life);
	else
		check_usage(session, life, most);
}

/* ---- the session ---- */

static void
configure(struct starve_session *session)
{
	jailfix_names_begin();
	session->jail = probe_jail();
	config_write("conf", NULL, CONFIGURATION);
	config_write("jaildaemon.d/first.json", session->jail,
		     "{'jail':%,'command':'true','respawn':'after'}");
}

/* From here on somebody watches. His connection may be what failed. */
static void
watch(struct ctl *ctl)
{
	ctl_open(ctl);
	(void)ctl_say(ctl, "{\"op\":\"watch\",\"output\":true}\n");
}

/* A disk that fails at a record costs a probe, but no other, and the daemon says so. */
static bool
has_unreadable_record(void)
{
	char *log = file_text(place()->log);
	bool told =
	    starve_plan()->point.error == EIO && strstr(log, "event=state-set-aside") != NULL;

	free(log);
	return (told);
}

void
session_play(struct starve_session *session, const struct starve_usage most[STARVE_LIVES])
{
	struct ctl ctl;

	configure(session);
	session_start(session);
	watch(&ctl);
	add_probes(session);
	be_refused(session);
	look(session);
	press_all(session);
	time_out(session);
	reload(session);
	remove_one(session);
	upgrade(session);
	press(session, "after", "armed", 2);
	settle(session, STARVE_FIRST_LIFE, most);
	session_stop(session);
	ctl_close(&ctl);
	session_start(session);
	if (!has_unreadable_record()) {
		settle(session, STARVE_SECOND_LIFE, most);
		press(session, "after", "armed", 3);
		press(session, "sticky", "armed", 2);
	}
	session_stop(session);
}
