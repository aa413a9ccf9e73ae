/*
 * On FreeBSD the probe is executed on the host and enters the jail by itself
 * (src/jaildaemon-probe/freebsd.c): until then nobody inside can see it, let alone stop it, so a
 * vfork of the daemon is safe.
 */
#include "config.h"

#include "attach.h"

#include <sys/param.h>
#include <sys/procctl.h>
#include <sys/sysctl.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "spawn.h"
#include "util.h"

static char program[MAXPATHLEN];

int
attach_os_own_path(char *path, size_t size)
{
	int mib[] = {CTL_KERN, KERN_PROC, KERN_PROC_PATHNAME, -1};

	return sysctl(mib, nitems(mib), path, &size, NULL, 0);
}

int
attach_prepare(struct error *e)
{
	return attach_find_program(program, sizeof(program), e);
}

void
attach_finish(void)
{
}

/* Before the exec, and to last beyond it, so that there is no moment in which the probe could be
 * traced. getpid() because 0 would mean process 0 here, not ourselves. */
static int
refuse_tracing(void)
{
	int mode = PROC_TRACE_CTL_DISABLE_EXEC;

	return procctl(P_PID, getpid(), PROC_TRACE_CTL, &mode) == 0 ? 0 : errno;
}

static pid_t
spawn_probe(const struct jail_instance *jail, const struct attach_params *params, int report_fd)
{
	char parent[16], jid[16], uid[16], gid[16], title[ATTACH_TITLE_SIZE], name[JAIL_NAME_SIZE];
	char program_name[] = "jaildaemon-probe";
	char *argv[] = {program_name, parent, jid, name, uid, gid, title, NULL};
	char *env[] = {NULL};
	struct spawn spawn = {.path = program,
			      .argv = argv,
			      .env = env,
			      .output_fd = SPAWN_NO_FD,
			      .inherited_fd = report_fd,
			      .block_signals = true,
			      .prepare = refuse_tracing};

	snprintf(parent, sizeof(parent), "%d", (int)getpid());
	snprintf(jid, sizeof(jid), "%d", (int)jail->jid);
	snprintf(uid, sizeof(uid), "%lu", (unsigned long)params->uid);
	snprintf(gid, sizeof(gid), "%lu", (unsigned long)params->gid);
	snprintf(name, sizeof(name), "%s", jail->known_as);
	snprintf(title, sizeof(title), "%s", params->title);
	return spawn_process(&spawn);
}

int
attach_begin(const struct jail_instance *jail, const struct attach_params *params, struct attach_begun *begun,
	     struct error *e)
{
	int ends[2];

	if (util_pipe(ends) != 0)
		return error_set(e, ERR_INTERNAL, "pipe: %s", strerror(errno));
	*begun = (struct attach_begun){.report_fd = ends[0], .pid = spawn_probe(jail, params, ends[1])};
	close(ends[1]);
	if (begun->pid < 0) {
		error_set(e, ERR_ATTACH_FAILED, "starting %s: %s", program, strerror(errno));
		close(ends[0]);
		return -1;
	}
	return 0;
}

/* Every probe is on its way from attach_begin on. */
void
attach_flush(void)
{
}

/* Only the probe has the other end, and nobody can trace it. */
int
attach_read(int report_fd, pid_t helper, struct attach_report *line)
{
	ssize_t got = read(report_fd, line, sizeof(*line));

	(void)helper;
	if (got == (ssize_t)sizeof(*line))
		return 1;
	return got < 0 && (errno == EINTR || util_is_shortage(errno)) ? -1 : 0;
}
