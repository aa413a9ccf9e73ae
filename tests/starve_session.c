/*
 * What a session with a daemon that meets one failing call may come to: whoever met it is told,
 * once, and asks again; a daemon may give up while it starts, if it says why.
 */
#include "config.h"

#include "starve_session.h"

#include <sys/wait.h>

#include <check.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture_config.h"
#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_file.h"
#include "fixture_place.h"
#include "fixture_wait.h"
#include "starve.h"

#define REQUEST_SIZE 1024

/* ---- what failed may excuse ---- */

bool
session_has_failed(void)
{
	return (__atomic_load_n(&starve_plan()->failed, __ATOMIC_SEQ_CST) > 0);
}

void
session_excuse(int *count, const char *what)
{
	char name[STARVE_NAME_SIZE];

	ck_assert_msg(session_has_failed(), "nothing failed yet: %s", what);
	ck_assert_msg((*count)++ == 0, "for the second time: %s", what);
	if (getenv("STARVE_VERBOSE") != NULL) {
		starve_format_point(name, &starve_plan()->point);
		(void)printf("%s: %s\n", name, what);
	}
}

/* ---- the daemon ---- */

/* Null: there is no daemon, or no answer. */
static json_t *
try_request(const char *text)
{
	json_t *answer = NULL;
	struct ctl ctl;
	char *line;

	if (!ctl_try(&ctl, place()->sock))
		return (NULL);
	(void)ctl_say(&ctl, text);
	(void)ctl_say(&ctl, "\n");
	line = ctl_line(&ctl);
	if (line != NULL)
		ck_assert_ptr_nonnull(answer = json_loads(line, 0, NULL));
	free(line);
	ctl_close(&ctl);
	return (answer);
}

/* Until it answers, or has ended. */
static void
await_daemon(const struct starve_session *session)
{
	long long deadline = wait_now() + WAIT_PATIENCE_MS;
	json_t *answer;

	while ((answer = try_request("{\"op\":\"ping\"}")) == NULL && !exec_gone(session->daemon)) {
		ck_assert_msg(wait_left(deadline) > 0, "the daemon never answers");
		wait_breath();
	}
	json_decref(answer);
}

static void
check_given_up(struct starve_session *session)
{
	int status = exec_wait(session->daemon);
	char *log = file_text(place()->log), what[256];

	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 1,
		      "the daemon's wait status is 0x%x", status);
	ck_assert_msg(strstr(log, "jaildaemon: ") != NULL, "the daemon gave up without a word");
	(void)snprintf(what, sizeof(what), "the daemon gave up: %.200s", strrchr(log, ':'));
	session_excuse(&session->restarts, what);
	free(log);
}

void
session_start(struct starve_session *session)
{
	session->daemon = starve_start_daemon();
	await_daemon(session);
	if (exec_gone(session->daemon))
		session_start_again(session);
}

void
session_start_again(struct starve_session *session)
{
	check_given_up(session);
	session->daemon = starve_start_daemon();
	await_daemon(session);
	ck_assert(!exec_gone(session->daemon));
}

/* ---- requests ---- */

static const char *
code_of(const json_t *answer)
{
	const json_t *error = json_object_get(answer, "error");
	const char *code = json_string_value(json_object_get(error, "code"));

	return (json_is_true(json_object_get(answer, "ok")) ? "ok"
		: code != NULL				    ? code
							    : "nothing");
}

/* Codes that say nothing of the request itself. Who can't be looked at is denied. */
static bool
is_trouble(const char *code)
{
	return (strcmp(code, "internal") == 0 || strcmp(code, "attach-failed") == 0 ||
		strcmp(code, "limit") == 0 || strcmp(code, "denied") == 0);
}

/* Whatever is refused, in the words of what failed. */
static bool
tells_why(const char *why)
{
	return (why != NULL && (strstr(why, strerror(starve_plan()->point.error)) != NULL ||
				strstr(why, "out of memory") != NULL));
}

static void
excuse_refusal(struct starve_session *session, const char *request, const json_t *answer)
{
	const json_t *error = json_object_get(answer, "error");
	const char *why = json_string_value(json_object_get(error, "message"));
	char what[512];

	(void)snprintf(what, sizeof(what), "%.200s: %s: %.200s", request, code_of(answer),
		       why != NULL ? why : "");
	ck_assert_msg(answer == NULL || is_trouble(code_of(answer)) || tells_why(why),
		      "no clear error: %s", what);
	session_excuse(&session->refusals, what);
}

static void __attribute__((format(printf, 2, 0)))
compose(char request[REQUEST_SIZE], const char *format, va_list args)
{
	char *quote = request;

	ck_assert_int_lt(vsnprintf(request, REQUEST_SIZE, format, args), REQUEST_SIZE);
	while ((quote = strchr(quote, '\'')) != NULL)
		*quote = '"';
}

/* A connection that ends without an answer is excused once, however long it takes to get another
 * one. What was asked may have been done all the same, when only its answer lacked memory, and be out
 * of place for a moment: a probe that was pressed isn't armed. */
static json_t *
ask_text(struct starve_session *session, const char *codes, const char *request)
{
	long long deadline = wait_now() + WAIT_PATIENCE_MS;
	bool doubtful = false;
	json_t *answer;

	while ((answer = try_request(request)) == NULL || strstr(codes, code_of(answer)) == NULL) {
		if (!doubtful || (answer != NULL && strcmp(code_of(answer), "bad-request") != 0))
			excuse_refusal(session, request, answer);
		doubtful = doubtful || answer == NULL || is_trouble(code_of(answer));
		json_decref(answer);
		if (exec_gone(session->daemon))
			return (NULL);
		ck_assert_msg(wait_left(deadline) > 0, "no answer to %s", request);
		wait_breath();
	}
	return (answer);
}

json_t *
session_ask(struct starve_session *session, const char *codes, const char *format, ...)
{
	char request[REQUEST_SIZE];
	va_list args;

	va_start(args, format);
	compose(request, format, args);
	va_end(args);
	return (ask_text(session, codes, request));
}

void
session_say(struct starve_session *session, const char *codes, const char *format, ...)
{
	char request[REQUEST_SIZE];
	json_t *answer;
	va_list args;

	va_start(args, format);
	compose(request, format, args);
	va_end(args);
	answer = ask_text(session, codes, request);
	ck_assert_msg(answer != NULL, "the daemon ended over %s", request);
	json_decref(answer);
}

json_t *
session_get(struct starve_session *session, const char *name)
{
	json_t *answer = session_ask(session, "ok", "{'op':'get','probe':'%s'}", name), *probe;

	ck_assert_msg(answer != NULL, "the daemon ended over a get");
	probe = json_incref(ctl_member(answer, "probe"));
	json_decref(answer);
	return (probe);
}

void
session_stop(struct starve_session *session)
{
	json_t *answer = try_request("{\"op\":\"stop\"}");
	int status;

	if (!json_is_true(json_object_get(answer, "ok"))) {
		excuse_refusal(session, "stop", answer);
		(void)kill(session->daemon, SIGTERM);
	}
	json_decref(answer);
	status = exec_wait(session->daemon);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
		      "the daemon's wait status is 0x%x", status);
}
