#include "config.h"

#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server.h"
#include "unit.h"
#include "util.h"

#define WORDS_MAX 24

static char line_kept[512];

/* Parses a command line, its words parted by single spaces. */
static int
parse(const char *line, struct options *options)
{
	char *argv[WORDS_MAX + 1], program[] = "jaildaemon", *rest = line_kept;
	int argc = 0;

	ck_assert_uint_lt(strlen(line), sizeof(line_kept));
	memcpy(line_kept, line, strlen(line) + 1);
	argv[argc++] = program;
	while (rest != NULL && *rest != '\0' && argc < WORDS_MAX)
		argv[argc++] = strsep(&rest, " ");
	argv[argc] = NULL;
	optind = 0; /* begins again, in every getopt_long */
	return options_parse(argc, argv, options);
}

static struct options
take(const char *line)
{
	struct options options;

	ck_assert_msg(parse(line, &options) == 0, "%s: refused", line);
	return options;
}

/* The refusal, which names the word and then says where help is. */
static void
refuse(const char *line, const char *word)
{
	struct options options;
	const char *text;
	int parsed;

	unit_capture();
	parsed = parse(line, &options);
	text = unit_captured();
	ck_assert_msg(parsed == -1, "%s: taken", line);
	ck_assert_msg(strncmp(text, "jaildaemon: ", 12) == 0, "%s: %s", line, text);
	ck_assert_msg(strstr(text, word) != NULL, "%s: %s", line, text);
	ck_assert_msg(strstr(text, "jaildaemon --help") != NULL, "%s: %s", line, text);
}

START_TEST(modes)
{
	static const struct {
		const char *line;
		enum options_mode mode;
		const char *argument;
	} lines[] = {
	    {"-D", MODE_DAEMON, NULL},
	    {"--daemon", MODE_DAEMON, NULL},
	    {"-F", MODE_DAEMON, NULL},
	    {"-D -F", MODE_DAEMON, NULL},
	    {"-DF", MODE_DAEMON, NULL},
	    {"-c true -j 1", MODE_ADD, "true"},
	    {"-ctrue -j1", MODE_ADD, "true"},
	    {"--command=true --jail=1", MODE_ADD, "true"},
	    {"--command true -j 1", MODE_ADD, "true"},
	    {"-l", MODE_LIST, NULL},
	    {"--list", MODE_LIST, NULL},
	    {"-s", MODE_STATUS, NULL},
	    {"--status", MODE_STATUS, NULL},
	    {"-k 7", MODE_REMOVE, "7"},
	    {"--remove snap", MODE_REMOVE, "snap"},
	    {"-x 7", MODE_TRIGGER, "7"},
	    {"--trigger 7", MODE_TRIGGER, "7"},
	    {"-o 7", MODE_OUTPUT, "7"},
	    {"--output=7", MODE_OUTPUT, "7"},
	    {"--stop", MODE_STOP, NULL},
	    {"-h", MODE_HELP, NULL},
	    {"--help", MODE_HELP, NULL},
	    {"-V", MODE_VERSION, NULL},
	    {"--version", MODE_VERSION, NULL},
	};

	for (size_t i = 0; i < UTIL_COUNT(lines); i++) {
		struct options options = take(lines[i].line);

		ck_assert_msg(options.mode == lines[i].mode, "%s", lines[i].line);
		ck_assert_pstr_eq(options.argument, lines[i].argument);
	}
}
END_TEST

START_TEST(defaults)
{
	struct options options = take("-l");

	ck_assert_str_eq(options.socket, "/var/run/jaildaemon.pipe");
	ck_assert_str_eq(options.pidfile, "/var/run/jaildaemon.pid");
	ck_assert_ptr_null(options.jail);
	ck_assert_ptr_null(options.title);
	ck_assert_ptr_null(options.name);
	ck_assert_ptr_null(options.uid);
	ck_assert_ptr_null(options.gid);
	ck_assert_ptr_null(options.respawn);
	ck_assert_ptr_null(options.cooldown);
	ck_assert_ptr_null(options.timeout);
	ck_assert_ptr_null(options.max_runs);
	ck_assert(!options.foreground && !options.sticky && !options.replace);
	ck_assert(!options.show_status && !options.kill && !options.json);
}
END_TEST

START_TEST(daemon_options)
{
	struct options options = take("-D -F -p /p -f /s");

	ck_assert(options.foreground);
	ck_assert_str_eq(options.pidfile, "/p");
	ck_assert_str_eq(options.socket, "/s");
	options = take("--daemon --foreground --pidfile=/p --socket /s");
	ck_assert(options.foreground);
	ck_assert_str_eq(options.pidfile, "/p");
	ck_assert_str_eq(options.socket, "/s");
}
END_TEST

static void
check_add(const struct options *options, const char *respawn)
{
	ck_assert_int_eq(options->mode, MODE_ADD);
	ck_assert_str_eq(options->argument, "true");
	ck_assert_str_eq(options->jail, "www");
	ck_assert_str_eq(options->title, "T");
	ck_assert_str_eq(options->respawn, respawn);
	ck_assert_str_eq(options->uid, "80");
	ck_assert_str_eq(options->gid, "81");
	ck_assert_str_eq(options->name, "n");
	ck_assert(options->sticky);
	ck_assert_str_eq(options->socket, "/s");
}

START_TEST(add_options)
{
	struct options options;

	options = take("-c true -j www -t T -r -u 80 -g 81 -N n -P -f /s");
	check_add(&options, "after");
	options = take("--command true --jail www --title T --respawn-now --uid 80 --gid 81 "
		       "--name n --sticky --socket /s");
	check_add(&options, "now");
	options = take("-c true -j www -R --replace --cooldown 5 --timeout 6 --max-runs 7 "
		       "--show-status");
	ck_assert_str_eq(options.respawn, "now");
	ck_assert(options.replace && options.show_status);
	ck_assert_str_eq(options.cooldown, "5");
	ck_assert_str_eq(options.timeout, "6");
	ck_assert_str_eq(options.max_runs, "7");
	options = take("-c true -j www --respawn");
	ck_assert_str_eq(options.respawn, "after");
}
END_TEST

START_TEST(other_options)
{
	struct options options = take("-l -j www --json -f /s");

	ck_assert_str_eq(options.jail, "www");
	ck_assert(options.json);
	options = take("-k 7 --kill");
	ck_assert(options.kill);
	options = take("-s --json");
	ck_assert(options.json);
}
END_TEST

START_TEST(order_does_not_matter)
{
	struct options options = take("-f /s -j www -R -t T -c true");

	ck_assert_int_eq(options.mode, MODE_ADD);
	ck_assert_str_eq(options.argument, "true");
	ck_assert_str_eq(options.title, "T");
	options = take("--json -j 5 -l");
	ck_assert_int_eq(options.mode, MODE_LIST);
}
END_TEST

START_TEST(watched_list_is_one_mode)
{
	static const char *const lines[] = {"-l --watch", "--watch -l", "-w -l -j www", "-lw --json"};

	for (size_t i = 0; i < UTIL_COUNT(lines); i++) {
		struct options options = take(lines[i]);

		ck_assert_int_eq(options.mode, MODE_LIST);
		ck_assert(options.again);
	}
	ck_assert(!take("-l").again);
	ck_assert_int_eq(take("--watch").mode, MODE_WATCH);
	ck_assert(!take("--watch").again);
}
END_TEST

START_TEST(exactly_one_mode)
{
	refuse("", "exactly one mode");
	refuse("-f /s", "exactly one mode");
	refuse("-j www", "exactly one mode");
	refuse("--json", "exactly one mode");
	refuse("-D -l", "--list");
	refuse("-D -c true -j www", "--command");
	refuse("-l -s", "--status");
	refuse("-k 7 -x 7", "--trigger");
	refuse("-o 7 --stop", "--stop");
	refuse("-s --watch", "--watch");
	refuse("-w -s", "--status");
	refuse("-l --watch -s", "--status");
	refuse("-c true -j www -D", "--daemon");
}
END_TEST

START_TEST(options_of_another_mode)
{
	refuse("-l -t T", "--title");
	refuse("-l -r", "--respawn");
	refuse("-l -R", "--respawn-now");
	refuse("-s -j www", "--jail");
	refuse("-k 7 -u 80", "--uid");
	refuse("-x 7 --kill", "--kill");
	refuse("-c true -j www --kill", "--kill");
	refuse("-s --replace", "--replace");
	refuse("-o 7 --cooldown 5", "--cooldown");
	refuse("--stop -P", "--sticky");
	refuse("-l --show-status", "--show-status");
	refuse("-l --max-runs 1", "--max-runs");
	refuse("-l --timeout 1", "--timeout");
	refuse("-l -g 1", "--gid");
	refuse("-l -N n", "--name");
	refuse("-l --metrics", "--metrics");
}
END_TEST

/* As the original did: the other role's options are no error to the daemon, nor its pidfile to the
 * utility. */
START_TEST(options_that_were_always_ignored)
{
	ck_assert_int_eq(take("-D -j www -t T -r -u 80 -g 80").mode, MODE_DAEMON);
	ck_assert_int_eq(take("-c true -j www -p /p").mode, MODE_ADD);
}
END_TEST

START_TEST(unknown_and_incomplete)
{
	refuse("-Z", "-Z");
	refuse("--nonsense", "--nonsense");
	refuse("-l --nonsense", "--nonsense");
	refuse("-D -Z", "-Z");
	refuse("-c", "-c");
	refuse("-l -f", "-f");
	refuse("--command", "--command");
	refuse("-l -j", "-j");
	refuse("--list=7", "--list=7");
	refuse("--re", "--re"); /* of several */
}
END_TEST

START_TEST(surplus_arguments)
{
	refuse("-l www", "\"www\"");
	refuse("www", "www");
	refuse("-c zfs list -j www", "\"list\"");
	refuse("-k 7 8", "\"8\"");
	refuse("-D -- x", "\"x\"");
}
END_TEST

START_TEST(add_needs_a_jail)
{
	refuse("-c true", "-j");
	refuse("-c true -r -t T", "-j");
}
END_TEST

START_TEST(help_wins)
{
	ck_assert_int_eq(take("-h -l -s").mode, MODE_HELP);
	ck_assert_int_eq(take("-l -h").mode, MODE_HELP);
	ck_assert_int_eq(take("-c true -h").mode, MODE_HELP);
	ck_assert_int_eq(take("-D -V").mode, MODE_VERSION);
}
END_TEST

/* Standard output goes to a file meanwhile. */
static const char *
help_text(void)
{
	static char text[8192];
	const char *path = unit_path("help");

	ck_assert_ptr_nonnull(freopen(path, "w", stdout));
	options_print_help();
	ck_assert_int_eq(fflush(stdout), 0);
	ck_assert_int_gt(util_read_file(path, text, sizeof(text)), 0);
	return text;
}

START_TEST(help_names_every_option)
{
	static const char *const names[] = {
	    "-D, --daemon",  "-F, --foreground", "-p, --pidfile",  "-c, --command",
	    "-j, --jail",    "-t, --title",	 "-r, --respawn ", "-R, --respawn-now",
	    "-u, --uid",     "-g, --gid",	 "-N, --name",	   "-P, --sticky",
	    "--replace",     "--cooldown",	 "--timeout",	   "--max-runs",
	    "--show-status", "-l, --list",	 "-s, --status",   "-k, --remove",
	    "--kill",	     "-x, --trigger",	 "-o, --output",   "--stop",
	    "--json",	     "-f, --socket",	 "-h, --help",	   "-V, --version",
	};
	const char *text = help_text();

	ck_assert_int_eq(strncmp(text, "usage: jaildaemon", 17), 0);
	for (size_t i = 0; i < UTIL_COUNT(names); i++)
		ck_assert_msg(strstr(text, names[i]) != NULL, "%s is missing in:\n%s", names[i],
			      text);
}
END_TEST

/* Of an ordinary terminal, with a line left for the prompt. */
START_TEST(help_fits_a_screen)
{
	const char *line = help_text();
	int lines = 0;

	for (; *line != '\0'; lines++) {
		size_t length = strcspn(line, "\n");

		ck_assert_msg(length < 80, "%.*s", (int)length, line);
		ck_assert_msg(length > 0 && line[length - 1] != ' ', "line %d", lines + 1);
		line += length + 1;
	}
	ck_assert_int_lt(lines, 24);
}
END_TEST

Suite *
unit_options(void)
{
	Suite *suite;
	TCase *tests = unit_case("options", &suite);

	tcase_add_test(tests, modes);
	tcase_add_test(tests, defaults);
	tcase_add_test(tests, daemon_options);
	tcase_add_test(tests, add_options);
	tcase_add_test(tests, other_options);
	tcase_add_test(tests, order_does_not_matter);
	tcase_add_test(tests, watched_list_is_one_mode);
	tcase_add_test(tests, exactly_one_mode);
	tcase_add_test(tests, options_of_another_mode);
	tcase_add_test(tests, options_that_were_always_ignored);
	tcase_add_test(tests, unknown_and_incomplete);
	tcase_add_test(tests, surplus_arguments);
	tcase_add_test(tests, add_needs_a_jail);
	tcase_add_test(tests, help_wins);
	tcase_add_test(tests, help_names_every_option);
	tcase_add_test(tests, help_fits_a_screen);
	return suite;
}
