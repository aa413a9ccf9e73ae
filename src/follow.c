#include "config.h"

#include "follow.h"

#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "util.h"

/* Told by themselves, at the beginning of the line. */
static const char *const leading[] = {"event", "seq", "time", "probe", "name", "jail"};

static bool
is_leading(const char *name)
{
	for (size_t i = 0; i < UTIL_COUNT(leading); i++)
		if (strcmp(leading[i], name) == 0)
			return true;
	return false;
}

/* Nothing that a command or a jail has a say in reaches a terminal as a control character, or ends the
 * line. */
static void
print_clean(const char *text, size_t length)
{
	size_t size;

	for (size_t i = 0; i < length; i += size) {
		const unsigned char *c = (const unsigned char *)text + i;

		size = util_character(text + i, length - i);
		if (*c < ' ' || *c == 0x7f || (*c == 0xc2 && c[1] < 0xa0))
			putchar('?');
		else
			fwrite(c, 1, size, stdout);
	}
}

static void
print_text(json_t *value)
{
	print_clean(json_string_value(value), json_string_length(value));
}

static void
print_value(json_t *value)
{
	if (json_is_string(value))
		print_text(value);
	else if (json_is_integer(value))
		printf("%lld", (long long)json_integer_value(value));
	else
		putchar('-');
}

static void
print_field(const char *name, json_t *value)
{
	const char *quote = json_is_string(value) ? "\"" : "";

	putchar(' ');
	print_clean(name, strlen(name));
	printf("=%s", quote);
	print_value(value);
	fputs(quote, stdout);
}

void
follow_show_event(json_t *event)
{
	json_t *name = json_object_get(event, "name"), *value;
	const char *key;

	print_value(json_object_get(event, "time"));
	putchar(' ');
	print_value(json_object_get(event, "probe"));
	if (json_is_string(name)) {
		putchar('/');
		print_text(name);
	}
	putchar(' ');
	print_value(json_object_get(event, "jail"));
	putchar(' ');
	print_value(json_object_get(event, "event"));
	json_object_foreach(event, key, value)
		if (!is_leading(key))
			print_field(key, value);
	putchar('\n');
}

void
follow_show_output(json_t *event)
{
	json_t *output = json_object_get(event, "output"), *count = json_object_get(event, "count");

	if (json_is_string(output))
		fwrite(json_string_value(output), 1, json_string_length(output), stdout);
	else if (count != NULL)
		fprintf(stderr, "jaildaemon: %lld pieces of output were written too fast to be read here\n",
			(long long)json_integer_value(count));
}

/* True: the daemon is ending in order. */
static bool
show_line(const char *line, size_t length, bool raw, follow_show_cb *show)
{
	json_t *event = json_loadb(line, length, JSON_ALLOW_NUL, NULL);
	const char *name = json_string_value(json_object_get(event, "event"));
	bool stopping = name != NULL && strcmp(name, "daemon-stopping") == 0;

	if (raw)
		fwrite(line, 1, length, stdout);
	else if (event != NULL)
		show(event);
	json_decref(event);
	return stopping;
}

int
follow_lines(FILE *stream, bool raw, follow_show_cb *show)
{
	bool stopping = false;
	char *line = NULL;
	size_t size = 0;
	ssize_t length;

	/* What was shown is seen at once, and nothing is read for somebody who takes no more. */
	while (fflush(stdout) == 0 && (length = getline(&line, &size, stream)) > 0)
		stopping = show_line(line, (size_t)length, raw, show) || stopping;
	free(line);
	if (ferror(stdout)) {
		perror("jaildaemon: standard output");
		return CLIENT_REFUSED;
	}
	if (stopping)
		return CLIENT_DONE;
	fprintf(stderr, "jaildaemon: the daemon has gone\n");
	return CLIENT_NO_DAEMON;
}
