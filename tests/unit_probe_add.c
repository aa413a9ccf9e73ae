/* Whether a probe may be, and who waits for it. */
#include "config.h"

#include "probe.h"

#include <stdlib.h>
#include <string.h>

#include "registry.h"
#include "unit.h"

static void
add_refused(struct definition def, enum error_code code)
{
	struct unit_added result = {0};

	probe_add(&def, 0, unit_life_added, &result);
	ck_assert_uint_eq(result.count, 1);
	ck_assert_ptr_null(result.probe);
	ck_assert_int_eq(result.error.code, code);
	ck_assert_ptr_null(def.shell); /* it was taken over in any case */
}

START_TEST(no_such_jail)
{
	struct definition def;

	unit_life_begin();
	def = unit_life_define("x", RESPAWN_NO);
	unit_name_jail(&def, "Www");
	add_refused(def, ERR_NO_SUCH_JAIL);
	unit_life_check_clean();
	ck_assert_uint_eq(jail_count(), 0);
}
END_TEST

START_TEST(what_the_probe_is_given)
{
	struct definition def;
	struct unit_added result = {0};

	unit_life_begin();
	def = unit_life_define("secret", RESPAWN_NO);
	def.title = strdup("TITLE");
	def.uid = 4294967294;
	def.gid = 80;
	probe_add(&def, 0, unit_life_added, &result);
	unit_attach_wait(1);
	ck_assert_str_eq(unit_attach_title(0), "TITLE");
	unit_attach_check_ids(0, 4294967294, 80);
	unit_attach_fail(0);
	def = unit_life_define("secret", RESPAWN_NO);
	probe_add(&def, 0, unit_life_added, &result);
	unit_attach_wait(1);
	ck_assert_str_eq(unit_attach_title(0), "probe 2");
	unit_attach_check_ids(0, 0, 0);
	unit_attach_fail(0);
	unit_life_check_clean();
	ck_assert_uint_eq(jail_count(), 0);
}
END_TEST

static struct definition
define_named(const char *shell)
{
	struct definition def = unit_life_define(shell, RESPAWN_AFTER);

	def.name = strdup("snap");
	return def;
}

START_TEST(the_same_again_is_the_same)
{
	struct definition def;
	struct unit_added first = {0}, second = {0}, third = {0};

	unit_life_begin();
	def = define_named("x");
	probe_add(&def, 0, unit_life_added, &first);
	def = define_named("x");
	probe_add(&def, 0, unit_life_added, &second);
	ck_assert_uint_eq(second.count, 0); /* it waits, too */
	unit_attach_wait(1);
	unit_attach_succeed(0, unit_probe_process());
	ck_assert_ptr_nonnull(first.probe);
	ck_assert_ptr_eq(second.probe, first.probe);
	def = define_named("x");
	probe_add(&def, 0, unit_life_added, &third);
	ck_assert_ptr_eq(third.probe, first.probe);
	ck_assert_uint_eq(registry_count(), 1);
	add_refused(define_named("y"), ERR_EXISTS);
	unit_life_remove(first.probe, false);
	unit_life_check_clean();
}
END_TEST

START_TEST(a_replacement_takes_over_when_armed)
{
	struct definition def;
	struct probe *old;
	struct unit_added result = {0};

	unit_life_begin();
	old = unit_life_add(define_named("x"));
	def = define_named("y");
	probe_add(&def, PROBE_ADD_REPLACE, unit_life_added, &result);
	ck_assert_ptr_eq(registry_by_name("snap"), old);
	unit_attach_wait(1);
	unit_attach_fail(0);
	ck_assert_int_eq(result.error.code, ERR_ATTACH_FAILED);
	ck_assert_int_eq(probe_state(old), PROBE_ARMED); /* nothing has happened to it */
	def = define_named("y");
	probe_add(&def, PROBE_ADD_REPLACE, unit_life_added, &result);
	unit_attach_wait(1);
	unit_attach_succeed(0, unit_probe_process());
	ck_assert_ptr_eq(registry_by_name("snap"), result.probe);
	ck_assert_str_eq(result.probe->def.shell, "y");
	ck_assert_uint_eq(registry_count(), 1);
	unit_life_remove(result.probe, false);
	unit_life_check_clean();
}
END_TEST

START_TEST(removed_before_it_was_armed)
{
	struct definition def;
	struct unit_added result = {0};

	unit_life_begin();
	def = unit_life_define("x", RESPAWN_NO);
	probe_add(&def, 0, unit_life_added, &result);
	unit_life_remove(registry_first(), false);
	ck_assert_uint_eq(result.count, 1);
	ck_assert_ptr_null(result.probe);
	unit_life_check_clean();
	ck_assert_uint_eq(jail_count(), 0);
}
END_TEST

Suite *
unit_probe_add(void)
{
	Suite *suite;
	TCase *tests = unit_case("probe_add", &suite);

	tcase_add_test(tests, no_such_jail);
	tcase_add_test(tests, what_the_probe_is_given);
	tcase_add_test(tests, the_same_again_is_the_same);
	tcase_add_test(tests, a_replacement_takes_over_when_armed);
	tcase_add_test(tests, removed_before_it_was_armed);
	return suite;
}
