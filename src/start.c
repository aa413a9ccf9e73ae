#include "config.h"

#include "start.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "limit.h"
#include "text.h"

/* More have been of no use on two processors, and few daemons have more to themselves. */
#define AT_ONCE 8

#define VARIABLES     8
#define VARIABLE_SIZE (ATTACH_TITLE_SIZE + 64) /* more than the longest */

/* All of it host-made; nothing is inherited from whoever started the daemon. */
struct environment {
	char bytes[VARIABLES * VARIABLE_SIZE];
	struct text text; /* of them: the variables, each with its NUL */
	char *list[VARIABLES + 1];
	unsigned count;
};

/* What a command is started from, which stays until it has executed. */
struct launch {
	struct start start;
	struct environment env;
	char *shell[4];
	char *const *argv;
	struct job_launch place;
	struct job *job;
};

static char shell_path[] = "/bin/sh", dash_c[] = "-c";

static struct launch launches[AT_ONCE];
static unsigned first, under_way;
static bool overlapping;

/* Its value follows. */
static void
add_variable(struct environment *env, const char *name_and_sign)
{
	env->list[env->count++] = env->text.bytes + env->text.used;
	text_say(&env->text, name_and_sign);
}

static void
set_text(struct environment *env, const char *name_and_sign, const char *value)
{
	add_variable(env, name_and_sign);
	text_add(&env->text, value, strlen(value) + 1);
}

static void
set_number(struct environment *env, const char *name_and_sign, int64_t value)
{
	add_variable(env, name_and_sign);
	text_number(&env->text, value);
	text_add(&env->text, "", 1);
}

static void
fill_environment(struct environment *env, const struct start *start)
{
	const struct probe *probe = start->probe;
	const struct definition *def = &probe->def;

	env->count = 0;
	env->text = (struct text)TEXT_IN(env->bytes, sizeof(env->bytes));
	set_text(env, "PATH=", JOB_PATH);
	set_number(env, "JAILDAEMON_PROBE=", (int64_t)probe->number);
	set_text(env, "JAILDAEMON_NAME=", def->name ? def->name : "");
	if (def->jail.number != 0)
		set_number(env, "JAILDAEMON_JAIL=", def->jail.number);
	else
		set_text(env, "JAILDAEMON_JAIL=", def->jail.name);
	set_number(env, "JAILDAEMON_JID=", start->jail->jid);
	set_text(env, "JAILDAEMON_TITLE=", def->title ? def->title : "");
	set_number(env, "JAILDAEMON_TRIGGERS=", (int64_t)probe->triggers);
	set_number(env, "JAILDAEMON_RUN=", (int64_t)start->run);
	env->list[env->count] = NULL;
}

static void
fill_argv(struct launch *launch)
{
	const struct definition *def = &launch->start.probe->def;

	launch->argv = def->argv;
	if (def->shell == NULL)
		return;
	launch->shell[0] = shell_path;
	launch->shell[1] = dash_c;
	launch->shell[2] = def->shell;
	launch->shell[3] = NULL;
	launch->argv = launch->shell;
}

static int64_t
time_limit(const struct probe *probe)
{
	return probe->def.timeout_ms == DEFINITION_UNSET ? limits()->timeout_ms
							 : probe->def.timeout_ms;
}

static void
report(const struct launch *launch, int error)
{
	const struct start *start = &launch->start;

	start->told(start->arg, error == 0 ? launch->job : NULL, launch->argv[0], error);
}

static void
report_first(void)
{
	struct launch *launch = &launches[first];
	int error = job_begun(launch->job, &launch->place);

	first = (first + 1) % AT_ONCE;
	under_way--;
	report(launch, error);
}

static void
report_all(void)
{
	while (under_way > 0)
		report_first();
}

void
start_command(struct event_base *base, const struct start *start)
{
	struct launch *launch;
	struct job_spec spec;

	while (under_way == AT_ONCE)
		report_first();
	if (under_way == 0)
		first = 0; /* what was used last is near */
	launch = &launches[(first + under_way) % AT_ONCE];
	launch->start = *start;
	fill_argv(launch);
	fill_environment(&launch->env, start);
	spec = (struct job_spec){.argv = launch->argv,
				 .env = launch->env.list,
				 .timeout_ms = time_limit(start->probe),
				 .tag = start->probe->tag,
				 .run = start->run,
				 .said = start->said};
	launch->job = job_begin(base, &spec, &launch->place, start->done, start->arg);
	if (launch->job == NULL) {
		report(launch, errno);
		return;
	}
	under_way++;
	if (!overlapping)
		report_all();
}

void
start_overlap(bool wanted)
{
	overlapping = wanted;
	if (!wanted)
		report_all();
}
