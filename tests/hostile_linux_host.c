#include "config.h"

#include "hostile_host.h"

#include <sys/stat.h>

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_file.h"
#include "fixture_wait.h"
#include "hostile.h"
#include "hostile_linux.h"

Suite *(*const hostile_os_suites[])(void) = {
    hostile_state, hostile_doors, hostile_races, hostile_setup, hostile_limits, hostile_cgroups,
    hostile_exits, hostile_reuse, hostile_peers, hostile_forge, hostile_teardown, NULL,
};

char *
linux_file(pid_t pid, const char *name)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return (file_text(path));
}

bool
linux_status(pid_t pid, const char *name, char *value, size_t size)
{
	char *text = linux_file(pid, "status"), wanted[32], *line, *end;

	(void)snprintf(wanted, sizeof(wanted), "\n%s:", name);
	if ((line = strstr(text, wanted)) != NULL) {
		line += strlen(wanted);
		line += strspn(line, "\t ");
		end = line + strcspn(line, "\n");
		while (end > line && isspace((unsigned char)end[-1]))
			end--;
		(void)snprintf(value, size, "%.*s", (int)(end - line), line);
	}
	free(text);
	return (line != NULL);
}

int
linux_filters(pid_t pid)
{
	char value[16] = "", ours[16] = "";

	(void)linux_status(pid, "Seccomp_filters", value, sizeof(value));
	(void)linux_status(getpid(), "Seccomp_filters", ours, sizeof(ours));
	return (atoi(value) - atoi(ours));
}

pid_t
linux_inner_pid(pid_t pid)
{
	char value[128];
	const char *last;

	if (!linux_status(pid, "NSpid", value, sizeof(value)))
		return (-1);
	last = strrchr(value, '\t');
	return ((pid_t)strtol(last != NULL ? last + 1 : value, NULL, 10));
}

long
hostile_memory(pid_t pid)
{
	char value[64];

	return (linux_status(pid, "VmRSS", value, sizeof(value)) ? strtol(value, NULL, 10) : -1);
}

/* Zombies have no command line. */
static bool
has_title(pid_t pid, const char *title)
{
	char *text = linux_file(pid, "cmdline");
	bool same = strcmp(text, title) == 0;

	free(text);
	return (same);
}

int
hostile_pids_titled(const char *title, pid_t *pids, int max)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int count = 0;
	pid_t pid;

	ck_assert_ptr_nonnull(proc);
	while ((entry = readdir(proc)) != NULL) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (!has_title(pid, title))
			continue;
		if (count < max)
			pids[count] = pid;
		count++;
	}
	(void)closedir(proc);
	return (count);
}
