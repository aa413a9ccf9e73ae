#include "config.h"

#include "show.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "glyphs.h"
#include "screen.h"
#include "table.h"
#include "util.h"

#define AGE_SIZE 32

void
show_number(json_t *answer)
{
	json_t *probe = json_object_get(answer, "probe");

	printf("%lld\n", (long long)json_integer_value(json_object_get(probe, "probe")));
}

void
show_found(json_t *answer)
{
	printf("%lld\n", (long long)json_integer_value(json_object_get(answer, "found")));
}

void
show_output(json_t *answer)
{
	json_t *output = json_object_get(answer, "output");

	if (json_is_string(output))
		fwrite(json_string_value(output), 1, json_string_length(output), stdout);
}

/* What another version of the daemon calls its members, too, is just a text. NULL: "-". */
static void
print_clean(const char *text)
{
	char *clean = glyphs_clean(text == NULL ? "-" : text);

	fputs(clean == NULL ? "-" : clean, stdout);
	free(clean);
}

void
show_reload(json_t *answer)
{
	const char *name, *separator = "";
	json_t *count;

	json_object_foreach(json_object_get(answer, "reload"), name, count) {
		fputs(separator, stdout);
		print_clean(name);
		printf(" %lld", (long long)json_integer_value(count));
		separator = ", ";
	}
	putchar('\n');
}

/* "3m": in its largest unit. */
static const char *
format_age(char text[AGE_SIZE], int64_t seconds)
{
	static const struct {
		int64_t seconds;
		char unit;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	size_t i = 0;

	if (seconds < 0)
		seconds = 0;
	while (units[i].seconds > 1 && seconds < units[i].seconds)
		i++;
	snprintf(text, AGE_SIZE, "%lld%c", (long long)(seconds / units[i].seconds), units[i].unit);
	return text;
}

/* ---- the table of the probes ---- */

static void
add_value(struct table *table, json_t *value)
{
	char number[24];

	if (json_is_integer(value))
		snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
	else
		snprintf(number, sizeof(number), "-");
	table_add(table, json_is_string(value) ? json_string_value(value) : number, NULL);
}

/* What a terminal shows the state in, or NULL. */
static const char *
state_colour(const char *state)
{
	static const struct {
		const char *state, *colour;
	} colours[] = {{"armed", "32"},	  {"running", "36"}, {"queued", "36"},
		       {"cooling", "33"}, {"waiting", "33"}, {"starting", "33"}};

	for (size_t i = 0; i < UTIL_COUNT(colours); i++)
		if (strcmp(colours[i].state, state) == 0)
			return colours[i].colour;
	return NULL;
}

static void
add_state(struct table *table, json_t *value)
{
	const char *state = json_is_string(value) ? json_string_value(value) : "-";

	table_add(table, state, state_colour(state));
}

/* "exit 3, 5m": how the last run ended, and how long ago. */
static void
add_last(struct table *table, json_t *last)
{
	json_t *code = json_object_get(last, "exit"), *signo = json_object_get(last, "signal");
	const char *finished = json_string_value(json_object_get(last, "finished"));
	char cell[64], age[AGE_SIZE], result[32] = "timeout";
	int64_t when;

	if (finished == NULL || !util_parse_time(finished, &when)) {
		table_add(table, "-", NULL);
		return;
	}
	if (json_is_integer(code) && json_integer_value(code) == 0)
		snprintf(result, sizeof(result), "ok");
	else if (json_is_integer(code))
		snprintf(result, sizeof(result), "exit %d", (int)json_integer_value(code));
	else if (json_is_integer(signo))
		snprintf(result, sizeof(result), "signal %d", (int)json_integer_value(signo));
	snprintf(cell, sizeof(cell), "%s, %s", result,
		 format_age(age, (util_wall_ms() - when) / 1000));
	table_add(table, cell, strcmp(result, "ok") == 0 ? NULL : "31");
}

/* Commands may have several lines, and several words; a cell has one line. */
static void
add_command(struct table *table, json_t *command)
{
	size_t index, length = 0;
	char *text = NULL;
	json_t *argument;
	FILE *stream;

	if (json_is_string(command)) {
		text = strdup(json_string_value(command));
	} else if ((stream = open_memstream(&text, &length)) != NULL) {
		json_array_foreach(command, index, argument)
			fprintf(stream, "%s%s", index == 0 ? "" : " ",
				json_is_string(argument) ? json_string_value(argument) : "-");
		fclose(stream);
	}
	if (text == NULL) {
		table->failed = true;
		return;
	}
	for (char *c = text; (c = strpbrk(c, "\n\t")) != NULL;)
		*c = ' ';
	table_add(table, text, NULL);
	free(text);
}

static const struct {
	const char *heading;
	const char *member;
	void (*add)(struct table *, json_t *value);
} columns[] = {
    {"PROBE", "probe", add_value},	 {"NAME", "name", add_value},
    {"JAIL", "jail", add_value},	 {"STATE", "state", add_state},
    {"RESPAWN", "respawn", add_value},	 {"RUNS", "runs", add_value},
    {"LAST", "last", add_last},		 {"TITLE", "title", add_value},
    {"COMMAND", "command", add_command},
};

int
show_probes(FILE *to, json_t *answer, int width, bool coloured)
{
	struct table table = {.columns = UTIL_COUNT(columns)};
	size_t index;
	json_t *probe;
	bool failed;

	for (size_t i = 0; i < UTIL_COUNT(columns); i++)
		table_add(&table, columns[i].heading, NULL);
	json_array_foreach(json_object_get(answer, "probes"), index, probe)
		for (size_t i = 0; i < UTIL_COUNT(columns); i++)
			columns[i].add(&table, json_object_get(probe, columns[i].member));
	failed = table.failed;
	if (!failed)
		table_print(&table, to, width, coloured);
	table_clear(&table);
	return failed ? -1 : 0;
}

void
show_list(json_t *answer)
{
	if (show_probes(stdout, answer, screen_width(), screen_is_coloured()) != 0)
		fprintf(stderr, "jaildaemon: out of memory\n");
}

/* ---- the status ---- */

#define PARTS_MAX 8

/* A line: numbers of the status with a word for each. */
static const struct line {
	const char *label;
	struct {
		const char *member;
		const char *word;
	} parts[PARTS_MAX];
} lines[] = {
    {"triggers",
     {{"triggers", "in all"},
      {"triggers_waiting", "waiting"},
      {"coalesced", "coalesced"},
      {"triggers_dropped", "dropped"}}},
    {"runs",
     {{"runs", "started"},
      {"runs_in_progress", "in progress"},
      {"runs_ok", "ok"},
      {"runs_failed", "failed"},
      {"runs_signal", "by a signal"},
      {"runs_timeout", "timed out"}}},
    {"queue", {{"runs_waiting", "waiting"}}},
    {"throttled", {{"throttled", "times"}}},
    {"attaches", {{"attaches_ok", "ok"}, {"attaches_failed", "failed"}}},
    {"clients", {{"clients", "now"}, {"clients_ever", "ever"}, {"clients_refused", "refused"}}},
    {"events", {{"events_dropped", "dropped"}}},
    {"saves", {{"save_groups", "groups"}, {"save_changes", "changes"}, {"save_errors", "errors"}}},
};

static void
print_label(const char *label)
{
	printf("%-11s", label);
}

static void
print_counts(json_t *status, const struct line *line)
{
	print_label(line->label);
	for (size_t i = 0; i < PARTS_MAX && line->parts[i].member != NULL; i++)
		printf(
		    "%s%lld %s", i == 0 ? "" : ", ",
		    (long long)json_integer_value(json_object_get(status, line->parts[i].member)),
		    line->parts[i].word);
	putchar('\n');
}

static void
print_states(json_t *status)
{
	const char *state, *separator = ": ";
	json_t *count;

	print_label("probes");
	printf("%lld", (long long)json_integer_value(json_object_get(status, "probes")));
	json_object_foreach(json_object_get(status, "states"), state, count)
		if (json_integer_value(count) > 0) {
			printf("%s%lld ", separator, (long long)json_integer_value(count));
			print_clean(state);
			separator = ", ";
		}
	putchar('\n');
}

static void
print_mean(const char *word, json_t *histogram)
{
	double count = (double)json_integer_value(json_object_get(histogram, "count"));

	if (count > 0)
		printf("%s %.4g s", word,
		       json_number_value(json_object_get(histogram, "sum")) / count);
	else
		printf("%s -", word);
}

static void
print_server(json_t *status)
{
	char age[AGE_SIZE];

	fputs("jaildaemon ", stdout);
	print_clean(json_string_value(json_object_get(status, "version")));
	printf(", pid %lld, up %s\n", (long long)json_integer_value(json_object_get(status, "pid")),
	       format_age(age, json_integer_value(json_object_get(status, "uptime"))));
	print_label("socket");
	print_clean(json_string_value(json_object_get(status, "socket")));
	putchar('\n');
	print_label("memory");
	printf("%.1f MiB\n",
	       (double)json_integer_value(json_object_get(status, "memory")) / 1048576);
}

void
show_status(json_t *answer)
{
	json_t *status = json_object_get(answer, "status");

	print_server(status);
	print_states(status);
	for (size_t i = 0; i < UTIL_COUNT(lines); i++)
		print_counts(status, &lines[i]);
	print_label("on average");
	print_mean("waited", json_object_get(status, "wait_seconds"));
	print_mean(", ran", json_object_get(status, "run_seconds"));
	putchar('\n');
}
