#include "config.h"

#include "codec.h"

#include <sys/wait.h>

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

static const char *const state_names[PROBE_STATES] = {
    [PROBE_WAITING] = "waiting", [PROBE_STARTING] = "starting", [PROBE_ARMED] = "armed",
    [PROBE_QUEUED] = "queued",	 [PROBE_RUNNING] = "running",	[PROBE_COOLING] = "cooling",
    [PROBE_GONE] = "gone",
};

static const char *const respawn_names[] = {
    [RESPAWN_NO] = "no", [RESPAWN_AFTER] = "after", [RESPAWN_NOW] = "now"};

const char *
codec_respawn_name(enum respawn respawn)
{
	return respawn_names[respawn];
}

const char *
codec_state_name(enum probe_state state)
{
	return state_names[state];
}

/* ---- JSON → structs ---- */

void
codec_read_jail(json_t *value, struct jail_ref *ref)
{
	*ref = (struct jail_ref){.number = json_integer_value(value), .name = json_string_value(value)};
}

static int
read_text(json_t *value, char **text)
{
	if (value == NULL)
		return 0;
	*text = strdup(json_string_value(value));
	return *text == NULL ? -1 : 0;
}

static int
read_jail(json_t *value, struct jail_ref *jail)
{
	char *name = NULL;
	int failed = read_text(json_is_string(value) ? value : NULL, &name);

	*jail = (struct jail_ref){.number = json_integer_value(value), .name = name};
	return failed;
}

static int
read_command(json_t *value, struct definition *def)
{
	size_t count = json_array_size(value), index;
	const char **list;
	json_t *argument;

	if (json_is_string(value))
		return read_text(value, &def->shell);
	if ((list = calloc(count + 1, sizeof(*list))) == NULL)
		return -1;
	json_array_foreach(value, index, argument)
		list[index] = json_string_value(argument);
	def->argv = util_copy_strings((char *const *)(uintptr_t)list);
	free(list);
	return def->argv == NULL ? -1 : 0;
}

static enum respawn
read_respawn(json_t *value)
{
	const char *word = json_string_value(value);

	if (word == NULL || strcmp(word, "no") == 0)
		return RESPAWN_NO;
	return strcmp(word, "after") == 0 ? RESPAWN_AFTER : RESPAWN_NOW;
}

static int64_t
read_ms(json_t *value)
{
	return value == NULL ? DEFINITION_UNSET : (int64_t)(json_number_value(value) * 1000 + 0.5);
}

static int64_t
read_count(json_t *value)
{
	return value == NULL ? DEFINITION_UNSET : json_integer_value(value);
}

/* Names were found when the object was checked; if one has vanished since, the id stays unset, which
 * for a user means root: so that must be an error here. */
static int
read_user(json_t *value, int64_t *uid, struct error *e)
{
	struct passwd *user;

	*uid = read_count(value);
	if (!json_is_string(value))
		return 0;
	if ((user = getpwnam(json_string_value(value))) == NULL)
		return error_set(e, ERR_BAD_REQUEST, "\"uid\": the host knows no user \"%s\"",
				 json_string_value(value));
	*uid = user->pw_uid;
	return 0;
}

static int
read_group(json_t *value, int64_t *gid, struct error *e)
{
	struct group *group;

	*gid = read_count(value);
	if (!json_is_string(value))
		return 0;
	if ((group = getgrnam(json_string_value(value))) == NULL)
		return error_set(e, ERR_BAD_REQUEST, "\"gid\": the host knows no group \"%s\"",
				 json_string_value(value));
	*gid = group->gr_gid;
	return 0;
}

int
codec_read_definition(json_t *object, struct definition *def, struct error *e)
{
	definition_init(def);
	def->respawn = read_respawn(json_object_get(object, "respawn"));
	def->sticky = json_is_true(json_object_get(object, "sticky"));
	def->show_status = json_is_true(json_object_get(object, "show_status"));
	def->cooldown_ms = read_ms(json_object_get(object, "cooldown"));
	def->timeout_ms = read_ms(json_object_get(object, "timeout"));
	def->max_runs = read_count(json_object_get(object, "max_runs"));
	if (read_user(json_object_get(object, "uid"), &def->uid, e) != 0 ||
	    read_group(json_object_get(object, "gid"), &def->gid, e) != 0)
		return -1;
	if (read_jail(json_object_get(object, "jail"), &def->jail) != 0 ||
	    read_command(json_object_get(object, "command"), def) != 0 ||
	    read_text(json_object_get(object, "title"), &def->title) != 0 ||
	    read_text(json_object_get(object, "name"), &def->name) != 0)
		return error_no_memory(e);
	if (def->sticky && def->jail.number != 0)
		return error_set(e, ERR_BAD_REQUEST,
				 "\"sticky\" needs \"jail\" to be a name: a number doesn't outlive the jail");
	return 0;
}

/* ---- structs → JSON ---- */

static json_t *
text_or_null(const char *text)
{
	return text == NULL ? json_null() : json_string(text);
}

/* Whole seconds as an integer, because that is how most people wrote them. */
static json_t *
seconds_value(int64_t ms)
{
	return ms % 1000 == 0 ? json_integer(ms / 1000) : json_real((double)ms / 1000);
}

static json_t *
time_value(int64_t wall_ms)
{
	char text[UTIL_TIME_SIZE];

	return json_string(util_format_time(text, wall_ms));
}

static json_t *
jail_value(const struct jail_ref *ref)
{
	return ref->number != 0 ? json_integer(ref->number) : json_string(ref->name);
}

static json_t *
command_value(const struct definition *def)
{
	json_t *list;

	if (def->shell != NULL)
		return json_string(def->shell);
	if ((list = json_array()) == NULL)
		return NULL;
	for (size_t i = 0; def->argv[i] != NULL; i++)
		if (json_array_append_new(list, json_string(def->argv[i])) != 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static bool
add_unless_unset(json_t *object, const char *name, int64_t count)
{
	return count == DEFINITION_UNSET || json_object_set_new(object, name, json_integer(count)) == 0;
}

static bool
add_seconds(json_t *object, const char *name, int64_t ms)
{
	return ms == DEFINITION_UNSET || json_object_set_new(object, name, seconds_value(ms)) == 0;
}

static bool
add_text(json_t *object, const char *name, const char *text)
{
	return text == NULL || json_object_set_new(object, name, json_string(text)) == 0;
}

static bool
add_unless_default(json_t *object, const struct definition *def)
{
	return (def->respawn == RESPAWN_NO ||
		json_object_set_new(object, "respawn", json_string(respawn_names[def->respawn])) == 0) &&
	       (!def->sticky || json_object_set_new(object, "sticky", json_true()) == 0) &&
	       (!def->show_status || json_object_set_new(object, "show_status", json_true()) == 0);
}

json_t *
codec_definition(const struct definition *def)
{
	json_t *object = json_pack("{so so}",			     //
				   "jail", jail_value(&def->jail), //
				   "command", command_value(def));

	if (object != NULL && add_unless_default(object, def) && add_text(object, "title", def->title) &&
	    add_text(object, "name", def->name) &&
	    add_unless_unset(object, "uid", def->uid) && add_unless_unset(object, "gid", def->gid) &&
	    add_unless_unset(object, "max_runs", def->max_runs) &&
	    add_seconds(object, "cooldown", def->cooldown_ms) &&
	    add_seconds(object, "timeout", def->timeout_ms))
		return object;
	json_decref(object);
	return NULL;
}

/* Exactly one of exit, signal and timeout is not null. */
static json_t *
last_value(const struct probe_last *last)
{
	bool exited = !last->timed_out && WIFEXITED(last->status);
	bool signaled = !last->timed_out && WIFSIGNALED(last->status);

	if (!last->any)
		return json_null();
	return json_pack("{so so so so so sI}",					     //
			 "started", time_value(last->started_ms),		     //
			 "finished", time_value(last->finished_ms),		     //
			 "exit", exited ? json_integer(WEXITSTATUS(last->status)) : json_null(),
			 "signal", signaled ? json_integer(WTERMSIG(last->status)) : json_null(),
			 "timeout", last->timed_out ? json_true() : json_null(),     //
			 "output_bytes", (json_int_t)last->output_bytes);
}

json_t *
codec_probe_brief(const struct probe *probe)
{
	return json_pack("{so so ss sI sI sI sI so}",		       //
			 "name", text_or_null(probe->def.name),	       //
			 "jail", jail_value(&probe->def.jail),	       //
			 "state", codec_state_name(probe_state(probe)), //
			 "triggers", (json_int_t)probe->triggers,      //
			 "runs", (json_int_t)probe->runs,	       //
			 "coalesced", (json_int_t)probe->coalesced,    //
			 "throttled", (json_int_t)probe->throttled,    //
			 "last", last_value(&probe->last));
}

json_t *
codec_error(const struct error *e)
{
	return json_pack("{ss so}", "code", error_name(e->code), "message",
			 codec_bytes(e->text, strlen(e->text)));
}

/* Length of the valid UTF-8 sequence at bytes, 0: none begins here. Overlong forms, surrogates and
 * what lies above U+10FFFF are refused by json_stringn, so a candidate is proved by it. */
static size_t
sequence_length(const char *bytes, size_t left)
{
	unsigned char c = (unsigned char)*bytes;
	size_t length = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 0;
	json_t *proof;

	if (length <= 1 || length > left)
		return length == 1 ? 1 : 0;
	proof = json_stringn(bytes, length);
	json_decref(proof);
	return proof == NULL ? 0 : length;
}

json_t *
codec_bytes(const char *bytes, size_t length)
{
	static const char replacement[] = "\xef\xbf\xbd";
	json_t *string = json_stringn(bytes, length);
	size_t used = 0;
	char *clean;

	if (string != NULL || (clean = malloc(length * (sizeof(replacement) - 1) + 1)) == NULL)
		return string;
	for (size_t i = 0; i < length;) {
		size_t step = sequence_length(bytes + i, length - i);
		const char *from = step == 0 ? replacement : bytes + i;
		size_t count = step == 0 ? sizeof(replacement) - 1 : step;

		memcpy(clean + used, from, count);
		used += count;
		i += step == 0 ? 1 : step;
	}
	string = json_stringn(clean, used);
	free(clean);
	return string;
}
