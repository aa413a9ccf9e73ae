#include "config.h"

#include "crash_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crash.h"
#include "fixture_file.h"
#include "fixture_wait.h"

#define BUTTONS_MAX 8192

static struct button buttons[BUTTONS_MAX];
static unsigned used;
static json_int_t highest; /* of all numbers that were ever told */

static bool
is_single(const struct button *button)
{
	return (strcmp(button->respawn, "no") == 0);
}

const char *
model_title(const struct button *button)
{
	static char title[24];

	(void)snprintf(title, sizeof(title), "B%u", button->tag);
	return (title);
}

/* ---- choosing ---- */

struct button *
model_named(unsigned name)
{
	unsigned i;

	for (i = 0; i < used; i++)
		if (buttons[i].name == name && buttons[i].state != BUTTON_GONE)
			return (&buttons[i]);
	return (NULL);
}

struct button *
model_create(unsigned name, const char *respawn)
{
	struct button *old = name == 0 ? NULL : model_named(name), *button;

	if (used == BUTTONS_MAX || (old != NULL && old->busy))
		return (NULL);
	button = &buttons[used];
	*button = (struct button){.tag = used, .name = name, .respawn = respawn, .replaces = old};
	used++;
	return (button);
}

static bool
is_free(const struct button *button)
{
	return (!button->busy && button->number != 0 &&
		(button->state == BUTTON_THERE || button->state == BUTTON_LEAVING));
}

struct button *
model_pick(void)
{
	unsigned i, free_ones = 0, wanted;

	for (i = 0; i < used; i++)
		free_ones += is_free(&buttons[i]);
	if (free_ones == 0)
		return (NULL);
	wanted = (unsigned)random() % free_ones;
	for (i = 0; !is_free(&buttons[i]) || wanted-- > 0; i++)
		continue;
	return (&buttons[i]);
}

unsigned
model_count(void)
{
	unsigned i, count = 0;

	for (i = 0; i < used; i++)
		count += buttons[i].state != BUTTON_GONE;
	return (count);
}

/* ---- asking ---- */

static const char *
command_of(const struct button *button)
{
	static char command[256];

	(void)snprintf(command, sizeof(command), "echo %s $JAILDAEMON_PROBE >> %s",
		       model_title(button), place_at("ran"));
	return (command);
}

static json_t *
add_request(const struct button *button, const struct jailfix *jail)
{
	json_t *request =
	    json_pack("{s:s,s:i,s:s,s:s,s:s,s:i}", "op", "add", "jail", (int)jailfix_number(jail),
		      "command", command_of(button), "title", model_title(button), "respawn",
		      button->respawn, "cooldown", 0);
	char name[24];

	if (button->name != 0) {
		(void)snprintf(name, sizeof(name), "name%u", button->name);
		(void)json_object_set_new(request, "name", json_string(name));
	}
	if (button->replaces != NULL)
		(void)json_object_set_new(request, "replace", json_true());
	return (request);
}

/* From here on nobody knows, until there is an answer. */
static void
open_outcome(struct button *button, enum button_state state)
{
	button->before = button->state;
	button->busy = true;
	button->state = state;
}

json_t *
model_request(enum model_op op, struct button *button, const struct jailfix *jail)
{
	switch (op) {
	case MODEL_ADD:
		open_outcome(button, BUTTON_ASKED);
		if (button->replaces != NULL)
			open_outcome(button->replaces, BUTTON_LEAVING);
		return (add_request(button, jail));
	case MODEL_ADD_AGAIN:
		open_outcome(button, button->state);
		return (add_request(button, jail));
	case MODEL_REMOVE:
		open_outcome(button, BUTTON_LEAVING);
		return (json_pack("{s:s,s:I}", "op", "remove", "probe", button->number));
	case MODEL_TRIGGER:
	case MODEL_HUP:
		open_outcome(button, is_single(button) ? BUTTON_LEAVING : button->state);
		button->sent++;
	}
	return (op == MODEL_HUP ? NULL
				: json_pack("{s:s,s:I}", "op", "trigger", "probe", button->number));
}

/* ---- answers ---- */

static void
unexpected(const struct button *button, const json_t *answer)
{
	char *text = json_dumps(answer, JSON_COMPACT);

	ck_abort_msg("%s, probe %d, state %d: %s", model_title(button), (int)button->number,
		     button->before, text);
}

static void
learn_number(struct button *button, json_int_t number)
{
	unsigned i;

	ck_assert_int_gt(number, 0);
	ck_assert_msg(button->number == 0 || button->number == number, "%s: probe %d is now %d",
		      model_title(button), (int)button->number, (int)number);
	for (i = 0; i < used; i++)
		ck_assert_msg(buttons[i].number != number || &buttons[i] == button,
			      "number %d was given twice", (int)number);
	button->number = number;
	if (number > highest)
		highest = number;
}

static void
added(struct button *button, const json_t *answer)
{
	json_int_t number =
	    json_integer_value(json_object_get(json_object_get(answer, "probe"), "probe"));

	if (!crash_is_ok(answer))
		unexpected(button, answer);
	ck_assert_int_gt(number, highest);
	learn_number(button, number);
	button->state = BUTTON_THERE;
	if (button->replaces != NULL)
		button->replaces->state = BUTTON_GONE;
}

/* The one refusal that there may be: a single shot that was pressed has gone, or is about to. */
static void
refused(struct button *button, const json_t *answer)
{
	const char *code =
	    json_string_value(json_object_get(json_object_get(answer, "error"), "code"));

	if (strcmp(code, "no-such-probe") == 0 && button->before == BUTTON_LEAVING)
		button->state = BUTTON_GONE;
	else
		unexpected(button, answer);
}

static void
triggered(struct button *button, const json_t *answer)
{
	const char *code =
	    json_string_value(json_object_get(json_object_get(answer, "error"), "code"));

	if (crash_is_ok(answer)) {
		button->answered++;
		return;
	}
	button->sent--;
	if (strcmp(code, "bad-request") == 0) /* not armed now */
		button->state = button->before;
	else
		refused(button, answer);
}

void
model_answered(enum model_op op, struct button *button, const json_t *answer)
{
	if (op == MODEL_ADD)
		added(button, answer);
	else if (op == MODEL_TRIGGER)
		triggered(button, answer);
	else if (!crash_is_ok(answer))
		refused(button, answer);
	else if (op == MODEL_REMOVE)
		button->state = BUTTON_GONE;
	else
		learn_number(button, json_integer_value(json_object_get(
					 json_object_get(answer, "probe"), "probe")));
}

/* ---- after a crash ---- */

static struct button *
button_of(const json_t *probe)
{
	const char *title = json_string_value(json_object_get(probe, "title"));
	unsigned tag = 0;

	ck_assert_ptr_nonnull(title);
	ck_assert_msg(sscanf(title, "B%u", &tag) == 1 && tag < used, "%s is none of ours", title);
	return (&buttons[tag]);
}

static void
compare(const struct button *button, const json_t *probe)
{
	const char *respawn = json_string_value(json_object_get(probe, "respawn"));
	const char *name = json_string_value(json_object_get(probe, "name"));
	const char *command = json_string_value(json_object_get(probe, "command"));
	char expected[24];

	(void)snprintf(expected, sizeof(expected), "name%u", button->name);
	ck_assert_str_eq(command, command_of(button));
	ck_assert_str_eq(respawn, button->respawn);
	if (button->name == 0)
		ck_assert_ptr_null(name);
	else
		ck_assert_str_eq(name, expected);
	ck_assert_int_eq(json_integer_value(json_object_get(probe, "cooldown")), 0);
}

/* One of the two has the name: what was promised of the old one holds until the new one is there.
 */
static void
compare_replaced(const struct button *button, const bool *listed)
{
	const struct button *old = button->replaces;
	bool has_new = listed[button->tag], has_old = listed[old->tag];

	ck_assert_msg(!has_new || !has_old, "%s and its replacement are both there",
		      model_title(old));
	if (old->before == BUTTON_THERE)
		ck_assert_msg(has_new || has_old, "%s is gone and not replaced", model_title(old));
}

static void
settle_one(struct button *button, bool listed)
{
	if (button->state == BUTTON_THERE)
		ck_assert_msg(listed, "%s, probe %d, was lost", model_title(button),
			      (int)button->number);
	if (button->state == BUTTON_GONE)
		ck_assert_msg(!listed, "%s, probe %d, came back", model_title(button),
			      (int)button->number);
	if (!listed)
		button->state = BUTTON_GONE;
	else if (!is_single(button) || button->sent == 0)
		button->state = BUTTON_THERE;
	button->busy = false;
}

void
model_settle(const json_t *probes)
{
	static bool listed[BUTTONS_MAX];
	struct button *button;
	json_t *probe;
	size_t at;
	unsigned i;

	memset(listed, 0, sizeof(listed));
	json_array_foreach(probes, at, probe) {
		button = button_of(probe);
		ck_assert_msg(!listed[button->tag], "%s is there twice", model_title(button));
		listed[button->tag] = true;
		compare(button, probe);
		learn_number(button, json_integer_value(json_object_get(probe, "probe")));
	}
	for (i = 0; i < used; i++)
		if (buttons[i].busy && buttons[i].replaces != NULL &&
		    buttons[i].state == BUTTON_ASKED)
			compare_replaced(&buttons[i], listed);
	for (i = 0; i < used; i++) {
		settle_one(&buttons[i], listed[i]);
		buttons[i].replaces = NULL;
	}
}

/* ---- runs ---- */

static void
count_runs(void)
{
	char *text = file_text(place_at("ran")), *rest = text, *line;
	unsigned tag, number, i;

	for (i = 0; i < used; i++)
		buttons[i].ran = 0;
	while ((line = strsep(&rest, "\n")) != NULL && rest != NULL) {
		ck_assert_msg(sscanf(line, "B%u %u", &tag, &number) == 2 && tag < used, "%s", line);
		buttons[tag].ran++;
		ck_assert_msg(buttons[tag].number == number, "%s, of probe %d", line,
			      (int)buttons[tag].number);
	}
	free(text);
}

static bool
all_have_run(void *unused)
{
	const struct button *button;

	(void)unused;
	count_runs();
	for (button = buttons; button < buttons + used; button++)
		if (button->ran <
		    (is_single(button) && button->answered > 1 ? 1 : button->answered))
			return (false);
	return (true);
}

void
model_check_runs(void)
{
	const struct button *button;
	bool all = wait_until(all_have_run, NULL);

	for (button = buttons; button < buttons + used; button++) {
		ck_assert_msg(all || button->ran >= button->answered,
			      "%s, probe %d, %s: %u of %u answered presses ran",
			      model_title(button), (int)button->number, button->respawn,
			      button->ran, button->answered);
		ck_assert_msg(
		    button->ran <= (is_single(button) && button->sent > 1 ? 1 : button->sent),
		    "%s, probe %d, %s: pressed %u times and ran %u times", model_title(button),
		    (int)button->number, button->respawn, button->sent, button->ran);
	}
}
