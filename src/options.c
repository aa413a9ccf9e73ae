#include "config.h"

#include "options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "server.h"
#include "util.h"

enum kind {
	KIND_MODE,     /* sets the mode; with an argument if it has a word for one */
	KIND_FLAG,     /* sets a bool */
	KIND_VALUE,    /* sets a string to the argument */
	KIND_CONSTANT, /* sets a string to a fixed text */
};

/* Which modes an option belongs to; elsewhere it is refused. In daemon mode the utility's options
 * are ignored, as they always were. */
enum use { ANY, DAEMON, ADD, OF_JAIL, REMOVE, OUTPUT, STATUS, SHOWS };

struct row {
	const char *name;
	const char *argument; /* NULL: none */
	const char *help;
	const char *constant;
	size_t offset;
	enum kind kind;
	enum options_mode mode;
	enum use use;
	char letter; /* 0: only a long name */
};

/* NOLINTBEGIN(bugprone-macro-parentheses): initializers, in which a comma would end what is passed */
#define MODE(l, n, a, m, h) \
	{.letter = l, .name = n, .argument = a, .kind = KIND_MODE, .mode = m, .help = h}
#define FLAG(l, n, field, u, h)                                          \
	{.letter = l, .name = n, .kind = KIND_FLAG, .use = u, .help = h, \
	 .offset = offsetof(struct options, field)}
#define VALUE(l, n, a, field, u, h)                                                      \
	{.letter = l, .name = n, .argument = a, .kind = KIND_VALUE, .use = u, .help = h, \
	 .offset = offsetof(struct options, field)}
#define CONSTANT(l, n, field, text, u, h)                                                      \
	{.letter = l, .name = n, .kind = KIND_CONSTANT, .constant = text, .use = u, .help = h, \
	 .offset = offsetof(struct options, field)}
/* NOLINTEND(bugprone-macro-parentheses) */

/* In the order of --help, where an option stands below the mode that it is for. */
static const struct row rows[] = {
    MODE('D', "daemon", NULL, MODE_DAEMON, "be the daemon"),
    FLAG('F', "foreground", foreground, DAEMON, "do not detach"),
    FLAG('n', "check", check, DAEMON, "only check FILE"),
    VALUE('C', "config", "FILE", config, DAEMON, "configuration"),
    VALUE('S', "state", "DIR", state, DAEMON, "to keep probes"),
    VALUE('p', "pidfile", "FILE", pidfile, DAEMON, "its process id"),
    MODE('s', "status", NULL, MODE_STATUS, "its own state"),
    FLAG(0, "metrics", metrics, STATUS, "for Prometheus"),
    MODE(0, "reload", NULL, MODE_RELOAD, "read FILE again"),
    MODE(0, "stop", NULL, MODE_STOP, "end it in order"),
    MODE(0, "upgrade", NULL, MODE_UPGRADE, "run a new binary"),
    MODE('l', "list", NULL, MODE_LIST, "the probes [-j]"),
    MODE('k', "remove", "PROBE", MODE_REMOVE, "take it away"),
    FLAG(0, "kill", kill, REMOVE, "and end its run"),
    MODE('x', "trigger", "PROBE", MODE_TRIGGER, "as a HUP would"),
    MODE('o', "output", "PROBE", MODE_OUTPUT, "of its last run"),
    FLAG(0, "follow", follow, OUTPUT, "and what comes"),
    MODE('w', "watch", NULL, MODE_WATCH, "events [-j] [-l]"),
    MODE(0, "check-jail", "NAME", MODE_CHECK_JAIL, "look for it now"),
    MODE('c', "command", "CMD", MODE_ADD, "what a HUP runs"),
    VALUE('j', "jail", "JAIL", jail, OF_JAIL, "number or name"),
    VALUE('t', "title", "TITLE", title, ADD, "as ps shows it"),
    CONSTANT('r', "respawn", respawn, "after", ADD, "back after a run"),
    CONSTANT('R', "respawn-now", respawn, "now", ADD, "back at once"),
    VALUE('u', "uid", "UID", uid, ADD, "who may press it"),
    VALUE('g', "gid", "GID", gid, ADD, "its group there"),
    VALUE('N', "name", "NAME", name, ADD, "its name on host"),
    FLAG('P', "sticky", sticky, ADD, "outlive the jail"),
    FLAG(0, "replace", replace, ADD, "the one so named"),
    VALUE(0, "cooldown", "SEC", cooldown, ADD, "between two runs"),
    VALUE(0, "timeout", "SEC", timeout, ADD, "for one run"),
    VALUE(0, "max-runs", "N", max_runs, ADD, "with -R: at once"),
    FLAG(0, "show-status", show_status, ADD, "result in title"),
    FLAG(0, "json", json, SHOWS, "answers as JSON"),
    VALUE('f', "socket", "PATH", socket, ANY, "the daemon's"),
    MODE('h', "help", NULL, MODE_HELP, "this text"),
    MODE('V', "version", NULL, MODE_VERSION, "the version"),
};

/* --help comes in groups, each of which begins with this option, and in two columns, so that all of
 * it is on one screen. */
static const struct heading {
	const char *first;
	const char *text;
	bool is_right;
} headings[] = {
    {"daemon", "The daemon", false},
    {"list", "Probes, by number or name", false},
    {"command", "Adding a probe", true},
    {"json", "Besides", true},
};

/* getopt_long's codes of options without a letter begin above all letters. */
#define LONG_ONLY 256

static void
build_tables(char *letters, struct option *names)
{
	*letters++ = ':'; /* so that a missing argument is told apart from an unknown option */
	for (size_t i = 0; i < UTIL_COUNT(rows); i++) {
		names[i] = (struct option){.name = rows[i].name,
					   .has_arg = rows[i].argument ? required_argument
								       : no_argument,
					   .val = LONG_ONLY + (int)i};
		if (rows[i].letter == 0)
			continue;
		*letters++ = rows[i].letter;
		if (rows[i].argument != NULL)
			*letters++ = ':';
	}
	*letters = '\0';
	names[UTIL_COUNT(rows)] = (struct option){0};
}

static const struct row *
find_row(int code)
{
	if (code >= LONG_ONLY)
		return &rows[code - LONG_ONLY];
	for (size_t i = 0; i < UTIL_COUNT(rows); i++)
		if (rows[i].letter == code)
			return &rows[i];
	return NULL;
}

static int usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int
usage(const char *format, ...)
{
	va_list args;

	fputs("jaildaemon: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("\nTry \"jaildaemon --help\".\n", stderr);
	return -1;
}

/* getopt_long gives a letter in optopt, and for a long name, which has none, the word itself is told. */
static int
refuse_option(int code, const char *word)
{
	char letter[3] = {'-', (char)optopt, '\0'};
	const char *option = optopt > 0 && optopt < LONG_ONLY ? letter : word;

	return usage(code == ':' ? "%s needs an argument" : "unknown option %s", option);
}

/* In either order they are one mode: the list is what is watched. */
static bool
is_watched_list(enum options_mode one, enum options_mode other)
{
	return (one == MODE_LIST && other == MODE_WATCH) || (one == MODE_WATCH && other == MODE_LIST);
}

static int
apply(const struct row *row, const char *argument, struct options *options)
{
	char *field = (char *)options + row->offset;

	switch (row->kind) {
	case KIND_FLAG:
		*(bool *)(void *)field = true;
		return 0;
	case KIND_VALUE:
		*(const char **)(void *)field = argument;
		return 0;
	case KIND_CONSTANT:
		*(const char **)(void *)field = row->constant;
		return 0;
	case KIND_MODE:
		break;
	}
	if (row->mode == MODE_HELP || row->mode == MODE_VERSION)
		options->mode = row->mode; /* whatever else is said */
	if (options->mode == MODE_HELP || options->mode == MODE_VERSION)
		return 0;
	if (is_watched_list(options->mode, row->mode)) {
		options->mode = MODE_LIST;
		options->again = true;
		return 0;
	}
	if (options->mode != MODE_NONE && options->mode != row->mode)
		return usage("exactly one mode is needed, and --%s is one too many", row->name);
	options->mode = row->mode;
	options->argument = argument;
	return 0;
}

static bool
is_used(enum use use, enum options_mode mode)
{
	switch (use) {
	case DAEMON: /* -p was always ignored in utility mode */
	case ANY:
		return true;
	case ADD:
		return mode == MODE_ADD;
	case OF_JAIL:
		return mode == MODE_ADD || mode == MODE_LIST || mode == MODE_WATCH;
	case REMOVE:
		return mode == MODE_REMOVE;
	case STATUS:
		return mode == MODE_STATUS;
	case OUTPUT:
		return mode == MODE_OUTPUT;
	case SHOWS:
		return mode != MODE_DAEMON;
	}
	return false;
}

static int
check(const struct options *options, const bool *given)
{
	if (options->mode == MODE_HELP || options->mode == MODE_VERSION)
		return 0;
	if (options->mode == MODE_NONE)
		return usage("exactly one mode is needed: %s", "-D, -c, -l, -s, -k, -x, -o, -w, --reload or --stop");
	if (options->mode == MODE_ADD && options->jail == NULL)
		return usage("%s", "-c needs -j: the jail to put the probe into");
	for (size_t i = 0; i < UTIL_COUNT(rows); i++)
		if (given[i] && rows[i].kind != KIND_MODE && options->mode != MODE_DAEMON &&
		    !is_used(rows[i].use, options->mode))
			return usage("--%s doesn't go with this mode", rows[i].name);
	return 0;
}

int
options_parse(int argc, char **argv, struct options *options)
{
	char letters[2 * UTIL_COUNT(rows) + 2];
	struct option names[UTIL_COUNT(rows) + 1];
	bool given[UTIL_COUNT(rows)] = {false};
	int code;

	*options = (struct options){
	    .pidfile = SERVER_PIDFILE, .socket = SERVER_SOCKET, .state = SERVER_STATE};
	build_tables(letters, names);
	opterr = 0;
	while ((code = getopt_long(argc, argv, letters, names, NULL)) != -1) {
		const struct row *row = code == '?' || code == ':' ? NULL : find_row(code);

		if (row == NULL)
			return refuse_option(code, argv[optind - 1]);
		if (apply(row, optarg, options) != 0)
			return -1;
		given[row - rows] = true;
	}
	if (options->mode == MODE_NONE && (options->foreground || options->check))
		options->mode = MODE_DAEMON; /* only a daemon has a foreground and a configuration */
	if (optind < argc)
		return usage("unexpected argument \"%s\"", argv[optind]);
	return check(options, given);
}

/* A line of one column; neither: it is blank. */
struct cell {
	const char *heading;
	const struct row *row;
};

/* A heading has a blank line before it, too. */
#define CELLS_MAX (UTIL_COUNT(rows) + 2 * UTIL_COUNT(headings))

/* Where on the line the explanations of a column begin, and where the right column does. */
#define HELP_AT	   23
#define HELP_RIGHT 40

static const struct heading *
find_heading(const struct row *row)
{
	for (size_t i = 0; i < UTIL_COUNT(headings); i++)
		if (strcmp(headings[i].first, row->name) == 0)
			return &headings[i];
	return NULL;
}

/* Returns how many lines it has. */
static size_t
fill_column(bool is_right, struct cell *cells)
{
	const struct heading *group = headings; /* the first row has the first one */
	size_t count = 0;

	for (size_t i = 0; i < UTIL_COUNT(rows); i++) {
		const struct heading *heading = find_heading(&rows[i]);

		group = heading != NULL ? heading : group;
		if (group->is_right != is_right)
			continue;
		if (heading != NULL) {
			count += count > 0;
			cells[count++].heading = heading->text;
		}
		cells[count++].row = &rows[i];
	}
	return count;
}

static bool
is_blank(const struct cell *cell)
{
	return cell->heading == NULL && cell->row == NULL;
}

/* Returns its width. */
static int
print_cell(const struct cell *cell)
{
	const struct row *row = cell->row;
	int width;

	if (row == NULL)
		return cell->heading == NULL ? 0 : printf("%s:", cell->heading);
	width = printf("%*s%c%c%c --%s%s%s", row->kind == KIND_MODE ? 1 : 3, "",
		       row->letter ? '-' : ' ', row->letter ? row->letter : ' ',
		       row->letter ? ',' : ' ', row->name, row->argument ? " " : "",
		       row->argument ? row->argument : "");
	return width + printf("%*s%s", HELP_AT - width, "", row->help);
}

void
options_print_help(void)
{
	struct cell left[CELLS_MAX] = {{0}}, right[CELLS_MAX] = {{0}};
	size_t left_count = fill_column(false, left), right_count = fill_column(true, right);

	printf("usage: jaildaemon MODE [its OPTIONs, below it]           manual: jaildaemon(8)\n");
	for (size_t i = 0; i < left_count || i < right_count; i++) {
		int width = print_cell(&left[i]);

		if (!is_blank(&right[i])) {
			printf("%*s", HELP_RIGHT - width, "");
			print_cell(&right[i]);
		}
		putchar('\n');
	}
}
