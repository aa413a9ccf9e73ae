/*
 * The jail of the tests on FreeBSD: jail_set(2) on the host's own root, so that its sh can be run
 * inside.
 */
#include "config.h"

#include "jailfix.h"

#include <sys/param.h>
#include <sys/jail.h>
#include <sys/ptrace.h>
#include <sys/sysctl.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_wait.h"

struct jailfix {
	int jid;
	char name[64];
};

static void
jail_param(struct iovec *pair, const char *name, const char *value)
{
	pair[0].iov_base = (void *)(uintptr_t)name;
	pair[0].iov_len = strlen(name) + 1;
	pair[1].iov_base = (void *)(uintptr_t)value;
	pair[1].iov_len = value != NULL ? strlen(value) + 1 : 0;
}

/* The part of a jail's name that tells the tests' jails of one place from all others. */
static void
jail_prefix(char *prefix, size_t size, const char *dir)
{
	const char *last = strrchr(dir, '/');
	char *dot;

	(void)snprintf(prefix, size, "%s", last != NULL ? last + 1 : dir);
	while ((dot = strchr(prefix, '.')) != NULL)
		*dot = '_'; /* a dot would ask for a nested jail */
}

struct jailfix *
jailfix_start(const char *dir, unsigned flags, const char **reason)
{
	static unsigned serial;
	struct jailfix *jail;
	struct iovec params[8];
	char prefix[48];

	if ((flags & JAILFIX_USERNS) != 0) {
		*reason = "FreeBSD has no user namespaces";
		return (NULL);
	}
	jail = calloc(1, sizeof(*jail));
	jail_prefix(prefix, sizeof(prefix), dir);
	(void)snprintf(jail->name, sizeof(jail->name), "%s_%u", prefix, serial++);
	jail_param(&params[0], "name", jail->name);
	jail_param(&params[2], "path", "/");
	jail_param(&params[4], "host.hostname", jail->name);
	jail_param(&params[6], "persist", NULL);
	jail->jid = jail_set(params, 8, JAIL_CREATE);
	ck_assert_msg(jail->jid != -1, "jail_set: %s", strerror(errno));
	return (jail);
}

long
jailfix_number(const struct jailfix *jail)
{
	return (jail->jid);
}

const char *
jailfix_name(const struct jailfix *jail)
{
	return (jail->name);
}

long
jailfix_member(struct jailfix *jail)
{
	(void)jail;
	return (-1); /* a number is a jid */
}

static bool
jail_is_gone(void *arg)
{
	const struct jailfix *jail = arg;
	struct iovec params[2];
	int jid = jail->jid;

	jail_param(params, "jid", NULL);
	params[1].iov_base = &jid;
	params[1].iov_len = sizeof(jid);
	return (jail_get(params, 2, JAIL_DYING) == -1 && errno == ENOENT);
}

bool
jailfix_numbers_are_pids(void)
{
	return (false);
}

void
jailfix_end(struct jailfix *jail)
{
	ck_assert_int_eq(jail_remove(jail->jid), 0);
	ck_assert_msg(wait_until(jail_is_gone, jail), "jail %d does not go", jail->jid);
}

void
jailfix_sweep(const char *dir)
{
	char prefix[48], name[MAXHOSTNAMELEN];
	struct iovec params[4];
	int last = 0, jid;

	jail_prefix(prefix, sizeof(prefix), dir);
	for (;;) {
		jail_param(&params[0], "lastjid", NULL);
		params[1].iov_base = &last;
		params[1].iov_len = sizeof(last);
		jail_param(&params[2], "name", NULL);
		params[3].iov_base = name;
		params[3].iov_len = sizeof(name);
		if ((jid = jail_get(params, 4, 0)) == -1)
			return;
		if (strncmp(name, prefix, strlen(prefix)) == 0)
			(void)jail_remove(jid);
		last = jid;
	}
}

int
jailfix_enter(const struct jailfix *jail)
{
	return (jail_attach(jail->jid) == 0 ? chdir("/") : -1);
}

int
jailfix_confine(const struct jailfix *jail)
{
	(void)jail;
	return (0); /* the kernel has seen to it */
}

long
jailfix_unmapped_uid(const struct jailfix *jail)
{
	(void)jail;
	return (-1);
}

static void
jail_print_process(pid_t pid)
{
	int mib[4] = {CTL_KERN, KERN_PROC, KERN_PROC_ARGS, pid};
	char text[4096];
	size_t length = sizeof(text), i;

	if (sysctl(mib, 4, text, &length, NULL, 0) != 0 || length == 0)
		return;
	if (text[length - 1] == '\0')
		length--;
	for (i = 0; i < length; i++)
		if (text[i] == '\0' || text[i] == '\n')
			text[i] = ' ';
	(void)printf("%d %.*s\n", (int)pid, (int)length, text);
}

int
jailfix_print_processes(void *unused)
{
	int mib[3] = {CTL_KERN, KERN_PROC, KERN_PROC_PROC};
	struct kinfo_proc *procs;
	size_t size = 0, count, i;

	(void)unused;
	if (sysctl(mib, 3, NULL, &size, NULL, 0) != 0)
		return (1);
	size += size / 4 + 16 * sizeof(*procs);
	if ((procs = malloc(size)) == NULL || sysctl(mib, 3, procs, &size, NULL, 0) != 0)
		return (1);
	count = size / sizeof(*procs);
	for (i = 0; i < count; i++)
		if (procs[i].ki_stat != SZOMB)
			jail_print_process(procs[i].ki_pid);
	free(procs);
	return (0);
}

int
jailfix_trace(pid_t pid)
{
	int mib[4] = {CTL_KERN, KERN_PROC, KERN_PROC_ENV, pid};
	char text[4096];
	size_t size = sizeof(text);

	if (ptrace(PT_ATTACH, pid, NULL, 0) == 0)
		return (0);
	return (sysctl(mib, 4, text, &size, NULL, 0) == 0 && size > 0 ? 0 : EPERM);
}

bool
jailfix_shows_peers(void)
{
#ifdef HAVE_STRUCT_XUCRED_CR_PID
	return (true);
#else
	return (false);
#endif
}
