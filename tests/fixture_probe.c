#include "config.h"

#include "fixture_probe.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture_ctl.h"
#include "fixture_exec.h"
#include "fixture_file.h"
#include "fixture_inside.h"
#include "fixture_place.h"
#include "fixture_wait.h"

struct awaited {
	int probe;
	const char *member, *state;
	json_int_t value;
};

const char *
probe_jid(const struct jailfix *jail)
{
	static char texts[4][24];
	static unsigned turn;
	char *text = texts[turn++ % 4];

	(void)snprintf(text, sizeof(texts[0]), "%ld", jailfix_number(jail));
	return (text);
}

struct jailfix *
probe_jail(void)
{
	const char *reason = "no reason";
	struct jailfix *jail = jailfix_start(place()->dir, JAILFIX_PLAIN, &reason);

	ck_assert_msg(jail != NULL, "no jail: %s", reason);
	return (jail);
}

json_t *
probe_op(const char *op, int probe)
{
	char request[96];

	(void)snprintf(request, sizeof(request), "{\"op\":\"%s\",\"probe\":%d}", op, probe);
	return (ctl_ask_ok(request));
}

static json_t *
probe_vask(const struct jailfix *jail, const char *format, va_list args)
{
	json_error_t error;
	json_t *request = json_vpack_ex(&error, 0, format, args);

	ck_assert_msg(request != NULL, "%s: %s", format, error.text);
	(void)json_object_set_new(request, "op", json_string("add"));
	(void)json_object_set_new(request, "jail", json_integer(jailfix_number(jail)));
	return (ctl_ask_json(request));
}

json_t *
probe_ask(const struct jailfix *jail, const char *format, ...)
{
	json_t *answer;
	va_list args;

	va_start(args, format);
	answer = probe_vask(jail, format, args);
	va_end(args);
	return (answer);
}

int
probe_add(const struct jailfix *jail, const char *format, ...)
{
	json_t *answer;
	va_list args;
	char *text;
	int probe;

	va_start(args, format);
	answer = probe_vask(jail, format, args);
	va_end(args);
	text = json_dumps(answer, JSON_COMPACT);
	ck_assert_msg(json_is_true(json_object_get(answer, "ok")), "add: %s", text);
	probe = (int)ctl_int(ctl_member(answer, "probe"), "probe");
	free(text);
	json_decref(answer);
	return (probe);
}

void
probe_add_refused(const struct jailfix *jail, const char *code, const char *mentions,
		  const char *format, ...)
{
	int before = probe_listed();
	va_list args;

	va_start(args, format);
	ctl_refused(probe_vask(jail, format, args), code, mentions);
	va_end(args);
	ck_assert_int_eq(probe_listed(), before);
}

static json_t *
probe_ask_get(int probe)
{
	char request[64];

	(void)snprintf(request, sizeof(request), "{\"op\":\"get\",\"probe\":%d}", probe);
	return (ctl_ask(request));
}

json_t *
probe_get(int probe)
{
	json_t *answer = probe_ask_get(probe), *object;
	char *text = json_dumps(answer, JSON_COMPACT);

	ck_assert_msg(json_is_true(json_object_get(answer, "ok")), "get %d: %s", probe, text);
	object = json_incref(ctl_member(answer, "probe"));
	json_decref(answer);
	free(text);
	return (object);
}

json_int_t
probe_int(int probe, const char *member)
{
	json_t *object = probe_get(probe);
	json_int_t value = ctl_int(object, member);

	json_decref(object);
	return (value);
}

const char *
probe_state(int probe)
{
	static char state[32];
	json_t *object = probe_get(probe);

	(void)snprintf(state, sizeof(state), "%s", ctl_string(object, "state"));
	json_decref(object);
	return (state);
}

static bool
probe_has_state(void *arg)
{
	const struct awaited *awaited = arg;

	return (strcmp(probe_state(awaited->probe), awaited->state) == 0);
}

void
probe_wait_state(int probe, const char *state)
{
	struct awaited awaited = {.probe = probe, .state = state};

	ck_assert_msg(wait_until(probe_has_state, &awaited), "probe %d is %s and never became %s",
		      probe, probe_state(probe), state);
}

static bool
probe_has_count(void *arg)
{
	const struct awaited *awaited = arg;

	return (probe_int(awaited->probe, awaited->member) >= awaited->value);
}

void
probe_wait_count(int probe, const char *member, int value)
{
	struct awaited awaited = {.probe = probe, .member = member, .value = value};

	ck_assert_msg(wait_until(probe_has_count, &awaited), "probe %d has %d %s and not %d", probe,
		      (int)probe_int(probe, member), member, value);
}

static bool
probe_has_last(void *arg)
{
	const struct awaited *awaited = arg;
	json_t *object = probe_get(awaited->probe);
	bool finished =
	    json_is_string(json_object_get(json_object_get(object, "last"), "finished"));

	json_decref(object);
	return (finished);
}

json_t *
probe_wait_last(int probe)
{
	struct awaited awaited = {.probe = probe};
	json_t *object, *last;

	ck_assert_msg(wait_until(probe_has_last, &awaited), "no run of probe %d finishes", probe);
	object = probe_get(probe);
	last = json_incref(ctl_member(object, "last"));
	json_decref(object);
	return (last);
}

void
probe_expect_none(int probe)
{
	ctl_refused(probe_ask_get(probe), "no-such-probe", NULL);
}

int
probe_listed(void)
{
	json_t *answer = ctl_ask_ok("{\"op\":\"list\"}");
	int count = (int)json_array_size(ctl_member(answer, "probes"));

	json_decref(answer);
	return (count);
}

void
probe_sentinel(const struct jailfix *jail)
{
	static unsigned serial;
	char title[32], command[256], full[64];
	const char *effect;
	int probe;

	(void)snprintf(title, sizeof(title), "SENTINEL_%u", serial++);
	(void)snprintf(full, sizeof(full), "jaildaemon: %s", title);
	effect = place_at(title);
	(void)snprintf(command, sizeof(command), "echo seen > %s", effect);
	probe = probe_add(jail, "{s:s,s:s}", "command", command, "title", title);
	inside_press(jail, full);
	file_wait_lines(effect, 1);
	probe_wait_state(probe, "gone");
}

void
probe_warm_up(const struct jailfix *jail)
{
	int probe = probe_add(jail, "{s:s}", "command", "true");
	pid_t pid = (pid_t)probe_int(probe, "pid");

	json_decref(probe_op("remove", probe));
	exec_wait_gone(pid);
	ck_assert(ctl_alive());
}
