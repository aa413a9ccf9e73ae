/*
 * Jails and attaching as the tests want them, in place of the system's own files: so all that
 * stands above them is the real thing, and needs no jail and no root.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach.h"
#include "call.h"
#include "jail.h"
#include "runtimewatch.h"
#include "spawn.h"
#include "unit.h"
#include "util.h"

#define JAILS_MAX 8

#define LINGER_CALLS 20000 /* a few milliseconds */

/* Its end is seen at the other end of its pipe. */
struct fake_jail {
	char name[JAIL_NAME_SIZE];
	pid_t jid;
	int watched;
	int alive; /* -1: it has ended */
};

/* One attach under way: the writing end of its report pipe. */
struct fake_attach {
	TAILQ_ENTRY(fake_attach) link;
	int reports;
	uid_t uid;
	gid_t gid;
	char title[ATTACH_TITLE_SIZE];
};

static struct fake_jail jails[JAILS_MAX];
static size_t jails_used;
static unsigned boots = 1;
static unsigned looks;

/* Signs of new jails. */
static int signs[2] = {-1, -1};
static bool signs_watched;
static unsigned party_size = 1; /* of those that share a helper */
static TAILQ_HEAD(attaches, fake_attach) attaches = TAILQ_HEAD_INITIALIZER(attaches);

/* Commands to come whose child can't be prepared for its exec. */
static unsigned starts_fail;
static int start_error;
static bool starts_linger;

pid_t __real_spawn_begin(struct spawning *, const struct spawn *);
pid_t __wrap_spawn_begin(struct spawning *, const struct spawn *);

/* ---- for the tests ---- */

void
unit_jail_begin(const char *name, pid_t jid)
{
	struct fake_jail *jail = &jails[jails_used++];
	int ends[2];

	ck_assert_uint_le(jails_used, JAILS_MAX);
	ck_assert_uint_lt(strlen(name), sizeof(jail->name));
	ck_assert_int_eq(util_pipe(ends), 0);
	*jail = (struct fake_jail){.jid = jid, .watched = ends[0], .alive = ends[1]};
	memcpy(jail->name, name, strlen(name) + 1);
}

void
unit_jail_end(const char *name)
{
	for (size_t i = 0; i < jails_used; i++)
		if (strcmp(jails[i].name, name) == 0)
			util_close(&jails[i].alive);
}

void
unit_host_boot(void)
{
	boots++;
}

unsigned
unit_jail_looks(void)
{
	return looks;
}

void
unit_runtime_changes(void)
{
	ck_assert_int_eq(write(signs[1], "", 1), 1);
}

bool
unit_runtime_watched(void)
{
	return signs_watched;
}

unsigned
unit_attaches(void)
{
	struct fake_attach *attach;
	unsigned count = 0;

	TAILQ_FOREACH(attach, &attaches, link)
		count++;
	return count;
}

void
unit_attach_parties(unsigned size)
{
	party_size = size;
}

static struct fake_attach *
at_place(unsigned place)
{
	struct fake_attach *attach;

	TAILQ_FOREACH(attach, &attaches, link)
		if (place-- == 0)
			return attach;
	ck_abort_msg("nothing is being attached there");
	return NULL;
}

const char *
unit_attach_title(unsigned place)
{
	return at_place(place)->title;
}

void
unit_attach_check_ids(unsigned place, uid_t uid, gid_t gid)
{
	ck_assert_uint_eq(at_place(place)->uid, uid);
	ck_assert_uint_eq(at_place(place)->gid, gid);
}

void
unit_attach_report(unsigned place, enum attach_stage stage, int value)
{
	const struct attach_report report = {.stage = stage, .value = value};

	ck_assert_int_eq(write(at_place(place)->reports, &report, sizeof(report)), sizeof(report));
}

void
unit_attach_end(unsigned place)
{
	struct fake_attach *attach = at_place(place);

	TAILQ_REMOVE(&attaches, attach, link);
	close(attach->reports);
	free(attach);
	unit_settle();
}

void
unit_attach_succeed(unsigned place, pid_t pid)
{
	unit_attach_report(place, ATTACH_PID, pid);
	unit_attach_report(place, ATTACH_READY, 0);
	unit_attach_end(place);
}

void
unit_attach_fail(unsigned place)
{
	unit_attach_report(place, ATTACH_FAIL_EXEC, ENOENT);
	unit_attach_end(place);
}

static void
pressed(int signo)
{
	_exit(signo == SIGHUP ? PROBE_EXIT_TRIGGERED : signo == SIGUSR1 ? 0 : 1);
}

/* Keeps no descriptor, lest it hold other attaches' pipes; says so through its last one. */
static void
wait_as_probe(int ready)
{
	struct sigaction action = {.sa_handler = pressed};
	sigset_t none;

	sigaction(SIGHUP, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGUSR2, &action, NULL);
	signal(SIGTERM, SIG_DFL); /* the test runner has its own */
	dup2(ready, 0);
	closefrom(1);
	if (write(0, "", 1) != 1)
		_exit(1);
	close(0);
	sigemptyset(&none);
	for (;;)
		sigsuspend(&none);
}

/* The signal stays blocked but while it waits, so that none comes too early. */
pid_t
unit_probe_process(void)
{
	sigset_t hup, before;
	int ready[2];
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe(ready), 0);
	sigemptyset(&hup);
	sigaddset(&hup, SIGHUP);
	sigprocmask(SIG_BLOCK, &hup, &before);
	pid = fork();
	if (pid == 0)
		wait_as_probe(ready[1]);
	sigprocmask(SIG_SETMASK, &before, NULL);
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

void
unit_starts_fail(unsigned count, int error)
{
	starts_fail = count;
	start_error = error;
}

unsigned
unit_starts_to_fail(void)
{
	return starts_fail;
}

void
unit_starts_linger(void)
{
	starts_linger = true;
}

/* ---- in place of spawn.c's own, for whoever calls it from elsewhere ---- */

static int
fail_to_prepare(void)
{
	return start_error;
}

/* Where the daemon waits for the child, a condition that it sets itself would never come. */
static int
linger(void)
{
	for (int i = 0; i < LINGER_CALLS; i++)
		call_set_fd_flags(-1, 0);
	return 0;
}

/* It is the child that does it, when it is on its way. */
pid_t
__wrap_spawn_begin(struct spawning *spawning, const struct spawn *spawn)
{
	struct spawn changed = *spawn;

	if (starts_fail > 0) {
		starts_fail--;
		changed.prepare = fail_to_prepare;
	} else if (starts_linger) {
		changed.prepare = linger;
	}
	return __real_spawn_begin(spawning, &changed);
}

/* ---- in place of jail_….c ---- */

int
jail_os_find(const struct jail_ref *ref, struct jail_instance *found, struct error *e)
{
	looks++;
	for (size_t i = 0; i < jails_used; i++) {
		bool meant = ref->number != 0 ? jails[i].jid == ref->number
					      : strcmp(jails[i].name, ref->name) == 0;

		if (!meant || jails[i].alive < 0)
			continue;
		found->jid = jails[i].jid;
		found->born = i;
		return 0;
	}
	if (ref->number != 0)
		return error_set(e, ERR_NO_SUCH_JAIL, "no jail has the number %lld",
				 (long long)ref->number);
	return error_set(e, ERR_NO_SUCH_JAIL, "no jail is named \"%s\"", ref->name);
}

int
jail_os_open(struct jail_instance *jail, struct error *e)
{
	(void)e;
	jail->watch_fd = fcntl(jails[jail->born].watched, F_DUPFD_CLOEXEC, 3);
	ck_assert_int_ne(jail->watch_fd, -1);
	return 0;
}

bool
jail_os_alive(const struct jail_instance *jail)
{
	return jails[jail->born].alive >= 0;
}

void
jail_os_boot(char boot[JAIL_BOOT_SIZE])
{
	snprintf(boot, JAIL_BOOT_SIZE, "%u", boots);
}

bool
jail_os_same_boot(const char *boot)
{
	return strtoul(boot, NULL, 10) == boots;
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
	ck_assert_int_eq(util_pipe(signs), 0);
	return signs[0];
}

void
runtimewatch_renew(int fd)
{
	char told[512];

	signs_watched = true;
	while (read(fd, told, sizeof(told)) > 0)
		;
}

void
runtimewatch_rest(int fd)
{
	(void)fd;
	signs_watched = false;
}

/* ---- in place of attach_….c ---- */

int
attach_read(int report_fd, pid_t helper, struct attach_report *line)
{
	ssize_t got = read(report_fd, line, sizeof(*line));

	(void)helper;
	if (got == (ssize_t)sizeof(*line))
		return 1;
	return got < 0 && (errno == EAGAIN || errno == EINTR) ? -1 : 0;
}

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

int
attach_begin(const struct jail_instance *jail, const struct attach_params *params, struct attach_begun *begun,
	     struct error *e)
{
	static unsigned count;
	struct fake_attach *attach = calloc(1, sizeof(*attach));
	int ends[2];

	(void)e;
	ck_assert_ptr_nonnull(attach);
	ck_assert_ptr_nonnull(jail);
	ck_assert_uint_lt(strlen(params->title), sizeof(attach->title));
	ck_assert_int_eq(util_pipe(ends), 0);
	attach->reports = ends[1];
	attach->uid = params->uid;
	attach->gid = params->gid;
	memcpy(attach->title, params->title, strlen(params->title) + 1);
	TAILQ_INSERT_TAIL(&attaches, attach, link);
	*begun = (struct attach_begun){
	    .report_fd = ends[0], .pid = -1, .party = 1 + count++ / party_size};
	return 0;
}

void
attach_flush(void)
{
}

int
attach_os_own_path(char *path, size_t size)
{
	(void)path;
	(void)size;
	return -1;
}
