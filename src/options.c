#include "config.h"

#include "options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "conf.h"
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

static const struct row rows[] = {
    MODE('D', "daemon", NULL, MODE_DAEMON, "be the daemon"),
    FLAG('F', "foreground", foreground, DAEMON, "stay attached, log to standard error"),
    VALUE('C', "config", "FILE", config, DAEMON, "default " CONF_FILE),
    VALUE('S', "state", "DIR", state, DAEMON, "default " SERVER_STATE "; none: keep nothing"),
    FLAG('n', "check", check, DAEMON, "check the configuration and end"),
    VALUE('p', "pidfile", "FILE", pidfile, DAEMON, "default " SERVER_PIDFILE),
    MODE('c', "command", "CMD", MODE_ADD, "put a probe into a jail; a HUP to it runs CMD here"),
    VALUE('j', "jail", "JAIL", jail, OF_JAIL, "the jail's number or name"),
    VALUE('t', "title", "TITLE", title, ADD, "what the probe is called inside"),
    CONSTANT('r', "respawn", respawn, "after", ADD, "arm it again after the command"),
    CONSTANT('R', "respawn-now", respawn, "now", ADD, "arm it again at once; runs may overlap"),
    VALUE('u', "uid", "UID", uid, ADD, "user inside who may press it, beside root"),
    VALUE('g', "gid", "GID", gid, ADD, "the probe's group inside"),
    VALUE('N', "name", "NAME", name, ADD, "a name for the probe, on the host"),
    FLAG('P', "sticky", sticky, ADD, "belong to the jail's name, outlive its restarts"),
    FLAG(0, "replace", replace, ADD, "take the place of the probe with this name"),
    VALUE(0, "cooldown", "SECONDS", cooldown, ADD, "shortest time between two runs"),
    VALUE(0, "timeout", "SECONDS", timeout, ADD, "end a run that takes longer"),
    VALUE(0, "max-runs", "N", max_runs, ADD, "with -R: runs at once"),
    FLAG(0, "show-status", show_status, ADD, "show the last result in the title"),
    MODE('l', "list", NULL, MODE_LIST, "the probes (-j: of one jail)"),
    MODE('k', "remove", "PROBE", MODE_REMOVE, "remove the probe"),
    FLAG(0, "kill", kill, REMOVE, "and end its run in progress"),
    MODE('x', "trigger", "PROBE", MODE_TRIGGER, "do what a HUP from inside does"),
    MODE('o', "output", "PROBE", MODE_OUTPUT, "the kept output of its last run"),
    FLAG(0, "follow", follow, OUTPUT, "and go on with what it writes"),
    MODE('w', "watch", NULL, MODE_WATCH, "events (-j: of one jail); with -l: the table again"),
    MODE(0, "check-jail", "NAME", MODE_CHECK_JAIL, "the jail may be back: look for it at once"),
    MODE('s', "status", NULL, MODE_STATUS, "the daemon itself"),
    FLAG(0, "metrics", metrics, STATUS, "for Prometheus, in its text format"),
    MODE(0, "reload", NULL, MODE_RELOAD, "read the configuration again"),
    MODE(0, "stop", NULL, MODE_STOP, "end the daemon in order"),
    MODE(0, "upgrade", NULL, MODE_UPGRADE, "go on in the binary that is installed now"),
    FLAG(0, "json", json, SHOWS, "print the daemon's answer as JSON"),
    VALUE('f', "socket", "PATH", socket, ANY, "the control socket, default " SERVER_SOCKET),
    MODE('h', "help", NULL, MODE_HELP, "this text"),
    MODE('V', "version", NULL, MODE_VERSION, "the version"),
};

/* --help comes in groups, each of which begins with this option. */
static const struct heading {
	const char *first;
	const char *text;
} headings[] = {
    {"daemon", "Running the daemon"},
    {"command", "Adding a probe"},
    {"list", "Probes that are there, by number or name"},
    {"status", "The daemon that is running"},
    {"json", "Besides"},
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

static void
print_heading(const char *option)
{
	for (size_t i = 0; i < UTIL_COUNT(headings); i++)
		if (strcmp(headings[i].first, option) == 0)
			printf("\n%s:\n", headings[i].text);
}

void
options_print_help(void)
{
	printf("usage: jaildaemon -D [-F] [-n] [-C FILE] [-S DIR] [-p FILE] [-f PATH]\n"
	       "       jaildaemon -c CMD -j JAIL [-rR] [-u UID] [-g GID] [-t TITLE] ...\n"
	       "       jaildaemon -l | -k PROBE | -x PROBE | -o PROBE | -w | --check-jail NAME\n"
	       "       jaildaemon -s | --reload | --stop | --upgrade\n");
	for (size_t i = 0; i < UTIL_COUNT(rows); i++) {
		char names[48];

		print_heading(rows[i].name);
		snprintf(names, sizeof(names), "%c%c%s--%s%s%s", rows[i].letter ? '-' : ' ',
			 rows[i].letter ? rows[i].letter : ' ', rows[i].letter ? ", " : "  ",
			 rows[i].name, rows[i].argument ? " " : "",
			 rows[i].argument ? rows[i].argument : "");
		printf("  %-24s %s\n", names, rows[i].help);
	}
}
