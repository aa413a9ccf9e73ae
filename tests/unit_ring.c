#include "config.h"

#include "ring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

static struct ring ring;

static void
put(const char *text)
{
	while (!ring_has_room(&ring, strlen(text)))
		ring_drop_oldest(&ring);
	ring_append(&ring, 1000 + ring.next, text, strlen(text));
}

/* All that is in it, oldest first, a blank behind each. */
static const char *
content(void)
{
	static char text[4096];
	size_t used = 0;

	text[0] = '\0';
	for (uint64_t place = ring.first; place < ring.next; place++) {
		size_t length;
		const char *bytes = ring_get(&ring, place, &length);

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%.*s ", (int)length, bytes);
	}
	return text;
}

START_TEST(keeps_in_order)
{
	ck_assert_int_eq(ring_init(&ring, 4, 64), 0);
	ck_assert_str_eq(content(), "");
	put("one");
	put("two");
	ck_assert_str_eq(content(), "one two ");
	ck_assert_uint_eq(ring.first, 0);
	ck_assert_uint_eq(ring.next, 2);
	ring_free(&ring);
}
END_TEST

START_TEST(bounded_in_number)
{
	ck_assert_int_eq(ring_init(&ring, 3, 64), 0);
	put("a");
	put("b");
	put("c");
	ck_assert(!ring_has_room(&ring, 1));
	put("d");
	ck_assert_str_eq(content(), "b c d ");
	ck_assert_uint_eq(ring.first, 1); /* places go on counting */
	ck_assert_uint_eq(ring.next, 4);
	ring_free(&ring);
}
END_TEST

START_TEST(bounded_in_bytes)
{
	ck_assert_int_eq(ring_init(&ring, 100, 10), 0);
	put("1234");
	put("5678");
	ck_assert(!ring_has_room(&ring, 3));
	put("abc"); /* doesn't fit into the two bytes at the end: goes where the first was */
	ck_assert_str_eq(content(), "5678 abc ");
	put("defghijklm");
	ck_assert_str_eq(content(), "defghijklm ");
	ring_free(&ring);
}
END_TEST

START_TEST(longer_than_it_never_fits)
{
	ck_assert_int_eq(ring_init(&ring, 4, 10), 0);
	ck_assert(ring_has_room(&ring, 10));
	ck_assert(!ring_has_room(&ring, 11));
	ring_free(&ring);
}
END_TEST

/* Against what it should have, kept the plain way, for all lengths and wherever the end falls. */
START_TEST(entries_stay_whole)
{
	char wanted[64];

	ck_assert_int_eq(ring_init(&ring, 16, 97), 0);
	for (uint64_t i = 0; i < 5000; i++) {
		memset(wanted, 'a' + (int)(i % 26), sizeof(wanted));
		wanted[1 + i * 7 % 40] = '\0';
		put(wanted);
		for (uint64_t place = ring.first; place < ring.next; place++) {
			size_t length;
			const char *bytes = ring_get(&ring, place, &length);

			ck_assert_uint_eq(ring_seq(&ring, place), 1000 + place);
			ck_assert_uint_eq(length, 1 + place * 7 % 40);
			ck_assert(bytes >= ring.bytes && bytes + length <= ring.bytes + 97);
			for (size_t at = 0; at < length; at++)
				ck_assert_int_eq(bytes[at], 'a' + (int)(place % 26));
		}
		ck_assert_uint_gt(ring.next, ring.first);
	}
	ring_free(&ring);
}
END_TEST

Suite *
unit_ring(void)
{
	Suite *suite;
	TCase *tests = unit_case("ring", &suite);

	tcase_add_test(tests, keeps_in_order);
	tcase_add_test(tests, bounded_in_number);
	tcase_add_test(tests, bounded_in_bytes);
	tcase_add_test(tests, longer_than_it_never_fits);
	tcase_add_test(tests, entries_stay_whole);
	return suite;
}
