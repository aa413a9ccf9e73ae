#include "config.h"

#include "metrics.h"

#include <string.h>

#include "util.h"

#define SAMPLES_MAX 5

struct sample {
	const char *member; /* of the status */
	const char *labels; /* with braces; NULL: none */
};

struct family {
	const char *name; /* behind the common prefix */
	const char *type;
	const char *help;
	struct sample samples[SAMPLES_MAX];
};

static const struct family families[] = {
    {"uptime_seconds", "gauge", "Time since the daemon was started.", {{"uptime", NULL}}},
    {"resident_memory_bytes", "gauge", "Resident memory of the daemon.", {{"memory", NULL}}},
    {"triggers_total", "counter", "Triggers that arrived.", {{"triggers", NULL}}},
    {"triggers_waiting",
     "gauge",
     "Triggers whose run has not started.",
     {{"triggers_waiting", NULL}}},
    {"coalesced_total",
     "counter",
     "Triggers for which a run stands that was waiting already.",
     {{"coalesced", NULL}}},
    {"triggers_dropped_total",
     "counter",
     "Triggers that ended with their probe.",
     {{"triggers_dropped", NULL}}},
    {"throttled_total",
     "counter",
     "Times that a probe had to cool before it was armed again.",
     {{"throttled", NULL}}},
    {"runs_started_total", "counter", "Runs that were started.", {{"runs", NULL}}},
    {"runs_total",
     "counter",
     "Runs that have ended, by result.",
     {{"runs_ok", "{result=\"ok\"}"},
      {"runs_failed", "{result=\"failed\"}"},
      {"runs_signal", "{result=\"signal\"}"},
      {"runs_timeout", "{result=\"timeout\"}"}}},
    {"runs_in_progress", "gauge", "Runs that go on.", {{"runs_in_progress", NULL}}},
    {"runs_queued", "gauge", "Probes that wait for their turn to run.", {{"runs_waiting", NULL}}},
    {"attaches_total",
     "counter",
     "Probes that were put into their jail, or could not be.",
     {{"attaches_ok", "{result=\"ok\"}"}, {"attaches_failed", "{result=\"failed\"}"}}},
    {"clients", "gauge", "Connections to the control socket.", {{"clients", NULL}}},
    {"clients_total", "counter", "Connections that were taken.", {{"clients_ever", NULL}}},
    {"clients_refused_total",
     "counter",
     "Connections that were turned away.",
     {{"clients_refused", NULL}}},
    {"events_dropped_total",
     "counter",
     "Events that a watching client was too slow for.",
     {{"events_dropped", NULL}}},
    {"state_save_groups_total",
     "counter",
     "Writes to the state directory.",
     {{"save_groups", NULL}}},
    {"state_save_changes_total",
     "counter",
     "Changes of the state that were written.",
     {{"save_changes", NULL}}},
    {"state_save_errors_total",
     "counter",
     "Changes of the state that could not be saved.",
     {{"save_errors", NULL}}},
};

static const struct {
	const char *name;
	const char *help;
	const char *member;
} histograms[] = {
    {"wait_seconds", "From the trigger to the start of its run.", "wait_seconds"},
    {"run_seconds", "From the start of a run to its end.", "run_seconds"},
};

static void
print_head(FILE *to, const char *name, const char *type, const char *help)
{
	fprintf(to, "# HELP jaildaemon_%s %s\n# TYPE jaildaemon_%s %s\n", name, help, name, type);
}

static void
print_integer(FILE *to, const char *name, const char *labels, json_int_t value)
{
	fprintf(to, "jaildaemon_%s%s %lld\n", name, labels == NULL ? "" : labels, (long long)value);
}

static void
print_family(FILE *to, const struct family *family, json_t *status)
{
	print_head(to, family->name, family->type, family->help);
	for (size_t i = 0; i < SAMPLES_MAX && family->samples[i].member != NULL; i++)
		print_integer(
		    to, family->name, family->samples[i].labels,
		    json_integer_value(json_object_get(status, family->samples[i].member)));
}

static void
print_histogram(FILE *to, const char *name, json_t *histogram)
{
	long long count = json_integer_value(json_object_get(histogram, "count"));
	json_t *pair;
	size_t i;

	json_array_foreach(json_object_get(histogram, "buckets"), i, pair)
		fprintf(to, "jaildaemon_%s_bucket{le=\"%g\"} %lld\n", name,
			json_number_value(json_array_get(pair, 0)),
			(long long)json_integer_value(json_array_get(pair, 1)));
	fprintf(to, "jaildaemon_%s_bucket{le=\"+Inf\"} %lld\n", name, count);
	fprintf(to, "jaildaemon_%s_sum %.6f\n", name,
		json_number_value(json_object_get(histogram, "sum")));
	fprintf(to, "jaildaemon_%s_count %lld\n", name, count);
}

/* As a label's value: what the format gives a meaning to is escaped. NULL: "". */
static void
print_quoted(FILE *to, const char *text)
{
	fputc('"', to);
	for (; text != NULL && *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', to);
		if (*text == '\n')
			fputs("\\n", to);
		else
			fputc(*text, to);
	}
	fputc('"', to);
}

static void
print_states(FILE *to, json_t *status)
{
	const char *state;
	json_t *count;

	print_head(to, "probes", "gauge", "Probes, by state.");
	json_object_foreach(json_object_get(status, "states"), state, count) {
		fputs("jaildaemon_probes{state=", to);
		print_quoted(to, state);
		fprintf(to, "} %lld\n", (long long)json_integer_value(count));
	}
}

static void
print_version(FILE *to, json_t *status)
{
	print_head(to, "info", "gauge", "The version of the daemon.");
	fputs("jaildaemon_info{version=", to);
	print_quoted(to, json_string_value(json_object_get(status, "version")));
	fputs("} 1\n", to);
}

/* ---- probes with names ---- */

/* False: there is nothing to tell of this probe. */
typedef bool value_fn(json_t *probe, json_int_t *value);

static bool
triggers_of(json_t *probe, json_int_t *value)
{
	*value = json_integer_value(json_object_get(probe, "triggers"));
	return true;
}

static bool
runs_of(json_t *probe, json_int_t *value)
{
	*value = json_integer_value(json_object_get(probe, "runs"));
	return true;
}

static bool
armed_of(json_t *probe, json_int_t *value)
{
	const char *state = json_string_value(json_object_get(probe, "state"));

	*value = state != NULL && strcmp(state, "armed") == 0;
	return true;
}

static bool
last_ok_of(json_t *probe, json_int_t *value)
{
	json_t *last = json_object_get(probe, "last"), *code = json_object_get(last, "exit");

	*value = json_is_integer(code) && json_integer_value(code) == 0;
	return json_is_object(last);
}

static bool
last_time_of(json_t *probe, json_int_t *value)
{
	json_t *last = json_object_get(probe, "last");
	const char *finished = json_string_value(json_object_get(last, "finished"));
	int64_t when;

	if (finished == NULL || !util_parse_time(finished, &when))
		return false;
	*value = when / 1000;
	return true;
}

static const struct {
	const char *name;
	const char *type;
	const char *help;
	value_fn *value;
} probe_families[] = {
    {"probe_triggers_total", "counter", "Triggers of a probe.", triggers_of},
    {"probe_runs_total", "counter", "Runs of a probe that were started.", runs_of},
    {"probe_armed", "gauge", "Whether a probe is armed.", armed_of},
    {"probe_last_run_ok", "gauge", "Whether its last run ended with 0.", last_ok_of},
    {"probe_last_run_timestamp_seconds", "gauge", "When its last run ended.", last_time_of},
};

static void
print_probe(FILE *to, const char *name, json_t *probe, json_int_t value)
{
	json_t *jail = json_object_get(probe, "jail");

	fprintf(to, "jaildaemon_%s{name=", name);
	print_quoted(to, json_string_value(json_object_get(probe, "name")));
	fputs(",jail=", to);
	if (json_is_string(jail))
		print_quoted(to, json_string_value(jail));
	else
		fprintf(to, "\"%lld\"", (long long)json_integer_value(jail));
	fprintf(to, "} %lld\n", (long long)value);
}

static void
print_named(FILE *to, json_t *status)
{
	json_t *named = json_object_get(status, "named"), *probe;
	json_int_t value;
	size_t index;

	for (size_t i = 0; i < UTIL_COUNT(probe_families); i++) {
		print_head(to, probe_families[i].name, probe_families[i].type,
			   probe_families[i].help);
		json_array_foreach(named, index, probe)
			if (probe_families[i].value(probe, &value))
				print_probe(to, probe_families[i].name, probe, value);
	}
	print_head(to, "probes_without_metrics", "gauge",
		   "Named probes beyond those that have metrics of their own.");
	print_integer(to, "probes_without_metrics", NULL,
		      json_integer_value(json_object_get(status, "named_left_out")));
}

void
metrics_print(FILE *to, json_t *answer)
{
	json_t *status = json_object_get(answer, "status");

	print_version(to, status);
	print_states(to, status);
	for (size_t i = 0; i < UTIL_COUNT(families); i++)
		print_family(to, &families[i], status);
	for (size_t i = 0; i < UTIL_COUNT(histograms); i++) {
		print_head(to, histograms[i].name, "histogram", histograms[i].help);
		print_histogram(to, histograms[i].name,
				json_object_get(status, histograms[i].member));
	}
	print_named(to, status);
}

void
metrics_show(json_t *answer)
{
	metrics_print(stdout, answer);
}
