/*
 * Answers as people see them, whole and cut off, of this daemon and of others. The first line tells what is
 * shown, with how many columns there are for a list; the rest is the answer. Nothing in it reaches the
 * terminal as a control character, and no line of a list is wider than the terminal.
 */
#include "config.h"

#include "show.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "follow.h"
#include "fuzz.h"
#include "glyphs.h"
#include "metrics.h"
#include "text.h"
#include "util.h"

#define SHOWN_MAX (4 << 20)

static int shown = -1; /* standard output */
static char text[SHOWN_MAX];

/* All that has been shown since the last time, terminated. */
static size_t
take_shown(void)
{
	ssize_t length;

	FUZZ_CHECK(fflush(stdout) == 0);
	length = pread(shown, text, sizeof(text) - 1, 0);
	FUZZ_CHECK(length >= 0 && ftruncate(shown, 0) == 0 && lseek(shown, 0, SEEK_SET) == 0);
	text[length] = '\0';
	return (size_t)length;
}

static void
check_width(char *list, int width)
{
	char *line;

	while ((line = strsep(&list, "\n")) != NULL)
		FUZZ_CHECK_OF(glyphs_width(line) <= width, line, strlen(line));
}

static void
check_list(json_t *answer, const char *columns)
{
	char *list = NULL;
	size_t length;
	FILE *to = open_memstream(&list, &length);
	int64_t width = 0;

	util_parse_number(columns, 0, 1000, &width);
	FUZZ_CHECK(to != NULL && show_probes(to, answer, (int)width, false) == 0);
	fclose(to);
	fuzz_check_printable(list, length);
	if (width > 0)
		check_width(list, (int)width);
	free(list);
}

/* A comment, or a metric of ours: nothing in a name begins a line. */
static void
check_metrics(void)
{
	char *list = text, *line;

	while ((line = strsep(&list, "\n")) != NULL)
		FUZZ_CHECK_OF(line[0] == '\0' || strncmp(line, "# ", 2) == 0 ||
				  strncmp(line, "jaildaemon_", 11) == 0,
			      line, strlen(line));
}

/* Up to the daemon's end, without which the client would complain on standard error each time. */
static void
check_following(const char *bytes, size_t length)
{
	static const char end[] = "\n{\"event\":\"daemon-stopping\"}\n";
	struct text lines = {0};
	FILE *from;

	text_add(&lines, bytes, length);
	text_say(&lines, end);
	from = fmemopen(lines.bytes, lines.used, "r");
	FUZZ_CHECK(!lines.failed && from != NULL);
	FUZZ_CHECK(follow_lines(from, false, follow_show_event) == CLIENT_DONE);
	fclose(from);
	text_free(&lines);
	fuzz_check_printable(text, take_shown());
}

static void
show_as(const char *what, const char *columns, json_t *answer)
{
	static const struct {
		const char *what;
		void (*show)(json_t *);
	} others[] = {{"status", show_status}, {"reload", show_reload}, {"number", show_number},
		      {"found", show_found}};

	if (strcmp(what, "list") == 0)
		check_list(answer, columns);
	for (size_t i = 0; i < UTIL_COUNT(others); i++)
		if (strcmp(what, others[i].what) == 0) {
			others[i].show(answer);
			fuzz_check_printable(text, take_shown());
		}
	if (strcmp(what, "metrics") == 0) {
		metrics_show(answer);
		take_shown();
		check_metrics();
	} else if (strcmp(what, "output") == 0) {
		show_output(answer); /* as it is, whatever it is */
		take_shown();
	}
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	shown = open(fuzz_path("shown"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	FUZZ_CHECK(shown >= 0);
	return 0;
}

static void
show(char words[FUZZ_WORDS][FUZZ_WORD_SIZE], const char *bytes, size_t length)
{
	json_t *answer = json_loadb(bytes, length, JSON_ALLOW_NUL, NULL);

	if (strcmp(words[0], "follow") == 0)
		check_following(bytes, length);
	else if (json_is_true(json_object_get(answer, "ok")))
		show_as(words[0], words[1], answer);
	json_decref(answer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct fuzz_script script = {(const char *)bytes, size};
	char words[FUZZ_WORDS][FUZZ_WORD_SIZE];
	int output = dup(STDOUT_FILENO);
	const char *line;
	size_t length;

	FUZZ_CHECK(output >= 0 && dup2(shown, STDOUT_FILENO) == STDOUT_FILENO);
	if (fuzz_next_line(&script, &line, &length) && fuzz_split(line, length, words))
		show(words, script.at, script.left);
	FUZZ_CHECK(dup2(output, STDOUT_FILENO) == STDOUT_FILENO);
	close(output);
	return 0;
}
