/* How the client's answers look on a terminal, and where there is none. */
#include "config.h"

#include <sys/wait.h>

#include <check.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fixture_daemon.h"
#include "fixture_exec.h"
#include "fixture_file.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "fixture_pty.h"
#include "fixture_suites.h"

#define OWN_SCREEN    "\033[?1049h"
#define FORMER_SCREEN "\033[?1049l"
#define SHOWN_CURSOR  "\033[?25h"
#define INTERRUPT     '\003'

#define WORD(text) ((char *)(uintptr_t)(text))

static char *const list_words[] = {WORD("-l"), NULL};
static char *const watch_words[] = {WORD("-l"), WORD("--watch"), NULL};

/* The client on a terminal with this environment; its words end with a null. */
static void
start_client(struct pty *pty, int columns, char *const *words, char *const *env)
{
	char *argv[8] = {WORD(daemon_binary()), WORD("-f"), WORD(place()->sock)};
	int count = 3;

	while (*words != NULL)
		argv[count++] = *words++;
	argv[count] = NULL;
	pty_start(pty, columns, 10, argv, env);
}

/* The number of columns of the widest line: of each character that is not ASCII only the first byte
 * counts. */
static int
widest(const char *text)
{
	int most = 0, width = 0;

	for (; *text != '\0'; text++) {
		if (*text == '\r' || *text == '\n')
			width = 0;
		else
			width += ((unsigned char)*text & 0xc0) != 0x80;
		most = width > most ? width : most;
	}
	return (most);
}

/* width 0: there are colours, and they have none. */
static void
expect_list(char *const *env, int columns, int width)
{
	struct pty pty;

	start_client(&pty, columns, list_words, env);
	ck_assert_int_eq(pty_finish(&pty), 0);
	if (width == 0)
		ck_assert_ptr_nonnull(strstr(pty.text, "\033[32marmed\033[0m"));
	else
		ck_assert_msg(widest(pty.text) == width && strchr(pty.text, '\033') == NULL,
			      "%d and not %d: %s", widest(pty.text), width, pty.text);
	pty_free(&pty);
}

START_TEST(list_fits_its_terminal)
{
	char *const plain[] = {WORD("TERM=xterm"), NULL};
	char *const no_colour[] = {WORD("TERM=xterm"), WORD("NO_COLOR=1"), NULL};
	char *const empty_word[] = {WORD("TERM=xterm"), WORD("NO_COLOR="), NULL};
	char *const dumb[] = {WORD("TERM=dumb"), NULL};
	char *const columns[] = {WORD("TERM=dumb"), WORD("COLUMNS=60"), NULL};
	char *const nothing[] = {NULL};
	struct jailfix *jail;

	NEEDS_ROOT;
	SKIP_UNLESS(pty_there(), "no terminal can be made here");
	jail = probe_jail();
	(void)daemon_start();
	(void)probe_add(
	    jail, "{s:s,s:s}", "title", "IN_THE_TABLE_WITH_A_LONG_TITLE", "command",
	    "exec a-command-that-is-far-too-long-for-every-one-of-the-terminals-of-this-test-"
	    "and-goes-on-and-on-and-on-and-on");
	expect_list(plain, 100, 0);
	expect_list(empty_word, 100, 0);
	expect_list(no_colour, 100, 100);
	expect_list(dumb, 120, 120);
	expect_list(nothing, 70, 70);
	expect_list(columns, 120, 60);
	expect_list(dumb, 0, 80); /* the terminal doesn't know */
}
END_TEST

START_TEST(watched_list_is_in_place)
{
	char *const env[] = {WORD("TERM=xterm"), NULL};
	struct jailfix *jail;
	struct pty pty;
	size_t place_seen;
	int status;

	NEEDS_ROOT;
	SKIP_UNLESS(pty_there(), "no terminal can be made here");
	jail = probe_jail();
	(void)daemon_start();
	(void)probe_add(jail, "{s:s,s:s}", "command", "true", "title", "FIRST");
	start_client(&pty, 100, watch_words, env);
	place_seen = pty_wait_text(&pty, 0, OWN_SCREEN);
	place_seen = pty_wait_text(&pty, place_seen, "FIRST");
	(void)probe_add(jail, "{s:s,s:s}", "command", "true", "title", "SECOND");
	place_seen = pty_wait_text(&pty, place_seen, "SECOND");
	pty_type(&pty, INTERRUPT);
	status = pty_finish(&pty);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
	(void)pty_wait_text(&pty, pty_wait_text(&pty, place_seen, SHOWN_CURSOR), FORMER_SCREEN);
	pty_free(&pty);
}
END_TEST

/* The reason is to be read when the daemon goes: on the screen that there was before. */
START_TEST(watched_list_ends_with_the_daemon)
{
	char *const env[] = {WORD("TERM=xterm"), NULL};
	struct pty pty;
	size_t place_seen;
	pid_t daemon;
	int status;

	NEEDS_ROOT;
	SKIP_UNLESS(pty_there(), "no terminal can be made here");
	daemon = daemon_start();
	start_client(&pty, 100, watch_words, env);
	place_seen = pty_wait_text(&pty, 0, "COMMAND");
	daemon_end(daemon, SIGTERM);
	status = pty_finish(&pty);
	ck_assert_int_eq(WEXITSTATUS(status), 3);
	place_seen = pty_wait_text(&pty, place_seen, FORMER_SCREEN);
	(void)pty_wait_text(&pty, place_seen, "no daemon answers");
	pty_free(&pty);
}
END_TEST

START_TEST(watched_list_elsewhere_is_one_after_the_other)
{
	char *argv[] = {WORD(daemon_binary()), WORD("-f"), WORD(place()->sock),
			WORD("--watch"),       WORD("-l"), NULL};
	struct launch launch = {.argv = argv, .log = place_at("listed")};
	char *text;
	pid_t pid;

	NEEDS_ROOT;
	(void)daemon_start();
	pid = exec_start(&launch);
	file_wait_lines(place_at("listed"), 5);
	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	(void)exec_wait(pid);
	text = file_text(place_at("listed"));
	ck_assert_ptr_null(strchr(text, '\033'));
	ck_assert_int_eq(strncmp(text, "PROBE  NAME", 11), 0);
	ck_assert_ptr_nonnull(strstr(text, "COMMAND\n\nPROBE"));
	free(text);
}
END_TEST

Suite *
process_terminal(void)
{
	Suite *suite = suite_create("terminal");

	PLACE_CASE(suite, list_fits_its_terminal);
	PLACE_CASE(suite, watched_list_is_in_place);
	PLACE_CASE(suite, watched_list_ends_with_the_daemon);
	PLACE_CASE(suite, watched_list_elsewhere_is_one_after_the_other);
	return (suite);
}
