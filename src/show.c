#include "config.h"

#include "show.h"

#include <sys/ioctl.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "util.h"

#define CELL_SIZE 512

enum column {
	COLUMN_PROBE,
	COLUMN_NAME,
	COLUMN_JAIL,
	COLUMN_STATE,
	COLUMN_RESPAWN,
	COLUMN_RUNS,
	COLUMN_LAST,
	COLUMN_TITLE,
	COLUMN_COMMAND,
	COLUMNS
};

static const char *const headings[COLUMNS] = {"PROBE", "NAME", "JAIL",	"STATE",  "RESPAWN",
					      "RUNS",  "LAST", "TITLE", "COMMAND"};

struct line {
	char cells[COLUMNS][CELL_SIZE];
};

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

	fwrite(json_string_value(output), 1, json_string_length(output), stdout);
}

/* Columns on a terminal, not bytes: UTF-8's continuation bytes take none. */
static int
width_of(const char *text)
{
	int width = 0;

	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

/* Commands may have several lines; a table line has one. */
static void
flatten(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = ' ';
}

static void
format_value(char cell[CELL_SIZE], json_t *value)
{
	if (json_is_string(value))
		snprintf(cell, CELL_SIZE, "%s", json_string_value(value));
	else if (json_is_integer(value))
		snprintf(cell, CELL_SIZE, "%lld", (long long)json_integer_value(value));
	else
		snprintf(cell, CELL_SIZE, "-");
	flatten(cell);
}

static void
format_command(char cell[CELL_SIZE], json_t *command)
{
	size_t index, used = 0;
	json_t *argument;

	if (json_is_string(command)) {
		format_value(cell, command);
		return;
	}
	json_array_foreach(command, index, argument) {
		const char *text = json_string_value(argument);

		if (used < CELL_SIZE)
			used += (size_t)snprintf(cell + used, CELL_SIZE - used, "%s%s",
						 index == 0 ? "" : " ", text);
	}
	flatten(cell);
}

/* "3m": how long ago an RFC 3339 time in UTC was, in its largest unit. */
static void
format_age(char *text, size_t size, const char *stamp)
{
	static const struct {
		long seconds;
		char unit;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	struct tm then = {0};
	long age;

	text[0] = '\0';
	if (stamp == NULL || strptime(stamp, "%Y-%m-%dT%H:%M:%S", &then) == NULL)
		return;
	age = (long)(time(NULL) - timegm(&then));
	for (size_t i = 0; i < UTIL_COUNT(units); i++)
		if (age >= units[i].seconds || units[i].seconds == 1) {
			snprintf(text, size, "%ld%c", age < 0 ? 0 : age / units[i].seconds,
				 units[i].unit);
			return;
		}
}

static void
format_last(char cell[CELL_SIZE], json_t *last)
{
	json_t *code = json_object_get(last, "exit"), *signo = json_object_get(last, "signal");
	char age[32], result[32] = "timeout";

	if (!json_is_object(last)) {
		snprintf(cell, CELL_SIZE, "-");
		return;
	}
	format_age(age, sizeof(age), json_string_value(json_object_get(last, "finished")));
	if (json_is_integer(code) && json_integer_value(code) == 0)
		snprintf(result, sizeof(result), "ok");
	else if (json_is_integer(code))
		snprintf(result, sizeof(result), "exit %d", (int)json_integer_value(code));
	else if (json_is_integer(signo))
		snprintf(result, sizeof(result), "signal %d", (int)json_integer_value(signo));
	snprintf(cell, CELL_SIZE, "%s, %s ago", result, age);
}

static void
fill_line(struct line *line, json_t *probe)
{
	format_value(line->cells[COLUMN_PROBE], json_object_get(probe, "probe"));
	format_value(line->cells[COLUMN_NAME], json_object_get(probe, "name"));
	format_value(line->cells[COLUMN_JAIL], json_object_get(probe, "jail"));
	format_value(line->cells[COLUMN_STATE], json_object_get(probe, "state"));
	format_value(line->cells[COLUMN_RESPAWN], json_object_get(probe, "respawn"));
	format_value(line->cells[COLUMN_RUNS], json_object_get(probe, "runs"));
	format_last(line->cells[COLUMN_LAST], json_object_get(probe, "last"));
	format_value(line->cells[COLUMN_TITLE], json_object_get(probe, "title"));
	format_command(line->cells[COLUMN_COMMAND], json_object_get(probe, "command"));
}

/* 0: standard output is no terminal, and nothing is cut. */
static int
terminal_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
		return 0;
	return size.ws_col;
}

/* Cuts to width columns, never within a character. */
static void
cut(char *text, int width)
{
	for (; *text != '\0'; text++)
		if (((unsigned char)*text & 0xc0) != 0x80 && width-- == 0) {
			*text = '\0';
			return;
		}
}

/* NULL, or what a terminal shows the state in. */
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
print_cell(const char *text, int width, const char *colour)
{
	int padding = width - width_of(text);

	if (colour != NULL)
		printf("\033[%sm%s\033[0m", colour, text);
	else
		fputs(text, stdout);
	printf("%*s", padding > 0 ? padding : 0, "");
}

static void
print_line(struct line *line, const int *widths, int terminal, bool coloured)
{
	int used = 0;

	for (int i = 0; i < COLUMNS - 1; i++) {
		print_cell(line->cells[i], widths[i] + 2,
			   coloured && i == COLUMN_STATE ? state_colour(line->cells[i]) : NULL);
		used += widths[i] + 2;
	}
	if (terminal > used)
		cut(line->cells[COLUMN_COMMAND], terminal - used);
	printf("%s\n", line->cells[COLUMN_COMMAND]);
}

void
show_list(json_t *answer)
{
	json_t *probes = json_object_get(answer, "probes"), *probe;
	size_t count = json_array_size(probes), index;
	struct line *lines = calloc(count + 1, sizeof(*lines));
	int widths[COLUMNS] = {0}, terminal = terminal_width();
	bool coloured = terminal > 0 && getenv("NO_COLOR") == NULL;

	if (lines == NULL) {
		fprintf(stderr, "jaildaemon: out of memory\n");
		return;
	}
	for (int i = 0; i < COLUMNS; i++)
		snprintf(lines[0].cells[i], CELL_SIZE, "%s", headings[i]);
	json_array_foreach(probes, index, probe)
		fill_line(&lines[index + 1], probe);
	for (size_t n = 0; n <= count; n++)
		for (int i = 0; i < COLUMNS; i++)
			if (width_of(lines[n].cells[i]) > widths[i])
				widths[i] = width_of(lines[n].cells[i]);
	for (size_t n = 0; n <= count; n++)
		print_line(&lines[n], widths, terminal, coloured && n > 0);
	free(lines);
}

static void
print_value(const char *name, json_t *value)
{
	char cell[CELL_SIZE];

	format_value(cell, value);
	printf("%-18s%s\n", name, cell);
}

void
show_status(json_t *answer)
{
	const char *name, *state;
	json_t *value, *count;

	json_object_foreach(json_object_get(answer, "status"), name, value) {
		if (!json_is_object(value)) {
			print_value(name, value);
			continue;
		}
		json_object_foreach(value, state, count)
			if (json_integer_value(count) > 0)
				print_value(state, count);
	}
}

void
show_reload(json_t *answer)
{
	const char *name, *separator = "";
	json_t *count;

	json_object_foreach(json_object_get(answer, "reload"), name, count) {
		printf("%s%s %lld", separator, name, (long long)json_integer_value(count));
		separator = ", ";
	}
	putchar('\n');
}
