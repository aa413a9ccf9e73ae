/*
 * Words with a purpose: titles and names that would pass for something else, or write into the log
 * what never happened.
 */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_file.h"
#include "fixture_inside.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "hostile.h"
#include "hostile_adds.h"

#define LONG   10240
#define FORGED "event=forged"

static char *
long_word(void)
{
	char *word = malloc(LONG + 1);

	memset(word, 'x', LONG);
	word[LONG] = '\0';
	return (word);
}

static const char *const unprintable[] = {
    "a\nb", "a\rb", "a\tb", "a\033[2Jb", "\001", "a\177b", "\b\b\b\b\b\bsshd", "a\302\205b",
};

#define UNPRINTABLES (sizeof(unprintable) / sizeof(unprintable[0]))

START_TEST(titles_with_control_characters_are_refused)
{
	struct jailfix *jail;
	size_t i;

	NEEDS_JAIL(jail, false);
	(void)daemon_start();
	for (i = 0; i < UNPRINTABLES; i++)
		probe_add_refused(jail, "bad-request", "title", "{s:s,s:s}", "command", "true",
				  "title", unprintable[i]);
	ck_assert(!inside_mentions(jail, "jaildaemon: "));
}
END_TEST

START_TEST(names_with_control_characters_are_refused)
{
	struct jailfix *jail;
	size_t i;

	NEEDS_JAIL(jail, false);
	(void)daemon_start();
	for (i = 0; i < UNPRINTABLES; i++)
		probe_add_refused(jail, "bad-request", "name", "{s:s,s:s}", "command", "true",
				  "name", unprintable[i]);
}
END_TEST

START_TEST(words_of_ten_kilobytes_are_refused)
{
	char *word = long_word();
	struct jailfix *jail;

	NEEDS_JAIL(jail, false);
	(void)daemon_start();
	probe_add_refused(jail, "bad-request", "title", "{s:s,s:s}", "command", "true", "title",
			  word);
	probe_add_refused(jail, "bad-request", "name", "{s:s,s:s}", "command", "true", "name",
			  word);
	ck_assert(!inside_mentions(jail, "jaildaemon: "));
	free(word);
}
END_TEST

/* Printable, and meant to look like something else, or to be taken for a format or shell text. */
START_TEST(titles_that_pass_for_others_keep_the_prefix)
{
	static const char *const titles[] = {"init",
					     "sshd: root",
					     "/sbin/init",
					     "-sh",
					     "[kthreadd]",
					     "%s%n%x%99999d",
					     "'; touch /tmp/pressed; '",
					     "\"$(id)\" `id` \\",
					     "jaildaemon: jaildaemon: x"};
	char full[128], environment[256], *text;
	struct jailfix *jail;
	size_t i;

	NEEDS_JAIL(jail, false);
	(void)daemon_start();
	for (i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
		int probe = probe_add(jail, "{s:[sss],s:s}", "command", daemon_self(), "--report",
				      place_at("report"), "title", titles[i]);

		(void)snprintf(full, sizeof(full), "jaildaemon: %s", titles[i]);
		ck_assert_int_eq(inside_count(jail, full, NULL), 1);
		ck_assert_int_eq(inside_count(jail, titles[i], NULL), 0);
		inside_press(jail, full);
		json_decref(probe_wait_last(probe));
		(void)snprintf(environment, sizeof(environment), "environment JAILDAEMON_TITLE=%s",
			       titles[i]);
		text = file_text(place_at("report"));
		ck_assert_msg(strstr(text, environment) != NULL, "%s: %s", titles[i], text);
		free(text);
	}
	ck_assert(!file_exists("/tmp/pressed"));
}
END_TEST

/* A word that stands in the log outside of quotes was written by the daemon itself. */
static void
drop_quoted(char *line)
{
	char *out = line;
	bool quoted = false;

	for (; *line != '\0'; line++) {
		if (quoted && *line == '\\' && line[1] != '\0') {
			line++;
			continue;
		}
		if (*line == '"')
			quoted = !quoted;
		else if (!quoted)
			*out++ = *line;
	}
	ck_assert_msg(!quoted, "a quote is left open");
	*out = '\0';
}

static void
expect_honest_log(void)
{
	char *text = file_text(place()->log), *line, *rest = text, *c;
	int seen = 0;

	while ((line = strsep(&rest, "\n")) != NULL && line[0] != '\0') {
		ck_assert_msg(strncmp(line, "jaildaemon: event=", 18) == 0, "a line reads: %s",
			      line);
		for (c = line; *c != '\0'; c++)
			ck_assert_msg((unsigned char)*c >= ' ' && *c != 127, "a byte %d in: %s", *c,
				      line);
		seen += strstr(line, FORGED) != NULL;
		drop_quoted(line);
		ck_assert_msg(strstr(line, FORGED) == NULL, "forged: %s", line);
	}
	ck_assert_msg(seen > 0, "nothing that could be forged was logged");
	free(text);
}

/* What a command prints comes into the log: line by line, and as nothing but a quotation. */
START_TEST(output_of_commands_forges_no_log_line)
{
	static const char *const printed[] = {
	    "\\njaildaemon: " FORGED "\\n",
	    "\\r\\033[1A" FORGED " probe=1\\n",
	    "\\\" " FORGED " \\\"\\n",
	    "\\\\\\\" " FORGED " \\\\\\\"\\n",
	    "x\\000\\nx\\0" FORGED "\\302\\205\\n",
	    "\\xe2\\x80\\xa8" FORGED "\\n",
	    "%%s%%n%%d " FORGED "\\n",
	};
	char command[256];
	struct jailfix *jail;
	size_t i;

	NEEDS_JAIL(jail, false);
	(void)daemon_start();
	for (i = 0; i < sizeof(printed) / sizeof(printed[0]); i++) {
		int probe;

		(void)snprintf(command, sizeof(command), "printf '%s'; printf '%s' >&2", printed[i],
			       printed[i]);
		probe = probe_add(jail, "{s:s,s:s}", "command", command, "title", hostile_title());
		inside_press(jail, hostile_inside());
		json_decref(probe_wait_last(probe));
	}
	file_wait_text(place()->log, FORGED);
	expect_honest_log();
}
END_TEST

/* A line as long as anything, whose middle could be taken for the beginning of the next. */
START_TEST(long_lines_of_output_forge_no_log_line)
{
	struct jailfix *jail;
	int probe;

	NEEDS_JAIL(jail, false);
	(void)daemon_start();
	probe = probe_add(jail, "{s:s,s:s}", "command",
			  "i=0; while [ $i -lt 3000 ]; do printf '\" jaildaemon: " FORGED
			  " \\\\\"'; i=$((i+1)); done",
			  "title", hostile_title());
	inside_press(jail, hostile_inside());
	json_decref(probe_wait_last(probe));
	file_wait_text(place()->log, FORGED);
	expect_honest_log();
}
END_TEST

static void
say_words(const struct jailfix *jail, const char *word)
{
	json_decref(probe_ask(jail, "{s:s,s:s}", "command", "true", "title", word));
	json_decref(probe_ask(jail, "{s:s,s:s}", "command", "true", "name", word));
	json_decref(probe_ask(jail, "{s:s,s:s}", "command", word, "title", hostile_title()));
	json_decref(probe_ask(jail, "{s:[ss],s:s}", "command", "/nowhere", word, "title", "T"));
	json_decref(
	    ctl_ask_json(json_pack("{s:s,s:s,s:s}", "op", "add", "jail", word, "command", "true")));
	json_decref(ctl_ask_json(json_pack("{s:s,s:s,s:s,s:b}", "op", "add", "jail", word,
					   "command", "true", "sticky", 1)));
	json_decref(ctl_ask_json(json_pack("{s:s}", "op", word)));
	json_decref(ctl_ask_json(json_pack("{s:s,s:s}", "op", "ping", word, word)));
	json_decref(ctl_ask_json(json_pack("{s:s,s:s}", "op", "remove", "probe", word)));
}

/* The words of a request, taken or refused, come into the log as quotations or not at all. */
START_TEST(words_of_requests_forge_no_log_line)
{
	static const char *const words[] = {FORGED,
					    "\njaildaemon: " FORGED,
					    "\" " FORGED " \"",
					    "\\\" " FORGED " \\",
					    "\033[1A\r" FORGED,
					    "%n%s " FORGED,
					    "x\" why=\"" FORGED,
					    "\302\205" FORGED};
	struct jailfix *jail;
	size_t i;

	NEEDS_JAIL(jail, false);
	(void)daemon_start();
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		say_words(jail, words[i]);
	ck_assert(ctl_alive());
	expect_honest_log();
}
END_TEST

/* And what a shell says of a command that is no command is its output like any other. */
START_TEST(commands_that_do_not_exist_forge_no_log_line)
{
	struct jailfix *jail;
	int probe;

	NEEDS_JAIL(jail, false);
	(void)daemon_start();
	probe = probe_add(jail, "{s:[s],s:s}", "command", "/nowhere/\n\" " FORGED " \"", "title",
			  hostile_title());
	inside_press(jail, hostile_inside());
	json_decref(probe_wait_last(probe));
	probe = probe_add(jail, "{s:s,s:s}", "command", "'/nowhere/\n\" " FORGED " \"'", "title",
			  hostile_title());
	inside_press(jail, hostile_inside());
	json_decref(probe_wait_last(probe));
	file_wait_text(place()->log, FORGED);
	expect_honest_log();
}
END_TEST

Suite *
hostile_words(void)
{
	Suite *suite = suite_create("words");

	PLACE_CASE(suite, titles_with_control_characters_are_refused);
	PLACE_CASE(suite, names_with_control_characters_are_refused);
	PLACE_CASE(suite, words_of_ten_kilobytes_are_refused);
	PLACE_CASE(suite, titles_that_pass_for_others_keep_the_prefix);
	PLACE_CASE(suite, output_of_commands_forges_no_log_line);
	PLACE_CASE(suite, long_lines_of_output_forge_no_log_line);
	PLACE_CASE(suite, words_of_requests_forge_no_log_line);
	PLACE_CASE(suite, commands_that_do_not_exist_forge_no_log_line);
	return (suite);
}
