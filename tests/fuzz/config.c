/*
 * The configuration, with anything in its files. It is taken as a whole or not at all: either each probe has
 * a name of its own and a definition that could be written again, and each limit is within its bounds; or
 * there are errors, and each names the file that it is about and, inside it, a place that there is.
 */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "conf.h"
#include "fuzz.h"
#include "util.h"

#define ERRORS	  4
#define FILE_SIZE 512

static void
check_probe(const struct conf *conf, size_t place)
{
	static const struct codec_member *const lists[] = {codec_definition_members, NULL};
	const struct conf_probe *probe = &conf->probes[place];
	json_t *object = codec_definition(&probe->def);
	struct definition again;
	struct error e;

	FUZZ_CHECK(probe->def.name != NULL && probe->file != NULL);
	for (size_t i = 0; i < place; i++)
		FUZZ_CHECK(strcmp(conf->probes[i].def.name, probe->def.name) != 0);
	FUZZ_CHECK(codec_check_object(object, lists, &e) == 0);
	FUZZ_CHECK(codec_read_definition(object, &again, &e) == 0);
	FUZZ_CHECK(definition_equal(&again, &probe->def));
	definition_clear(&again);
	json_decref(object);
}

/* What would make a daemon do something all the time, or nothing ever. */
static void
check_limits(const struct limits *is)
{
	FUZZ_CHECK(is->probes > 0 && is->runs > 0 && is->burst > 0 && is->clients > 0 &&
		   is->client_requests > 0 && is->client_backlog > 0);
	FUZZ_CHECK(is->jail_poll_ms > 0 && is->rearm_delay_ms > 0 && is->rearm_delay_max_ms > 0 &&
		   is->client_silence_ms > 0 && is->client_unread_ms > 0);
	FUZZ_CHECK(is->interval_ms >= 0 && is->timeout_ms >= 0 && is->kill_delay_ms >= 0 &&
		   is->drain_delay_ms >= 0 && is->rearm_steady_ms >= 0);
}

static unsigned
count_lines(const char *text, size_t length)
{
	unsigned lines = 1;

	for (size_t i = 0; i < length; i++)
		lines += text[i] == '\n';
	return lines;
}

/* What follows the name of a file: why, and before that maybe ":LINE:COLUMN", a place in it. */
static bool
is_of_file(const char *file, const char *text)
{
	static char content[1 << 20];
	unsigned line, column;
	ssize_t length;

	if (sscanf(text, ":%u:%u: ", &line, &column) != 2)
		return true; /* of the whole file */
	FUZZ_CHECK((length = util_read_file(file, content, sizeof(content))) >= 0);
	return line >= 1 && line <= count_lines(content, (size_t)length) && column <= (size_t)length + 1;
}

static const char *error_text;
static bool is_explained;

/* Several names may be what the text begins with: a name may have colons, and is shown with ? where it can't be shown. */
static int
look_at(const char *path, const struct stat *st, int type, struct FTW *where)
{
	char shown[FILE_SIZE];
	size_t length;

	(void)type;
	(void)where;
	snprintf(shown, sizeof(shown), "%s", path);
	util_make_printable(shown);
	length = strlen(shown);
	if (strncmp(error_text, shown, length) != 0 || error_text[length] != ':')
		return 0;
	is_explained = S_ISDIR(st->st_mode) || is_of_file(path, error_text + length);
	return is_explained ? 1 : 0;
}

static void
check_error(const struct error *e)
{
	const char *directory = fuzz_directory();

	FUZZ_CHECK(e->code != ERR_NONE && e->code < ERR_COUNT);
	FUZZ_CHECK_OF(strncmp(e->text, directory, strlen(directory)) == 0, e->text, strlen(e->text));
	fuzz_check_printable(e->text, strlen(e->text));
	error_text = e->text;
	is_explained = false;
	FUZZ_CHECK(nftw(directory, look_at, 8, FTW_PHYS) >= 0);
	FUZZ_CHECK_OF(is_explained || strstr(e->text, strerror(ENOENT)) != NULL, e->text, strlen(e->text));
}

static void
check_loaded(const struct conf *conf)
{
	check_limits(&conf->limits);
	for (size_t i = 0; i < conf->probe_count; i++)
		check_probe(conf, i);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct error errors[ERRORS];
	struct conf conf;
	size_t failed;

	fuzz_write_files(fuzz_directory(), (const char *)bytes, length);
	failed = conf_load(fuzz_path("jaildaemon.conf"), &conf, errors, ERRORS);
	if (failed == 0)
		check_loaded(&conf);
	for (size_t i = 0; i < failed && i < ERRORS; i++)
		check_error(&errors[i]);
	conf_clear(&conf);
	fuzz_clear_directory();
	return 0;
}
