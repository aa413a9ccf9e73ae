/*
 * The daemon that fails on demand: linked with the daemon's own objects, it stands between them and
 * the functions that they call: those of the C library under another name, the daemon's own by the
 * linker's --wrap (Makefile.am has the lists). Nothing of it is in the daemon that is installed.
 *
 *   JAILDAEMON_FAULT         a plan, in force from the start
 *   JAILDAEMON_FAULT_FILE    a file with a plan, in force from when the file appears, and replaced
 *                            when another file takes its place; calls are counted anew each time
 *   JAILDAEMON_FAULT_COUNTS  a file that tells at the daemon's end how often each function was
 *                            called, a line "NAME COUNT" for each
 *
 * A plan is a list of NAME@CALL=WHAT with a semicolon after each but the last. CALL is the number
 * of the call that is meant, from 1 on; 3+ means the third and all that follow. WHAT is
 *
 *   kill        SIGKILL before the function does anything
 *   kill-after  SIGKILL when it has done it all
 *   EIO ...     it does nothing and fails with this errno (close closes, and fails)
 *
 * NAME is the function's, but for descriptors that openat gave, which are files of the state, there
 * are write_file and close_file beside write and close; and reaped is a waitpid that found the end
 * of a child, whoever called it, when it has found it.
 *
 * Each fault is told on standard error as "fault: NAME@CALL". The points at which a crash would
 * hurt most:
 *
 *   write_file@1=kill           a record is made, and empty
 *   fsync@1=kill                before the record is durable
 *   renameat@1=kill             durable, but not under its name
 *   fsync@2=kill                renamed, and the directory not durable
 *   store_commit@1=kill-after   durable, and nobody told
 *   request_answer_text@1=kill  done and told to nobody but the log
 *   reaped@1=kill               a HUP was reaped, and nothing came of it yet
 *   keep_start@1=kill           a single shot's run was chosen, and the record not told
 *   spawn_begin@1=kill          the record says started, and the command is not
 *   spawn_begin@1=kill-after    the command is on its way, and its daemon doesn't know
 *   spawn_end@1=kill-after      the command runs, and nobody has said so
 *   unlinkat@1=kill             before a record is removed
 *   unlinkat@1=kill-after       removed, and the directory not durable
 *   store_reserve@1=kill        before numbers are reserved
 *   store_reserve@1=kill-after  reserved, and none given
 *
 * Only the process that was started counts and fails: not those between fork and exec, nor a daemon
 * that has detached.
 */
#include "config.h"

#include <sys/file.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keep.h"
#include "request.h"
#include "spawn.h"
#include "store.h"

#define RULES_MAX 16
#define PLAN_SIZE 1024
#define FILES_MAX 1024 /* descriptors that are looked after */

struct rule {
	char name[32];
	unsigned long call;
	bool onwards;
	enum { FAIL, KILL, KILL_AFTER } what;
	int error;
};

/* A function that can fail. */
struct point {
	const char *name;
	unsigned long calls;
	unsigned plan; /* in which the calls were counted */
	bool known;    /* in the list */
	SLIST_ENTRY(point) link;
};

static SLIST_HEAD(, point) points = SLIST_HEAD_INITIALIZER(points);
static struct rule rules[RULES_MAX];
static size_t rule_count;
static unsigned plan; /* counts the plans */
static pid_t counted; /* 0: not ready */

/* ---- plans ---- */

static const struct {
	const char *name;
	int value;
} errors[] = {
    {"EACCES", EACCES}, {"EAGAIN", EAGAIN}, {"EINTR", EINTR},
    {"EIO", EIO},	{"EMFILE", EMFILE}, {"ENFILE", ENFILE},
    {"ENOMEM", ENOMEM}, {"ENOSPC", ENOSPC}, {"EROFS", EROFS},
};

/* A plan that can't be followed would let a test pass that tests nothing. */
static void
give_up(const char *text)
{
	(void)fprintf(stderr, "fault: no plan: \"%s\"\n", text);
	_exit(98);
}

static void
parse_what(struct rule *rule, const char *what)
{
	size_t i;

	rule->what = FAIL;
	if (strcmp(what, "kill") == 0)
		rule->what = KILL;
	else if (strcmp(what, "kill-after") == 0)
		rule->what = KILL_AFTER;
	if (rule->what != FAIL)
		return;
	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (strcmp(errors[i].name, what) == 0)
			rule->error = errors[i].value;
	if (rule->error == 0)
		give_up(what);
}

static void
parse_rule(const char *text)
{
	struct rule *rule = &rules[rule_count];
	char what[16] = "", call[24] = "", *end;

	if (rule_count == RULES_MAX)
		give_up(text);
	memset(rule, 0, sizeof(*rule));
	if (sscanf(text, "%31[a-z0-9_]@%23[0-9+]=%15s", rule->name, call, what) != 3)
		give_up(text);
	rule->call = strtoul(call, &end, 10);
	rule->onwards = strcmp(end, "+") == 0;
	if (rule->call == 0 || (*end != '\0' && !rule->onwards))
		give_up(text);
	parse_what(rule, what);
	rule_count++;
}

static void
adopt(char *text)
{
	char *one;

	rule_count = 0;
	plan++;
	while ((one = strsep(&text, ";\n")) != NULL)
		if (*one != '\0')
			parse_rule(one);
}

static void
look_at_file(void)
{
	static struct stat last;
	const char *path = getenv("JAILDAEMON_FAULT_FILE");
	char text[PLAN_SIZE];
	struct stat now;
	size_t length;
	FILE *file;

	if (path == NULL || stat(path, &now) != 0 ||
	    (now.st_ino == last.st_ino && now.st_mtim.tv_sec == last.st_mtim.tv_sec &&
	     now.st_mtim.tv_nsec == last.st_mtim.tv_nsec))
		return;
	last = now;
	if ((file = fopen(path, "re")) == NULL)
		return;
	length = fread(text, 1, sizeof(text) - 1, file);
	(void)fclose(file);
	text[length] = '\0';
	adopt(text);
}

/* ---- counting ---- */

static void
write_counts(void)
{
	FILE *file;
	struct point *point;

	if (getpid() != counted)
		return;
	if ((file = fopen(getenv("JAILDAEMON_FAULT_COUNTS"), "we")) == NULL)
		return;
	SLIST_FOREACH(point, &points, link)
		(void)fprintf(file, "%s %lu\n", point->name,
			      point->plan == plan ? point->calls : 0);
	(void)fclose(file);
}

__attribute__((constructor)) static void
get_ready(void)
{
	const char *first = getenv("JAILDAEMON_FAULT");
	char text[PLAN_SIZE];

	(void)snprintf(text, sizeof(text), "%s", first != NULL ? first : "");
	adopt(text);
	if (getenv("JAILDAEMON_FAULT_COUNTS") != NULL)
		(void)atexit(write_counts);
	counted = getpid();
}

/* ---- at each call ---- */

static const struct rule *
rule_for(const struct point *point)
{
	size_t i;

	for (i = 0; i < rule_count; i++)
		if (strcmp(rules[i].name, point->name) == 0 &&
		    (point->calls == rules[i].call ||
		     (rules[i].onwards && point->calls > rules[i].call)))
			return (&rules[i]);
	return (NULL);
}

static const struct rule *
count(struct point *point)
{
	look_at_file();
	if (!point->known)
		SLIST_INSERT_HEAD(&points, point, link);
	point->known = true;
	if (point->plan != plan)
		point->calls = 0;
	point->plan = plan;
	point->calls++;
	return (rule_for(point));
}

static void
die(void)
{
	(void)kill(getpid(), SIGKILL);
	for (;;)
		(void)pause();
}

/* What is to become of a call; may not return. */
static const struct rule *
enter(struct point *point)
{
	const struct rule *rule = NULL;
	int error = errno;

	if (counted == 0 || getpid() != counted)
		return (NULL);
	rule = count(point);
	if (rule != NULL)
		(void)fprintf(stderr, "fault: %s@%lu\n", point->name, point->calls);
	if (rule != NULL && rule->what == KILL)
		die();
	errno = error;
	return (rule);
}

static void
leave(const struct rule *rule)
{
	if (rule != NULL && rule->what == KILL_AFTER)
		die();
}

/* ---- the functions ---- */

/* The descriptors that openat gave, but for directories, which the C library closes. */
static bool is_file[FILES_MAX];

static bool *
file_mark(int fd)
{
	static bool none;

	none = false;
	return (fd >= 0 && fd < FILES_MAX ? &is_file[fd] : &none);
}

#define STAND_IN(type, function, real, parameters, arguments, failed) \
	type __wrap_##function parameters; \
	type __wrap_##function parameters \
	{ \
		static struct point point = {.name = #function}; \
		const struct rule *rule = enter(&point); \
		type result; \
\
		if (rule != NULL && rule->what == FAIL) { \
			errno = rule->error; \
			return (failed); \
		} \
		result = real arguments; \
		leave(rule); \
		return (result); \
	}

/* One of the C library. */
#define RENAMED(type, function, parameters, arguments, failed) \
	STAND_IN(type, function, function, parameters, arguments, failed)

/* One of the daemon's own. */
#define WRAP(type, function, parameters, arguments, failed) \
	type __real_##function parameters; \
	STAND_IN(type, function, __real_##function, parameters, arguments, failed)

/* Of those one that can't fail. */
#define WRAP_VOID(function, parameters, arguments) \
	void __real_##function parameters; \
	void __wrap_##function parameters; \
	void __wrap_##function parameters \
	{ \
		static struct point point = {.name = #function}; \
		const struct rule *rule = enter(&point); \
\
		if (rule != NULL && rule->what == FAIL) \
			give_up(#function " can't fail"); \
		__real_##function arguments; \
		leave(rule); \
	}

/* Its other arguments are one mode, if any. */
#define RENAMED_OPEN(function, parameters, arguments) \
	int __wrap_##function parameters; \
	int __wrap_##function parameters \
	{ \
		static struct point point = {.name = #function}; \
		const struct rule *rule = enter(&point); \
		mode_t mode = 0; \
		va_list rest; \
		int fd; \
\
		va_start(rest, flags); \
		if ((flags & O_CREAT) != 0) \
			mode = (mode_t)va_arg(rest, int); \
		va_end(rest); \
		if (rule != NULL && rule->what == FAIL) { \
			errno = rule->error; \
			return (-1); \
		} \
		fd = function arguments; \
		*file_mark(fd) = strcmp(#function, "openat") == 0 && (flags & O_DIRECTORY) == 0; \
		leave(rule); \
		return (fd); \
	}

RENAMED_OPEN(open, (const char *path, int flags, ...), (path, flags, mode))
RENAMED_OPEN(openat, (int at, const char *path, int flags, ...), (at, path, flags, mode))
ssize_t __wrap_write(int fd, const void *bytes, size_t size);

ssize_t
__wrap_write(int fd, const void *bytes, size_t size)
{
	static struct point others = {.name = "write"}, files = {.name = "write_file"};
	const struct rule *rule = enter(*file_mark(fd) ? &files : &others);
	ssize_t written;

	if (rule != NULL && rule->what == FAIL) {
		errno = rule->error;
		return (-1);
	}
	written = write(fd, bytes, size);
	leave(rule);
	return (written);
}

int __wrap_close(int fd);

int
__wrap_close(int fd)
{
	static struct point others = {.name = "close"}, files = {.name = "close_file"};
	const struct rule *rule = enter(*file_mark(fd) ? &files : &others);
	int result;

	if (counted == getpid())
		*file_mark(fd) = false;
	result = close(fd);
	leave(rule);
	if (rule != NULL && rule->what == FAIL) {
		errno = rule->error;
		return (-1);
	}
	return (result);
}

pid_t __wrap_waitpid(pid_t pid, int *status, int options);

pid_t
__wrap_waitpid(pid_t pid, int *status, int options)
{
	static struct point reaped = {.name = "reaped"};
	pid_t found = waitpid(pid, status, options);
	const struct rule *rule = found > 0 ? enter(&reaped) : NULL;

	if (rule != NULL && rule->what == FAIL)
		give_up("reaped can't fail");
	leave(rule);
	return (found);
}

RENAMED(int, fsync, (int fd), (fd), -1)
RENAMED(int, renameat, (int from, const char *old, int to, const char *name), (from, old, to, name),
	-1)
RENAMED(int, unlinkat, (int at, const char *path, int flags), (at, path, flags), -1)
RENAMED(int, mkdirat, (int at, const char *path, mode_t mode), (at, path, mode), -1)
RENAMED(int, mkdir, (const char *path, mode_t mode), (path, mode), -1)
RENAMED(int, flock, (int fd, int how), (fd, how), -1)
RENAMED(int, pipe2, (int ends[2], int flags), (ends, flags), -1)
RENAMED(int, socketpair, (int domain, int type, int protocol, int ends[2]),
	(domain, type, protocol, ends), -1)
RENAMED(pid_t, fork, (void), (), -1)
RENAMED(void *, malloc, (size_t size), (size), NULL)
RENAMED(void *, calloc, (size_t number, size_t size), (number, size), NULL)
RENAMED(void *, realloc, (void *block, size_t size), (block, size), NULL)
RENAMED(char *, strdup, (const char *text), (text), NULL)

WRAP(pid_t, spawn_begin, (struct spawning * spawning, const struct spawn *spawn), (spawning, spawn), -1)
WRAP(int, spawn_end, (struct spawning * spawning), (spawning), rule->error)
WRAP(int, store_reserve, (uint64_t next), (next), rule->error)
WRAP_VOID(store_commit, (struct store_changes * changes), (changes))
WRAP_VOID(keep_save, (struct probe * probe, keep_done_cb *done, void *arg), (probe, done, arg))
WRAP_VOID(keep_start, (struct probe * probe, keep_done_cb *done, void *arg), (probe, done, arg))
WRAP_VOID(keep_drop, (struct probe * probe, keep_done_cb *done, void *arg), (probe, done, arg))
WRAP_VOID(request_answer_text, (struct request * request, struct text *members), (request, members))
