#include "config.h"

#include "client.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "follow.h"
#include "listen.h"
#include "metrics.h"
#include "relist.h"
#include "show.h"
#include "util.h"

/* An add answers within seconds, everything else at once: a daemon that says nothing for so long
 * is not answering. */
#define ANSWER_SECONDS 60

/* One row a mode: what it asks, and how the answer is shown. */
struct mode {
	enum options_mode mode;
	const char *op;
	json_t *(*build)(const struct options *); /* NULL: no members; NULL returned: wrong usage */
	void (*show)(json_t *answer);		  /* NULL: success says nothing */
};

/* ---- options → members ---- */

static json_t *
number_or_text(const char *text)
{
	int64_t number;

	if (util_parse_number(text, 0, INT64_MAX, &number))
		return json_integer(number);
	return json_string(text);
}

static int
set_number_or_text(json_t *members, const char *name, const char *text)
{
	if (text == NULL)
		return 0;
	if (json_object_set_new(members, name, number_or_text(text)) == 0)
		return 0;
	fprintf(stderr, "jaildaemon: --%s must be UTF-8 text\n", name);
	return -1;
}

static int
set_text(json_t *members, const char *name, const char *text)
{
	if (text == NULL || json_object_set_new(members, name, json_string(text)) == 0)
		return 0;
	fprintf(stderr, "jaildaemon: --%s must be UTF-8 text\n", name);
	return -1;
}

static int
set_count(json_t *members, const char *name, const char *option, const char *text)
{
	int64_t number;

	if (text == NULL)
		return 0;
	if (util_parse_number(text, INT64_MIN, INT64_MAX, &number))
		return json_object_set_new(members, name, json_integer(number));
	fprintf(stderr, "jaildaemon: --%s must be a number, not \"%s\"\n", option, text);
	return -1;
}

static int
set_seconds(json_t *members, const char *name, const char *text)
{
	char *end;
	double seconds;

	if (text == NULL)
		return 0;
	seconds = strtod(text, &end);
	if (end != text && *end == '\0' && json_object_set_new(members, name, json_real(seconds)) == 0)
		return 0;
	fprintf(stderr, "jaildaemon: --%s must be a number of seconds, not \"%s\"\n", name, text);
	return -1;
}

static void
set_flag(json_t *members, const char *name, bool value)
{
	if (value)
		json_object_set_new(members, name, json_true());
}

static json_t *
build_add(const struct options *options)
{
	json_t *members = json_object();

	set_flag(members, "sticky", options->sticky);
	set_flag(members, "replace", options->replace);
	set_flag(members, "show_status", options->show_status);
	if (set_number_or_text(members, "jail", options->jail) != 0 ||
	    set_text(members, "command", options->argument) != 0 ||
	    set_text(members, "title", options->title) != 0 ||
	    set_text(members, "name", options->name) != 0 ||
	    set_text(members, "respawn", options->respawn) != 0 ||
	    set_number_or_text(members, "uid", options->uid) != 0 ||
	    set_number_or_text(members, "gid", options->gid) != 0 ||
	    set_seconds(members, "cooldown", options->cooldown) != 0 ||
	    set_seconds(members, "timeout", options->timeout) != 0 ||
	    set_count(members, "max_runs", "max-runs", options->max_runs) != 0) {
		json_decref(members);
		return NULL;
	}
	return members;
}

static json_t *
build_list(const struct options *options)
{
	json_t *members = json_object();

	if (set_number_or_text(members, "jail", options->jail) == 0)
		return members;
	json_decref(members);
	return NULL;
}

static json_t *
build_probe(const struct options *options)
{
	json_t *members = json_object();

	set_flag(members, "kill", options->kill);
	if (set_number_or_text(members, "probe", options->argument) == 0)
		return members;
	json_decref(members);
	return NULL;
}

static json_t *
build_check(const struct options *options)
{
	json_t *members = json_object();

	if (set_text(members, "jail", options->argument) == 0)
		return members;
	json_decref(members);
	return NULL;
}

static json_t *
build_output(const struct options *options)
{
	json_t *members = build_probe(options);

	if (members != NULL)
		set_flag(members, "follow", options->follow);
	return members;
}

static json_t *
build_status(const struct options *options)
{
	return options->metrics ? json_pack("{si}", "named", METRICS_PROBES) : json_object();
}

/* The connection stays open until the daemon has ended, and that is what is waited for. */
static json_t *
build_stop(const struct options *options)
{
	(void)options;
	return json_pack("{sb}", "keep", true);
}

static const struct mode modes[] = {
    {MODE_ADD, "add", build_add, show_number},	  {MODE_LIST, "list", build_list, show_list},
    {MODE_STATUS, "status", build_status, show_status},	  {MODE_REMOVE, "remove", build_probe, NULL},
    {MODE_TRIGGER, "trigger", build_probe, NULL}, {MODE_OUTPUT, "output", build_output, show_output},
    {MODE_WATCH, "watch", build_list, NULL},
    {MODE_UPGRADE, "upgrade", NULL, NULL},
    {MODE_RELOAD, "reload", NULL, show_reload},	  {MODE_STOP, "stop", build_stop, NULL},
    {MODE_CHECK_JAIL, "check", build_check, show_found},
};

/* ---- the exchange ---- */

static int
send_all(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t sent = send(fd, text, length, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return -1;
		text += sent;
		length -= (size_t)sent;
	}
	return 0;
}

static int
send_request(int fd, json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT);
	int sent;

	if (text == NULL)
		return -1;
	sent = send_all(fd, text, strlen(text));
	if (sent == 0)
		sent = send_all(fd, "\n", 1);
	free(text);
	return sent;
}

/* NULL: no whole answer came. until_end: the daemon is to close the connection, too. */
static json_t *
receive_answer(FILE *stream, bool until_end)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t length;
	json_t *answer = NULL;

	length = getline(&line, &size, stream);
	if (length > 0) /* output may hold NULs */
		answer = json_loadb(line, (size_t)length, JSON_ALLOW_NUL, NULL);
	while (until_end && getline(&line, &size, stream) > 0)
		;
	free(line);
	return answer;
}

static int
explain_no_daemon(const char *path, int error)
{
	fprintf(stderr, "jaildaemon: no daemon answers on %s: %s\n", path, strerror(error));
	if (error == EACCES)
		fprintf(stderr, "The socket is root's: try again as root.\n");
	else
		fprintf(stderr, "Start one with: jaildaemon -D -f %s\n", path);
	return CLIENT_NO_DAEMON;
}

/* Commands are told only to a daemon of root's, or of our own: where others may write in the socket's
 * directory, one of them could have put a socket there while no daemon ran. */
static bool
is_trustworthy(int fd, const char *path)
{
	uid_t uid = (uid_t)-1;
	gid_t gid;

	if (getpeereid(fd, &uid, &gid) == 0 && (uid == 0 || uid == geteuid()))
		return true;
	fprintf(stderr, "jaildaemon: what answers on %s is no daemon of root's\n", path);
	return false;
}

/* Gives up on a read that takes so long; 0: never. */
static void
limit_waiting(int fd, time_t seconds)
{
	const struct timeval patience = {.tv_sec = seconds};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
}

/* What the answer comes from. NULL: explained on standard error. */
static FILE *
ask(const char *path, json_t *request)
{
	int fd = listen_connect(path);
	FILE *stream = NULL;

	if (fd < 0) {
		explain_no_daemon(path, errno);
		return NULL;
	}
	if (!is_trustworthy(fd, path)) {
		close(fd);
		return NULL;
	}
	limit_waiting(fd, ANSWER_SECONDS);
	/* A daemon that turns us away answers before it has read anything. */
	if ((send_request(fd, request) != 0 && errno != EPIPE) ||
	    (stream = fdopen(fd, "r")) == NULL) {
		explain_no_daemon(path, errno);
		close(fd);
	}
	return stream;
}

static void
show_answer(const struct mode *mode, const struct options *options, json_t *answer)
{
	if (options->metrics)
		metrics_show(answer);
	else if (options->again)
		relist_show(answer);
	else if (mode->show != NULL) /* NOLINT(Wanalyzer-null-dereference): each mode has its row */
		mode->show(answer);
}

static void
explain_refusal(json_t *error)
{
	const char *code = json_string_value(json_object_get(error, "code"));
	const char *message = json_string_value(json_object_get(error, "message"));

	fprintf(stderr, "jaildaemon: %s\n", message == NULL ? "refused" : message);
	if (code != NULL && strcmp(code, "exists") == 0)
		fprintf(stderr, "With --replace the new one takes its place.\n");
}

static int
show(const struct mode *mode, const struct options *options, json_t *answer)
{
	json_t *error = json_object_get(answer, "error");

	if (options->json) {
		json_dumpf(answer, stdout, JSON_COMPACT | JSON_REAL_PRECISION(15));
		putchar('\n');
	}
	if (!json_is_true(json_object_get(answer, "ok"))) {
		explain_refusal(error);
		return CLIENT_REFUSED;
	}
	if (!options->json)
		show_answer(mode, options, answer);
	if (fflush(stdout) != 0) {
		perror("jaildaemon: standard output");
		return CLIENT_REFUSED;
	}
	return CLIENT_DONE;
}

/* How that is shown which follows the answer. NULL: nothing does. */
static follow_show_cb *
find_follow(const struct options *options)
{
	if (options->mode == MODE_WATCH)
		return follow_show_event;
	return options->mode == MODE_OUTPUT && options->follow ? follow_show_output : NULL;
}

static int
take_answer(const struct mode *mode, const struct options *options, FILE *stream, bool until_end)
{
	json_t *answer = receive_answer(stream, until_end);
	follow_show_cb *follow = find_follow(options);
	int code;

	if (answer == NULL) {
		fprintf(stderr, "jaildaemon: the daemon on %s gave no answer\n", options->socket);
		return CLIENT_NO_DAEMON;
	}
	code = show(mode, options, answer);
	json_decref(answer);
	if (code != CLIENT_DONE || follow == NULL)
		return code;
	limit_waiting(fileno(stream), 0);
	return follow_lines(stream, options->json, follow);
}

static const struct mode *
find_mode(enum options_mode wanted)
{
	for (size_t i = 0; i < UTIL_COUNT(modes); i++)
		if (modes[i].mode == wanted)
			return &modes[i];
	return NULL;
}

static int
ask_once(const struct options *options)
{
	const struct mode *mode = find_mode(options->mode);
	/* NOLINTNEXTLINE(Wanalyzer-null-dereference): each mode that options know has its row */
	json_t *request = mode->build == NULL ? json_object() : mode->build(options);
	FILE *stream;
	int code = CLIENT_NO_DAEMON;

	if (request == NULL)
		return CLIENT_USAGE;
	json_object_set_new(request, "op", json_string(mode->op));
	stream = ask(options->socket, request);
	if (stream != NULL) {
		code = take_answer(mode, options, stream,
				   json_is_true(json_object_get(request, "keep")));
		fclose(stream);
	}
	json_decref(request);
	return code;
}

int
client_run(const struct options *options)
{
	return options->again ? relist_run(options, ask_once) : ask_once(options);
}
