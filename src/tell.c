#include "config.h"

#include "tell.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "title.h"
#include "util.h"

#define FIELDS_SIZE 4096 /* of a log line, which is cut to as much */

static const char *const kind_names[TELL_KINDS] = {
    [TELL_KIND_PROBE_ADDED] = "probe-added",
    [TELL_KIND_ARMED] = "armed",
    [TELL_KIND_TRIGGERED] = "triggered",
    [TELL_KIND_RUN_STARTED] = "run-started",
    [TELL_KIND_RUN_OUTPUT] = "run-output",
    [TELL_KIND_RUN_ENDED] = "run-ended",
    [TELL_KIND_THROTTLED] = "throttled",
    [TELL_KIND_COALESCED] = "coalesced",
    [TELL_KIND_JAIL_GONE] = "jail-gone",
    [TELL_KIND_JAIL_BACK] = "jail-back",
    [TELL_KIND_REMOVED] = "removed",
    [TELL_KIND_ERROR] = "error",
    [TELL_KIND_DAEMON_STOPPING] = "daemon-stopping",
    [TELL_KIND_DAEMON_UPGRADED] = "daemon-upgraded",
};

enum level { INFO, WARN, ERROR };

static const struct fact {
	const char *name;
	enum tell_kind kind;
	enum level level;
} facts[TELL_FACTS] = {
    [TELL_PROBE_ADDED] = {"probe-added", TELL_KIND_PROBE_ADDED, INFO},
    [TELL_PROBE_RESTORED] = {"probe-restored", TELL_KIND_PROBE_ADDED, INFO},
    [TELL_ARMED] = {"armed", TELL_KIND_ARMED, INFO},
    [TELL_ATTACH_FAILED] = {"attach-failed", TELL_KIND_ERROR, WARN},
    [TELL_TRIGGERED] = {"triggered", TELL_KIND_TRIGGERED, INFO},
    [TELL_PROBE_KILLED] = {"probe-killed", TELL_KIND_ERROR, WARN},
    [TELL_PROBE_ENDED] = {"probe-ended", TELL_KIND_ERROR, WARN},
    [TELL_RUN_STARTED] = {"run-started", TELL_KIND_RUN_STARTED, INFO},
    [TELL_RUN_OUTPUT] = {"run-output", TELL_KIND_RUN_OUTPUT, INFO},
    [TELL_RUN_ENDED] = {"run-ended", TELL_KIND_RUN_ENDED, INFO},
    [TELL_THROTTLED] = {"throttled", TELL_KIND_THROTTLED, INFO},
    [TELL_COALESCED] = {"coalesced", TELL_KIND_COALESCED, INFO},
    [TELL_TRIGGER_DROPPED] = {"trigger-dropped", TELL_KIND_ERROR, WARN},
    [TELL_JAIL_GONE] = {"jail-gone", TELL_KIND_JAIL_GONE, INFO},
    [TELL_JAIL_BACK] = {"jail-back", TELL_KIND_JAIL_BACK, INFO},
    [TELL_REMOVED] = {"removed", TELL_KIND_REMOVED, INFO},
    [TELL_ERROR] = {"error", TELL_KIND_ERROR, WARN},
    [TELL_NOT_SAVED] = {"error", TELL_KIND_ERROR, ERROR},
    [TELL_CONFIGURED_FAILED] = {"configured-probe-failed", TELL_KIND_ERROR, WARN},
    [TELL_RELOAD_FAILED] = {"reload-failed", TELL_KIND_ERROR, ERROR},
    [TELL_UPGRADE_FAILED] = {"upgrade-failed", TELL_KIND_ERROR, WARN},
    [TELL_DAEMON_STOPPING] = {"daemon-stopping", TELL_KIND_DAEMON_STOPPING, INFO},
    [TELL_DAEMON_UPGRADED] = {"daemon-upgraded", TELL_KIND_DAEMON_UPGRADED, INFO},
};

static void (*sink)(const struct tell_event *);
static bool output_wanted;

const char *
tell_kind_name(enum tell_kind kind)
{
	return kind_names[kind];
}

enum tell_kind
tell_find_kind(const char *name)
{
	enum tell_kind kind = 0;

	while (kind < TELL_KINDS && strcmp(kind_names[kind], name) != 0)
		kind++;
	return kind;
}

void
tell_set_sink(void (*to)(const struct tell_event *))
{
	sink = to;
}

void
tell_want_output(bool wanted)
{
	output_wanted = wanted;
}

/* " name=value", quoted where it is a text. Returns what is used of it by then. */
static size_t
append_field(char line[FIELDS_SIZE], size_t used, const struct tell_field *field)
{
	char quoted[TELL_TEXT_MAX * 4 + 3], number[24];
	const char *value = number;
	size_t length = field->length < TELL_TEXT_MAX ? field->length : TELL_TEXT_MAX;

	if (field->text != NULL)
		value = log_quote(quoted, sizeof(quoted), field->text, length);
	else
		snprintf(number, sizeof(number), "%lld", (long long)field->number);
	used += (size_t)snprintf(line + used, FIELDS_SIZE - used, " %s=%s", field->name, value);
	return used < FIELDS_SIZE ? used : FIELDS_SIZE - 1;
}

static void
write_log(const struct fact *fact, const struct probe *probe, const struct tell_field *fields)
{
	const char *space = probe == NULL ? "" : " ", *tag = probe == NULL ? "" : probe->tag;
	char line[FIELDS_SIZE] = "";
	size_t used = 0;

	for (; fields->name != NULL; fields++)
		used = append_field(line, used, fields);
	if (fact->level == INFO)
		log_info("event=%s%s%s%s", fact->name, space, tag, line);
	else if (fact->level == WARN)
		log_warn("event=%s%s%s%s", fact->name, space, tag, line);
	else
		log_error("event=%s%s%s%s", fact->name, space, tag, line);
}

static void
tell_sink(const struct fact *fact, const struct probe *probe, const struct tell_field *fields)
{
	const struct tell_event event = {.kind = fact->kind,
					 .name = fact->name,
					 .probe = probe,
					 .fields = fields,
					 .wall_ms = util_wall_ms()};
	int saved_errno = errno;

	if (sink != NULL)
		sink(&event);
	errno = saved_errno;
}

void
tell_fields(enum tell_fact fact, const struct probe *probe, const struct tell_field *fields)
{
	int saved_errno = errno;

	write_log(&facts[fact], probe, fields);
	errno = saved_errno;
	tell_sink(&facts[fact], probe, fields);
}

void
tell_fields_of(enum tell_fact fact, const struct definition *def, uint64_t number,
	       const struct tell_field *fields)
{
	struct probe probe = {.def = *def, .number = number};

	probe.tag = title_make_tag(&probe);
	if (probe.tag != NULL)
		tell_fields(fact, &probe, fields);
	free(probe.tag);
}

void
tell_output(const struct probe *probe, uint64_t run, const char *bytes, size_t length)
{
	while (output_wanted && length > 0) {
		size_t piece = length <= TELL_OUTPUT_MAX ? length : util_whole_characters(bytes, TELL_OUTPUT_MAX);
		const struct tell_field fields[] = {TELL_NUMBER("run", run),
						    TELL_BYTES("output", bytes, piece), TELL_END};

		tell_sink(&facts[TELL_RUN_OUTPUT], probe, fields);
		bytes += piece;
		length -= piece;
	}
}
