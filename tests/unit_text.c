#include "config.h"

#include <jansson.h>
#include <string.h>

#include "text.h"
#include "unit.h"

START_TEST(numbers_are_written_out)
{
	static const struct {
		int64_t number;
		const char *text;
	} numbers[] = {{0, "0"},	  {7, "7"},
		       {-1, "-1"},	  {1000, "1000"},
		       {INT64_MAX, "9223372036854775807"},
		       {INT64_MIN, "-9223372036854775808"}};
	struct text text = {0};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		text.used = 0;
		text_number(&text, numbers[i].number);
		ck_assert_mem_eq(text.bytes, numbers[i].text, text.used);
		ck_assert_uint_eq(text.used, strlen(numbers[i].text));
	}
	text_free(&text);
	ck_assert_ptr_null(text.bytes);
}
END_TEST

/* Each byte that UTF-8 text can have below 0x80, and some above. */
START_TEST(quoted_text_is_what_json_reads_again)
{
	char all[160], *place = all;
	struct text text = {0};
	json_t *json;

	for (int c = 1; c < 0x80; c++)
		*place++ = (char)c;
	strcpy(place, "\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80");
	text_quote(&text, all);
	json = json_loadb(text.bytes, text.used, JSON_DECODE_ANY, NULL);
	ck_assert_ptr_nonnull(json);
	ck_assert_str_eq(json_string_value(json), all);
	json_decref(json);
	text_free(&text);
}
END_TEST

START_TEST(it_grows)
{
	struct text text = {0};

	for (int i = 0; i < 10000; i++)
		text_say(&text, "0123456789");
	text_add(&text, "", 0);
	ck_assert_uint_eq(text.used, 100000);
	ck_assert(!text.failed);
	for (size_t i = 0; i < text.used; i++)
		ck_assert_int_eq(text.bytes[i], '0' + (int)(i % 10));
	text_free(&text);
}
END_TEST

START_TEST(what_does_not_fit_is_left_out_whole)
{
	char place[8] = "";
	struct text text = TEXT_IN(place, sizeof(place));

	text_say(&text, "12345");
	text_number(&text, 6789);
	text_member(&text, "a");
	ck_assert(text.failed);
	text_number(&text, -78);
	ck_assert_uint_eq(text.used, sizeof(place));
	ck_assert_int_eq(memcmp(place, "12345-78", sizeof(place)), 0);
	ck_assert_ptr_eq(text.bytes, place);
	text_say(&text, "9");
	ck_assert_uint_eq(text.used, sizeof(place));
}
END_TEST

Suite *
unit_text(void)
{
	Suite *suite;
	TCase *tests = unit_case("text", &suite);

	tcase_add_test(tests, numbers_are_written_out);
	tcase_add_test(tests, quoted_text_is_what_json_reads_again);
	tcase_add_test(tests, it_grows);
	tcase_add_test(tests, what_does_not_fit_is_left_out_whole);
	return suite;
}
