#include "config.h"

#include "screen.h"

#include <sys/ioctl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "util.h"

#define USUAL_WIDTH 80
#define WIDTH_MAX   100000

#define CURSOR_HOME	"\033[H"
#define CLEAR_LINE_REST "\033[K"
#define CLEAR_BELOW	"\033[J"

static struct winsize
terminal_size(void)
{
	struct winsize size = {0};

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
		size = (struct winsize){0};
	return size;
}

int
screen_width(void)
{
	const char *wanted = getenv("COLUMNS");
	struct winsize size = terminal_size();
	int64_t number;

	if (!isatty(STDOUT_FILENO))
		return 0;
	if (wanted != NULL && util_parse_number(wanted, 1, WIDTH_MAX, &number))
		return (int)number;
	return size.ws_col > 0 ? size.ws_col : USUAL_WIDTH;
}

int
screen_height(void)
{
	return isatty(STDOUT_FILENO) ? terminal_size().ws_row : 0;
}

bool
screen_is_capable(void)
{
	const char *terminal = getenv("TERM");

	return isatty(STDOUT_FILENO) && terminal != NULL && terminal[0] != '\0' &&
	       strcmp(terminal, "dumb") != 0;
}

bool
screen_is_coloured(void)
{
	const char *refused = getenv("NO_COLOR");

	return screen_is_capable() && (refused == NULL || refused[0] == '\0');
}

/* With write, because a signal's handler may say it. Whoever has no terminal any more needs none of
 * it. */
static void
say(const char *sequence)
{
	if (write(STDOUT_FILENO, sequence, strlen(sequence)) < 0)
		return;
}

void
screen_begin(void)
{
	fflush(stdout);
	say("\033[?1049h\033[?25l");
}

void
screen_end(void)
{
	say("\033[?25h\033[?1049l");
}

void
screen_show(const char *text)
{
	int lines = screen_height(), length;

	fputs(CURSOR_HOME, stdout);
	for (int line = 0; *text != '\0' && (lines == 0 || line < lines); line++) {
		length = (int)strcspn(text, "\n");
		/* No newline after the last line, or the screen would move up. */
		printf("%s%.*s" CLEAR_LINE_REST, line == 0 ? "" : "\r\n", length, text);
		text += length + (text[length] == '\n');
	}
	fputs(CLEAR_BELOW, stdout);
}
