/* Scripts, and what must be true whatever was asked. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "fuzz.h"
#include "registry.h"
#include "request.h"
#include "text.h"

void
fuzz_fail(const char *file, int line, const char *condition, const char *text, size_t length)
{
	fprintf(stderr, "%s:%d: not true: %s\n", file, line, condition);
	if (text != NULL)
		fprintf(stderr, "%.*s\n", (int)length, text);
	abort();
}

/* ---- scripts ---- */

bool
fuzz_next_line(struct fuzz_script *script, const char **line, size_t *length)
{
	const char *newline;

	if (script->left == 0)
		return false;
	newline = memchr(script->at, '\n', script->left);
	*line = script->at;
	*length = newline == NULL ? script->left : (size_t)(newline - script->at);
	script->at += *length + (newline != NULL);
	script->left -= *length + (newline != NULL);
	return true;
}

bool
fuzz_split(const char *line, size_t length, char words[FUZZ_WORDS][FUZZ_WORD_SIZE])
{
	if (length == 0 || *line != '!')
		return false;
	line++;
	length--;
	for (int i = 0; i < FUZZ_WORDS; i++) {
		const char *space = i + 1 < FUZZ_WORDS ? memchr(line, ' ', length) : NULL;
		size_t size = space == NULL ? length : (size_t)(space - line);

		snprintf(words[i], FUZZ_WORD_SIZE, "%.*s", (int)size, line);
		line += size + (space != NULL);
		length -= size + (space != NULL);
	}
	return true;
}

/* ---- answers ---- */

void
fuzz_check_printable(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		FUZZ_CHECK_OF(c == '\n' || (c >= ' ' && c != 0x7f), text, length);
	}
}

static void
check_error(json_t *error, const char *text, size_t length)
{
	const char *code = json_string_value(json_object_get(error, "code"));
	bool known = false;

	FUZZ_CHECK_OF(json_object_size(error) == 2 && code != NULL, text, length);
	for (int i = ERR_NONE + 1; i < ERR_COUNT; i++)
		known = known || strcmp(error_name((enum error_code)i), code) == 0;
	FUZZ_CHECK_OF(known, text, length);
	FUZZ_CHECK_OF(json_string_length(json_object_get(error, "message")) > 0, text, length);
}

json_t *
fuzz_check_answer(const char *text, size_t length)
{
	json_t *answer, *ok, *error;

	FUZZ_CHECK(length > 1 && memchr(text, '\n', length) == text + length - 1);
	answer = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	FUZZ_CHECK_OF(json_is_object(answer), text, length);
	ok = json_object_get(answer, "ok");
	error = json_object_get(answer, "error");
	FUZZ_CHECK_OF(json_is_boolean(ok) && json_is_true(ok) == (error == NULL), text, length);
	if (error != NULL)
		check_error(error, text, length);
	return answer;
}

static int
depth_of(json_t *value)
{
	int deepest = 0, depth;
	const char *name;
	json_t *inner;
	size_t i;

	json_array_foreach(value, i, inner)
		if ((depth = depth_of(inner)) > deepest)
			deepest = depth;
	json_object_foreach(value, name, inner)
		if ((depth = depth_of(inner)) > deepest)
			deepest = depth;
	return json_is_array(value) || json_is_object(value) ? deepest + 1 : 0;
}

/* Of one with a name twice it depends on what comes before it. */
json_t *
fuzz_read_request(const char *line, size_t length, const char **code)
{
	json_error_t why;
	json_t *request = json_loadb(line, length, JSON_REJECT_DUPLICATES, &why);

	*code = NULL;
	if (request == NULL)
		*code = json_error_code(&why) == json_error_duplicate_key ? "" : "bad-json";
	else if (depth_of(request) > REQUEST_DEPTH_MAX)
		*code = "bad-json";
	else if (!json_is_object(request))
		*code = "bad-request";
	if (*code == NULL)
		return request;
	json_decref(request);
	return NULL;
}

void
fuzz_check_id(json_t *request, json_t *answer)
{
	json_t *asked = json_object_get(request, "id"), *told = json_object_get(answer, "id");
	char *text = json_dumps(answer, 0);

	FUZZ_CHECK_OF(asked == NULL ? told == NULL : json_equal(asked, told), text, strlen(text));
	free(text);
}

/* ---- probes ---- */

static void
check_record(const struct probe *probe)
{
	json_t *record = codec_record(probe, true), *again;
	struct probe_saved saved;
	struct definition def;
	struct error e = {0};
	char *text;

	FUZZ_CHECK(record != NULL);
	text = json_dumps(record, JSON_COMPACT);
	again = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	FUZZ_CHECK_OF(json_equal(record, again), text, strlen(text));
	FUZZ_CHECK_OF(codec_read_record(again, &def, &saved, &e) == 0, text, strlen(text));
	FUZZ_CHECK_OF(definition_equal(&def, &probe->def), text, strlen(text));
	FUZZ_CHECK(saved.number == probe->number && saved.created_ms == probe->created_ms &&
		   saved.pending == probe->pending && saved.triggers == probe->triggers &&
		   saved.runs == probe->runs && saved.configured == probe->configured);
	definition_clear(&def);
	json_decref(again);
	json_decref(record);
	free(text);
}

static void
check_printed(const char *text, size_t length)
{
	json_t *object = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);

	FUZZ_CHECK_OF(json_is_integer(json_object_get(object, "probe")), text, length);
	FUZZ_CHECK_OF(json_is_string(json_object_get(object, "state")), text, length);
	json_decref(object);
}

static void
print_checked(struct text *out, const struct probe *probe)
{
	size_t before = out->used;

	codec_print_probe(out, probe);
	FUZZ_CHECK(!out->failed);
	check_printed(out->bytes + before, out->used - before);
	text_add(out, "\n", 1);
}

char *
fuzz_probes(void)
{
	const struct probe *probe;
	struct text out = {0};
	size_t count = 0;

	for (probe = registry_first(); probe != NULL; probe = registry_after(probe->number)) {
		print_checked(&out, probe);
		check_record(probe);
		count++;
	}
	FUZZ_CHECK(count == registry_count());
	text_add(&out, "", 1);
	FUZZ_CHECK(!out.failed);
	return out.bytes;
}
