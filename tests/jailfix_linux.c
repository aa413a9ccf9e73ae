/*
 * The jail of the tests on Linux: its own namespaces, a private root of read-only bind mounts, and
 * an init that reaps.
 */
#include "config.h"

#include "jailfix.h"

#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <check.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_exec.h"

#define MAPPED_FROM  100000
#define MAPPED_COUNT 1000
#define NAMESPACES   (CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET)

struct jailfix {
	pid_t init, member;
	unsigned flags;
	char root[128];
	int ns[6]; /* in the order in which they are joined */
};

/* The user namespace comes first: it gives the right to join the others. */
static const char *const joined[] = {"user", "mnt", "pid", "ipc", "uts", "net"};

/* What the maker of a jail and its helper tell each other. */
struct talk {
	int up[2];   /* helper: "I have unshared", then the init's pid, then "the root is made" */
	int down[2]; /* maker: "your ids are mapped" */
};

static int
jail_bind(const char *root, const char *dir)
{
	char target[256];
	struct stat info;

	if (stat(dir, &info) != 0)
		return (0);
	(void)snprintf(target, sizeof(target), "%s%s", root, dir);
	if (mkdir(target, 0755) != 0 || mount(dir, target, NULL, MS_BIND | MS_REC, NULL) != 0)
		return (-1);
	/* Not everything may be remounted from a user namespace; writing is forbidden there by the
	 * ids. */
	(void)mount(NULL, target, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL);
	return (0);
}

static int
jail_device(const char *root, const char *device)
{
	char target[256];
	int fd;

	(void)snprintf(target, sizeof(target), "%s%s", root, device);
	if ((fd = open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0666)) == -1)
		return (-1);
	(void)close(fd);
	return (mount(device, target, NULL, MS_BIND, NULL));
}

static int
jail_directories(const char *root)
{
	static const char *const made[] = {"/proc", "/tmp", "/dev", "/old"};
	static const char *const bound[] = {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/usr"};
	char target[256];
	size_t i;

	for (i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		(void)snprintf(target, sizeof(target), "%s%s", root, made[i]);
		if (mkdir(target, 0755) != 0)
			return (-1);
	}
	for (i = 0; i < sizeof(bound) / sizeof(bound[0]); i++)
		if (jail_bind(root, bound[i]) != 0)
			return (-1);
	return (jail_device(root, "/dev/null"));
}

/* The init's own work: a private root. Runs in all the new namespaces. */
static int
jail_make_root(const char *root)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("tmpfs", root, "tmpfs", 0, "mode=0755") != 0 || jail_directories(root) != 0)
		return (-1);
	if (chdir(root) != 0 || syscall(SYS_pivot_root, ".", "old") != 0 || chdir("/") != 0)
		return (-1);
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0)
		return (-1);
	return (umount2("/old", MNT_DETACH));
}

static void
jail_init(const struct jailfix *jail, const struct talk *talk)
{
	int made, fd;

	if ((jail->flags & JAILFIX_USERNS) != 0 && (setgid(0) != 0 || setuid(0) != 0))
		_exit(1);
	made = jail_make_root(jail->root) == 0 ? 0 : errno;
	(void)write(talk->up[1], &made, sizeof(made));
	for (fd = 0; fd < 1024; fd++)
		(void)close(fd);
	(void)signal(SIGCHLD, SIG_IGN); /* so that orphans don't stay as zombies */
	for (;;)
		(void)pause();
}

/* Unshares and leaves the init behind, which thereby becomes a child of the test: that is a reaper.
 */
static void
jail_helper(const struct jailfix *jail, const struct talk *talk)
{
	int error = 0;
	pid_t pid;

	if (unshare(NAMESPACES | ((jail->flags & JAILFIX_USERNS) != 0 ? CLONE_NEWUSER : 0)) != 0)
		error = errno;
	(void)write(talk->up[1], &error, sizeof(error));
	if (error != 0 || read(talk->down[0], &error, sizeof(error)) != (ssize_t)sizeof(error))
		_exit(1);
	pid = fork();
	if (pid == 0)
		jail_init(jail, talk);
	(void)write(talk->up[1], &pid, sizeof(pid));
	_exit(0);
}

static void
jail_map(pid_t pid, const char *file)
{
	char path[64];
	FILE *map;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	map = fopen(path, "we");
	ck_assert_msg(map != NULL, "%s: %s", path, strerror(errno));
	ck_assert_int_gt(fprintf(map, "0 %d %d\n", MAPPED_FROM, MAPPED_COUNT), 0);
	ck_assert_msg(fclose(map) == 0, "%s: %s", path, strerror(errno));
}

static void
jail_open_namespaces(struct jailfix *jail)
{
	char path[64];
	size_t i;

	for (i = 0; i < sizeof(joined) / sizeof(joined[0]); i++) {
		jail->ns[i] = -1;
		if (i == 0 && (jail->flags & JAILFIX_USERNS) == 0)
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)jail->init, joined[i]);
		jail->ns[i] = open(path, O_RDONLY | O_CLOEXEC);
		ck_assert_msg(jail->ns[i] != -1, "%s: %s", path, strerror(errno));
	}
}

static int
jail_hear(const struct talk *talk)
{
	int word = -1;

	ck_assert_int_eq(read(talk->up[0], &word, sizeof(word)), (ssize_t)sizeof(word));
	return (word);
}

/* The helper says two things in either order: the init's pid and how its root went (0, which is no
 * pid). */
static void
jail_settle(struct jailfix *jail, const struct talk *talk)
{
	int first = jail_hear(talk), second = jail_hear(talk);

	jail->init = first > second ? first : second;
	ck_assert_msg(first == 0 || second == 0, "the jail's root: %s",
		      strerror(first < second ? first : second));
	jail_open_namespaces(jail);
}

static void
jail_talk_open(struct talk *talk)
{
	ck_assert_int_eq(pipe2(talk->up, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(talk->down, O_CLOEXEC), 0);
}

static void
jail_talk_close(struct talk *talk)
{
	(void)close(talk->up[0]);
	(void)close(talk->up[1]);
	(void)close(talk->down[0]);
	(void)close(talk->down[1]);
}

struct jailfix *
jailfix_start(const char *dir, unsigned flags, const char **reason)
{
	static unsigned serial;
	struct jailfix *jail = calloc(1, sizeof(*jail));
	struct talk talk;
	pid_t helper;
	int error;

	jail->flags = flags;
	(void)snprintf(jail->root, sizeof(jail->root), "%s/root%u", dir, serial++);
	ck_assert_int_eq(mkdir(jail->root, 0755), 0);
	jail_talk_open(&talk);
	helper = fork();
	ck_assert_int_ne(helper, -1);
	if (helper == 0)
		jail_helper(jail, &talk);
	if ((error = jail_hear(&talk)) != 0) {
		*reason = (flags & JAILFIX_USERNS) != 0 ? "no user namespaces here"
							: "no namespaces here";
		return (NULL);
	}
	if ((flags & JAILFIX_USERNS) != 0) {
		jail_map(helper, "uid_map");
		jail_map(helper, "gid_map");
	}
	ck_assert_int_eq(write(talk.down[1], &error, sizeof(error)), (ssize_t)sizeof(error));
	jail_settle(jail, &talk);
	jail_talk_close(&talk);
	(void)exec_wait(helper);
	return (jail);
}

long
jailfix_number(const struct jailfix *jail)
{
	return (jail->init);
}

const char *
jailfix_name(const struct jailfix *jail)
{
	(void)jail;
	return (NULL);
}

long
jailfix_member(struct jailfix *jail)
{
	pid_t member = -1, helper;
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	if ((helper = fork()) == 0) {
		if (jailfix_enter(jail) == 0 && (member = fork()) == 0) {
			(void)close(ends[1]);
			for (;;)
				(void)pause();
		}
		(void)write(ends[1], &member, sizeof(member));
		_exit(0);
	}
	(void)close(ends[1]);
	ck_assert_int_eq(read(ends[0], &member, sizeof(member)), (ssize_t)sizeof(member));
	(void)close(ends[0]);
	(void)exec_wait(helper);
	jail->member = member;
	return (member);
}

bool
jailfix_numbers_are_pids(void)
{
	return (true);
}

void
jailfix_end(struct jailfix *jail)
{
	ck_assert_int_eq(kill(jail->init, SIGKILL), 0);
	/* The init goes last of all in the jail, and the member became our child. */
	if (jail->member > 0)
		(void)exec_wait(jail->member);
	(void)exec_wait(jail->init);
}

void
jailfix_sweep(const char *dir)
{
	(void)dir; /* the jail ends with its init, and that with the test's other descendants */
}

/* The root is taken from the init: where the test itself runs in a chroot, the mount namespace's own
 * root lies above it. */
int
jailfix_enter(const struct jailfix *jail)
{
	char path[64];
	size_t i;
	int root;

	(void)snprintf(path, sizeof(path), "/proc/%d/root", (int)jail->init);
	if ((root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC)) == -1)
		return (-1);
	for (i = 0; i < sizeof(joined) / sizeof(joined[0]); i++)
		if (jail->ns[i] != -1 && setns(jail->ns[i], 0) != 0)
			return (-1);
	if (fchdir(root) != 0 || chroot(".") != 0 || chdir("/") != 0)
		return (-1);
	return (close(root));
}

/* What the container runtimes leave to root where no user namespace tames the rest. */
#define CAPABILITIES \
	(1u << CAP_CHOWN | 1u << CAP_DAC_OVERRIDE | 1u << CAP_FSETID | 1u << CAP_FOWNER | \
	 1u << CAP_MKNOD | 1u << CAP_NET_RAW | 1u << CAP_SETGID | 1u << CAP_SETUID | \
	 1u << CAP_SETFCAP | 1u << CAP_SETPCAP | 1u << CAP_NET_BIND_SERVICE | \
	 1u << CAP_SYS_CHROOT | 1u << CAP_KILL | 1u << CAP_AUDIT_WRITE)

int
jailfix_confine(const struct jailfix *jail)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {
	    {.effective = CAPABILITIES, .permitted = CAPABILITIES, .inheritable = 0}, {0, 0, 0}};
	unsigned long each;

	if ((jail->flags & JAILFIX_USERNS) != 0)
		return (0);
	for (each = 0; each < 64; each++)
		if (each >= 32 || (CAPABILITIES & 1u << each) == 0)
			(void)prctl(PR_CAPBSET_DROP, each, 0, 0, 0);
	return ((int)syscall(SYS_capset, &header, data));
}

long
jailfix_unmapped_uid(const struct jailfix *jail)
{
	return ((jail->flags & JAILFIX_USERNS) != 0 ? MAPPED_COUNT : -1);
}

/* The words of a command line stand between zeros; the title is one word, with no zeros after it
 * but the last. */
static void
jail_print_process(const char *pid)
{
	char path[64], text[4096];
	ssize_t length, i;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%.16s/cmdline", pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return;
	length = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	while (length > 0 && text[length - 1] == '\0')
		length--;
	for (i = 0; i < length; i++)
		if (text[i] == '\0' || text[i] == '\n')
			text[i] = ' ';
	if (length > 0)
		(void)printf("%s %.*s\n", pid, (int)length, text);
}

int
jailfix_print_processes(void *unused)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	(void)unused;
	if (proc == NULL)
		return (1);
	while ((entry = readdir(proc)) != NULL)
		if (isdigit((unsigned char)entry->d_name[0]))
			jail_print_process(entry->d_name);
	(void)closedir(proc);
	return (0);
}

bool
jailfix_shows_peers(void)
{
	return (true);
}
