#include "config.h"

#include "title.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#define WHEN	  1795262400250
#define WHEN_TEXT "2026-11-21T12:00:00Z"

static struct probe *
new_probe(void)
{
	static struct probe probe;

	definition_init(&probe.def);
	probe.number = 7;
	return &probe;
}

static void
check_title(const struct probe *probe, const char *wanted)
{
	char title[ATTACH_TITLE_SIZE];

	title_compose(probe, title);
	ck_assert_str_eq(title, wanted);
}

START_TEST(without_one_the_number)
{
	check_title(new_probe(), "probe 7");
}
END_TEST

START_TEST(as_given)
{
	struct probe *probe = new_probe();
	char title[] = "ZFS_SNAPSHOT %s";

	probe->def.title = title;
	check_title(probe, "ZFS_SNAPSHOT %s");
}
END_TEST

START_TEST(result_only_where_asked_for)
{
	struct probe *probe = new_probe();
	char title[] = "T";

	probe->def.title = title;
	probe->last = (struct probe_last){.any = true, .finished_ms = WHEN, .status = 3 << 8};
	check_title(probe, "T");
	probe->def.show_status = true;
	check_title(probe, "T [exit 3 " WHEN_TEXT "]");
	probe->last.any = false;
	check_title(probe, "T");
}
END_TEST

START_TEST(each_kind_of_result)
{
	struct probe *probe = new_probe();

	probe->def.show_status = true;
	probe->last = (struct probe_last){.any = true, .finished_ms = WHEN};
	check_title(probe, "probe 7 [ok " WHEN_TEXT "]");
	probe->last.status = 255 << 8;
	check_title(probe, "probe 7 [exit 255 " WHEN_TEXT "]");
	probe->last.status = SIGKILL;
	check_title(probe, "probe 7 [signal 9 " WHEN_TEXT "]");
	probe->last.timed_out = true;
	check_title(probe, "probe 7 [timeout " WHEN_TEXT "]");
}
END_TEST

/* The longest that can be asked for, with the longest result, and the probe's own prefix before it.
 */
START_TEST(nothing_is_cut)
{
	char longest[DEFINITION_TITLE_MAX + 1], title[ATTACH_TITLE_SIZE];
	struct probe *probe = new_probe();

	memset(longest, 'x', DEFINITION_TITLE_MAX);
	longest[DEFINITION_TITLE_MAX] = '\0';
	probe->def.title = longest;
	probe->def.show_status = true;
	probe->last = (struct probe_last){.any = true, .finished_ms = WHEN, .timed_out = true};
	title_compose(probe, title);
	ck_assert_int_eq(strncmp(title, longest, DEFINITION_TITLE_MAX), 0);
	ck_assert_str_eq(title + DEFINITION_TITLE_MAX, " [timeout " WHEN_TEXT "]");
	ck_assert_uint_lt(strlen(PROBE_TITLE_PREFIX) + strlen(title), ATTACH_TITLE_SIZE);
}
END_TEST

START_TEST(never_the_command)
{
	struct probe *probe = new_probe();
	char command[] = "secret", jail[] = "www";

	probe->def.shell = command;
	probe->def.name = command;
	probe->def.jail.name = jail;
	check_title(probe, "probe 7");
}
END_TEST

static void
check_tag(const struct probe *probe, const char *wanted)
{
	char *tag = title_make_tag(probe);

	ck_assert_ptr_nonnull(tag);
	ck_assert_str_eq(tag, wanted);
	free(tag);
}

START_TEST(tags)
{
	struct probe *probe = new_probe();
	char name[] = "snap", jail[] = "w\" x=\"\x1b";

	probe->def.jail.number = 23;
	check_tag(probe, "probe=7 name=\"\" jail=\"23\"");
	probe->def.name = name;
	probe->def.jail.number = 0;
	probe->def.jail.name = jail;
	check_tag(probe, "probe=7 name=\"snap\" jail=\"w\\\" x=\\\"\\x1b\"");
}
END_TEST

START_TEST(longest_tag_is_whole)
{
	struct probe *probe = new_probe();
	char name[DEFINITION_NAME_MAX + 1], jail[JAIL_NAME_SIZE], *tag;

	memset(name, 'n', DEFINITION_NAME_MAX);
	name[DEFINITION_NAME_MAX] = '\0';
	probe->def.name = name;
	memset(jail, 0xff, JAIL_NAME_SIZE - 1);
	jail[JAIL_NAME_SIZE - 1] = '\0';
	probe->def.jail.name = jail;
	tag = title_make_tag(probe);
	ck_assert_ptr_nonnull(tag);
	ck_assert_uint_eq(strlen(tag), strlen("probe=7 name=\"\" jail=\"\"") + DEFINITION_NAME_MAX +
					   ((size_t)JAIL_NAME_SIZE - 1) * 4);
	free(tag);
}
END_TEST

Suite *
unit_title(void)
{
	Suite *suite;
	TCase *tests = unit_case("title", &suite);

	tcase_add_test(tests, without_one_the_number);
	tcase_add_test(tests, as_given);
	tcase_add_test(tests, result_only_where_asked_for);
	tcase_add_test(tests, each_kind_of_result);
	tcase_add_test(tests, nothing_is_cut);
	tcase_add_test(tests, never_the_command);
	tcase_add_test(tests, tags);
	tcase_add_test(tests, longest_tag_is_whole);
	return suite;
}
