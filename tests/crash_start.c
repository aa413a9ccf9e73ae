/*
 * Starting daemons that are to be killed.
 */
#include "config.h"

#include <sys/wait.h>

#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crash.h"
#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_file.h"
#include "fixture_wait.h"

/* The directory of the build, in which the probe's program lies too. */
static const char *
build_directory(void)
{
	static char path[PATH_MAX];
	char *slash;

	(void)snprintf(path, sizeof(path), "%s", daemon_binary());
	if ((slash = strrchr(path, '/')) != NULL)
		*slash = '\0';
	return (path);
}

static const char *
faulty_binary(void)
{
	static char path[PATH_MAX + 16];

	(void)snprintf(path, sizeof(path), "%s/tests/faulty", build_directory());
	return (path);
}

bool
crash_has_faulty(void)
{
	return (access(faulty_binary(), X_OK) == 0);
}

/* Under another inode than the last one: that is how the daemon knows it. */
void
crash_plan(const char *plan)
{
	if (plan == NULL)
		plan = "";
	file_write(place_at("plan.new"), plan);
	ck_assert_int_eq(rename(place_at("plan.new"), place_at("plan")), 0);
}

void
crash_plan_start(const char *plan)
{
	ck_assert_int_eq(setenv("JAILDAEMON_FAULT", plan, 1), 0);
}

static pid_t
start(enum crash_binary binary)
{
	const char *words[] = {binary == CRASH_FAULTY ? faulty_binary() : daemon_binary(),
			       "-F",
			       "-f",
			       place()->sock,
			       "-p",
			       place()->pidfile,
			       "-S",
			       place()->state,
			       NULL};
	char *argv[sizeof(words) / sizeof(words[0])];
	struct launch launch = {.argv = argv, .log = place()->log};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		argv[i] = (char *)(uintptr_t)words[i];
	(void)unlink(place_at("plan"));
	ck_assert_int_eq(setenv("JAILDAEMON_LIBEXEC", build_directory(), 1), 0);
	ck_assert_int_eq(setenv("JAILDAEMON_FAULT_FILE", place_at("plan"), 1), 0);
	return (exec_start(&launch));
}

/* Either it answers, or it has ended. */
static bool
answers(pid_t daemon)
{
	long long deadline = wait_now() + WAIT_PATIENCE_MS;
	json_t *answer;

	for (;;) {
		answer = crash_ask(json_pack("{s:s}", "op", "ping"));
		if (answer != NULL || exec_gone(daemon))
			break;
		ck_assert_msg(wait_left(deadline) > 0, "the daemon never listens");
		wait_breath();
	}
	json_decref(answer);
	return (answer != NULL);
}

pid_t
crash_start(enum crash_binary binary)
{
	pid_t daemon = start(binary);

	ck_assert_msg(answers(daemon), "the daemon ended at once");
	return (daemon);
}

pid_t
crash_start_doomed(void)
{
	pid_t daemon = start(CRASH_FAULTY);

	if (answers(daemon))
		return (daemon);
	ck_assert(crash_is_killed(daemon));
	return (-1);
}

bool
crash_is_killed(pid_t daemon)
{
	int status;
	pid_t ended = waitpid(daemon, &status, WNOHANG);

	ck_assert_int_ne(ended, -1);
	if (ended == 0)
		return (false);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
		      "the daemon's wait status is 0x%x", status);
	return (true);
}

void
crash_kill(pid_t daemon)
{
	int status;

	ck_assert_int_eq(kill(daemon, SIGKILL), 0);
	status = exec_wait(daemon);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
		      "the daemon's wait status is 0x%x", status);
}

json_t *
crash_ask(json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT), *line = NULL;
	json_t *answer = NULL;
	struct ctl ctl;

	ck_assert_ptr_nonnull(text);
	json_decref(request);
	if (ctl_try(&ctl, place()->sock)) {
		if (ctl_say(&ctl, text) && ctl_say(&ctl, "\n"))
			line = ctl_line(&ctl);
		ctl_close(&ctl);
	}
	if (line != NULL)
		ck_assert_ptr_nonnull(answer = json_loads(line, 0, NULL));
	free(line);
	free(text);
	return (answer);
}

bool
crash_is_ok(const json_t *answer)
{
	return (json_is_true(json_object_get(answer, "ok")));
}

json_t *
crash_ask_ok(json_t *request)
{
	char *asked = json_dumps(request, JSON_COMPACT), *text;
	json_t *answer = crash_ask(request);

	text = json_dumps(answer, JSON_COMPACT);
	ck_assert_msg(crash_is_ok(answer), "%s: %s", asked, text != NULL ? text : "no answer");
	free(asked);
	free(text);
	return (answer);
}

json_t *
crash_listed(const char *member, const char *value)
{
	json_t *answer = crash_ask_ok(json_pack("{s:s}", "op", "list")), *probe, *found = NULL;
	const char *text;
	size_t i;

	json_array_foreach(json_object_get(answer, "probes"), i, probe) {
		text = json_string_value(json_object_get(probe, member));
		if (text == NULL || strcmp(text, value) != 0)
			continue;
		ck_assert_msg(found == NULL, "two probes with the same %s, %s", member, value);
		found = json_incref(probe);
	}
	json_decref(answer);
	return (found);
}
