/*
 * The control socket: where a line ends however it was sent, and where a connection ends. The input is what
 * a client sends, but for a '~', after which a letter says what it does there. The answers are counted by a
 * model of the framing, which is a few lines where the daemon's is a few rooms.
 */
#include "config.h"

#include "control.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "fuzz.h"
#include "limit.h"
#include "listen.h"
#include "request.h"
#include "text.h"
#include "watch.h"

#define ESCAPE	  '~'
#define PAD_BYTES 16384 /* so that four of them are just no request any more */
#define LOOKS_MAX 10000 /* at the daemon, before it is taken for stuck */

/* What an answer must be to. */
struct line {
	bool too_large;
	json_t *request; /* NULL: it was none */
	const char *code; /* then what it is refused with */
};

static struct line *lines;
static size_t line_count, line_room, answered;

/* One connection. */
static int client = -1;
static struct text sent;      /* since the last newline */
static bool refused;	      /* that is too long already */
static struct text collected; /* is to be sent */
static struct text received;
static bool sending_over;

/* ---- the model: which answers are due ---- */

static void
expect(const char *text, size_t length)
{
	struct line line = {.too_large = length > REQUEST_LINE_MAX};

	if (!line.too_large)
		line.request = fuzz_read_request(text, length, &line.code);
	if (line_count == line_room) {
		line_room = line_room == 0 ? 64 : 2 * line_room;
		lines = reallocarray(lines, line_room, sizeof(*lines));
		FUZZ_CHECK(lines != NULL);
	}
	lines[line_count++] = line;
}

/* A piece of a line. One that is too long is refused before its end has come. */
static void
note_piece(const char *bytes, size_t length, bool is_end)
{
	text_add(&sent, bytes, length);
	FUZZ_CHECK(!sent.failed);
	if (!refused && (is_end || sent.used > REQUEST_LINE_MAX))
		expect(sent.bytes, sent.used);
	refused = !is_end && sent.used > REQUEST_LINE_MAX;
	if (is_end)
		sent.used = 0;
}

static void
note_sent(const char *bytes, size_t length)
{
	const char *newline;

	while (length > 0 && (newline = memchr(bytes, '\n', length)) != NULL) {
		note_piece(bytes, (size_t)(newline - bytes), true);
		length -= (size_t)(newline + 1 - bytes);
		bytes = newline + 1;
	}
	note_piece(bytes, length, false);
}

/* A last line needs no newline, unless there is nothing of it. */
static void
note_end(void)
{
	if (sent.used > 0 && !refused)
		expect(sent.bytes, sent.used);
	sent.used = 0;
	refused = false;
}

static void
forget_lines(void)
{
	for (size_t i = 0; i < line_count; i++)
		json_decref(lines[i].request);
	line_count = answered = 0;
}

/* ---- answers ---- */

static void
check_answer(const struct line *line, const char *text, size_t length)
{
	json_t *answer = fuzz_check_answer(text, length);
	const char *code = json_string_value(json_object_get(json_object_get(answer, "error"), "code"));

	fuzz_check_id(line->request, answer);
	if (line->too_large)
		FUZZ_CHECK_OF(code != NULL && strcmp(code, "too-large") == 0, text, length);
	else if (line->request != NULL)
		FUZZ_CHECK_OF(code == NULL || strcmp(code, "bad-json") != 0, text, length);
	else
		FUZZ_CHECK_OF(code != NULL && (line->code[0] == '\0' || strcmp(code, line->code) == 0), text,
			      length);
	json_decref(answer);
}

static bool
is_event(const char *text, size_t length)
{
	static const char begin[] = "{\"event\":";

	return length > sizeof(begin) && memcmp(text, begin, sizeof(begin) - 1) == 0;
}

static void
check_received(void)
{
	struct fuzz_script rest = {received.bytes, received.used};
	const char *line;
	size_t length;

	while (rest.left > 0 && memchr(rest.at, '\n', rest.left) != NULL) {
		fuzz_next_line(&rest, &line, &length);
		if (is_event(line, length))
			continue;
		FUZZ_CHECK_OF(answered < line_count, line, length);
		check_answer(&lines[answered++], line, length + 1);
	}
	memmove(received.bytes, rest.at, rest.left);
	received.used = rest.left;
}

/* Takes in what there is. False: the daemon has closed. */
static bool
receive(void)
{
	char bytes[65536];
	ssize_t got;
	bool open;

	while ((got = recv(client, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		text_add(&received, bytes, (size_t)got);
	open = got < 0 && (errno == EAGAIN || errno == EINTR);
	FUZZ_CHECK(!received.failed);
	if (received.used > 0)
		check_received();
	return open;
}

/* ---- a client ---- */

/* A daemon that takes no more, because its answers are not read or it is paused, gets what it waits for. */
static void
flush(void)
{
	size_t done = 0;
	int looks = 0;

	while (done < collected.used && client >= 0 && !sending_over) {
		ssize_t now = send(client, collected.bytes + done, collected.used - done,
				   MSG_DONTWAIT | MSG_NOSIGNAL);

		FUZZ_CHECK(looks++ < LOOKS_MAX);
		if (now > 0) {
			note_sent(collected.bytes + done, (size_t)now);
			done += (size_t)now;
			continue;
		}
		FUZZ_CHECK(errno == EAGAIN);
		control_pause(false);
		receive();
		fuzz_turn();
	}
	text_free(&collected);
	fuzz_turn();
}

/* It is to be kept, for how long a pause is here depends on the machine. */
static void
open_client(void)
{
	static const char keep[] = "{\"op\":\"ping\",\"keep\":true}\n";

	client = listen_connect(fuzz_path("socket"));
	FUZZ_CHECK(client >= 0);
	sending_over = false;
	text_free(&collected);
	text_add(&collected, keep, sizeof(keep) - 1);
	flush();
}

static void
half_close(void)
{
	flush();
	if (sending_over || client < 0)
		return;
	note_end();
	sending_over = true;
	shutdown(client, SHUT_WR);
	fuzz_turn();
}

/* Without having read what it was answered. */
static void
vanish(void)
{
	flush();
	sent.used = received.used = 0;
	refused = false;
	forget_lines();
	if (client >= 0)
		close(client);
	client = -1;
	fuzz_turn();
}

static void
pad(void)
{
	static char spaces[PAD_BYTES];

	memset(spaces, ' ', sizeof(spaces));
	text_add(&collected, spaces, sizeof(spaces));
}

static void
act(char what)
{
	switch (what) {
	case 's': /* what is sent is split here */
		flush();
		break;
	case 'r':
		flush();
		if (client >= 0)
			receive();
		break;
	case 'p':
		pad();
		break;
	case 'h':
		half_close();
		break;
	case 'c':
		vanish();
		open_client();
		break;
	case 'w':
		control_pause(true);
		break;
	case 'g':
		control_pause(false);
		break;
	case ESCAPE:
		text_add(&collected, &what, 1);
		break;
	default:
		break;
	}
}

/* All that was asked is answered, and then the daemon closes; but one that follows it leaves to the client. */
static void
finish(void)
{
	int looks = 0;

	control_pause(false);
	half_close();
	while (receive() && (answered < line_count || watch_count() == 0)) {
		FUZZ_CHECK(looks++ < LOOKS_MAX);
		fuzz_turn();
	}
	FUZZ_CHECK(answered == line_count && (received.used == 0 || watch_count() > 0));
	vanish();
	control_drop_all();
	fuzz_turn();
	FUZZ_CHECK(control_clients() == 0 && control_outstanding() == 0);
}

/* ---- the server ---- */

static void
stop(void)
{
}

static void
describe(struct commands_server_state *state)
{
	*state = (struct commands_server_state){.clients = control_clients(), .socket = "/s"};
}

static int
reload(configured_done_cb *done, void *arg, struct error *e)
{
	(void)done;
	(void)arg;
	return error_set(e, ERR_LIMIT, "not now");
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const struct commands_server server = {
	    .stop = stop, .describe = describe, .reload = reload, .upgrade = fuzz_no_upgrade};
	struct error e;

	(void)argc;
	(void)argv;
	commands_init(&server);
	fuzz_world_begin();
	FUZZ_CHECK(watch_init() == 0);
	FUZZ_CHECK(control_listen(fuzz_base(), strdup(fuzz_path("socket")), &e) == 0);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	open_client();
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] != ESCAPE || i + 1 == length)
			text_add(&collected, (const char *)&bytes[i], 1);
		else
			act((char)bytes[++i]);
	}
	finish();
	fuzz_world_end();
	fuzz_fresh_watch();
	return 0;
}
