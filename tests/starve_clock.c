/*
 * The wall clock is set, hours forth and back. Times are shown as it tells them; whatever lasts is
 * measured by another clock.
 */
#include "config.h"

#include <check.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fixture_config.h"
#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_file.h"
#include "fixture_inside.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "fixture_wait.h"
#include "starve.h"

#define TITLE	"jaildaemon: T"
#define HOUR_MS 3600000LL
#define LONG_MS 10000 /* what no test here takes, and no wrong clock gets by with */

static void
set_clock(int64_t off_ms)
{
	__atomic_store_n(&starve_plan()->clock_off_ms, off_ms, __ATOMIC_SEQ_CST);
}

static pid_t
start(void)
{
	pid_t daemon;

	config_write("conf", NULL, "{'kill_delay':0.1}");
	daemon = starve_start_daemon();
	file_wait_text(place()->log, "event=daemon-started");
	return (daemon);
}

/* How far a time of the probe's is from now, as the daemon's clock has it. */
static double
distance(const char *stamp)
{
	struct tm utc;

	memset(&utc, 0, sizeof(utc));
	ck_assert_ptr_nonnull(strptime(stamp, "%Y-%m-%dT%H:%M:%S", &utc));
	return (difftime(timegm(&utc), time(NULL)) - (double)starve_plan()->clock_off_ms / 1000);
}

static void
check_created(int probe)
{
	json_t *object = probe_get(probe);
	double away = distance(ctl_string(object, "created"));

	ck_assert_msg(away > -10 && away < 10, "created %f seconds away", away);
	json_decref(object);
}

/* Presses, sets the clock at once, and waits for the probe to be back: it takes the cooldown, and
 * not hours. */
static void
cool_down(const struct jailfix *jail, int probe, int64_t off_ms)
{
	long long pressed = wait_now(), took;

	inside_press(jail, TITLE);
	probe_wait_state(probe, "cooling");
	set_clock(off_ms);
	probe_wait_state(probe, "armed");
	took = wait_now() - pressed;
	ck_assert_msg(took >= 1000 && took < LONG_MS, "%lld ms", took);
}

START_TEST(cooldown_is_as_long_as_ever)
{
	struct jailfix *jail;
	pid_t daemon;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	daemon = start();
	probe = probe_add(jail, "{s:s,s:s,s:s,s:i}", "command", "true", "title", "T", "respawn",
			  "after", "cooldown", 1);
	check_created(probe);
	cool_down(jail, probe, 6 * HOUR_MS);
	cool_down(jail, probe, -6 * HOUR_MS);
	check_created(probe_add(jail, "{s:s}", "command", "true"));
	daemon_end(daemon, SIGTERM);
}
END_TEST

/* The event that tells of the end of a run: what it took. */
static long
told_ms(void)
{
	char *text = file_text(place()->log), *at = strstr(text, "event=run-ended"), *ms;
	long took;

	ck_assert_ptr_nonnull(at);
	ck_assert_ptr_nonnull(ms = strstr(at, " ms="));
	took = strtol(ms + 4, NULL, 10);
	free(text);
	return (took);
}

START_TEST(time_limit_is_as_long_as_ever)
{
	struct jailfix *jail;
	json_t *status, *last;
	pid_t daemon;
	int probe;

	NEEDS_ROOT;
	jail = probe_jail();
	daemon = start();
	probe = probe_add(jail, "{s:[ss],s:s,s:s,s:f}", "command", "sleep", "600", "title", "T",
			  "respawn", "after", "timeout", 0.5);
	inside_press(jail, TITLE);
	probe_wait_state(probe, "running");
	set_clock(-6 * HOUR_MS);
	last = probe_wait_last(probe);
	ck_assert(ctl_true(last, "timeout"));
	ck_assert_int_ge(told_ms(), 400);
	ck_assert_int_lt(told_ms(), LONG_MS);
	status = ctl_ask_ok("{\"op\":\"status\"}");
	ck_assert_int_ge(ctl_int(ctl_member(status, "status"), "uptime"), 0);
	ck_assert_int_lt(ctl_int(ctl_member(status, "status"), "uptime"), LONG_MS / 1000);
	json_decref(status);
	json_decref(last);
	daemon_end(daemon, SIGTERM);
}
END_TEST

Suite *
starve_clock(void)
{
	Suite *suite = suite_create("clock");

	PLACE_CASE(suite, cooldown_is_as_long_as_ever);
	PLACE_CASE(suite, time_limit_is_as_long_as_ever);
	return (suite);
}
