/* What container runtimes write below /run, written by the test. */
#include "config.h"

#include "jailfix_names.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include <check.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture_file.h"

/* A runtime's directory, and what it has of each container: a folder with a JSON file in it;
 * without a file, a file of KEY=value lines itself. */
static const struct kind {
	const char *prefix;
	const char *directory;
	const char *file;
	const char *pid_key;
	const char *began_key;
} kinds[] = {
    {"machined:", "/run/systemd/machines", NULL, NULL, NULL},
    {"runc:", "/run/runc", "state.json", "init_process_pid", "init_process_start"},
    {"containerd:", "/run/containerd/runc/k8s.io", "state.json", "init_process_pid",
     "init_process_start"},
    {"crun:", "/run/crun", "status", "pid", "process-start-time"},
};

void
jailfix_names_begin(void)
{
	ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
	ck_assert_int_eq(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	ck_assert_int_eq(mount("tmpfs", "/run", "tmpfs", 0, "mode=755"), 0);
}

static unsigned long long
began(long pid)
{
	unsigned long long ticks;
	char path[64], *text, *at;
	int field;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	text = file_text(path);
	at = strrchr(text, ')');
	for (field = 2; at != NULL && field < 22; field++)
		at = strchr(at + 1, ' ');
	ck_assert_ptr_nonnull(at);
	ticks = strtoull(at, NULL, 10);
	free(text);
	return (ticks);
}

static void
make_directories(char *path)
{
	char *slash;

	for (slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		ck_assert(mkdir(path, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
}

static const struct kind *
kind_of(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strncmp(name, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
			return (&kinds[i]);
	return (&kinds[0]);
}

static void
write_state(const char *path, const struct kind *kind, long pid)
{
	char text[256];

	if (kind->file == NULL)
		(void)snprintf(text, sizeof(text), "CLASS=container\nLEADER=%ld\n", pid);
	else
		(void)snprintf(text, sizeof(text), "{\"%s\":%ld,\"%s\":%llu}\n", kind->pid_key, pid,
			       kind->began_key, began(pid));
	file_write(path, text);
}

/* As most of them do: written beside, and then moved to its place. */
void
jailfix_call(const struct jailfix *jail, const char *name)
{
	const struct kind *kind = kind_of(name);
	const char *colon = strchr(name, ':');
	char path[256], beside[264];

	(void)snprintf(path, sizeof(path), "%s/%s%s%s", kind->directory,
		       colon == NULL ? name : colon + 1, kind->file == NULL ? "" : "/",
		       kind->file == NULL ? "" : kind->file);
	(void)snprintf(beside, sizeof(beside), "%s.new", path);
	make_directories(path);
	write_state(beside, kind, jailfix_number(jail));
	ck_assert_int_eq(rename(beside, path), 0);
}
