/* Instances of jails: shared while they are held, and known again afterwards. */
#include "config.h"

#include "jail.h"

#include <stdio.h>

#include "unit.h"

static struct jail_instance *
find(const char *name)
{
	const struct jail_ref ref = {.name = name};
	struct error e;

	return jail_find(&ref, &e);
}

/* Nobody holds it any more, as after a restart of the daemon. */
static struct jail_identity
identity_of(const char *name)
{
	struct jail_instance *jail = find(name);
	struct jail_identity identity;

	ck_assert_ptr_nonnull(jail);
	jail_identify(jail, &identity);
	jail_release(jail);
	ck_assert_uint_eq(jail_count(), 0);
	return identity;
}

static void
check_not_found(const struct jail_identity *identity)
{
	struct error e = {0};

	ck_assert_ptr_null(jail_find_same(identity, &e));
	ck_assert_int_eq(e.code, ERR_NO_SUCH_JAIL);
	ck_assert_str_ne(e.text, "");
	ck_assert_uint_eq(jail_count(), 0);
}

START_TEST(the_same_is_found_again)
{
	struct jail_identity identity;
	struct jail_instance *jail;
	struct error e;

	unit_jail_begin("mail", 7);
	unit_jail_begin("www", 8);
	identity = identity_of("www");
	jail = jail_find_same(&identity, &e);
	ck_assert_ptr_nonnull(jail);
	ck_assert_int_eq(jail->jid, 8);
	ck_assert_ptr_eq(find("www"), jail);
	ck_assert_uint_eq(jail_count(), 1);
}
END_TEST

START_TEST(one_that_ended_is_not)
{
	struct jail_identity identity;

	unit_jail_begin("www", 8);
	identity = identity_of("www");
	unit_jail_end("www");
	check_not_found(&identity);
}
END_TEST

START_TEST(another_under_its_number_is_not)
{
	struct jail_identity identity;

	unit_jail_begin("www", 8);
	identity = identity_of("www");
	unit_jail_end("www");
	unit_jail_begin("www", 8);
	check_not_found(&identity);
}
END_TEST

START_TEST(each_part_counts)
{
	struct jail_identity identity, other;

	unit_jail_begin("www", 8);
	identity = identity_of("www");
	other = identity;
	other.pid_namespace++;
	check_not_found(&other);
	other = identity;
	other.known_as[0] = 'x';
	check_not_found(&other);
	other = identity;
	other.jid = 0;
	check_not_found(&other);
}
END_TEST

START_TEST(nothing_outlives_the_host)
{
	struct jail_identity identity;

	unit_jail_begin("www", 8);
	identity = identity_of("www");
	unit_host_boot();
	check_not_found(&identity);
}
END_TEST

Suite *
unit_jail(void)
{
	Suite *suite;
	TCase *tests = unit_case("jail", &suite);

	tcase_add_test(tests, the_same_is_found_again);
	tcase_add_test(tests, one_that_ended_is_not);
	tcase_add_test(tests, another_under_its_number_is_not);
	tcase_add_test(tests, each_part_counts);
	tcase_add_test(tests, nothing_outlives_the_host);
	return suite;
}
