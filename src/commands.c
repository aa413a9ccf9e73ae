#include "config.h"

#include "commands.h"

#include <stdlib.h>
#include <string.h>

#include "job.h"
#include "queue.h"
#include "registry.h"
#include "util.h"

static const struct commands_server *server;

void
commands_init(const struct commands_server *callbacks)
{
	server = callbacks;
	json_object_seed(0); /* once, and not at a time that a client chooses */
}

static void
answer_probe(struct request *request, const struct probe *probe)
{
	json_t *object = codec_probe(probe);

	request_answer(request, object == NULL ? NULL : json_pack("{so}", "probe", object));
}

/* Looks up the member "probe"; gone_too: also among those that have ended by themselves. NULL: the
 * request has been answered. */
static struct probe *
find_probe(struct request *request, bool gone_too)
{
	json_t *which = json_object_get(request->body, "probe");
	uint64_t number = (uint64_t)json_integer_value(which);
	const char *name = json_string_value(which);
	struct probe *probe;
	struct error e;

	probe = name != NULL ? registry_by_name(name) : registry_by_number(number);
	if (probe == NULL && gone_too)
		probe = name != NULL ? registry_gone_by_name(name) : registry_gone_by_number(number);
	if (probe != NULL)
		return probe;
	if (name != NULL)
		error_set(&e, ERR_NO_SUCH_PROBE, "no probe is named \"%s\"", name);
	else
		error_set(&e, ERR_NO_SUCH_PROBE, "there is no probe %llu",
			  (unsigned long long)number);
	request_fail(request, &e);
	return NULL;
}

static void
run_ping(struct request *request)
{
	request_answer(request, json_pack("{ss}", "version", PACKAGE_VERSION));
}

static void
probe_added(void *arg, struct probe *probe, const struct error *e)
{
	struct request *request = arg;

	if (probe == NULL)
		request_fail(request, e);
	else
		answer_probe(request, probe);
}

static void
run_add(struct request *request)
{
	bool replace = json_is_true(json_object_get(request->body, "replace"));
	struct definition def;
	struct error e;

	if (codec_read_definition(request->body, &def, &e) != 0) {
		definition_clear(&def);
		request_fail(request, &e);
		return;
	}
	probe_add(&def, replace, probe_added, request);
}

/* A jail given by number fits a probe by the number it was added with and by its jid; a name by the
 * name it was added with. */
static bool
is_in_jail(const struct probe *probe, const struct jail_ref *ref)
{
	if (ref->number == 0)
		return strcmp(probe->def.jail.name, ref->name) == 0;
	return probe->def.jail.number == ref->number ||
	       (probe->jail != NULL && probe->jail->jid == ref->number);
}

static void
run_list(struct request *request)
{
	json_t *jail = json_object_get(request->body, "jail");
	json_t *list = json_array();
	struct jail_ref ref = {0};
	struct probe *probe;

	if (jail != NULL)
		codec_read_jail(jail, &ref);
	for (probe = registry_first(); probe != NULL; probe = registry_after(probe->number)) {
		if (jail != NULL && !is_in_jail(probe, &ref))
			continue;
		if (json_array_append_new(list, codec_probe(probe)) != 0) {
			json_decref(list);
			list = NULL;
			break;
		}
	}
	request_answer(request, list == NULL ? NULL : json_pack("{so}", "probes", list));
}

static void
run_get(struct request *request)
{
	struct probe *probe = find_probe(request, true);

	if (probe != NULL)
		answer_probe(request, probe);
}

static void
run_remove(struct request *request)
{
	bool kill_runs = json_is_true(json_object_get(request->body, "kill"));
	struct probe *probe = find_probe(request, false);
	json_t *object;

	if (probe == NULL)
		return;
	/* The answer is made first, because the probe may not exist afterwards. */
	object = codec_probe(probe);
	probe_remove(probe, kill_runs);
	if (object != NULL) {
		json_object_set_new(object, "state", json_string(codec_state_name(PROBE_GONE)));
		json_object_set_new(object, "pid", json_null());
	}
	request_answer(request, object == NULL ? NULL : json_pack("{so}", "probe", object));
}

static void
run_trigger(struct request *request)
{
	struct probe *probe = find_probe(request, false);
	struct error e;

	if (probe == NULL)
		return;
	probe_hold(probe);
	if (probe_trigger(probe, &e) != 0)
		request_fail(request, &e);
	else
		answer_probe(request, probe);
	probe_release(probe);
}

static void
run_output(struct request *request)
{
	struct probe *probe = find_probe(request, true);
	struct tail *output;

	if (probe == NULL)
		return;
	output = probe_output(probe);
	request_answer(request, json_pack("{sI sI so}",			   //
					  "probe", (json_int_t)probe->number, //
					  "output_bytes", (json_int_t)output->total,
					  "output", codec_bytes(tail_linear(output), output->used)));
}

static json_t *
count_states(void)
{
	json_int_t counts[PROBE_STATES] = {0};
	json_t *states = json_object();
	struct probe *probe;

	for (probe = registry_first(); probe != NULL; probe = registry_after(probe->number))
		counts[probe_state(probe)]++;
	for (int i = 0; i < PROBE_GONE; i++)
		json_object_set_new(states, codec_state_name((enum probe_state)i),
				    json_integer(counts[i]));
	return states;
}

static json_t *
describe_server(void)
{
	struct commands_server_state state;
	char stamp[UTIL_TIME_SIZE];

	server->describe(&state);
	return json_pack("{ss si ss sI si ss}",						   //
			 "version", PACKAGE_VERSION,					   //
			 "pid", (int)state.pid,						   //
			 "started", util_format_time(stamp, state.started_ms),		   //
			 "uptime", (json_int_t)((util_wall_ms() - state.started_ms) / 1000), //
			 "clients", (int)state.clients,					   //
			 "socket", state.socket);
}

static void
run_status(struct request *request)
{
	json_t *status = describe_server();

	json_object_set_new(status, "probes", json_integer((json_int_t)registry_count()));
	json_object_set_new(status, "states", count_states());
	json_object_set_new(status, "runs_in_progress", json_integer(job_count()));
	json_object_set_new(status, "runs_waiting", json_integer(queue_waiting()));
	request_answer(request, json_pack("{so}", "status", status));
}

static void
run_stop(struct request *request)
{
	request_answer(request, json_object());
	server->stop();
}

static const struct codec_member list_members[] = {
    {"jail", CODEC_JAIL, false, 1, JAIL_NAME_SIZE - 1},
    {NULL, CODEC_ANY, false, 0, 0},
};

static const struct codec_member probe_members[] = {
    {"probe", CODEC_PROBE, true, 0, 0},
    {NULL, CODEC_ANY, false, 0, 0},
};

static const struct codec_member replace_member[] = {
    {"replace", CODEC_BOOL, false, 0, 0},
    {NULL, CODEC_ANY, false, 0, 0},
};

static const struct codec_member kill_member[] = {
    {"kill", CODEC_BOOL, false, 0, 0},
    {NULL, CODEC_ANY, false, 0, 0},
};

static const struct command commands[] = {
    {"ping", NULL, NULL, COMMAND_READ_ONLY, run_ping},
    {"add", codec_definition_members, replace_member, COMMAND_OVERLAPS, run_add},
    {"list", list_members, NULL, COMMAND_READ_ONLY, run_list},
    {"get", probe_members, NULL, COMMAND_READ_ONLY, run_get},
    {"remove", probe_members, kill_member, 0, run_remove},
    {"trigger", probe_members, NULL, 0, run_trigger},
    {"output", probe_members, NULL, COMMAND_READ_ONLY, run_output},
    {"status", NULL, NULL, COMMAND_READ_ONLY, run_status},
    {"stop", NULL, NULL, 0, run_stop},
};

const struct command *
commands_find(const char *op)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].op, op) == 0)
			return &commands[i];
	return NULL;
}
