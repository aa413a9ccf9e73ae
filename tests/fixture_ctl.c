#include "config.h"

#include "fixture_ctl.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_place.h"
#include "fixture_wait.h"

bool
ctl_try(struct ctl *ctl, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memset(ctl, 0, sizeof(*ctl));
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	ctl->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (ctl->fd != -1 &&
	    connect(ctl->fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return (true);
	ctl_close(ctl);
	return (false);
}

void
ctl_open(struct ctl *ctl)
{
	ck_assert_msg(ctl_try(ctl, place()->sock), "no daemon listens on %s: %s", place()->sock,
		      strerror(errno));
}

void
ctl_close(struct ctl *ctl)
{
	int error = errno;

	if (ctl->fd != -1)
		(void)close(ctl->fd);
	free(ctl->text);
	memset(ctl, 0, sizeof(*ctl));
	ctl->fd = -1;
	errno = error;
}

bool
ctl_send(struct ctl *ctl, const char *bytes, size_t length)
{
	ssize_t sent;

	while (length > 0) {
		sent = send(ctl->fd, bytes, length, MSG_NOSIGNAL);
		if (sent == -1 && errno == EINTR)
			continue;
		if (sent == -1)
			return (false);
		bytes += sent;
		length -= (size_t)sent;
	}
	return (true);
}

bool
ctl_say(struct ctl *ctl, const char *text)
{
	return (ctl_send(ctl, text, strlen(text)));
}

void
ctl_finish(struct ctl *ctl)
{
	ck_assert_int_eq(shutdown(ctl->fd, SHUT_WR), 0);
}

/* Takes what is there; false at the end of the connection. */
static bool
ctl_receive(struct ctl *ctl, long long deadline)
{
	struct pollfd ready = {.fd = ctl->fd, .events = POLLIN};
	ssize_t got;

	ck_assert_msg(poll(&ready, 1, wait_left(deadline)) > 0,
		      "the daemon says nothing; so far: %.*s", (int)ctl->length,
		      ctl->text != NULL ? ctl->text : "");
	if (ctl->room - ctl->length < 4096) {
		ctl->room = ctl->room * 2 + 8192;
		ctl->text = realloc(ctl->text, ctl->room);
	}
	got = recv(ctl->fd, ctl->text + ctl->length, ctl->room - ctl->length, 0);
	if (got > 0)
		ctl->length += (size_t)got;
	return (got > 0);
}

char *
ctl_line(struct ctl *ctl)
{
	long long deadline = wait_now() + WAIT_PATIENCE_MS;
	size_t searched = 0, length;
	char *end = NULL, *line;

	for (;;) {
		if (ctl->length > searched)
			end = memchr(ctl->text + searched, '\n', ctl->length - searched);
		if (end != NULL)
			break;
		searched = ctl->length;
		if (!ctl_receive(ctl, deadline))
			return (NULL);
	}
	length = (size_t)(end - ctl->text);
	line = malloc(length + 1);
	memcpy(line, ctl->text, length);
	line[length] = '\0';
	ck_assert_msg(strlen(line) == length, "an answer has a NUL in it");
	ctl->length -= length + 1;
	memmove(ctl->text, end + 1, ctl->length);
	return (line);
}

json_t *
ctl_answer(struct ctl *ctl)
{
	char *line = ctl_line(ctl);
	json_error_t error;
	json_t *answer;

	ck_assert_msg(line != NULL, "the daemon closed the connection without an answer");
	answer = json_loads(line, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	ck_assert_msg(json_is_object(answer), "no JSON object (%s): %.200s", error.text, line);
	free(line);
	return (answer);
}

void
ctl_expect_end(struct ctl *ctl)
{
	char *line = ctl_line(ctl);

	ck_assert_msg(line == NULL && ctl->length == 0, "more came: %.200s",
		      line != NULL ? line : ctl->text);
}

/* Closes it after the answer. */
static json_t *
ctl_ask_over(struct ctl *ctl, const char *request)
{
	json_t *answer;

	(void)ctl_say(ctl, request);
	(void)ctl_say(ctl, "\n");
	answer = ctl_answer(ctl);
	ctl_close(ctl);
	return (answer);
}

json_t *
ctl_ask(const char *request)
{
	struct ctl ctl;

	ctl_open(&ctl);
	return (ctl_ask_over(&ctl, request));
}

json_t *
ctl_ask_json(json_t *request)
{
	char *line = json_dumps(request, JSON_COMPACT);
	json_t *answer;

	ck_assert_ptr_nonnull(line);
	answer = ctl_ask(line);
	free(line);
	json_decref(request);
	return (answer);
}

/* Fails the test with the whole answer when it is a refusal. */
static json_t *
ctl_must_be_ok(json_t *answer, const char *request)
{
	char *text;

	if (json_is_true(json_object_get(answer, "ok")))
		return (answer);
	text = json_dumps(answer, JSON_COMPACT);
	ck_abort_msg("%.300s: answered %s", request, text);
	return (NULL);
}

json_t *
ctl_ask_ok(const char *request)
{
	return (ctl_must_be_ok(ctl_ask(request), request));
}

void
ctl_refused(json_t *answer, const char *code, const char *mentions)
{
	json_t *error = ctl_member(answer, "error");
	char *text = json_dumps(answer, JSON_COMPACT);

	ck_assert_msg(json_is_false(json_object_get(answer, "ok")), "not refused: %s", text);
	ck_assert_msg(strcmp(ctl_string(error, "code"), code) == 0, "not \"%s\": %s", code, text);
	ck_assert_msg(ctl_string(error, "message")[0] != '\0', "no message: %s", text);
	ck_assert_msg(mentions == NULL || strstr(ctl_string(error, "message"), mentions) != NULL,
		      "does not mention \"%s\": %s", mentions, text);
	free(text);
	json_decref(answer);
}

void
ctl_ask_refused(const char *request, const char *code, const char *mentions)
{
	ctl_refused(ctl_ask(request), code, mentions);
}

static bool
ctl_pings(struct ctl *ctl)
{
	json_t *answer = ctl_ask_over(ctl, "{\"op\":\"ping\"}");
	bool alive = json_is_true(json_object_get(answer, "ok"));

	json_decref(answer);
	return (alive);
}

bool
ctl_alive(void)
{
	struct ctl ctl;

	ctl_open(&ctl);
	return (ctl_pings(&ctl));
}

bool
ctl_serves(void *unused)
{
	struct ctl ctl;

	(void)unused;
	return (ctl_try(&ctl, place()->sock) && ctl_pings(&ctl));
}

json_t *
ctl_member(const json_t *object, const char *member)
{
	json_t *value = json_object_get(object, member);
	char *text;

	if (value != NULL)
		return (value);
	text = json_dumps(object, JSON_COMPACT);
	ck_abort_msg("no member \"%s\": %s", member, text != NULL ? text : "no object");
	return (NULL);
}

json_int_t
ctl_int(const json_t *object, const char *member)
{
	json_t *value = ctl_member(object, member);

	ck_assert_msg(json_is_integer(value), "\"%s\" is no integer", member);
	return (json_integer_value(value));
}

const char *
ctl_string(const json_t *object, const char *member)
{
	json_t *value = ctl_member(object, member);

	ck_assert_msg(json_is_string(value), "\"%s\" is no string", member);
	return (json_string_value(value));
}

bool
ctl_true(const json_t *object, const char *member)
{
	json_t *value = ctl_member(object, member);

	ck_assert_msg(json_is_boolean(value), "\"%s\" is no boolean", member);
	return (json_is_true(value));
}
