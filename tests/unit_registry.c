#include "config.h"

#include "registry.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

/* Without a configuration. */
#define GONE_MAX 64

#define MANY 3000

static struct probe probes[MANY];

static struct probe *
insert(size_t place, const char *name)
{
	struct probe *probe = &probes[place];

	definition_init(&probe->def);
	if (name != NULL)
		probe->def.name = strdup(name);
	registry_insert(probe);
	registry_take_name(probe);
	return probe;
}

static void
clear_all(size_t count)
{
	for (size_t i = 0; i < count; i++)
		definition_clear(&probes[i].def);
}

START_TEST(empty)
{
	ck_assert_uint_eq(registry_count(), 0);
	ck_assert_ptr_null(registry_first());
	ck_assert_ptr_null(registry_after(0));
	ck_assert_ptr_null(registry_by_number(1));
	ck_assert_ptr_null(registry_by_name("a"));
	ck_assert_ptr_null(registry_gone_by_number(1));
	ck_assert_ptr_null(registry_gone_by_name("a"));
}
END_TEST

START_TEST(found_by_number_and_name)
{
	struct probe *a = insert(0, "a"), *b = insert(1, NULL), *c = insert(2, "c");

	ck_assert_uint_eq(registry_count(), 3);
	ck_assert_uint_eq(a->number, 1);
	ck_assert_uint_eq(b->number, 2);
	ck_assert_ptr_eq(registry_by_number(1), a);
	ck_assert_ptr_eq(registry_by_number(2), b);
	ck_assert_ptr_null(registry_by_number(4));
	ck_assert_ptr_null(registry_by_number(0));
	ck_assert_ptr_eq(registry_by_name("a"), a);
	ck_assert_ptr_eq(registry_by_name("c"), c);
	ck_assert_ptr_null(registry_by_name("b"));
	ck_assert_ptr_null(registry_by_name("A"));
	clear_all(3);
}
END_TEST

START_TEST(numbers_are_never_used_again)
{
	struct probe *a = insert(0, "a"), *b;

	registry_remove(a);
	ck_assert_uint_eq(registry_count(), 0);
	ck_assert_ptr_null(registry_by_number(1));
	ck_assert_ptr_null(registry_by_name("a"));
	b = insert(1, "a");
	ck_assert_uint_eq(b->number, 2);
	ck_assert_ptr_eq(registry_by_name("a"), b);
	clear_all(2);
}
END_TEST

START_TEST(a_name_has_one_holder)
{
	struct probe *old = insert(0, "a"), *new = insert(1, "a");

	ck_assert_ptr_eq(registry_by_name("a"), old);
	registry_drop_name(new); /* not the holder */
	ck_assert_ptr_eq(registry_by_name("a"), old);
	registry_remove(old);
	ck_assert_ptr_null(registry_by_name("a"));
	registry_take_name(new);
	ck_assert_ptr_eq(registry_by_name("a"), new);
	registry_drop_name(new);
	registry_drop_name(new);
	ck_assert_ptr_null(registry_by_name("a"));
	ck_assert_ptr_eq(registry_by_number(2), new);
	clear_all(2);
}
END_TEST

START_TEST(removing_a_replacement_leaves_the_holder)
{
	struct probe *old = insert(0, "a"), *new = insert(1, "a");

	registry_remove(new);
	ck_assert_ptr_eq(registry_by_name("a"), old);
	ck_assert_uint_eq(registry_count(), 1);
	clear_all(2);
}
END_TEST

START_TEST(in_the_order_of_numbers)
{
	struct probe *probe;
	uint64_t last = 0;
	size_t seen = 0;

	for (size_t i = 0; i < MANY; i++)
		insert(i, NULL);
	for (size_t i = 0; i < MANY; i += 3)
		registry_remove(&probes[i]);
	for (probe = registry_first(); probe != NULL; probe = registry_after(last), seen++) {
		ck_assert_uint_gt(probe->number, last);
		ck_assert_uint_ne(probe->number % 3, 1);
		last = probe->number;
	}
	ck_assert_uint_eq(seen, MANY - MANY / 3);
	ck_assert_uint_eq(registry_count(), seen);
}
END_TEST

START_TEST(may_be_removed_on_the_way)
{
	struct probe *probe;
	uint64_t number;

	for (size_t i = 0; i < MANY; i++)
		insert(i, NULL);
	for (probe = registry_first(); probe != NULL; probe = registry_after(number)) {
		number = probe->number;
		registry_remove(probe);
	}
	ck_assert_uint_eq(registry_count(), 0);
	ck_assert_ptr_null(registry_first());
}
END_TEST

START_TEST(remembers_the_gone)
{
	struct probe *a = insert(0, "a"), *b = insert(1, "a"), *c = insert(2, NULL);

	registry_remove(a);
	registry_remove(b);
	registry_remove(c);
	ck_assert_ptr_null(registry_remember(a));
	ck_assert_ptr_null(registry_remember(b));
	ck_assert_ptr_null(registry_remember(c));
	ck_assert(a->remembered);
	ck_assert_ptr_eq(registry_gone_by_number(1), a);
	ck_assert_ptr_eq(registry_gone_by_number(3), c);
	ck_assert_ptr_eq(registry_gone_by_name("a"), b); /* the last of that name */
	ck_assert_ptr_null(registry_gone_by_name("b"));
	ck_assert_ptr_null(registry_by_number(1));
	clear_all(3);
}
END_TEST

START_TEST(remembers_only_so_many)
{
	for (size_t i = 0; i < GONE_MAX + 2; i++) {
		insert(i, NULL);
		registry_remove(&probes[i]);
	}
	for (size_t i = 0; i < GONE_MAX; i++)
		ck_assert_ptr_null(registry_remember(&probes[i]));
	ck_assert_ptr_eq(registry_remember(&probes[GONE_MAX]), &probes[0]);
	ck_assert(!probes[0].remembered);
	ck_assert_ptr_null(registry_gone_by_number(1));
	ck_assert_ptr_eq(registry_gone_by_number(2), &probes[1]);
	ck_assert_ptr_eq(registry_remember(&probes[GONE_MAX + 1]), &probes[1]);
}
END_TEST

Suite *
unit_registry(void)
{
	Suite *suite;
	TCase *tests = unit_case("registry", &suite);

	tcase_add_test(tests, empty);
	tcase_add_test(tests, found_by_number_and_name);
	tcase_add_test(tests, numbers_are_never_used_again);
	tcase_add_test(tests, a_name_has_one_holder);
	tcase_add_test(tests, removing_a_replacement_leaves_the_holder);
	tcase_add_test(tests, in_the_order_of_numbers);
	tcase_add_test(tests, may_be_removed_on_the_way);
	tcase_add_test(tests, remembers_the_gone);
	tcase_add_test(tests, remembers_only_so_many);
	return suite;
}
