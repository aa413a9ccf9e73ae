/*
 * Jails, attaching and processes as a script has them, in place of the system's own files: all that stands
 * above them is the real thing. Pids begin where no system has any, so a signal that is sent to one meets
 * nobody; no command is ever executed.
 */
#include "config.h"

#include <sys/queue.h>

#include <event2/event.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "arm.h"
#include "attach.h"
#include "child.h"
#include "fuzz.h"
#include "job.h"
#include "limit.h"
#include "log.h"
#include "registry.h"
#include "run.h"
#include "runtimewatch.h"
#include "spawn.h"
#include "stats.h"
#include "util.h"

#define FIRST_PID 5000000
#define JAILS	  3
#define TURNS_MAX 1000 /* of the event loop, before something has gone round in circles */

struct fake_jail {
	const char *name;
	pid_t jid;
	uint64_t born; /* how often it began */
	int watched;
	int alive; /* the other end of watched; -1: it is down */
};

/* A probe's process, or a command's. */
struct fake_process {
	TAILQ_ENTRY(fake_process) link;
	pid_t pid;
	int output; /* of a command; -1: it is a probe's */
};

TAILQ_HEAD(fake_processes, fake_process);

static struct fake_jail jails[JAILS] = {
    {"www", 101, 0, -1, -1}, {"db", 102, 0, -1, -1}, {"www.inner", 103, 0, -1, -1}};
static struct fake_processes probes = TAILQ_HEAD_INITIALIZER(probes);
static struct fake_processes runs = TAILQ_HEAD_INITIALIZER(runs);
static struct event_base *base;
static pid_t last_pid = FIRST_PID;
static bool refuses; /* the next attach */

/* ---- the world ---- */

static void
begin_jail(struct fake_jail *jail)
{
	int ends[2];

	if (jail->alive >= 0)
		return;
	FUZZ_CHECK(util_pipe(ends) == 0);
	jail->watched = ends[0];
	jail->alive = ends[1];
	jail->born++;
}

static void
end_jail(struct fake_jail *jail)
{
	util_close(&jail->alive);
	util_close(&jail->watched);
}

static struct fake_jail *
jail_named(const char *name)
{
	for (int i = 0; i < JAILS; i++)
		if (strcmp(jails[i].name, name) == 0)
			return &jails[i];
	return NULL;
}

struct event_base *
fuzz_base(void)
{
	return base;
}

static void
reset(void)
{
	for (int i = 0; i < JAILS; i++) {
		end_jail(&jails[i]);
		jails[i].born = 0;
		begin_jail(&jails[i]);
	}
	last_pid = FIRST_PID;
	refuses = false;
	stats = (struct stats){0};
	fuzz_fresh_registry();
}

/* Small enough for a fuzzer to meet them. */
static void
set_limits(void)
{
	struct limits small = limits_default;

	small.probes = 6;
	small.gone_probes = 2;
	small.runs = 2;
	small.burst = 3;
	small.output_bytes = 64;
	small.client_requests = 4;
	small.client_backlog = 4096;
	limits_set(&small);
}

void
fuzz_world_begin(void)
{
	base = event_base_new();
	FUZZ_CHECK(base != NULL);
	log_set(LOG_DAEMON, LOG_EMERG);
	FUZZ_CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR); /* as the server has it */
	set_limits();
	FUZZ_CHECK(probe_init(base) == 0);
	reset();
}

void
fuzz_turn(void)
{
	/* Twice: what the first turn does can make something else ready. */
	for (int i = 0; i < 2; i++)
		FUZZ_CHECK(event_base_loop(base, EVLOOP_NONBLOCK) >= 0);
}

/* ---- what happens ---- */

static struct probe *
probe_meant(const char *word)
{
	int64_t number;

	if (util_parse_number(word, 1, INT64_MAX, &number))
		return registry_by_number((uint64_t)number);
	return registry_by_name(word);
}

/* The process is reaped. */
static void
end_process(struct fake_processes *list, struct fake_process *process, int status)
{
	pid_t pid = process->pid;

	TAILQ_REMOVE(list, process, link);
	util_close(&process->output);
	free(process);
	child_exited(pid, status);
}

static void
end_probe(const struct probe *probe, int status)
{
	struct fake_process *process;

	TAILQ_FOREACH(process, &probes, link)
		if (probe != NULL && process->pid == probe->pid) {
			end_process(&probes, process, status);
			return;
		}
}

/* The oldest one. */
static void
end_run(const char *word)
{
	struct fake_process *process = TAILQ_FIRST(&runs);
	int64_t status = 0;

	util_parse_number(word, 0, 0xffff, &status);
	if (process != NULL)
		end_process(&runs, process, (int)status);
}

static void
say(const char *text)
{
	const struct fake_process *process = TAILQ_FIRST(&runs);

	if (process != NULL)
		FUZZ_CHECK(write(process->output, text, strlen(text)) == (ssize_t)strlen(text));
	fuzz_turn(); /* or the pipe would fill */
}

bool
fuzz_happens(char words[FUZZ_WORDS][FUZZ_WORD_SIZE])
{
	const char *what = words[0];
	struct fake_jail *jail = jail_named(words[1]);

	if (strcmp(what, "turn") == 0)
		fuzz_turn();
	else if (strcmp(what, "hup") == 0)
		end_probe(probe_meant(words[1]), PROBE_EXIT_TRIGGERED << 8);
	else if (strcmp(what, "kill") == 0)
		end_probe(probe_meant(words[1]), SIGKILL);
	else if (strcmp(what, "end") == 0)
		end_run(words[1]);
	else if (strcmp(what, "say") == 0)
		say(words[1]);
	else if (strcmp(what, "refuse") == 0)
		refuses = true;
	else if (strcmp(what, "down") == 0 && jail != NULL)
		end_jail(jail);
	else if (strcmp(what, "up") == 0 && jail != NULL)
		begin_jail(jail);
	else
		return false;
	return true;
}

/* ---- the end ---- */

static void
removed(void *arg, struct probe *probe, const struct error *e)
{
	(void)arg;
	FUZZ_CHECK(e == NULL && probe->gone);
}

static bool
is_busy(void)
{
	return registry_count() > 0 || job_count() > 0 || arm_under_way() > 0 || !TAILQ_EMPTY(&runs) ||
	       !TAILQ_EMPTY(&probes);
}

void
fuzz_world_end(void)
{
	int turns = 0;

	while (is_busy()) {
		FUZZ_CHECK(turns++ < TURNS_MAX);
		while (registry_first() != NULL)
			probe_remove(registry_first(), true, removed, NULL);
		while (!TAILQ_EMPTY(&runs))
			end_process(&runs, TAILQ_FIRST(&runs), SIGKILL);
		while (!TAILQ_EMPTY(&probes))
			end_process(&probes, TAILQ_FIRST(&probes), SIGKILL);
		fuzz_turn();
	}
	FUZZ_CHECK(child_dying() == 0);
	reset();
	FUZZ_CHECK(jail_count() == 0);
}

/* ---- in place of spawn.c ---- */

static pid_t
make_process(struct fake_processes *list, int output)
{
	struct fake_process *process = calloc(1, sizeof(*process));

	FUZZ_CHECK(process != NULL);
	process->pid = ++last_pid;
	process->output = output;
	TAILQ_INSERT_TAIL(list, process, link);
	return process->pid;
}

pid_t
spawn_begin(struct spawning *spawning, const struct spawn *spawn)
{
	int output = fcntl(spawn->output_fd, F_DUPFD_CLOEXEC, 3);

	(void)spawning;
	FUZZ_CHECK(spawn->path != NULL && spawn->argv[0] != NULL && output >= 0);
	return make_process(&runs, output);
}

int
spawn_end(struct spawning *spawning)
{
	(void)spawning;
	return 0;
}

int
spawn_init(void)
{
	return 0;
}

int64_t
spawn_start_limit(void)
{
	return 0;
}

void
spawn_set_start_limit(int64_t limit)
{
	(void)limit;
}

/* ---- in place of jail_….c ---- */

int
jail_os_find(const struct jail_ref *ref, struct jail_instance *found, struct error *e)
{
	for (int i = 0; i < JAILS; i++) {
		bool meant = ref->number != 0 ? jails[i].jid == ref->number
					      : strcmp(jails[i].name, ref->name) == 0;

		if (!meant || jails[i].alive < 0)
			continue;
		found->jid = jails[i].jid;
		found->born = jails[i].born;
		return 0;
	}
	return error_set(e, ERR_NO_SUCH_JAIL, "there is no jail %lld \"%s\"", (long long)ref->number,
			 ref->name);
}

/* NULL: it has ended. */
static struct fake_jail *
instance_of(const struct jail_instance *jail)
{
	for (int i = 0; i < JAILS; i++)
		if (jails[i].jid == jail->jid && jails[i].born == jail->born && jails[i].alive >= 0)
			return &jails[i];
	return NULL;
}

int
jail_os_open(struct jail_instance *jail, struct error *e)
{
	(void)e;
	jail->watch_fd = fcntl(instance_of(jail)->watched, F_DUPFD_CLOEXEC, 3);
	FUZZ_CHECK(jail->watch_fd >= 0);
	return 0;
}

bool
jail_os_alive(const struct jail_instance *jail)
{
	return instance_of(jail) != NULL;
}

void
jail_os_boot(char boot[JAIL_BOOT_SIZE])
{
	snprintf(boot, JAIL_BOOT_SIZE, "boot");
}

bool
jail_os_same_boot(const char *boot)
{
	return strcmp(boot, "boot") == 0;
}

int
jail_check_peer(int fd, uid_t *uid, struct error *e)
{
	(void)fd;
	(void)e;
	*uid = geteuid();
	return 0;
}

/* ---- in place of runtimewatch_….c ---- */

int
runtimewatch_open(void)
{
	return -1;
}

void
runtimewatch_renew(int fd)
{
	(void)fd;
}

void
runtimewatch_rest(int fd)
{
	(void)fd;
}

/* ---- in place of attach_….c ---- */

int
attach_prepare(struct error *e)
{
	(void)e;
	return 0;
}

void
attach_finish(void)
{
}

/* All that it will ever report is in the pipe at once. */
int
attach_begin(const struct jail_instance *jail, const struct attach_params *params,
	     struct attach_begun *begun, struct error *e)
{
	struct attach_report report = {.stage = refuses ? ATTACH_FAIL_EXEC : ATTACH_READY,
				       .value = refuses ? ENOENT : 0};
	int ends[2];

	(void)e;
	FUZZ_CHECK(jail != NULL && strlen(params->title) < ATTACH_TITLE_SIZE);
	FUZZ_CHECK(util_pipe(ends) == 0);
	FUZZ_CHECK(write(ends[1], &report, sizeof(report)) == sizeof(report));
	close(ends[1]);
	refuses = false;
	*begun = (struct attach_begun){.report_fd = ends[0], .pid = make_process(&probes, -1)};
	return 0;
}

void
attach_flush(void)
{
}

int
attach_read(int report_fd, pid_t helper, struct attach_report *line)
{
	(void)helper;
	return read(report_fd, line, sizeof(*line)) == (ssize_t)sizeof(*line) ? 1 : 0;
}

int
attach_os_own_path(char *path, size_t size)
{
	(void)path;
	(void)size;
	return -1;
}

void
fuzz_no_upgrade(const char *id, const void *reply_arg, void (*failed)(void *, const struct error *), void *arg)
{
	struct error e;

	(void)id;
	(void)reply_arg;
	error_set(&e, ERR_INTERNAL, "this is no daemon");
	failed(arg, &e);
}
