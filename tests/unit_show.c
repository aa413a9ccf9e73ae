/* What a person sees, and what Prometheus does. */
#include "config.h"

#include "show.h"

#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "glyphs.h"
#include "metrics.h"
#include "unit.h"
#include "util.h"

#define CUT "\xe2\x80\xa6"

/* ---- text ---- */

START_TEST(widths)
{
	static const struct {
		const char *text;
		int width;
	} cases[] = {
	    {"", 0},
	    {"plain", 5},
	    {"\xc3\xa4", 1},		     /* a umlaut */
	    {"a\xcc\x88", 1},		     /* the same, combined */
	    {"\xe6\xbc\xa2\xe5\xad\x97", 4}, /* two wide ones */
	    {"\xf0\x9f\x98\x80", 2},	     /* an emoji */
	    {"\xef\xbf\xbd", 1},	     /* the replacement character itself */
	};

	for (size_t i = 0; i < UTIL_COUNT(cases); i++)
		ck_assert_msg(glyphs_width(cases[i].text) == cases[i].width, "%zu: %d", i,
			      glyphs_width(cases[i].text));
}
END_TEST

START_TEST(whole_characters_fit)
{
	static const char text[] = "a\xcc\x88\xe6\xbc\xa2z";

	ck_assert_int_eq(glyphs_fitting(text, 0), 0);
	ck_assert_int_eq(glyphs_fitting(text, 1), 3); /* with its mark */
	ck_assert_int_eq(glyphs_fitting(text, 2), 3); /* half a wide one is none */
	ck_assert_int_eq(glyphs_fitting(text, 3), 6);
	ck_assert_int_eq(glyphs_fitting(text, 4), 7);
	ck_assert_int_eq(glyphs_fitting(text, 99), 7);
}
END_TEST

START_TEST(nothing_that_a_terminal_obeys)
{
	static const char *const cases[][2] = {
	    {"\033[2J", "?[2J"},
	    {"\xc2\x9b"
	     "2J",
	     "?2J"}, /* CSI in one character */
	    {"a\x7f\r\n\tb", "a????b"},
	    {"\xe2\x80\xae"
	     "txt.exe",
	     "?txt.exe"}, /* right to left from here */
	    {"\xff\x80z", "??z"},
	    {"\xe2\x82", "??"}, /* not whole */
	    {"\xc3\xa4", "\xc3\xa4"},
	};

	for (size_t i = 0; i < UTIL_COUNT(cases); i++) {
		char *clean = glyphs_clean(cases[i][0]);

		ck_assert_str_eq(clean, cases[i][1]);
		free(clean);
	}
}
END_TEST

/* ---- the table ---- */

#define PROBE \
	"'probe':7,'name':'snap','jail':'www','state':'armed','respawn':'after','runs':3,'last':null,"

static char *
render(const char *probes, int width, bool coloured)
{
	json_t *answer = unit_json(probes);
	char *text = NULL;
	size_t length;
	FILE *stream = open_memstream(&text, &length);

	ck_assert_ptr_nonnull(stream);
	ck_assert_int_eq(show_probes(stream, answer, width, coloured), 0);
	fclose(stream);
	json_decref(answer);
	return text;
}

static void
check_table(const char *probes, int width, bool coloured, const char *wanted)
{
	char *text = render(probes, width, coloured);

	ck_assert_str_eq(text, wanted);
	free(text);
}

START_TEST(columns_line_up)
{
	check_table(
	    "{'probes':[{" PROBE "'title':'ZFS','command':'true'},"
	    "{'probe':1234567,'name':null,'jail':23,'state':'waiting','respawn':'no','runs':0,"
	    "'last':null,'title':null,'command':['a','b c']}]}",
	    0, false,
	    "PROBE    NAME  JAIL  STATE    RESPAWN  RUNS  LAST  TITLE  COMMAND\n"
	    "7        snap  www   armed    after    3     -     ZFS    true\n"
	    "1234567  -     23    waiting  no       0     -     -      a b c\n");
}
END_TEST

START_TEST(without_probes_there_are_headings)
{
	check_table("{'probes':[]}", 80, true,
		    "PROBE  NAME  JAIL  STATE  RESPAWN  RUNS  LAST  TITLE  COMMAND\n");
}
END_TEST

#define LONG_ONE \
	"{'probes':[{" PROBE "'title':'A_RATHER_LONG_TITLE','command':'zfs snapshot jails/www'}]}"

START_TEST(command_is_cut_first)
{
	check_table(
	    LONG_ONE, 89, false,
	    "PROBE  NAME  JAIL  STATE  RESPAWN  RUNS  LAST  TITLE                COMMAND\n"
	    "7      snap  www   armed  after    3     -     A_RATHER_LONG_TITLE  zfs snapshot jails/w" CUT
	    "\n");
}
END_TEST

START_TEST(then_the_title)
{
	check_table(LONG_ONE, 70, false,
		    "PROBE  NAME  JAIL  STATE  RESPAWN  RUNS  LAST  TITLE          COMMAND\n"
		    "7      snap  www   armed  after    3     -     A_RATHER_LON" CUT
		    "  zfs sna" CUT "\n");
}
END_TEST

START_TEST(then_columns_go)
{
	check_table(LONG_ONE, 56, false,
		    "PROBE  NAME  JAIL  STATE  RESPAWN  RUNS  LAST  TITLE\n"
		    "7      snap  www   armed  after    3     -     A_RATHER" CUT "\n");
	check_table(LONG_ONE, 46, false,
		    "PROBE  NAME  JAIL  STATE  RESPAWN  RUNS  LAST\n"
		    "7      snap  www   armed  after    3     -\n");
	check_table(LONG_ONE, 12, false, "PROBE  NAME\n7      snap\n");
	check_table(LONG_ONE, 3, false, "PR" CUT "\n7\n");
	check_table(LONG_ONE, 1, false, CUT "\n7\n");
}
END_TEST

static void
check_no_line_is_wider(const char *text, int width)
{
	char line[4096];

	for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1) {
		snprintf(line, sizeof(line), "%.*s", (int)(end - text), text);
		ck_assert_msg(glyphs_width(line) <= width, "%d: \"%s\"", width, line);
	}
}

/* Whatever characters there are, at each width. */
START_TEST(never_wider_than_the_terminal)
{
	static const char probes[] =
	    "{'probes':[{" PROBE "'title':'\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97 title',"
	    "'command':'a\xcc\x88\xe6\xbc\xa2\xe5\xad\x97\xf0\x9f\x98\x80 and so on, and so on'},"
	    "{'probe':12345678901,'name':'a-name-of-some-length','jail':'another-jail','state':'starting',"
	    "'respawn':'now','runs':123456,'last':{'exit':3,'signal':null,"
	    "'finished':'2001-01-01T00:00:00.000Z'},'title':null,'command':['x']}]}";

	for (int width = 1; width < 140; width++) {
		char *text = render(probes, width, false);
		json_t *proof = json_string(text);

		check_no_line_is_wider(text, width);
		ck_assert_msg(proof != NULL, "%d: no UTF-8: %s", width,
			      text); /* no character is cut */
		json_decref(proof);
		free(text);
	}
}
END_TEST

START_TEST(states_have_colours)
{
	char *text = render("{'probes':[{" PROBE "'title':null,'command':'true'}]}", 80, true);

	ck_assert_ptr_nonnull(strstr(text, "www   \033[32marmed\033[0m  after"));
	free(text);
	text = render("{'probes':[{" PROBE "'title':null,'command':'true'}]}", 80, false);
	ck_assert_ptr_null(strchr(text, '\033'));
	free(text);
}
END_TEST

START_TEST(texts_of_probes_do_nothing_to_a_terminal)
{
	char *text = render(
	    "{'probes':[{" PROBE "'title':'\\u001b[2J\\u009b1m','command':'a\\n\\u0007b'},"
	    "{'probe':8,'name':'n','jail':'\\u001b]0;x\\u0007','state':'\\u001b[1m',"
	    "'respawn':'no','runs':0,'last':null,'title':'\\u202e','command':['\\u001bc','y']}]}",
	    0, false);

	for (const char *c = text; *c != '\0'; c++)
		ck_assert_msg((unsigned char)*c >= ' ' || *c == '\n', "\\x%02x in %s", *c, text);
	ck_assert_ptr_null(strstr(text, "\xc2\x9b"));
	ck_assert_ptr_null(strstr(text, "\xe2\x80\xae"));
	ck_assert_ptr_nonnull(strstr(text, "a ?b\n"));
	free(text);
}
END_TEST

static void
check_last(const char *result, int64_t ago, const char *wanted)
{
	char stamp[UTIL_TIME_SIZE], probes[512], cell[64], *text;

	util_format_time(stamp, util_wall_ms() - ago * 1000 - 500);
	snprintf(probes, sizeof(probes),
		 "{'probes':[{'probe':1,'last':{%s,'finished':'%s'},'title':'T','command':'c'}]}",
		 result, stamp);
	snprintf(cell, sizeof(cell), "  %s  T", wanted);
	text = render(probes, 0, false);
	ck_assert_msg(strstr(text, cell) != NULL, "no \"%s\" in %s", cell, text);
	free(text);
}

START_TEST(last_runs)
{
	check_last("'exit':0,'signal':null,'timeout':null", 180, "ok, 3m");
	check_last("'exit':3,'signal':null,'timeout':null", 7260, "exit 3, 2h");
	check_last("'exit':null,'signal':9,'timeout':null", 3 * 86400 + 5, "signal 9, 3d");
	check_last("'exit':null,'signal':null,'timeout':true", 82000, "timeout, 22h");
	check_last("'exit':0,'signal':null,'timeout':null", -60,
		   "ok, 0s"); /* the clock was set back */
}
END_TEST

/* ---- metrics ---- */

static char *
render_metrics(json_t *status)
{
	json_t *answer = json_pack("{so}", "status", status);
	char *text = NULL;
	size_t length;
	FILE *stream = open_memstream(&text, &length);

	ck_assert_ptr_nonnull(stream);
	metrics_print(stream, answer);
	fclose(stream);
	json_decref(answer);
	return text;
}

static void
check_has(const char *text, const char *line)
{
	const char *place = strstr(text, line);

	ck_assert_msg(place != NULL && (place == text || place[-1] == '\n') &&
			  place[strlen(line)] == '\n',
		      "no line \"%s\" in:\n%s", line, text);
}

START_TEST(metrics_of_the_daemon)
{
	json_t *status = codec_stats();
	char *text;

	json_object_update_new(
	    status, unit_json("{'version':'1\\\\2','uptime':60,'memory':4096,'triggers':7,"
			      "'runs_ok':3,'states':{'armed':2,'running':0}}"));
	text = render_metrics(status);
	check_has(text, "jaildaemon_info{version=\"1\\\\2\"} 1");
	check_has(text, "# TYPE jaildaemon_triggers_total counter");
	check_has(text, "jaildaemon_triggers_total 7");
	check_has(text, "jaildaemon_runs_total{result=\"ok\"} 3");
	check_has(text, "jaildaemon_runs_total{result=\"timeout\"} 0");
	check_has(text, "jaildaemon_probes{state=\"armed\"} 2");
	check_has(text, "jaildaemon_run_seconds_bucket{le=\"0.001\"} 0");
	check_has(text, "jaildaemon_run_seconds_bucket{le=\"+Inf\"} 0");
	check_has(text, "jaildaemon_wait_seconds_sum 0.000000");
	check_has(text, "jaildaemon_uptime_seconds 60");
	free(text);
}
END_TEST

START_TEST(metrics_of_named_probes)
{
	json_t *status = codec_stats();
	char *text;

	json_object_update_new(
	    status,
	    unit_json(
		"{'named_left_out':5,'named':["
		"{'name':'snap','jail':'w\\\"\\\\w','state':'armed','triggers':4,'runs':3,"
		"'last':{'exit':0,'finished':'2026-11-21T12:00:00.250Z'}},"
		"{'name':'other','jail':23,'state':'running','triggers':1,'runs':1,'last':null}]}"));
	text = render_metrics(status);
	check_has(text, "jaildaemon_probe_triggers_total{name=\"snap\",jail=\"w\\\"\\\\w\"} 4");
	check_has(text, "jaildaemon_probe_armed{name=\"other\",jail=\"23\"} 0");
	check_has(text, "jaildaemon_probe_last_run_ok{name=\"snap\",jail=\"w\\\"\\\\w\"} 1");
	check_has(
	    text,
	    "jaildaemon_probe_last_run_timestamp_seconds{name=\"snap\",jail=\"w\\\"\\\\w\"} 1795262400");
	ck_assert_ptr_null(strstr(text, "last_run_ok{name=\"other\""));
	check_has(text, "jaildaemon_probes_without_metrics 5");
	free(text);
}
END_TEST

Suite *
unit_show(void)
{
	Suite *suite;
	TCase *tests = unit_case("show", &suite);

	tcase_add_test(tests, widths);
	tcase_add_test(tests, whole_characters_fit);
	tcase_add_test(tests, nothing_that_a_terminal_obeys);
	tcase_add_test(tests, columns_line_up);
	tcase_add_test(tests, without_probes_there_are_headings);
	tcase_add_test(tests, command_is_cut_first);
	tcase_add_test(tests, then_the_title);
	tcase_add_test(tests, then_columns_go);
	tcase_add_test(tests, never_wider_than_the_terminal);
	tcase_add_test(tests, states_have_colours);
	tcase_add_test(tests, texts_of_probes_do_nothing_to_a_terminal);
	tcase_add_test(tests, last_runs);
	tcase_add_test(tests, metrics_of_the_daemon);
	tcase_add_test(tests, metrics_of_named_probes);
	return suite;
}
