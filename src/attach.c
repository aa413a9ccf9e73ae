#include "config.h"

#include "attach.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROGRAM "jaildaemon-probe"

static bool
is_program(char *path, size_t size, const char *directory)
{
	int length = snprintf(path, size, "%s/%s", directory, PROGRAM);

	return length > 0 && (size_t)length < size && access(path, X_OK) == 0;
}

int
attach_find_program(char *path, size_t size, struct error *e)
{
	const char *wanted = getenv("JAILDAEMON_LIBEXEC");
	char own[1024];
	char *slash;

	if (wanted != NULL) {
		if (is_program(path, size, wanted))
			return 0;
		return error_set(e, ERR_INTERNAL, "no %s in JAILDAEMON_LIBEXEC=%s", PROGRAM, wanted);
	}
	if (attach_os_own_path(own, sizeof(own)) == 0 && (slash = strrchr(own, '/')) != NULL) {
		*slash = '\0';
		if (is_program(path, size, own))
			return 0;
	}
	if (is_program(path, size, LIBEXECDIR))
		return 0;
	return error_set(e, ERR_INTERNAL, "no %s in %s", PROGRAM, LIBEXECDIR);
}

static const char *const failed_to[ATTACH_STAGE_END] = {
    [ATTACH_FAIL_HELPER] = "make its helper process",
    [ATTACH_FAIL_PIDNS] = "enter the jail's pid namespace",
    [ATTACH_FAIL_FORK] = "make a process in the jail",
    [ATTACH_FAIL_EXEC] = "execute the probe program",
    [ATTACH_FAIL_UNTRACEABLE] = "become untraceable",
    [ATTACH_FAIL_SESSION] = "get a session of its own",
    [ATTACH_FAIL_ENTER] = "enter the jail",
    [ATTACH_FAIL_IDENTITY] = "find the jail that was meant",
    [ATTACH_FAIL_ROOT] = "change to the jail's root directory",
    [ATTACH_FAIL_GROUPS] = "drop its supplementary groups",
    [ATTACH_FAIL_GID] = "change its group",
    [ATTACH_FAIL_UID] = "change its user",
    [ATTACH_FAIL_CAPABILITIES] = "drop its capabilities",
    [ATTACH_FAIL_PARENT_DEATH] = "tie its life to the daemon's",
    [ATTACH_FAIL_CONFINE] = "confine itself",
    [ATTACH_WARN_CGROUP] = "join a cgroup of the jail",
    [ATTACH_WARN_OOM_SCORE] = "take over the jail's OOM score",
    [ATTACH_WARN_LABEL] = "take over the jail's security label",
};

bool
attach_is_warning(const struct attach_report *line)
{
	return line->stage >= ATTACH_WARN_CGROUP && line->stage < ATTACH_STAGE_END;
}

const char *
attach_warning(const struct attach_report *line)
{
	static char text[128];

	snprintf(text, sizeof(text), "the probe could not %s: %s", failed_to[line->stage],
		 strerror(line->value));
	return text;
}

/* What the errno means at this stage, where the system's own text would mislead. */
static const char *
reason(const struct attach_report *failed)
{
	if (failed->stage == ATTACH_FAIL_FORK && failed->value == ENOMEM)
		return "the jail is ending";
	if (failed->stage == ATTACH_FAIL_FORK && failed->value == EAGAIN)
		return "its limit of processes is reached";
	if (failed->stage == ATTACH_FAIL_PIDNS && failed->value == ESRCH)
		return "the jail has ended";
	if (failed->stage == ATTACH_FAIL_REQUEST && (failed->value == ESRCH || failed->value == ENOENT))
		return "it has ended";
	return strerror(failed->value);
}

void
attach_explain(const struct attach_report *failed, const struct attach_params *params,
	       struct error *e)
{
	const char *what = NULL;

	if (failed->stage < ATTACH_STAGE_END)
		what = failed_to[failed->stage];
	if (failed->stage == ATTACH_FAIL_REQUEST)
		error_set(e, ERR_ATTACH_FAILED, "the jail can't be entered: %s", reason(failed));
	else if (failed->stage == ATTACH_FAIL_UID && failed->value == EINVAL)
		error_set(e, ERR_ATTACH_FAILED, "uid %lu is not mapped in the jail's user namespace",
			  (unsigned long)params->uid);
	else if (failed->stage == ATTACH_FAIL_GID && failed->value == EINVAL)
		error_set(e, ERR_ATTACH_FAILED, "gid %lu is not mapped in the jail's user namespace",
			  (unsigned long)params->gid);
	else if (what == NULL)
		error_set(e, ERR_ATTACH_FAILED, "the probe ended while it was being set up");
	else
		error_set(e, ERR_ATTACH_FAILED, "the probe could not %s: %s", what, reason(failed));
}
