/* A probe, straight to text: with thousands of them, building objects would be most of the work of a list. */
#include "config.h"

#include <sys/wait.h>

#include "codec.h"
#include "util.h"

static void
print_null(struct text *out, const char *member)
{
	text_member(out, member);
	text_add(out, "null", 4);
}

static void
print_text(struct text *out, const char *member, const char *value)
{
	if (value == NULL) {
		print_null(out, member);
		return;
	}
	text_member(out, member);
	text_quote(out, value);
}

static void
print_number(struct text *out, const char *member, int64_t value)
{
	text_member(out, member);
	text_number(out, value);
}

static void
print_unless(struct text *out, const char *member, int64_t value, int64_t absent)
{
	if (value == absent)
		print_null(out, member);
	else
		print_number(out, member, value);
}

static void
print_bool(struct text *out, const char *member, bool value)
{
	text_member(out, member);
	text_say(out, value ? "true" : "false");
}

/* Whole seconds as an integer, because that is how most people wrote them. */
static void
print_seconds(struct text *out, const char *member, int64_t ms)
{
	char fraction[] = {'.', (char)('0' + ms / 100 % 10), (char)('0' + ms / 10 % 10), (char)('0' + ms % 10)};
	size_t length = sizeof(fraction);

	if (ms == DEFINITION_UNSET) {
		print_null(out, member);
		return;
	}
	print_number(out, member, ms / 1000);
	while (length > 1 && fraction[length - 1] == '0')
		length--;
	if (length > 1)
		text_add(out, fraction, length);
}

static void
print_time(struct text *out, const char *member, int64_t wall_ms)
{
	char stamp[UTIL_TIME_SIZE];

	print_text(out, member, util_format_time(stamp, wall_ms));
}

static void
print_jail(struct text *out, const struct jail_ref *ref)
{
	if (ref->number != 0)
		print_number(out, "jail", ref->number);
	else
		print_text(out, "jail", ref->name);
}

static void
print_command(struct text *out, const struct definition *def)
{
	if (def->shell != NULL) {
		print_text(out, "command", def->shell);
		return;
	}
	text_member(out, "command");
	for (char *const *argument = def->argv; *argument != NULL; argument++) {
		text_add(out, argument == def->argv ? "[" : ",", 1);
		text_quote(out, *argument);
	}
	text_add(out, "]", 1);
}

/* Exactly one of exit, signal and timeout is not null. */
static void
print_last(struct text *out, const struct probe_last *last)
{
	bool exited = !last->timed_out && WIFEXITED(last->status);
	bool signaled = !last->timed_out && WIFSIGNALED(last->status);
	char stamp[UTIL_TIME_SIZE];

	if (!last->any) {
		print_null(out, "last");
		return;
	}
	text_member(out, "last");
	text_say(out, "{\"started\":");
	text_quote(out, util_format_time(stamp, last->started_ms));
	print_time(out, "finished", last->finished_ms);
	print_unless(out, "exit", exited ? WEXITSTATUS(last->status) : -1, -1);
	print_unless(out, "signal", signaled ? WTERMSIG(last->status) : -1, -1);
	if (last->timed_out)
		print_bool(out, "timeout", true);
	else
		print_null(out, "timeout");
	print_number(out, "output_bytes", (int64_t)last->output_bytes);
	text_add(out, "}", 1);
}

static void
print_definition(struct text *out, const struct definition *def)
{
	print_text(out, "title", def->title);
	print_command(out, def);
	print_text(out, "respawn", codec_respawn_name(def->respawn));
	print_unless(out, "uid", def->uid, DEFINITION_UNSET);
	print_unless(out, "gid", def->gid, DEFINITION_UNSET);
	print_bool(out, "sticky", def->sticky);
	print_seconds(out, "cooldown", def->cooldown_ms);
	print_seconds(out, "timeout", def->timeout_ms);
	print_unless(out, "max_runs", def->max_runs, DEFINITION_UNSET);
	print_bool(out, "show_status", def->show_status);
}

void
codec_print_probe(struct text *out, const struct probe *probe)
{
	text_say(out, "{\"probe\":");
	text_number(out, (int64_t)probe->number);
	print_text(out, "name", probe->def.name);
	print_jail(out, &probe->def.jail);
	print_unless(out, "jid", probe->jail == NULL ? 0 : probe->jail->jid, 0);
	print_unless(out, "pid", probe->pid, 0);
	print_definition(out, &probe->def);
	print_text(out, "state", codec_state_name(probe_state(probe)));
	print_time(out, "created", probe->created_ms);
	print_number(out, "triggers", (int64_t)probe->triggers);
	print_number(out, "runs", (int64_t)probe->runs);
	print_number(out, "coalesced", (int64_t)probe->coalesced);
	print_number(out, "throttled", (int64_t)probe->throttled);
	print_last(out, &probe->last);
	text_add(out, "}", 1);
}
