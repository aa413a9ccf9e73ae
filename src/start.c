#include "config.h"

#include "start.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include "limit.h"
#include "util.h"

/* More have been of no use on two processors, and few daemons have more to themselves. */
#define AT_ONCE 8

#define VARIABLE_SIZE (ATTACH_TITLE_SIZE + 64)

/* All of it host-made; nothing is inherited from whoever started the daemon. */
struct environment {
	char text[8][VARIABLE_SIZE];
	char *list[9];
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

static void
fill_environment(struct environment *env, const struct start *start)
{
	const struct probe *probe = start->probe;
	const struct definition *def = &probe->def;
	char number[24];

	snprintf(number, sizeof(number), "%lld", (long long)def->jail.number);
	snprintf(env->text[0], VARIABLE_SIZE, "PATH=" JOB_PATH);
	snprintf(env->text[1], VARIABLE_SIZE, "JAILDAEMON_PROBE=%llu",
		 (unsigned long long)probe->number);
	snprintf(env->text[2], VARIABLE_SIZE, "JAILDAEMON_NAME=%s", def->name ? def->name : "");
	snprintf(env->text[3], VARIABLE_SIZE, "JAILDAEMON_JAIL=%s",
		 def->jail.number != 0 ? number : def->jail.name);
	snprintf(env->text[4], VARIABLE_SIZE, "JAILDAEMON_JID=%d", (int)start->jail->jid);
	snprintf(env->text[5], VARIABLE_SIZE, "JAILDAEMON_TITLE=%s", def->title ? def->title : "");
	snprintf(env->text[6], VARIABLE_SIZE, "JAILDAEMON_TRIGGERS=%llu",
		 (unsigned long long)probe->triggers);
	snprintf(env->text[7], VARIABLE_SIZE, "JAILDAEMON_RUN=%llu", (unsigned long long)start->run);
	for (size_t i = 0; i < UTIL_COUNT(env->text); i++)
		env->list[i] = env->text[i];
	env->list[UTIL_COUNT(env->text)] = NULL;
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
