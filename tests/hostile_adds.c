#include "config.h"

#include "hostile_adds.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture_file.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "fixture_wait.h"
#include "hostile_host.h"

#define BATCH 50

const char *
hostile_title(void)
{
	static char title[64];
	const char *unique = strrchr(place()->dir, '.');

	(void)snprintf(title, sizeof(title), "TARGET_%s", unique != NULL ? unique + 1 : "");
	return (title);
}

const char *
hostile_inside(void)
{
	static char title[96];

	(void)snprintf(title, sizeof(title), "jaildaemon: %s", hostile_title());
	return (title);
}

const char *
hostile_command_text(void)
{
	static char command[256];

	(void)snprintf(command, sizeof(command), "echo run >> %s", place_at("ran"));
	return (command);
}

void
hostile_expect_no_run(void)
{
	ck_assert_msg(!file_exists(place_at("ran")), "the command was run %d times",
		      file_lines(place_at("ran")));
}

int
hostile_target(const struct jailfix *jail)
{
	return (probe_add(jail, "{s:s,s:s}", "command", hostile_command_text(), "title",
			  hostile_title()));
}

void
hostile_open(struct ctl *ctl)
{
	ctl_open(ctl);
	ck_assert(ctl_say(ctl, "{\"op\":\"ping\",\"keep\":true}\n"));
	json_decref(ctl_answer(ctl));
}

void
hostile_say_adds(struct ctl *ctl, const struct jailfix *jail, int count)
{
	char request[512];

	(void)snprintf(request, sizeof(request),
		       "{\"op\":\"add\",\"jail\":%ld,\"command\":\"%s\",\"title\":\"%s\"}\n",
		       jailfix_number(jail), hostile_command_text(), hostile_title());
	for (; count > 0; count--)
		ck_assert(ctl_say(ctl, request));
}

/* A jail that has ended before the request was read is not there. */
static void
expect_clear_refusal(json_t *answer)
{
	const char *code = ctl_string(ctl_member(answer, "error"), "code");

	if (strcmp(code, "no-such-jail") == 0)
		ctl_refused(answer, "no-such-jail", NULL);
	else
		ctl_refused(answer, "attach-failed", NULL);
}

int
hostile_hear_adds(struct ctl *ctl, int count, int *numbers)
{
	json_t *answer;
	int armed = 0;

	for (; count > 0; count--) {
		answer = ctl_answer(ctl);
		if (!ctl_true(answer, "ok")) {
			expect_clear_refusal(answer);
			continue;
		}
		if (numbers != NULL)
			numbers[armed] = (int)ctl_int(ctl_member(answer, "probe"), "probe");
		armed++;
		json_decref(answer);
	}
	return (armed);
}

void
hostile_remove(struct ctl *ctl, const int *numbers, int count)
{
	char request[64];
	int i;

	for (i = 0; i < count; i++) {
		(void)snprintf(request, sizeof(request), "{\"op\":\"remove\",\"probe\":%d}\n",
			       numbers[i]);
		ck_assert(ctl_say(ctl, request));
	}
	for (i = 0; i < count; i++) {
		json_t *answer = ctl_answer(ctl);

		if (ctl_true(answer, "ok"))
			json_decref(answer);
		else
			ctl_refused(answer, "no-such-probe", NULL);
	}
}

void
hostile_remove_all(void)
{
	json_t *answer = ctl_ask_ok("{\"op\":\"list\"}"), *probe;
	struct ctl ctl;
	size_t i;
	int number;

	hostile_open(&ctl);
	json_array_foreach(ctl_member(answer, "probes"), i, probe) {
		number = (int)ctl_int(probe, "probe");
		hostile_remove(&ctl, &number, 1);
	}
	ctl_close(&ctl);
	json_decref(answer);
}

int
hostile_attach_many(const struct jailfix *jail, int total, bool strict)
{
	int numbers[BATCH], armed = 0, now, got;
	struct ctl ctl;

	hostile_open(&ctl);
	for (; total > 0; total -= now) {
		now = total < BATCH ? total : BATCH;
		hostile_say_adds(&ctl, jail, now);
		got = hostile_hear_adds(&ctl, now, numbers);
		ck_assert_msg(!strict || got == now, "%d of %d were armed", got, now);
		hostile_remove(&ctl, numbers, got);
		armed += got;
	}
	ctl_close(&ctl);
	return (armed);
}

long long
hostile_ping_ms(void)
{
	long long before = wait_now();

	ck_assert(ctl_alive());
	return (wait_now() - before);
}

static bool
no_target(void *unused)
{
	(void)unused;
	return (hostile_titled(hostile_inside()) == 0);
}

void
hostile_expect_no_target(void)
{
	ck_assert_msg(wait_until(no_target, NULL), "%d processes of probes are left",
		      hostile_titled(hostile_inside()));
}

struct jailfix *
hostile_jail(bool userns, const char **reason)
{
	return (jailfix_start(place()->dir, userns ? JAILFIX_USERNS : JAILFIX_PLAIN, reason));
}
