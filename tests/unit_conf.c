/* What a configuration may say, and how it is told what is wrong with it. */
#include "config.h"

#include "conf.h"

#include <sys/stat.h>

#include <grp.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"
#include "util.h"

#define ERRORS_MAX 8

static struct conf conf;
static struct error errors[ERRORS_MAX];

/* Of a file in this test's directory; valid until the next. */
static const char *
path_of(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", unit_directory(), name);
	return path;
}

/* ' stands for ". */
static void
put(const char *name, const char *quotes)
{
	char *text = unit_quotes(quotes);
	FILE *file;

	if (strchr(name, '/') != NULL)
		(void)mkdir(path_of(CONF_PROBES), 0700);
	ck_assert_ptr_nonnull(file = fopen(path_of(name), "w"));
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(path_of(name), 0644), 0);
	free(text);
}

static size_t
load(void)
{
	conf_clear(&conf);
	return conf_load(path_of("conf"), &conf, errors, ERRORS_MAX);
}

static void
load_well(void)
{
	ck_assert_msg(load() == 0, "%s", errors[0].text);
}

/* Error number i is about this place below the test's directory, and says this; ' for ". */
static void
check_error(size_t i, const char *place, const char *what)
{
	char wanted[PATH_MAX + 512], *quoted = unit_quotes(what);

	snprintf(wanted, sizeof(wanted), "%s: %s", path_of(place), quoted);
	ck_assert_str_eq(errors[i].text, wanted);
	ck_assert_int_eq(errors[i].code, ERR_BAD_REQUEST);
	free(quoted);
}

static void
refuse(const char *text, const char *place, const char *what)
{
	put("conf", text);
	ck_assert_uint_eq(load(), 1);
	check_error(0, place, what);
}

/* ---- the file ---- */

/* What each limit is without a configuration, and from where to where it may go. Those of seconds
 * are kept in milliseconds. */
static const struct {
	const char *name;
	size_t offset;
	bool seconds;
	long long normal, low, high;
} limit_rows[] = {
    {"probes", offsetof(struct limits, probes), false, 100000, 1, 1000000},
    {"gone_probes", offsetof(struct limits, gone_probes), false, 64, 0, 1000000},
    {"runs", offsetof(struct limits, runs), false, 16, 1, 10000},
    {"burst", offsetof(struct limits, burst), false, 10, 1, 1000000},
    {"interval", offsetof(struct limits, interval_ms), true, 1000, 0, 31622400},
    {"timeout", offsetof(struct limits, timeout_ms), true, 0, 0, 31622400},
    {"max_runs", offsetof(struct limits, max_runs), false, 0, 0, 1000},
    {"output", offsetof(struct limits, output_bytes), false, 65536, 0, 16777216},
    {"log_output", offsetof(struct limits, log_output_bytes), false, 65536, 0, 1073741824},
    {"kill_delay", offsetof(struct limits, kill_delay_ms), true, 5000, 0, 3600},
    {"drain_delay", offsetof(struct limits, drain_delay_ms), true, 1000, 0, 3600},
    {"jail_poll", offsetof(struct limits, jail_poll_ms), true, 2000, 0, 86400},
    {"rearm_delay", offsetof(struct limits, rearm_delay_ms), true, 100, 0, 86400},
    {"rearm_delay_max", offsetof(struct limits, rearm_delay_max_ms), true, 30000, 0, 86400},
    {"rearm_steady", offsetof(struct limits, rearm_steady_ms), true, 10000, 0, 86400},
    {"clients", offsetof(struct limits, clients), false, 512, 1, 65536},
    {"client_requests", offsetof(struct limits, client_requests), false, 64, 1, 65536},
    {"client_backlog", offsetof(struct limits, client_backlog), false, 262144, 1, 16777216},
    {"client_silence", offsetof(struct limits, client_silence_ms), true, 60000, 0, 86400},
    {"client_unread", offsetof(struct limits, client_unread_ms), true, 30000, 0, 86400},
};

static long long
limit_at(int row)
{
	const char *field = (const char *)&conf.limits + limit_rows[row].offset;

	return limit_rows[row].seconds ? *(const int64_t *)(const void *)field
				       : *(const unsigned *)(const void *)field;
}

static void
check_normal_but(int changed)
{
	for (int row = 0; row < (int)UTIL_COUNT(limit_rows); row++)
		if (row != changed)
			ck_assert_msg(limit_at(row) == limit_rows[row].normal, "%s: %lld",
				      limit_rows[row].name, limit_at(row));
}

START_TEST(without_words_all_is_as_ever)
{
	put("conf", "{}");
	load_well();
	check_normal_but(-1);
	ck_assert(!conf.has_control_group);
	ck_assert_uint_eq(conf.probe_count, 0);
}
END_TEST

static void
put_limit(int row, long long value)
{
	char text[128];

	snprintf(text, sizeof(text), "{\n  '%s': %lld }", limit_rows[row].name, value);
	put("conf", text);
}

START_TEST(each_limit_has_a_range)
{
	long long low = limit_rows[_i].low, high = limit_rows[_i].high;
	bool positive = false;
	char range[128];

	snprintf(range, sizeof(range), "'%s' must be from %lld to %lld", limit_rows[_i].name, low,
		 high);
	put_limit(_i, high);
	load_well();
	ck_assert_int_eq(limit_at(_i), limit_rows[_i].seconds ? high * 1000 : high);
	check_normal_but(_i);
	put_limit(_i, high + 1);
	ck_assert_uint_eq(load(), 1);
	check_error(0, "conf:2:3", range);
	put_limit(_i, low - 1);
	ck_assert_uint_eq(load(), 1);
	check_error(0, "conf:2:3", range);
	put_limit(_i, low);
	positive = load() != 0;
	if (positive) {
		snprintf(range, sizeof(range), "'%s' must be more than 0", limit_rows[_i].name);
		check_error(0, "conf:2:3", range);
		put_limit(_i, 1);
		load_well();
	}
	ck_assert_int_eq(limit_at(_i), positive ? 1000 : low);
}
END_TEST

START_TEST(zero_is_refused_where_it_would_never_end)
{
	static const char *const names[] = {"jail_poll", "rearm_delay", "rearm_delay_max",
					    "client_silence", "client_unread"};
	char text[64], what[64];

	snprintf(text, sizeof(text), "{'%s': 0}", names[_i]);
	snprintf(what, sizeof(what), "'%s' must be more than 0", names[_i]);
	refuse(text, "conf:1:2", what);
}
END_TEST

START_TEST(seconds_have_milliseconds)
{
	put("conf", "{'interval': 0.0125, 'jail_poll': 0.25, 'timeout': 1e2}");
	load_well();
	ck_assert_int_eq(conf.limits.interval_ms, 13);
	ck_assert_int_eq(conf.limits.jail_poll_ms, 250);
	ck_assert_int_eq(conf.limits.timeout_ms, 100000);
}
END_TEST

START_TEST(the_file_says_what_is_wrong)
{
	refuse("[]", "conf:1:1", "it must be one JSON object");
	refuse("{'runs': 1.0}", "conf:1:2", "'runs' must be an integer");
	refuse("{'runs': null}", "conf:1:2", "'runs' must be an integer");
	refuse("{'runs': 1,\n 'interval': '1'}", "conf:2:2",
	       "'interval' must be a number of seconds");
	refuse("{'x': {'runs': 1}}", "conf:1:2", "unknown member 'x'");
	refuse("{'control_group': 'no-such-group-here'}", "conf:1:2",
	       "'control_group': the host knows no group 'no-such-group-here'");
	put("conf", "{'runs': 1,\n 'runs': 2}");
	ck_assert_uint_eq(load(), 1);
	ck_assert_ptr_nonnull(strstr(errors[0].text, "conf:2:"));
	ck_assert_ptr_nonnull(strstr(errors[0].text, "duplicate object key"));
	put("conf", "{'runs': 1\n 'burst': 2}");
	ck_assert_uint_eq(load(), 1);
	ck_assert_ptr_nonnull(strstr(errors[0].text, "conf:2:"));
}
END_TEST

START_TEST(control_group_by_number_or_name)
{
	char text[128];

	put("conf", "{'control_group': 4242}");
	load_well();
	ck_assert(conf.has_control_group);
	ck_assert_uint_eq(conf.control_group, 4242);
	snprintf(text, sizeof(text), "{'control_group': '%s'}", getgrgid(0)->gr_name);
	put("conf", text);
	load_well();
	ck_assert(conf.has_control_group);
	ck_assert_uint_eq(conf.control_group, 0);
}
END_TEST

START_TEST(a_named_file_must_be_there)
{
	ck_assert_uint_eq(load(), 1);
	check_error(0, "conf", "No such file or directory");
}
END_TEST

START_TEST(others_may_not_have_written_it)
{
	put("conf", "{}");
	ck_assert_int_eq(chmod(path_of("conf"), 0664), 0);
	ck_assert_uint_eq(load(), 1);
	check_error(0, "conf", "others than its owner may write it");
	ck_assert_int_eq(chmod(path_of("conf"), 0602), 0);
	ck_assert_uint_eq(load(), 1);
	check_error(0, "conf", "others than its owner may write it");
	ck_assert_int_eq(chmod(path_of("conf"), 0444), 0);
	load_well();
	if (geteuid() != 0) {
		unit_skip("others_may_not_have_written_it", "giving files away needs root");
		return;
	}
	ck_assert_int_eq(chown(path_of("conf"), 4242, (gid_t)-1), 0);
	ck_assert_uint_eq(load(), 1);
	check_error(0, "conf", "it belongs to user 4242, not to root");
}
END_TEST

START_TEST(only_files_are_read)
{
	ck_assert_int_eq(mkfifo(path_of("conf"), 0600), 0);
	ck_assert_uint_eq(load(), 1);
	check_error(0, "conf", "it is no regular file");
	ck_assert_int_eq(unlink(path_of("conf")), 0);
	put("conf", "{}");
	ck_assert_int_eq(truncate(path_of("conf"), 16 * 1024 * 1024 + 1), 0);
	ck_assert_uint_eq(load(), 1);
	check_error(0, "conf", "it has more than 16777216 bytes");
}
END_TEST

/* The sample says what is so anyway. */
START_TEST(the_sample_has_every_limit_as_it_is)
{
	const char *srcdir = getenv("srcdir");
	static char sample[8192];
	char path[PATH_MAX], member[64];

	if (srcdir == NULL) {
		unit_skip("the_sample_has_every_limit_as_it_is", "srcdir doesn't say where the source is");
		return;
	}
	snprintf(path, sizeof(path), "%s/etc/jaildaemon.conf.sample", srcdir);
	ck_assert_msg(util_read_file(path, sample, sizeof(sample)) > 0, "%s", path);
	put("conf", sample);
	load_well();
	check_normal_but(-1);
	for (size_t row = 0; row < UTIL_COUNT(limit_rows); row++) {
		snprintf(member, sizeof(member), "\"%s\":", limit_rows[row].name);
		ck_assert_msg(strstr(sample, member) != NULL, "%s is missing", member);
	}
}
END_TEST

/* ---- the directory ---- */

static void
check_probe(size_t i, const char *name, const char *file, const char *shell)
{
	ck_assert_uint_gt(conf.probe_count, i);
	ck_assert_str_eq(conf.probes[i].def.name, name);
	ck_assert_str_eq(conf.probes[i].def.shell, shell);
	ck_assert_str_eq(conf.probes[i].file, path_of(file));
}

START_TEST(probes_come_in_the_order_of_files)
{
	put("conf", "{}");
	put("jaildaemon.d/b.json", "[{'name': 'z', 'jail': 'www', 'command': '1'},"
				   " {'name': 'y', 'jail': 7, 'command': '2', 'cooldown': 0.5}]");
	put("jaildaemon.d/a.json", "{'jail': 'www', 'command': '3', 'sticky': true}");
	put("jaildaemon.d/c.json", "{'jail': 'www', 'command': '4', 'name': 'x'}");
	put("jaildaemon.d/d.json", "[]");
	load_well();
	ck_assert_uint_eq(conf.probe_count, 4);
	check_probe(0, "a", "jaildaemon.d/a.json", "3");
	check_probe(1, "z", "jaildaemon.d/b.json", "1");
	check_probe(2, "y", "jaildaemon.d/b.json", "2");
	check_probe(3, "x", "jaildaemon.d/c.json", "4");
	ck_assert(conf.probes[0].def.sticky);
	ck_assert_int_eq(conf.probes[2].def.jail.number, 7);
	ck_assert_int_eq(conf.probes[2].def.cooldown_ms, 500);
}
END_TEST

START_TEST(what_editors_leave_is_ignored)
{
	static const char *const names[] = {".hidden.json", "a.json~", "#a.json#", "a.json.swp",
					    "a.txt",	    "json",    ".json",	   "a.json.bak"};
	char path[64];

	put("conf", "{}");
	for (size_t i = 0; i < UTIL_COUNT(names); i++) {
		snprintf(path, sizeof(path), "jaildaemon.d/%s", names[i]);
		put(path, "this is no JSON");
	}
	load_well();
	ck_assert_uint_eq(conf.probe_count, 0);
}
END_TEST

START_TEST(probes_say_what_is_wrong)
{
	static const struct {
		const char *text, *place, *what;
	} rows[] = {
	    {"{'jail': 1}", "a.json:1:1", "the member 'command' is missing"},
	    {"{'jail': 1,\n 'command': 'x', 'cooldown': true}", "a.json:2:18",
	     "'cooldown' must be a number of seconds"},
	    {"{'jail': 1, 'command': 'x',\n'op': 'add'}", "a.json:2:1", "unknown member 'op'"},
	    {"{'jail': 1, 'command': 'x', 'replace': true}", "a.json:1:29",
	     "unknown member 'replace'"},
	    {"{'jail': 1, 'command': 'x', 'name': '12'}", "a.json:1:29",
	     "'name' must be more than a number: numbers are given by the daemon"},
	    {"[{'jail': 1, 'command': 'x'}]", "a.json:1:2", "a probe in an array needs a 'name'"},
	    {"[{'jail': 1, 'command': 'x', 'name': 'a'},\n 'x']", "a.json:2:2",
	     "a probe must be a JSON object"},
	    {"[{'jail': 1, 'command': 'x', 'name': 'a'},\n {'name': 'b', 'jail': 0}]",
	     "a.json:2:16", "'jail' must be a positive number or a name"},
	};
	char place[64];

	put("conf", "{}");
	put("jaildaemon.d/a.json", rows[_i].text);
	ck_assert_uint_eq(load(), 1);
	snprintf(place, sizeof(place), "jaildaemon.d/%s", rows[_i].place);
	check_error(0, place, rows[_i].what);
}
END_TEST

/* Members that don't go together are told of with the place of the object. */
START_TEST(sticky_needs_a_name)
{
	put("conf", "{}");
	put("jaildaemon.d/a.json", "\n {'jail': 1, 'command': 'x', 'sticky': true}");
	ck_assert_uint_eq(load(), 1);
	ck_assert_ptr_nonnull(strstr(errors[0].text, "a.json:2:2: \"sticky\" needs"));
}
END_TEST

START_TEST(two_of_one_name)
{
	char what[PATH_MAX + 64];

	put("conf", "{}");
	put("jaildaemon.d/a.json", "{'jail': 1, 'command': 'x'}");
	put("jaildaemon.d/b.json", "[{'jail': 1, 'command': 'x',\n 'name': 'a'}]");
	ck_assert_uint_eq(load(), 1);
	snprintf(what, sizeof(what), "the name 'a' is taken already, in %s",
		 path_of("jaildaemon.d/a.json"));
	check_error(0, "jaildaemon.d/b.json:2:2", what);
}
END_TEST

START_TEST(probes_of_others_are_refused)
{
	put("conf", "{}");
	put("jaildaemon.d/a.json", "{'jail': 1, 'command': 'x'}");
	ck_assert_int_eq(chmod(path_of("jaildaemon.d/a.json"), 0666), 0);
	ck_assert_uint_eq(load(), 1);
	check_error(0, "jaildaemon.d/a.json", "others than its owner may write it");
	ck_assert_uint_eq(conf.probe_count, 0);
	ck_assert_int_eq(chmod(path_of("jaildaemon.d/a.json"), 0600), 0);
	ck_assert_int_eq(chmod(path_of("jaildaemon.d"), 0777), 0);
	ck_assert_uint_eq(load(), 1);
	check_error(0, "jaildaemon.d", "others than its owner may write it");
	ck_assert_int_eq(chmod(path_of("jaildaemon.d"), 0755), 0);
	load_well();
	ck_assert_uint_eq(conf.probe_count, 1);
}
END_TEST

START_TEST(a_file_in_its_place_is_no_directory)
{
	put("conf", "{}");
	put(CONF_PROBES, "{}");
	ck_assert_uint_eq(load(), 1);
	check_error(0, "jaildaemon.d", "Not a directory");
}
END_TEST

/* One for each probe that is wrong; those that there is no room for are counted. */
START_TEST(every_error_is_told)
{
	put("conf", "{'runs': 0}");
	put("jaildaemon.d/a.json", "[1, 2, {'name': 'a', 'jail': 1, 'command': 'x'}, 3]");
	put("jaildaemon.d/b.json", "{");
	ck_assert_uint_eq(load(), 5);
	check_error(0, "conf:1:2", "'runs' must be from 1 to 10000");
	check_error(1, "jaildaemon.d/a.json:1:2", "a probe must be a JSON object");
	check_error(3, "jaildaemon.d/a.json:1:50", "a probe must be a JSON object");
	ck_assert_ptr_nonnull(strstr(errors[4].text, "b.json:"));
	put("jaildaemon.d/c.json", "[1, 2, 3, 4, 5, 6]");
	ck_assert_uint_eq(load(), 11);
	check_error(ERRORS_MAX - 1, "jaildaemon.d/c.json:1:8", "a probe must be a JSON object");
}
END_TEST

START_TEST(many_probes)
{
	FILE *file;

	put("conf", "{}");
	put("jaildaemon.d/a.json", "");
	ck_assert_ptr_nonnull(file = fopen(path_of("jaildaemon.d/a.json"), "w"));
	for (int i = 0; i < 1000; i++)
		fprintf(file, "%c{\"name\":\"p%d\",\"jail\":1,\"command\":\"%d\"}\n",
			i == 0 ? '[' : ',', i, i);
	fputs("]", file);
	ck_assert_int_eq(fclose(file), 0);
	load_well();
	ck_assert_uint_eq(conf.probe_count, 1000);
	check_probe(0, "p0", "jaildaemon.d/a.json", "0");
	check_probe(999, "p999", "jaildaemon.d/a.json", "999");
}
END_TEST

static void
add_directory_tests(TCase *tests)
{
	tcase_add_test(tests, probes_come_in_the_order_of_files);
	tcase_add_test(tests, what_editors_leave_is_ignored);
	tcase_add_loop_test(tests, probes_say_what_is_wrong, 0, 8);
	tcase_add_test(tests, sticky_needs_a_name);
	tcase_add_test(tests, two_of_one_name);
	tcase_add_test(tests, probes_of_others_are_refused);
	tcase_add_test(tests, a_file_in_its_place_is_no_directory);
	tcase_add_test(tests, every_error_is_told);
	tcase_add_test(tests, many_probes);
}

Suite *
unit_conf(void)
{
	Suite *suite;
	TCase *tests = unit_case("conf", &suite);

	tcase_add_test(tests, without_words_all_is_as_ever);
	tcase_add_loop_test(tests, each_limit_has_a_range, 0, (int)UTIL_COUNT(limit_rows));
	tcase_add_loop_test(tests, zero_is_refused_where_it_would_never_end, 0, 5);
	tcase_add_test(tests, seconds_have_milliseconds);
	tcase_add_test(tests, the_file_says_what_is_wrong);
	tcase_add_test(tests, control_group_by_number_or_name);
	tcase_add_test(tests, a_named_file_must_be_there);
	tcase_add_test(tests, others_may_not_have_written_it);
	tcase_add_test(tests, only_files_are_read);
	tcase_add_test(tests, the_sample_has_every_limit_as_it_is);
	add_directory_tests(tests);
	return suite;
}
