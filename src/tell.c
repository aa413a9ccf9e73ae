#include "config.h"

#include "tell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "log.h"
#include "text.h"
#include "title.h"
#include "util.h"

#define LINE_SIZE 8192 /* more than the log takes, so that it is cut there, and no field left out here */

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

static const struct fact {
	const char *name;
	enum tell_kind kind;
	int priority; /* as syslog has them */
} facts[TELL_FACTS] = {
    [TELL_PROBE_ADDED] = {"probe-added", TELL_KIND_PROBE_ADDED, LOG_INFO},
    [TELL_PROBE_RESTORED] = {"probe-restored", TELL_KIND_PROBE_ADDED, LOG_INFO},
    [TELL_ARMED] = {"armed", TELL_KIND_ARMED, LOG_INFO},
    [TELL_ATTACH_FAILED] = {"attach-failed", TELL_KIND_ERROR, LOG_WARNING},
    [TELL_TRIGGERED] = {"triggered", TELL_KIND_TRIGGERED, LOG_INFO},
    [TELL_PROBE_KILLED] = {"probe-killed", TELL_KIND_ERROR, LOG_WARNING},
    [TELL_PROBE_ENDED] = {"probe-ended", TELL_KIND_ERROR, LOG_WARNING},
    [TELL_RUN_STARTED] = {"run-started", TELL_KIND_RUN_STARTED, LOG_INFO},
    [TELL_RUN_OUTPUT] = {"run-output", TELL_KIND_RUN_OUTPUT, LOG_INFO},
    [TELL_RUN_ENDED] = {"run-ended", TELL_KIND_RUN_ENDED, LOG_INFO},
    [TELL_THROTTLED] = {"throttled", TELL_KIND_THROTTLED, LOG_INFO},
    [TELL_COALESCED] = {"coalesced", TELL_KIND_COALESCED, LOG_INFO},
    [TELL_TRIGGER_DROPPED] = {"trigger-dropped", TELL_KIND_ERROR, LOG_WARNING},
    [TELL_JAIL_GONE] = {"jail-gone", TELL_KIND_JAIL_GONE, LOG_INFO},
    [TELL_JAIL_BACK] = {"jail-back", TELL_KIND_JAIL_BACK, LOG_INFO},
    [TELL_REMOVED] = {"removed", TELL_KIND_REMOVED, LOG_INFO},
    [TELL_ERROR] = {"error", TELL_KIND_ERROR, LOG_WARNING},
    [TELL_NOT_SAVED] = {"error", TELL_KIND_ERROR, LOG_ERR},
    [TELL_CONFIGURED_FAILED] = {"configured-probe-failed", TELL_KIND_ERROR, LOG_WARNING},
    [TELL_RELOAD_FAILED] = {"reload-failed", TELL_KIND_ERROR, LOG_ERR},
    [TELL_UPGRADE_FAILED] = {"upgrade-failed", TELL_KIND_ERROR, LOG_WARNING},
    [TELL_DAEMON_STOPPING] = {"daemon-stopping", TELL_KIND_DAEMON_STOPPING, LOG_INFO},
    [TELL_DAEMON_UPGRADED] = {"daemon-upgraded", TELL_KIND_DAEMON_UPGRADED, LOG_INFO},
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

/* " name=value", quoted where it is a text. */
static void
put_field(struct text *line, const struct tell_field *field)
{
	char quoted[TELL_TEXT_MAX * 4 + 3];
	size_t length = field->length < TELL_TEXT_MAX ? field->length : TELL_TEXT_MAX;

	text_say(line, " ");
	text_say(line, field->name);
	text_say(line, "=");
	if (field->text != NULL)
		text_say(line, log_quote(quoted, sizeof(quoted), field->text, length));
	else
		text_number(line, field->number);
}

static void
write_log(const struct fact *fact, const struct probe *probe, const struct tell_field *fields)
{
	char bytes[LINE_SIZE];
	struct text line = TEXT_IN(bytes, sizeof(bytes));

	text_say(&line, "event=");
	text_say(&line, fact->name);
	if (probe != NULL) {
		text_say(&line, " ");
		text_say(&line, probe->tag);
	}
	for (; fields->name != NULL; fields++)
		put_field(&line, fields);
	log_write(fact->priority, bytes, line.used);
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
