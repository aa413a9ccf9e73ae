#include "config.h"

#include "relist.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "client.h"
#include "screen.h"
#include "show.h"
#include "util.h"

#define PERIOD_MS 1000

static bool in_place; /* on a screen of its own */

/* What the signal means comes when the handler has returned. */
static void
restore(int signo)
{
	screen_end();
	raise(signo);
}

static void
catch_ends(void)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
	struct sigaction action = {.sa_handler = restore, .sa_flags = (int)SA_RESETHAND};

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < UTIL_COUNT(ends); i++)
		sigaction(ends[i], &action, NULL);
}

static void
enter(void)
{
	if (in_place)
		return;
	catch_ends();
	screen_begin();
	in_place = true;
}

static void
leave(void)
{
	if (in_place)
		screen_end();
	in_place = false;
}

void
relist_show(json_t *answer)
{
	char *text = NULL;
	size_t length;
	FILE *stream;

	if (!screen_is_capable()) {
		show_list(answer);
		putchar('\n');
		return;
	}
	stream = open_memstream(&text, &length);
	if (stream == NULL)
		return;
	show_probes(stream, answer, screen_width(), screen_is_coloured());
	if (fclose(stream) == 0) {
		enter();
		screen_show(text);
	}
	free(text);
}

int
relist_run(const struct options *options, int (*ask)(const struct options *))
{
	for (;;) {
		int code = ask(options);

		if (code == CLIENT_DONE) {
			poll(NULL, 0, PERIOD_MS);
		} else if (in_place) {
			leave(); /* and once more, for the reason went with that screen */
		} else {
			return code;
		}
	}
}
