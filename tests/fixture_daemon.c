#include "config.h"

#include "fixture_daemon.h"

#include <sys/wait.h>

#include <check.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_ctl.h"
#include "fixture_file.h"
#include "fixture_place.h"
#include "fixture_wait.h"

#define MAX_WORDS 48

static char self[PATH_MAX], binary[PATH_MAX];

/* Absolute, because a test may change its directory. */
static void
know(char path[PATH_MAX], const char *given)
{
	if (realpath(given, path) == NULL)
		(void)snprintf(path, PATH_MAX, "%s", given);
}

void
daemon_know_self(const char *argv0)
{
	const char *build = getenv("JAILDAEMON_BUILD");
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/jaildaemon", build != NULL ? build : ".");
	know(binary, path);
	know(self, argv0);
}

const char *
daemon_binary(void)
{
	return (binary);
}

const char *
daemon_self(void)
{
	return (self);
}

/* The daemon either listens, or it has ended; both are answers. */
static void
daemon_await(pid_t pid)
{
	long long deadline = wait_now() + WAIT_PATIENCE_MS;
	struct ctl ctl;
	char *text;

	while (!ctl_try(&ctl, place()->sock)) {
		if (exec_gone(pid)) {
			text = file_text(place()->log);
			ck_abort_msg("the daemon ended at once: %s", text);
		}
		ck_assert_msg(wait_left(deadline) > 0, "the daemon never listens");
		wait_breath();
	}
	ctl_close(&ctl);
	ck_assert(ctl_alive());
}

pid_t
daemon_start_as(struct launch *launch)
{
	const char *words[] = {daemon_binary(),	 "-F", "-f",	       place()->sock, "-p",
			       place()->pidfile, "-S", place()->state, NULL};
	char *argv[sizeof(words) / sizeof(words[0])];
	pid_t pid;
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		argv[i] = (char *)(uintptr_t)words[i];
	if (launch->argv == NULL)
		launch->argv = argv;
	launch->log = place()->log;
	pid = exec_start(launch);
	daemon_await(pid);
	return (pid);
}

pid_t
daemon_start(void)
{
	struct launch launch = {.argv = NULL};

	return (daemon_start_as(&launch));
}

void
daemon_end(pid_t pid, int sig)
{
	int status;

	ck_assert_int_eq(kill(pid, sig), 0);
	status = exec_wait(pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
		      "the daemon's wait status is 0x%x", status);
	ck_assert_msg(!file_exists(place()->sock), "the socket is left behind");
	ck_assert_msg(!file_exists(place()->pidfile), "the pidfile is left behind");
}

static void
daemon_client_list(struct outcome *outcome, const char *word, va_list words)
{
	char *argv[MAX_WORDS];
	struct launch launch = {.argv = argv};
	size_t count = 0;

	argv[count++] = (char *)(uintptr_t)daemon_binary();
	for (; word != NULL && count < MAX_WORDS - 3; word = va_arg(words, const char *))
		argv[count++] = (char *)(uintptr_t)word;
	argv[count++] = (char *)(uintptr_t) "-f";
	argv[count++] = (char *)(uintptr_t)place()->sock;
	argv[count] = NULL;
	exec_run(outcome, &launch);
}

void
daemon_client(struct outcome *outcome, const char *word, ...)
{
	va_list words;

	va_start(words, word);
	daemon_client_list(outcome, word, words);
	va_end(words);
}

void
daemon_refuses(int code, const char *mentions, const char *word, ...)
{
	struct outcome outcome;
	va_list words;

	va_start(words, word);
	daemon_client_list(&outcome, word, words);
	va_end(words);
	ck_assert_msg(outcome.exit == code, "%s: exit code %d and not %d: %s%s", word, outcome.exit,
		      code, outcome.out, outcome.err);
	if (mentions == NULL)
		ck_assert_str_eq(outcome.err, "");
	else
		ck_assert_msg(outcome.err[0] != '\0' && strstr(outcome.err, mentions) != NULL,
			      "%s: does not mention \"%s\": %s", word, mentions, outcome.err);
	outcome_free(&outcome);
}

pid_t
daemon_pidfile(void)
{
	char *text = file_text(place()->pidfile), *end;
	long pid = strtol(text, &end, 10);

	if (end == text || (*end != '\0' && strcmp(end, "\n") != 0))
		pid = -1;
	free(text);
	return ((pid_t)pid);
}

bool
daemon_memory_tells(void)
{
#if defined(__SANITIZE_ADDRESS__)
	return (false);
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
	return (false);
#endif
#endif
	return (true);
}
