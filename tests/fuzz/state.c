/*
 * The state directory, with any files in it. What is found is restored, or set aside as it was, or dropped
 * because its time is over: nothing else becomes of it. A probe that was restored is what its record says,
 * and a second start finds what the first one left.
 */
#include "config.h"

#include "state.h"

#include <sys/stat.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "codec.h"
#include "fuzz.h"
#include "keep.h"
#include "registry.h"
#include "store.h"
#include "store_files.h"

#define STATE  "state"
#define ASIDE  "state/set-aside"

static void
spent(const struct definition *def, uint64_t number)
{
	FUZZ_CHECK(number > 0 && (def->shell != NULL || def->argv != NULL));
}

/* Files, not directories, in a directory below ours. */
static unsigned
count_files(const char *name)
{
	DIR *directory = opendir(fuzz_path(name));
	struct dirent *entry;
	unsigned count = 0;

	while (directory != NULL && (entry = readdir(directory)) != NULL)
		count += entry->d_type == DT_REG;
	if (directory != NULL)
		closedir(directory);
	return count;
}

static json_t *
load_record(uint64_t number, bool started)
{
	char name[STORE_NAME_SIZE], path[64];

	store_format_name(name, number, started);
	snprintf(path, sizeof(path), STATE "/%s", name);
	return json_load_file(fuzz_path(path), JSON_REJECT_DUPLICATES, NULL);
}

static bool
tells_of(json_t *record, const struct probe *probe)
{
	struct probe_saved saved;
	struct definition def;
	struct error e;
	bool same;

	if (record == NULL || codec_read_record(record, &def, &saved, &e) != 0)
		return false;
	same = saved.number == probe->number && definition_equal(&def, &probe->def) &&
	       saved.created_ms == probe->created_ms && saved.configured == probe->configured &&
	       saved.triggers == probe->triggers && saved.runs <= probe->runs;
	definition_clear(&def);
	return same;
}

/* Each that is kept, as far as its record goes: triggers that waited may have begun their runs, of which the store is
 * still to be told. Another of its number lies beside it if it could not be set aside. */
static void
check_restored(const struct probe *probe)
{
	json_t *armed = load_record(probe->number, false), *started = load_record(probe->number, true);

	FUZZ_CHECK(tells_of(armed, probe) || tells_of(started, probe));
	json_decref(armed);
	json_decref(started);
}

static void
check_all(void)
{
	const struct probe *probe;

	free(fuzz_probes());
	for (probe = registry_first(); probe != NULL; probe = registry_after(probe->number)) {
		check_restored(probe);
		FUZZ_CHECK(probe->number < registry_next_number());
		if (probe->def.name != NULL)
			FUZZ_CHECK(registry_by_name(probe->def.name) == probe);
	}
}

/* One start of the daemon. False: it would not start. */
static bool
start(void)
{
	struct error e = {0};

	FUZZ_CHECK(store_open(fuzz_path(STATE), &e) == 0);
	FUZZ_CHECK(keep_init(fuzz_base(), state_render) == 0);
	if (state_restore(spent, &e) == 0)
		return true;
	FUZZ_CHECK(e.code != ERR_NONE && e.text[0] != '\0');
	return false;
}

/* What the next start must find: not the single shots whose one run may have begun. */
static json_t *
list_kept(void)
{
	json_t *list = json_array();
	const struct probe *probe;

	for (probe = registry_first(); probe != NULL; probe = registry_after(probe->number))
		if (probe->kept && (probe->def.respawn != RESPAWN_NO || !probe->kept_started))
			json_array_append_new(list, json_pack("{sI so}", "probe", (json_int_t)probe->number,
							      "definition", codec_definition(&probe->def)));
	return list;
}

static void
check_found_again(json_t *list)
{
	json_t *one, *definition;
	size_t i;

	json_array_foreach(list, i, one) {
		json_int_t number = json_integer_value(json_object_get(one, "probe"));
		const struct probe *probe = registry_by_number((uint64_t)number);

		FUZZ_CHECK(probe != NULL);
		definition = codec_definition(&probe->def);
		FUZZ_CHECK(json_equal(definition, json_object_get(one, "definition")));
		json_decref(definition);
	}
}

static void
end(void)
{
	keep_finish();
	fuzz_fresh_keep();
	fuzz_world_end();
}

static void
restart(void)
{
	json_t *kept;

	fuzz_turn();
	kept = list_kept();
	end();
	FUZZ_CHECK(start());
	check_found_again(kept);
	json_decref(kept);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_world_begin();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	unsigned found, restored, aside;

	mkdir(fuzz_path(STATE), 0700);
	found = fuzz_write_files(fuzz_path(STATE), (const char *)bytes, length);
	if (start()) {
		restored = (unsigned)registry_count();
		aside = count_files(ASIDE);
		FUZZ_CHECK(restored + aside <= found);
		check_all();
		restart();
	}
	end();
	fuzz_clear_directory();
	return 0;
}
