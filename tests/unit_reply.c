/* Lines as requests, and their answers: what the tests of requests share. */
#include "config.h"

#include "unit_reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "request.h"
#include "unit.h"

static unsigned stopped;

static void
stop(void)
{
	stopped++;
}

unsigned
unit_reply_stops(void)
{
	return stopped;
}

static void
describe(struct commands_server_state *state)
{
	*state = (struct commands_server_state){
	    .pid = 4711, .started_ms = 1795262400250, .clients = 3, .socket = "/s"};
}

void
unit_reply_begin(void)
{
	static const struct commands_server server = {.stop = stop, .describe = describe};

	commands_init(&server);
	ck_assert_int_eq(probe_init(unit_base()), 0);
}

void
unit_reply_take(void *arg, const char *text, size_t length)
{
	struct unit_reply *reply = arg;

	ck_assert_int_eq(text[length - 1], '\n');
	ck_assert_ptr_eq(memchr(text, '\n', length), text + length - 1);
	free(reply->text);
	reply->text = strndup(text, length);
	ck_assert_ptr_nonnull(reply->text);
	reply->count++;
}

void
unit_reply_ask_bytes(const char *line, size_t length, struct unit_reply *reply)
{
	struct request *request = request_parse(line, length);

	ck_assert_ptr_nonnull(request);
	request_run(request, unit_reply_take, reply);
}

void
unit_reply_ask(const char *line, struct unit_reply *reply)
{
	char *real = unit_quotes(line);

	unit_reply_ask_bytes(real, strlen(real), reply);
	free(real);
}

void
unit_reply_check(const char *line, const char *wanted)
{
	struct unit_reply reply = {0};
	char *real = unit_quotes(wanted);

	unit_reply_ask(line, &reply);
	ck_assert_uint_eq(reply.count, 1);
	ck_assert_str_eq(reply.text, real);
	free(reply.text);
	free(real);
}

void
unit_reply_refused(const char *line, const char *code, const char *message)
{
	char wanted[1024];

	snprintf(wanted, sizeof(wanted), "{'ok':false,'error':{'code':'%s','message':'%s'}}\n",
		 code, message);
	unit_reply_check(line, wanted);
}

void
unit_reply_code(const char *line, size_t length, const char *code)
{
	struct unit_reply reply = {0};
	json_t *answer, *error;

	unit_reply_ask_bytes(line, length, &reply);
	ck_assert_uint_eq(reply.count, 1);
	answer = json_loads(reply.text, 0, NULL);
	error = json_object_get(answer, "error");
	ck_assert_msg(json_is_false(json_object_get(answer, "ok")), "%s", reply.text);
	ck_assert_msg(strcmp(json_string_value(json_object_get(error, "code")), code) == 0, "%s",
		      reply.text);
	ck_assert_uint_gt(json_string_length(json_object_get(error, "message")), 0);
	json_decref(answer);
	free(reply.text);
}
