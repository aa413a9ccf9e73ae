#include "config.h"

#include "definition.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "util.h"

static struct definition
example(void)
{
	char zfs[] = "zfs", list[] = "list", *argv[] = {zfs, list, NULL};
	struct definition def;

	definition_init(&def);
	unit_name_jail(&def, "www");
	def.argv = util_copy_strings(argv);
	def.title = strdup("TITLE");
	def.name = strdup("name");
	def.respawn = RESPAWN_AFTER;
	def.uid = 80;
	def.gid = 81;
	def.cooldown_ms = 1000;
	def.timeout_ms = 2000;
	def.max_runs = 3;
	return def;
}

static void
change_text(char **text)
{
	free(*text);
	*text = strdup("other");
}

/* Members from 0 to 7. */
static void
change_words(struct definition *def, int member)
{
	char **const texts[] = {&def->title, &def->name, &def->shell};

	if (member < 3)
		change_text(texts[member]);
	else if (member == 3)
		unit_name_jail(def, "Www");
	else if (member == 4)
		def->argv[1][0] = 'L';
	else if (member == 5)
		def->argv[1] = NULL;
	else if (member == 6)
		def->sticky = true;
	else
		def->show_status = true;
}

/* From 8 on. */
static void
change_number(struct definition *def, int member)
{
	int64_t *const numbers[] = {&def->jail.number, &def->uid,	 &def->gid,
				    &def->cooldown_ms, &def->timeout_ms, &def->max_runs};

	if (member < 14)
		++*numbers[member - 8];
	else
		def->respawn = RESPAWN_NOW;
}

static void
change(struct definition *def, int member)
{
	if (member < 8)
		change_words(def, member);
	else
		change_number(def, member);
}

START_TEST(equal_to_its_like)
{
	struct definition a = example(), b = example();

	ck_assert(definition_equal(&a, &b));
	ck_assert(definition_equal(&a, &a));
	definition_clear(&a);
	definition_clear(&b);
}
END_TEST

START_TEST(every_member_counts)
{
	struct definition a = example(), b = example();

	change(&b, _i);
	ck_assert(!definition_equal(&a, &b));
	ck_assert(!definition_equal(&b, &a));
	change(&a, _i);
	ck_assert(definition_equal(&a, &b));
	definition_clear(&a);
	definition_clear(&b);
}
END_TEST

START_TEST(begins_unset)
{
	struct definition def;

	memset(&def, 1, sizeof(def));
	definition_init(&def);
	ck_assert_int_eq(def.jail.number, 0);
	ck_assert_ptr_null(def.jail.name);
	ck_assert_ptr_null(def.shell);
	ck_assert_ptr_null(def.argv);
	ck_assert_int_eq(def.respawn, RESPAWN_NO);
	ck_assert_int_eq(def.uid, DEFINITION_UNSET);
	ck_assert_int_eq(def.gid, DEFINITION_UNSET);
	ck_assert_int_eq(def.cooldown_ms, DEFINITION_UNSET);
	ck_assert_int_eq(def.timeout_ms, DEFINITION_UNSET);
	ck_assert_int_eq(def.max_runs, DEFINITION_UNSET);
	ck_assert(!def.sticky && !def.show_status);
}
END_TEST

START_TEST(cleared_is_as_new)
{
	struct definition def = example(), fresh;

	definition_init(&fresh);
	definition_clear(&def);
	ck_assert(definition_equal(&def, &fresh));
	definition_clear(&def); /* again: harmless */
}
END_TEST

Suite *
unit_definition(void)
{
	Suite *suite;
	TCase *tests = unit_case("definition", &suite);

	tcase_add_test(tests, equal_to_its_like);
	tcase_add_loop_test(tests, every_member_counts, 0, 15);
	tcase_add_test(tests, begins_unset);
	tcase_add_test(tests, cleared_is_as_new);
	return suite;
}
