#include "config.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "codec.h"
#include "util.h"

#define ID_MAX 4294967294LL /* the number above means "no id" to the kernel */
#define PROBE_NUMBER_MAX INT64_MAX

const struct codec_member codec_definition_members[] = {
    {"jail", CODEC_JAIL, true, 1, JAIL_NAME_SIZE - 1},
    {"command", CODEC_COMMAND, true, 1, DEFINITION_COMMAND_MAX},
    {"title", CODEC_TEXT, false, 1, DEFINITION_TITLE_MAX},
    {"respawn", CODEC_RESPAWN, false, 0, 0},
    {"uid", CODEC_USER, false, 0, ID_MAX},
    {"gid", CODEC_GROUP, false, 0, ID_MAX},
    {"name", CODEC_NAME, false, 1, DEFINITION_NAME_MAX},
    {"sticky", CODEC_BOOL, false, 0, 0},
    {"cooldown", CODEC_SECONDS, false, 0, DEFINITION_SECONDS_MAX},
    {"timeout", CODEC_SECONDS, false, 0, DEFINITION_SECONDS_MAX},
    {"max_runs", CODEC_COUNT, false, 1, DEFINITION_RUNS_MAX},
    {"show_status", CODEC_BOOL, false, 0, 0},
    {NULL, CODEC_ANY, false, 0, 0},
};

static int
refuse(const struct codec_member *member, const char *wanted, struct error *e)
{
	return error_set(e, ERR_BAD_REQUEST, "\"%s\" must be %s", member->name, wanted);
}

static int
check_bool(const struct codec_member *member, json_t *value, struct error *e)
{
	return json_is_boolean(value) ? 0 : refuse(member, "true or false", e);
}

static int
refuse_range(const struct codec_member *member, struct error *e)
{
	return error_set(e, ERR_BAD_REQUEST, "\"%s\" must be from %lld to %lld", member->name,
			 (long long)member->low, (long long)member->high);
}

static int
check_count(const struct codec_member *member, json_t *value, struct error *e)
{
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value))
		return refuse(member, "an integer", e);
	return number >= member->low && number <= member->high ? 0 : refuse_range(member, e);
}

static int
check_seconds(const struct codec_member *member, json_t *value, struct error *e)
{
	double number = json_number_value(value);

	if (!json_is_number(value))
		return refuse(member, "a number of seconds", e);
	if (number > 0 && number < 0.001)
		return refuse(member, "0, or a millisecond at least", e);
	return number >= (double)member->low && number <= (double)member->high ? 0 : refuse_range(member, e);
}

static int
check_text(const struct codec_member *member, json_t *value, struct error *e)
{
	if (!json_is_string(value))
		return refuse(member, "a string", e);
	if (json_string_length(value) < 1)
		return refuse(member, "a string that is not empty", e);
	if (json_string_length(value) > (size_t)member->high)
		return error_set(e, ERR_BAD_REQUEST, "\"%s\" must have at most %lld bytes",
				 member->name, (long long)member->high);
	if (util_has_control(json_string_value(value)))
		return refuse(member, "a string without control characters", e);
	return 0;
}

static int
check_name(const struct codec_member *member, json_t *value, struct error *e)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char digits[] = "0123456789";
	static const char others[] = "._-+@:";
	const char *name, *c;

	if (check_text(member, value, e) != 0)
		return -1;
	name = json_string_value(value);
	if (name[strspn(name, digits)] == '\0')
		return refuse(member, "more than a number: numbers are given by the daemon", e);
	for (c = name; *c != '\0'; c++)
		if (!strchr(letters, *c) && !strchr(digits, *c) && !strchr(others, *c))
			return refuse(member, "made of letters, digits and . _ - + @ :", e);
	return 0;
}

static int
check_positive_or(const struct codec_member *member, json_t *value,
		  int (*check)(const struct codec_member *, json_t *, struct error *),
		  const char *wanted, struct error *e)
{
	if (json_is_string(value))
		return check(member, value, e);
	if (json_is_integer(value) && json_integer_value(value) > 0)
		return 0;
	return refuse(member, wanted, e);
}

static int
check_jail(const struct codec_member *member, json_t *value, struct error *e)
{
	return check_positive_or(member, value, check_text, "a positive number or a name", e);
}

/* A probe may also be asked for by a name that none has; that is answered later. */
static int
check_probe(const struct codec_member *member, json_t *value, struct error *e)
{
	const struct codec_member name = {member->name, CODEC_TEXT, true, 1, DEFINITION_NAME_MAX};

	return check_positive_or(&name, value, check_text, "a probe's number or name", e);
}

static int
check_argument_list(const struct codec_member *member, json_t *list, struct error *e)
{
	size_t index, bytes = 0;
	json_t *argument;

	json_array_foreach(list, index, argument) {
		if (!json_is_string(argument))
			return refuse(member, "a string or an array of strings", e);
		bytes += json_string_length(argument) + 1;
	}
	if (json_array_size(list) == 0 || json_string_length(json_array_get(list, 0)) == 0)
		return refuse(member, "a command that is not empty", e);
	if (bytes > (size_t)member->high)
		return error_set(e, ERR_BAD_REQUEST, "\"%s\" must have at most %lld bytes",
				 member->name, (long long)member->high);
	return 0;
}

static int
check_command(const struct codec_member *member, json_t *value, struct error *e)
{
	if (json_is_array(value))
		return check_argument_list(member, value, e);
	if (!json_is_string(value))
		return refuse(member, "a string or an array of strings", e);
	if (json_string_length(value) == 0)
		return refuse(member, "a command that is not empty", e);
	if (json_string_length(value) > (size_t)member->high)
		return error_set(e, ERR_BAD_REQUEST, "\"%s\" must have at most %lld bytes",
				 member->name, (long long)member->high);
	return 0;
}

static int
check_respawn(const struct codec_member *member, json_t *value, struct error *e)
{
	const char *word = json_string_value(value);

	if (word != NULL &&
	    (strcmp(word, "no") == 0 || strcmp(word, "after") == 0 || strcmp(word, "now") == 0))
		return 0;
	return refuse(member, "\"no\", \"after\" or \"now\"", e);
}

static int
check_user(const struct codec_member *member, json_t *value, struct error *e)
{
	if (!json_is_string(value))
		return check_count(member, value, e);
	if (getpwnam(json_string_value(value)) != NULL)
		return 0;
	return error_set(e, ERR_BAD_REQUEST, "\"%s\": the host knows no user \"%s\"", member->name,
			 json_string_value(value));
}

static int
check_group(const struct codec_member *member, json_t *value, struct error *e)
{
	if (!json_is_string(value))
		return check_count(member, value, e);
	if (getgrnam(json_string_value(value)) != NULL)
		return 0;
	return error_set(e, ERR_BAD_REQUEST, "\"%s\": the host knows no group \"%s\"", member->name,
			 json_string_value(value));
}

static int
check_events(const struct codec_member *member, json_t *value, struct error *e)
{
	size_t index;
	json_t *name;

	if (!json_is_array(value) || json_array_size(value) == 0)
		return refuse(member, "an array of names of events, not empty", e);
	json_array_foreach(value, index, name) {
		if (!json_is_string(name))
			return refuse(member, "an array of names of events, not empty", e);
		if (tell_find_kind(json_string_value(name)) == TELL_KINDS)
			return error_set(e, ERR_BAD_REQUEST, "\"%s\": no event is named \"%.64s\"",
					 member->name, json_string_value(name));
	}
	return 0;
}

static int
check_any(const struct codec_member *member, json_t *value, struct error *e)
{
	(void)member;
	(void)value;
	(void)e;
	return 0;
}

int
codec_check_member(const struct codec_member *member, json_t *value, struct error *e)
{
	static int (*const checks[])(const struct codec_member *, json_t *, struct error *) = {
	    [CODEC_BOOL] = check_bool,	     [CODEC_COUNT] = check_count,
	    [CODEC_SECONDS] = check_seconds, [CODEC_TEXT] = check_text,
	    [CODEC_NAME] = check_name,	     [CODEC_JAIL] = check_jail,
	    [CODEC_COMMAND] = check_command, [CODEC_RESPAWN] = check_respawn,
	    [CODEC_USER] = check_user,	     [CODEC_GROUP] = check_group,
	    [CODEC_PROBE] = check_probe,     [CODEC_EVENTS] = check_events,
	    [CODEC_ANY] = check_any,
	};

	return checks[member->type](member, value, e);
}

static const struct codec_member *
find_member(const struct codec_member *const *lists, const char *name)
{
	for (; *lists != NULL; lists++)
		for (const struct codec_member *member = *lists; member->name != NULL; member++)
			if (strcmp(member->name, name) == 0)
				return member;
	return NULL;
}

static int
check_required(json_t *object, const struct codec_member *member, struct error *e)
{
	for (; member->name != NULL; member++)
		if (member->required && json_object_get(object, member->name) == NULL)
			return error_set(e, ERR_BAD_REQUEST, "the member \"%s\" is missing",
					 member->name);
	return 0;
}

int
codec_find_wrong(json_t *object, const struct codec_member *const *lists, const char **wrong,
		 struct error *e)
{
	const struct codec_member *member;
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value) {
		*wrong = name;
		if ((member = find_member(lists, name)) == NULL)
			return error_set(e, ERR_BAD_REQUEST, "unknown member \"%.64s\"", name);
		if (codec_check_member(member, value, e) != 0)
			return -1;
	}
	*wrong = NULL;
	for (; *lists != NULL; lists++)
		if (check_required(object, *lists, e) != 0)
			return -1;
	return 0;
}

int
codec_check_object(json_t *object, const struct codec_member *const *lists, struct error *e)
{
	const char *wrong;

	return codec_find_wrong(object, lists, &wrong, e);
}
