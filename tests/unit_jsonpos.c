#include "config.h"

#include "jsonpos.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

/* ' stands for ". */
static void
check(const char *quotes, size_t element, const char *member, unsigned line, unsigned column)
{
	char *text = unit_quotes(quotes);
	struct jsonpos pos = jsonpos_find(text, strlen(text), element, member);

	ck_assert_msg(pos.line == line && pos.column == column, "%s in %s: %u:%u", member, text,
		      pos.line, pos.column);
	free(text);
}

START_TEST(members_of_an_object)
{
	static const char text[] = " {\n\t'a': 1,\n'b' :'x', 'c':{'d': [1, {'e': 2}]},'e'\n:\n3}\n";

	check(text, JSONPOS_WHOLE, "a", 2, 2);
	check(text, JSONPOS_WHOLE, "b", 3, 1);
	check(text, JSONPOS_WHOLE, "c", 3, 11);
	check(text, JSONPOS_WHOLE, "e", 3, 36); /* not the one further in */
}
END_TEST

START_TEST(what_is_not_found_is_the_object)
{
	check(" {'a': 1}", JSONPOS_WHOLE, "b", 1, 2);
	check(" {'a': 1}", JSONPOS_WHOLE, NULL, 1, 2);
	check("\n{}", JSONPOS_WHOLE, "b", 2, 1);
	check("{'\\u0061': 1}", JSONPOS_WHOLE, "a", 1, 1);
	check("{'a': {'b': 1}}", JSONPOS_WHOLE, "b", 1, 1);
	check("{'a': 'b'}", JSONPOS_WHOLE, "b", 1, 1);
	check("[1, 2]", JSONPOS_WHOLE, "a", 1, 1);
}
END_TEST

START_TEST(elements_of_an_array)
{
	static const char text[] = "[{'a': [1, 2]}, [], 'x,]',\n -1.5e3 , {'b': 1,\n'a': 2}]";

	check(text, 0, "a", 1, 3);
	check(text, 1, NULL, 1, 17);
	check(text, 2, "a", 1, 21);
	check(text, 3, NULL, 2, 2);
	check(text, 4, NULL, 2, 11);
	check(text, 4, "a", 3, 1);
}
END_TEST

/* Brackets, quotes and backslashes in strings mean nothing. */
START_TEST(strings_are_skipped)
{
	check("{'x]}\\'': '{[\\\\', 'a': 1}", JSONPOS_WHOLE, "a", 1, 19);
	check("{'x': '\\\\\\'a', 'a': 1}", JSONPOS_WHOLE, "a", 1, 16);
}
END_TEST

START_TEST(columns_count_characters)
{
	check("{'\xc3\xa4': '\xe2\x82\xac', 'a': 1}", JSONPOS_WHOLE, "a", 1, 12);
}
END_TEST

/* The text may end anywhere: that is no accepted one, but nothing behind it is read. */
START_TEST(cut_texts_do_no_harm)
{
	static const char text[] = "[{\"a\\\"\": [1, \"\\\\\"], \"b\": {\"c\": 2}}, {\"d\": 3}]";

	for (size_t length = 0; length < strlen(text); length++) {
		char *cut =
		    malloc(length == 0 ? 1 : length); /* no longer, for a sanitizer to see */

		ck_assert_ptr_nonnull(cut);
		memcpy(cut, text, length);
		for (size_t element = 0; element < 3; element++)
			ck_assert_uint_eq(jsonpos_find(cut, length, element, "d").line, 1);
		free(cut);
	}
}
END_TEST

Suite *
unit_jsonpos(void)
{
	Suite *suite;
	TCase *tests = unit_case("jsonpos", &suite);

	tcase_add_test(tests, members_of_an_object);
	tcase_add_test(tests, what_is_not_found_is_the_object);
	tcase_add_test(tests, elements_of_an_array);
	tcase_add_test(tests, strings_are_skipped);
	tcase_add_test(tests, columns_count_characters);
	tcase_add_test(tests, cut_texts_do_no_harm);
	return suite;
}
