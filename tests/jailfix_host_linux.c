/*
 * What the tests want to know of the host and of its processes, told by /proc.
 */
#include "config.h"

#include "jailfix.h"

#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATUS_SIZE 8192

bool
host_reaper(void)
{
	return (prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
}

/* The parent of a process, from the fourth word of its stat; the second may hold anything, but ends
 * with the last ')'. */
static pid_t
host_parent(const char *pid)
{
	char path[64], text[512], *end;
	ssize_t length = -1;
	int fd, parent = -1;

	(void)snprintf(path, sizeof(path), "/proc/%.16s/stat", pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return (-1);
	length = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	if (length <= 0)
		return (-1);
	text[length] = '\0';
	if ((end = strrchr(text, ')')) == NULL || sscanf(end + 1, " %*c %d", &parent) != 1)
		return (-1);
	return (parent);
}

/* Counts the children of a process, and sends each a signal if sig is not 0. */
static int
host_each_child(pid_t parent, int sig)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int count = 0;

	if (proc == NULL)
		return (-1);
	while ((entry = readdir(proc)) != NULL) {
		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    host_parent(entry->d_name) != parent)
			continue;
		count++;
		if (sig != 0)
			(void)kill((pid_t)strtol(entry->d_name, NULL, 10), sig);
	}
	(void)closedir(proc);
	return (count);
}

int
host_children(pid_t pid)
{
	return (host_each_child(pid, 0));
}

/* Each that is killed leaves us its own children, until there are none. */
void
host_kill_all(void)
{
	do {
		(void)host_each_child(getpid(), SIGKILL);
	} while (waitpid(-1, NULL, 0) > 0 || errno == EINTR);
}

int
host_descriptors(pid_t pid)
{
	char path[64];
	struct dirent *entry;
	int count = 0;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	if ((dir = opendir(path)) == NULL)
		return (-1);
	while ((entry = readdir(dir)) != NULL)
		count += entry->d_name[0] != '.';
	(void)closedir(dir);
	return (count);
}

static bool
host_read(pid_t pid, const char *file, char *text, size_t size)
{
	char path[64];
	ssize_t length;
	int fd;

	text[0] = '\0';
	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return (false);
	length = read(fd, text, size - 1);
	(void)close(fd);
	text[length > 0 ? length : 0] = '\0';
	return (length >= 0);
}

/* The rest of a line of /proc/PID/status, without the blanks at both ends. */
static bool
host_status(pid_t pid, const char *name, char *value, size_t size)
{
	char text[STATUS_SIZE], wanted[32], *line, *end;

	(void)snprintf(wanted, sizeof(wanted), "\n%s:", name);
	if (!host_read(pid, "status", text, sizeof(text)) || (line = strstr(text, wanted)) == NULL)
		return (false);
	line += strlen(wanted);
	line += strspn(line, "\t ");
	end = line + strcspn(line, "\n");
	while (end > line && isspace((unsigned char)end[-1]))
		end--;
	(void)snprintf(value, size, "%.*s", (int)(end - line), line);
	return (true);
}

bool
host_gid(pid_t pid, gid_t *gid, uid_t *uid)
{
	char uids[128], gids[128];
	unsigned value[8];

	if (!host_status(pid, "Uid", uids, sizeof(uids)) ||
	    !host_status(pid, "Gid", gids, sizeof(gids)))
		return (false);
	if (sscanf(uids, "%u %u %u %u", &value[0], &value[1], &value[2], &value[3]) != 4 ||
	    sscanf(gids, "%u %u %u %u", &value[4], &value[5], &value[6], &value[7]) != 4)
		return (false);
	*uid = value[0];
	*gid = value[4];
	return (value[0] == value[1] && value[0] == value[2] && value[4] == value[5] &&
		value[4] == value[6]);
}

static void __attribute__((format(printf, 3, 4)))
fault_add(char *faults, size_t size, const char *format, ...)
{
	size_t length = strlen(faults);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(faults + length, size - length, format, args);
	va_end(args);
}

/* The lines of /proc/PID/status that must read so. */
static void
fault_status(pid_t pid, char *faults, size_t size)
{
	static const char *const wanted[][2] = {
	    {"CapInh", "0000000000000000"},
	    {"CapPrm", "0000000000000000"},
	    {"CapEff", "0000000000000000"},
	    {"CapAmb", "0000000000000000"},
	    {"NoNewPrivs", "1"},
	    {"Seccomp", "2"},
	    {"Groups", ""},
	};
	char value[128];
	size_t i;

	for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (!host_status(pid, wanted[i][0], value, sizeof(value)) ||
		    strcmp(value, wanted[i][1]) != 0)
			fault_add(faults, size, "%s is \"%s\"; ", wanted[i][0], value);
}

/* Sessions and terminals: the sixth and seventh word of stat. */
static void
fault_session(pid_t pid, char *faults, size_t size)
{
	char text[512], *end;
	int session = -1, terminal = -1;

	if (!host_read(pid, "stat", text, sizeof(text)) || (end = strrchr(text, ')')) == NULL ||
	    sscanf(end + 1, " %*c %*d %*d %d %d", &session, &terminal) != 2)
		fault_add(faults, size, "no stat; ");
	if (session != pid || terminal != 0)
		fault_add(faults, size, "session %d, terminal %d; ", session, terminal);
}

static bool
same_directory(const char *a, const char *b)
{
	struct stat one, other;

	return (stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
		one.st_ino == other.st_ino);
}

/* Joining one's own mount namespace again leads to its real root. */
bool
host_in_chroot(void)
{
	int root = open("/", O_PATH | O_CLOEXEC), ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	struct stat ours, real;
	pid_t child = fork();
	int status = 0;

	if (child == 0)
		_exit(setns(ns, 0) == 0 && fstat(root, &ours) == 0 && stat("/", &real) == 0 &&
		      (ours.st_dev != real.st_dev || ours.st_ino != real.st_ino));
	(void)close(root);
	(void)close(ns);
	return (child > 0 && waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 1);
}

/* By what they are, not by their names: those depend on where the one who reads them stands. */
static void
fault_directories(pid_t pid, char *faults, size_t size)
{
	char cwd[64], root[64];

	(void)snprintf(cwd, sizeof(cwd), "/proc/%d/cwd", (int)pid);
	(void)snprintf(root, sizeof(root), "/proc/%d/root", (int)pid);
	if (!same_directory(cwd, root))
		fault_add(faults, size, "stands outside its root; ");
	if (access(root, F_OK) != 0 || same_directory(root, "/"))
		fault_add(faults, size, "its root is the host's; ");
}

void
host_probe_faults(pid_t pid, char *faults, size_t size)
{
	char text[4096];
	int descriptors = host_descriptors(pid);

	faults[0] = '\0';
	if (descriptors != 0)
		fault_add(faults, size, "%d descriptors; ", descriptors);
	if (!host_read(pid, "environ", text, sizeof(text)) || text[0] != '\0')
		fault_add(faults, size, "environment begins with \"%s\"; ", text);
	fault_status(pid, faults, size);
	fault_session(pid, faults, size);
	fault_directories(pid, faults, size);
}

int
jailfix_trace(pid_t pid)
{
	char path[64];
	int fd;

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0)
		return (0);
	/* The other doors to the same: its environment, its memory, and its program for writing. */
	(void)snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) != -1)
		return (0);
	(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) != -1)
		return (0);
	(void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	if ((fd = open(path, O_WRONLY | O_CLOEXEC)) != -1)
		return (0);
	return (errno);
}
