#include "config.h"

#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job.h"
#include "jsontext.h"
#include "memory.h"
#include "queue.h"
#include "registry.h"
#include "run.h"
#include "sticky.h"
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
	struct text members = {0};

	text_say(&members, "\"probe\":");
	codec_print_probe(&members, probe);
	request_answer_text(request, &members);
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
	struct text members = {0};

	text_say(&members, "\"version\":\"" PACKAGE_VERSION "\"");
	request_answer_text(request, &members);
}

/* The probe as it is now that what was asked of it is certain. */
static void
probe_done(void *arg, struct probe *probe, const struct error *e)
{
	struct request *request = arg;

	if (e != NULL)
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
	probe_add(&def, replace ? PROBE_ADD_REPLACE : 0, probe_done, request);
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

	if (probe != NULL)
		probe_remove(probe, kill_runs, probe_done, request);
}

static void
run_trigger(struct request *request)
{
	struct probe *probe = find_probe(request, false);
	struct error e;

	if (probe != NULL && probe_trigger(probe, &e, probe_done, request) != 0)
		request_fail(request, &e);
}

static void
run_last_output(struct request *request)
{
	struct probe *probe = find_probe(request, true);

	if (probe != NULL)
		commands_output(request, probe);
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
			 "uptime", (json_int_t)(state.uptime_ms / 1000),			   //
			 "clients", (int)state.clients,					   //
			 "socket", state.socket);
}

/* Ended ones, too, may have triggers whose turn is still to come. */
static json_int_t
count_waiting(void)
{
	const struct probe *probe = NULL;
	json_int_t count = 0;

	while ((probe = registry_every(probe)) != NULL)
		count += run_waiting(probe);
	return count;
}

/* Of the probes that have names, the first most of them; how many more there are is told beside. */
static void
add_named(json_t *status, json_int_t most)
{
	json_t *named = json_array();
	json_int_t left_out = 0;
	const struct probe *probe;

	for (probe = registry_first(); probe != NULL; probe = registry_after(probe->number)) {
		if (probe->def.name == NULL || registry_by_name(probe->def.name) != probe)
			continue; /* or not yet its own */
		if ((json_int_t)json_array_size(named) < most)
			json_array_append_new(named, codec_probe_brief(probe));
		else
			left_out++;
	}
	json_object_set_new(status, "named", named);
	json_object_set_new(status, "named_left_out", json_integer(left_out));
}

static void
run_status(struct request *request)
{
	json_t *status = describe_server(), *counts = codec_stats();
	json_t *named = json_object_get(request->body, "named");

	json_object_set_new(status, "probes", json_integer((json_int_t)registry_count()));
	json_object_set_new(status, "states", count_states());
	json_object_set_new(status, "runs_in_progress", json_integer(job_count()));
	json_object_set_new(status, "runs_waiting", json_integer(queue_waiting()));
	json_object_set_new(status, "triggers_waiting", json_integer(count_waiting()));
	json_object_set_new(status, "memory", json_integer(memory_resident()));
	json_object_update(status, counts);
	json_decref(counts);
	if (named != NULL)
		add_named(status, json_integer_value(named));
	request_answer(request, json_pack("{so}", "status", status));
}

static void
run_check(struct request *request)
{
	struct jail_ref ref = {0};

	codec_read_jail(json_object_get(request->body, "jail"), &ref);
	request_answer(request, json_pack("{si}", "found", (int)sticky_check(&ref)));
}

static void
reloaded(void *arg, const struct configured_counts *counts)
{
	request_answer(arg, json_pack("{s{si si si si si}}", "reload",	   //
				      "added", (int)counts->added,	   //
				      "changed", (int)counts->changed,	   //
				      "removed", (int)counts->removed,	   //
				      "unchanged", (int)counts->unchanged, //
				      "failed", (int)counts->failed));
}

static void
run_reload(struct request *request)
{
	struct error e;

	if (server->reload(reloaded, request, &e) != 0)
		request_fail(request, &e);
}

static void
run_stop(struct request *request)
{
	request_answer(request, json_object());
	server->stop();
}

static void
upgrade_failed(void *arg, const struct error *e)
{
	request_fail(arg, e);
}

static void
run_upgrade(struct request *request)
{
	json_t *id = json_object_get(request->body, "id");
	char *text = id == NULL ? NULL : jsontext_dump(id, JSON_COMPACT | JSON_ENCODE_ANY);

	server->upgrade(text, request->arg, upgrade_failed, request);
	free(text);
}

/* What run_upgrade's request is answered, by another program than the one that it was asked. */
char *
commands_upgraded(const char *id)
{
	char *line = NULL;

	if (asprintf(&line, "{%s%s%s\"ok\":true,\"version\":\"%s\"}\n", id == NULL ? "" : "\"id\":",
		     id == NULL ? "" : id, id == NULL ? "" : ",", PACKAGE_VERSION) < 0)
		return NULL;
	return line;
}

static const struct codec_member list_members[] = {
    {"jail", CODEC_JAIL, false, 1, JAIL_NAME_SIZE - 1},
    {NULL, CODEC_ANY, false, 0, 0},
};

/* No number: sticky probes wait for names. */
static const struct codec_member check_members[] = {
    {"jail", CODEC_TEXT, true, 1, JAIL_NAME_SIZE - 1},
    {NULL, CODEC_ANY, false, 0, 0},
};

static const struct codec_member probe_members[] = {
    {"probe", CODEC_PROBE, true, 0, 0},
    {NULL, CODEC_ANY, false, 0, 0},
};

static const struct codec_member status_members[] = {
    {"named", CODEC_COUNT, false, 0, 1000},
    {NULL, CODEC_ANY, false, 0, 0},
};

static const struct codec_member follow_member[] = {
    {"follow", CODEC_BOOL, false, 0, 0},
    {NULL, CODEC_ANY, false, 0, 0},
};

static const struct codec_member watch_members[] = {
    {"probe", CODEC_PROBE, false, 0, 0},
    {"jail", CODEC_JAIL, false, 1, JAIL_NAME_SIZE - 1},
    {"events", CODEC_EVENTS, false, 0, 0},
    {"output", CODEC_BOOL, false, 0, 0},
    {"since", CODEC_COUNT, false, 0, INT64_MAX},
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
    {"list", list_members, NULL, COMMAND_READ_ONLY, commands_list},
    {"get", probe_members, NULL, COMMAND_READ_ONLY, run_get},
    {"remove", probe_members, kill_member, 0, run_remove},
    {"trigger", probe_members, NULL, 0, run_trigger},
    {"output", probe_members, follow_member, COMMAND_READ_ONLY, run_last_output},
    {"watch", watch_members, NULL, COMMAND_READ_ONLY, commands_watch},
    {"status", status_members, NULL, COMMAND_READ_ONLY, run_status},
    {"check", check_members, NULL, 0, run_check},
    {"upgrade", NULL, NULL, 0, run_upgrade},
    {"reload", NULL, NULL, 0, run_reload},
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
