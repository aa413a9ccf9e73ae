#include "config.h"

#include "conf.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <jansson.h>
#include <libgen.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "codec.h"
#include "conf_file.h"
#include "jsonpos.h"
#include "log.h"
#include "util.h"

#define GID_LARGEST	    4294967294LL
#define LOG_WORD_MAX 16
#define FILE_ENDING ".json"

/* A member that sets a limit: of CODEC_COUNT an unsigned, of CODEC_SECONDS an int64_t of
 * milliseconds. */
struct limit_member {
	struct codec_member member;
	size_t offset;
	bool positive; /* 0 would mean to do something all the time, or to let nobody speak */
};

#define COUNT(name, field, low, high) \
	{{name, CODEC_COUNT, false, low, high}, offsetof(struct limits, field), false}
#define SECONDS(name, field, high, positive) \
	{{name, CODEC_SECONDS, false, 0, high}, offsetof(struct limits, field), positive}

static const struct limit_member limit_members[] = {
    COUNT("probes", probes, 1, 1000000),
    COUNT("gone_probes", gone_probes, 0, 1000000),
    COUNT("runs", runs, 1, 10000),
    COUNT("burst", burst, 1, 1000000),
    SECONDS("interval", interval_ms, DEFINITION_SECONDS_MAX, false),
    SECONDS("timeout", timeout_ms, DEFINITION_SECONDS_MAX, false),
    COUNT("max_runs", max_runs, 0, DEFINITION_RUNS_MAX),
    COUNT("output", output_bytes, 0, 16777216),
    COUNT("log_output", log_output_bytes, 0, 1073741824),
    SECONDS("kill_delay", kill_delay_ms, 3600, false),
    SECONDS("drain_delay", drain_delay_ms, 3600, false),
    SECONDS("jail_poll", jail_poll_ms, 86400, true),
    SECONDS("rearm_delay", rearm_delay_ms, 86400, true),
    SECONDS("rearm_delay_max", rearm_delay_max_ms, 86400, true),
    SECONDS("rearm_steady", rearm_steady_ms, 86400, false),
    COUNT("clients", clients, 1, 65536),
    COUNT("client_requests", client_requests, 1, 65536),
    COUNT("client_backlog", client_backlog, 1, 16777216),
    SECONDS("client_silence", client_silence_ms, 86400, true),
    SECONDS("client_unread", client_unread_ms, 86400, true),
};

static const struct codec_member other_members[] = {
    {"control_group", CODEC_GROUP, false, 0, GID_LARGEST},
    {"log_facility", CODEC_TEXT, false, 0, LOG_WORD_MAX},
    {"log_level", CODEC_TEXT, false, 0, LOG_WORD_MAX},
    {NULL, CODEC_ANY, false, 0, 0},
};

/* A load under way. */
struct load {
	struct conf *conf;
	json_t *names; /* of the probes so far → the file that each is in */
	struct error *errors;
	size_t room;
	size_t failed;
};

static void
note_error(struct load *load, const struct error *e)
{
	if (load->failed < load->room)
		load->errors[load->failed] = *e;
	load->failed++;
}

/* ---- the file ---- */

/* The table's members as codec has lists of them. */
static const struct codec_member *
limit_list(void)
{
	static struct codec_member list[UTIL_COUNT(limit_members) + 1];

	for (size_t i = 0; i < UTIL_COUNT(limit_members); i++)
		list[i] = limit_members[i].member;
	return list;
}

static int
read_control_group(json_t *object, struct conf *conf, struct error *e)
{
	json_t *value = json_object_get(object, "control_group");
	const struct group *group;

	if (value == NULL)
		return 0;
	conf->has_control_group = true;
	conf->control_group = (gid_t)json_integer_value(value);
	if (!json_is_string(value))
		return 0;
	if ((group = getgrnam(json_string_value(value))) == NULL)
		return error_set(e, ERR_BAD_REQUEST, "the host knows no group \"%s\"",
				 json_string_value(value));
	conf->control_group = group->gr_gid;
	return 0;
}

static int
read_word(json_t *value, const char *what, int (*find)(const char *), int *place, struct error *e)
{
	int found;

	if (value == NULL)
		return 0;
	if ((found = find(json_string_value(value))) < 0)
		return error_set(e, ERR_BAD_REQUEST, "the log has no %s \"%s\"", what,
				 json_string_value(value));
	*place = found;
	return 0;
}

static int
read_others(json_t *object, struct conf *conf, const char **wrong, struct error *e)
{
	*wrong = "control_group";
	if (read_control_group(object, conf, e) != 0)
		return -1;
	*wrong = "log_facility";
	if (read_word(json_object_get(object, *wrong), "facility", log_find_facility,
		      &conf->log_facility, e) != 0)
		return -1;
	*wrong = "log_level";
	return read_word(json_object_get(object, *wrong), "level", log_find_level, &conf->log_level, e);
}

static int
read_limit(const struct limit_member *row, json_t *value, struct limits *limits, struct error *e)
{
	char *field = (char *)limits + row->offset;

	if (row->member.type == CODEC_COUNT) {
		*(unsigned *)(void *)field = (unsigned)json_integer_value(value);
		return 0;
	}
	if (row->positive && json_number_value(value) <= 0)
		return error_set(e, ERR_BAD_REQUEST, "\"%s\" must be more than 0",
				 row->member.name);
	*(int64_t *)(void *)field = (int64_t)(json_number_value(value) * 1000 + 0.5);
	return 0;
}

/* *wrong: the member of which *e tells. */
static int
read_members(json_t *object, struct conf *conf, const char **wrong, struct error *e)
{
	const struct codec_member *const lists[] = {other_members, limit_list(), NULL};
	json_t *value;

	if (codec_find_wrong(object, lists, wrong, e) != 0)
		return -1;
	if (read_others(object, conf, wrong, e) != 0)
		return -1;
	for (size_t i = 0; i < UTIL_COUNT(limit_members); i++) {
		*wrong = limit_members[i].member.name;
		value = json_object_get(object, *wrong);
		if (value != NULL && read_limit(&limit_members[i], value, &conf->limits, e) != 0)
			return -1;
	}
	return 0;
}

static void
load_file(struct load *load, const char *path)
{
	struct conf_file file;
	const char *wrong = NULL;
	struct error why, e;
	int result;

	if (conf_file_read(&file, path, &e) != 0) {
		note_error(load, &e);
		return;
	}
	if (json_is_object(file.value))
		result = read_members(file.value, load->conf, &wrong, &why);
	else
		result = error_set(&why, ERR_BAD_REQUEST, "it must be one JSON object");
	if (result != 0) {
		conf_file_error(&file, JSONPOS_WHOLE, wrong, why.text, &e);
		note_error(load, &e);
	}
	conf_file_close(&file);
}

/* ---- the probes ---- */

/* Room for one more; doubled whenever the count is a power of two. */
static int
reserve_probe(struct conf *conf)
{
	size_t count = conf->probe_count;
	struct conf_probe *larger;

	if ((count & (count - 1)) != 0)
		return 0;
	larger = reallocarray(conf->probes, count == 0 ? 1 : 2 * count, sizeof(*larger));
	if (larger != NULL)
		conf->probes = larger;
	return larger == NULL ? -1 : 0; /* NOLINT(Wanalyzer-malloc-leak): *conf has it */
}

/* Takes over the members of *def, unless there is no memory. */
static int
append_probe(struct load *load, struct definition *def, const char *path)
{
	char *file = strdup(path);

	if (file == NULL || reserve_probe(load->conf) != 0 ||
	    json_object_set_new(load->names, def->name, json_string(path)) != 0) {
		free(file);
		return -1;
	}
	load->conf->probes[load->conf->probe_count++] = (struct conf_probe){*def, file};
	definition_init(def);
	/* cppcheck-suppress memleak ; *conf has it */
	return 0; /* NOLINT(Wanalyzer-malloc-leak): *conf has it */
}

/* *wrong: the member of which *e tells. */
static int
read_probe(struct load *load, json_t *object, const char *path, const char **wrong, struct error *e)
{
	const struct codec_member *const lists[] = {codec_definition_members, NULL};
	const char *other, *name = json_string_value(json_object_get(object, "name"));
	struct definition def;
	int result;

	if (codec_find_wrong(object, lists, wrong, e) != 0)
		return -1;
	*wrong = "name";
	if (name == NULL)
		return error_set(e, ERR_BAD_REQUEST, "a probe in an array needs a \"name\"");
	if ((other = json_string_value(json_object_get(load->names, name))) != NULL)
		return error_set(e, ERR_BAD_REQUEST, "the name \"%s\" is taken already, in %s",
				 name, other);
	*wrong = NULL;
	result = codec_read_definition(object, &def, e);
	if (result == 0 && append_probe(load, &def, path) != 0)
		result = error_no_memory(e);
	definition_clear(&def);
	return result;
}

static void
load_probe(struct load *load, const struct conf_file *file, json_t *object, size_t element)
{
	const char *wrong = NULL;
	struct error why, e;
	int result;

	if (json_is_object(object))
		result = read_probe(load, object, file->path, &wrong, &why);
	else
		result = error_set(&why, ERR_BAD_REQUEST, "a probe must be a JSON object");
	if (result == 0)
		return;
	conf_file_error(file, element, wrong, why.text, &e);
	note_error(load, &e);
}

/* A probe that is alone in its file has the name of the file, unless it says another. */
static int
name_after_file(json_t *object, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;

	if (json_object_get(object, "name") != NULL)
		return 0;
	errno = 0;
	return json_object_set_new(object, "name",
				   json_stringn(name, strlen(name) - strlen(FILE_ENDING)));
}

static void
load_probes(struct load *load, const char *path)
{
	struct conf_file file;
	json_t *element;
	struct error e;
	size_t index;

	if (conf_file_read(&file, path, &e) != 0) {
		note_error(load, &e);
		return;
	}
	json_array_foreach(file.value, index, element)
		load_probe(load, &file, element, index);
	if (json_is_object(file.value) && name_after_file(file.value, path) != 0) {
		if (errno == ENOMEM)
			error_no_memory(&e);
		else
			error_set(&e, ERR_BAD_REQUEST, "%s: this name is no UTF-8", path);
		note_error(load, &e);
	} else if (json_is_object(file.value)) {
		load_probe(load, &file, file.value, JSONPOS_WHOLE);
	}
	conf_file_close(&file);
}

/* What editors leave behind ends otherwise, or is hidden. */
static int
is_wanted(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name), ending = strlen(FILE_ENDING);

	return entry->d_name[0] != '.' && length > ending &&
	       strcmp(entry->d_name + length - ending, FILE_ENDING) == 0;
}

static void
load_directory(struct load *load, const char *directory)
{
	struct dirent **entries;
	int count = scandir(directory, &entries, is_wanted, alphasort);
	char path[PATH_MAX + NAME_MAX + 2];
	struct error e;

	if (count < 0) {
		error_set(&e, ERR_BAD_REQUEST, "%s: %s", directory, strerror(errno));
		note_error(load, &e);
		return;
	}
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, entries[i]->d_name);
		load_probes(load, path);
		free(entries[i]);
	}
	free(entries);
}

/* The directory beside the file; most have none. */
static void
load_beside(struct load *load, const char *path)
{
	char copy[PATH_MAX], directory[PATH_MAX];
	struct stat st;
	struct error e;

	snprintf(copy, sizeof(copy), "%s", path);
	snprintf(directory, sizeof(directory), "%s/" CONF_PROBES, dirname(copy));
	if (stat(directory, &st) != 0 && errno == ENOENT)
		return;
	if (stat(directory, &st) == 0 && conf_file_check_owner(directory, &st, &e) != 0)
		note_error(load, &e);
	else
		load_directory(load, directory);
}

size_t
conf_load(const char *path, struct conf *conf, struct error *errors, size_t room)
{
	struct load load = {.conf = conf, .errors = errors, .room = room};
	bool may_lack = path == NULL;
	struct error e;

	*conf = (struct conf){.log_facility = LOG_DAEMON,
			      .log_level = log_usual_level(),
			      .limits = limits_default};
	if ((load.names = json_object()) == NULL) {
		error_no_memory(&e);
		note_error(&load, &e);
		return load.failed;
	}
	if (path == NULL)
		path = CONF_FILE;
	if (!may_lack || access(path, F_OK) == 0 || errno != ENOENT)
		load_file(&load, path);
	load_beside(&load, path);
	json_decref(load.names);
	return load.failed;
}

void
conf_clear_probe(struct conf_probe *probe)
{
	definition_clear(&probe->def);
	free(probe->file);
	probe->file = NULL;
}

void
conf_clear(struct conf *conf)
{
	for (size_t i = 0; i < conf->probe_count; i++)
		conf_clear_probe(&conf->probes[i]);
	free(conf->probes);
	*conf = (struct conf){0};
}
