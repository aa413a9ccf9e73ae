/* What is kept of a probe. The words of `add` are as they were given; the others are ours alone, so their
 * numbers are plain: milliseconds since 1970, and a status as waitpid gives it. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "codec.h"

/* A daemon that can't read a record sets it aside, so this grows when an old one could misread it. */
#define FORMAT 1

/* Of one probe as many triggers wait as runs may overlap, of which the configuration lets all be 10,000, and one. */
#define PENDING_MAX 10001

static const struct codec_member record_members[] = {
    {"format", CODEC_COUNT, true, FORMAT, FORMAT},
    {"probe", CODEC_COUNT, true, 1, INT64_MAX - 1},
    {"created", CODEC_COUNT, true, 0, INT64_MAX},
    {"configured", CODEC_BOOL, false, 0, 0},
    {"pending", CODEC_COUNT, false, 0, PENDING_MAX},
    {"given_back", CODEC_BOOL, false, 0, 0}, /* in N.started: the run could not start then */
    {"triggers", CODEC_COUNT, false, 0, INT64_MAX},
    {"runs", CODEC_COUNT, false, 0, INT64_MAX},
    {"coalesced", CODEC_COUNT, false, 0, INT64_MAX},
    {"throttled", CODEC_COUNT, false, 0, INT64_MAX},
    {"last", CODEC_ANY, false, 0, 0},
    {"instance", CODEC_ANY, false, 0, 0},
    {NULL, CODEC_ANY, false, 0, 0},
};

static const struct codec_member last_members[] = {
    {"started", CODEC_COUNT, true, 0, INT64_MAX},
    {"finished", CODEC_COUNT, true, 0, INT64_MAX},
    {"status", CODEC_COUNT, true, INT32_MIN, INT32_MAX},
    {"timed_out", CODEC_BOOL, true, 0, 0},
    {"output_bytes", CODEC_COUNT, true, 0, INT64_MAX},
    {NULL, CODEC_ANY, false, 0, 0},
};

/* Numbers beyond 63 bits can't be written as such; these are 64 bits of the kernel's. */
static const struct codec_member instance_members[] = {
    {"jid", CODEC_COUNT, true, 1, INT32_MAX},
    {"born", CODEC_COUNT, true, INT64_MIN, INT64_MAX},
    {"pid_namespace", CODEC_COUNT, true, INT64_MIN, INT64_MAX},
    {"known_as", CODEC_ANY, true, 0, 0},
    {"boot", CODEC_TEXT, true, 1, JAIL_BOOT_SIZE - 1},
    {NULL, CODEC_ANY, false, 0, 0},
};

/* ---- writing ---- */

/* Without a jail, or where the system can't tell one boot from another, there is none. */
static bool
add_instance(json_t *record, const struct jail_instance *jail)
{
	struct jail_identity is = {0};

	if (jail != NULL)
		jail_identify(jail, &is);
	if (is.boot[0] == '\0')
		return true;
	return json_object_set_new(record, "instance",
				   json_pack("{si sI sI so ss}",				  //
					     "jid", (int)is.jid,				  //
					     "born", (json_int_t)is.born,			  //
					     "pid_namespace", (json_int_t)is.pid_namespace, //
					     "known_as", codec_bytes(is.known_as, strlen(is.known_as)), //
					     "boot", is.boot)) == 0;
}

static json_t *
last_value(const struct probe_last *last)
{
	return json_pack("{sI sI si sb sI}",			//
			 "started", (json_int_t)last->started_ms, //
			 "finished", (json_int_t)last->finished_ms, //
			 "status", last->status,		//
			 "timed_out", last->timed_out,		//
			 "output_bytes", (json_int_t)last->output_bytes);
}

/* What is 0 or false is left out. */
static bool
add_number(json_t *record, const char *name, uint64_t number)
{
	return number == 0 || json_object_set_new(record, name, json_integer((json_int_t)number)) == 0;
}

static bool
add_flag(json_t *record, const char *name, bool flag)
{
	return !flag || json_object_set_new(record, name, json_true()) == 0;
}

json_t *
codec_record(const struct probe *probe, bool with_instance)
{
	json_t *record = codec_definition(&probe->def);

	if (record != NULL && add_number(record, "format", FORMAT) &&
	    add_number(record, "probe", probe->number) &&
	    json_object_set_new(record, "created", json_integer(probe->created_ms)) == 0 &&
	    add_flag(record, "configured", probe->configured) &&
	    add_number(record, "pending", probe->pending) &&
	    add_flag(record, "given_back", probe->kept_started && probe->pending > 0) &&
	    add_number(record, "triggers", probe->triggers) && add_number(record, "runs", probe->runs) &&
	    add_number(record, "coalesced", probe->coalesced) &&
	    add_number(record, "throttled", probe->throttled) &&
	    (!probe->last.any || json_object_set_new(record, "last", last_value(&probe->last)) == 0) &&
	    (!with_instance || add_instance(record, probe->jail)))
		return record;
	json_decref(record);
	return NULL;
}

/* ---- reading ---- */

static int
check_inner(json_t *record, const char *name, const struct codec_member *members, struct error *e)
{
	const struct codec_member *const lists[] = {members, NULL};
	json_t *object = json_object_get(record, name);

	if (object == NULL)
		return 0;
	if (!json_is_object(object))
		return error_set(e, ERR_BAD_REQUEST, "\"%s\" must be an object", name);
	return codec_check_object(object, lists, e);
}

static int64_t
number(json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static int
read_instance(json_t *object, struct jail_identity *instance, struct error *e)
{
	const char *known_as = json_string_value(json_object_get(object, "known_as"));

	*instance = (struct jail_identity){0};
	if (object == NULL)
		return 0;
	if (known_as == NULL || strlen(known_as) >= sizeof(instance->known_as))
		return error_set(e, ERR_BAD_REQUEST, "\"known_as\" must be a jail's name");
	instance->jid = (pid_t)number(object, "jid");
	instance->born = (uint64_t)number(object, "born");
	instance->pid_namespace = (uint64_t)number(object, "pid_namespace");
	memcpy(instance->known_as, known_as, strlen(known_as) + 1);
	snprintf(instance->boot, sizeof(instance->boot), "%s",
		 json_string_value(json_object_get(object, "boot")));
	return 0;
}

static void
read_last(json_t *object, struct probe_last *last)
{
	if (object == NULL)
		return;
	*last = (struct probe_last){.any = true,
				    .started_ms = number(object, "started"),
				    .finished_ms = number(object, "finished"),
				    .status = (int)number(object, "status"),
				    .timed_out = json_is_true(json_object_get(object, "timed_out")),
				    .output_bytes = (uint64_t)number(object, "output_bytes")};
}

int
codec_read_record(json_t *record, struct definition *def, struct probe_saved *saved, struct error *e)
{
	const struct codec_member *const lists[] = {codec_definition_members, record_members, NULL};

	definition_init(def);
	*saved = (struct probe_saved){0};
	if (!json_is_object(record))
		return error_set(e, ERR_BAD_REQUEST, "a record is a JSON object");
	if (codec_check_object(record, lists, e) != 0 ||
	    check_inner(record, "last", last_members, e) != 0 ||
	    check_inner(record, "instance", instance_members, e) != 0 ||
	    read_instance(json_object_get(record, "instance"), &saved->jail, e) != 0)
		return -1;
	read_last(json_object_get(record, "last"), &saved->last);
	saved->number = (uint64_t)number(record, "probe");
	saved->created_ms = number(record, "created");
	saved->configured = json_is_true(json_object_get(record, "configured"));
	saved->pending = (unsigned)number(record, "pending");
	saved->given_back = json_is_true(json_object_get(record, "given_back"));
	saved->triggers = (uint64_t)number(record, "triggers");
	saved->runs = (uint64_t)number(record, "runs");
	saved->coalesced = (uint64_t)number(record, "coalesced");
	saved->throttled = (uint64_t)number(record, "throttled");
	return codec_read_definition(record, def, e);
}
