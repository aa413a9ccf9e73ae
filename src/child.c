#include "config.h"

#include "child.h"

#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

/* Open addressing, linear probing, at most half full; pid 0 is an empty place. A forgotten child keeps
 * its place, without a callback, until it is reaped: only then may its number mean someone else. */
struct entry {
	pid_t pid;
	child_exit_cb *exited;
	void *arg;
};

/* The end of a process that nobody had announced yet. */
struct stray {
	pid_t pid;
	int status;
};

#define FIRST_SIZE 64
#define STRAYS_MAX 1024

static struct entry *table;
static size_t table_size; /* a power of two */
static size_t table_used;

static struct stray strays[STRAYS_MAX];
static size_t stray_count;
static size_t expected;
static unsigned dying; /* forgotten, not reaped */
static child_added_cb *on_add;

static size_t
place_of(const struct entry *entries, size_t size, pid_t pid)
{
	size_t i = ((size_t)pid * 2654435761u) & (size - 1);

	while (entries[i].pid != 0 && entries[i].pid != pid)
		i = (i + 1) & (size - 1);
	return i;
}

int
child_reserve(void)
{
	size_t size = table_size == 0 ? FIRST_SIZE : table_size * 2;
	struct entry *larger;

	/* Pids that are still on their way have a place each; a caller takes two at most. */
	if ((table_used + expected + 2) * 2 <= table_size)
		return 0;
	larger = calloc(size, sizeof(*larger));
	if (larger == NULL)
		return -1;
	for (size_t i = 0; i < table_size; i++)
		if (table[i].pid != 0)
			larger[place_of(larger, size, table[i].pid)] = table[i];
	free(table);
	table = larger;
	table_size = size;
	return 0;
}

/* A child of ours that has not been reaped. */
static bool
is_there(pid_t pid)
{
	siginfo_t info;

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* Whether a pid that was reported is one that may be added: a child of ours that nobody has yet. */
bool
child_is_unclaimed(pid_t pid)
{
	size_t i = place_of(table, table_size, pid);

	if (pid <= 0 || table[i].pid == pid)
		return false;
	for (i = 0; i < stray_count; i++)
		if (strays[i].pid == pid)
			return true;
	return is_there(pid);
}

/* Not the end of another one that had the number before, and that nobody ever asked for. */
static bool
take_stray(pid_t pid, int *status)
{
	for (size_t i = 0; i < stray_count; i++) {
		if (strays[i].pid != pid)
			continue;
		*status = strays[i].status;
		strays[i] = strays[--stray_count];
		return !is_there(pid);
	}
	return false;
}

void
child_on_add(child_added_cb *callback)
{
	on_add = callback;
}

void
child_add(pid_t pid, child_exit_cb *exited, void *arg)
{
	size_t i;
	int status;
	bool new;

	if (take_stray(pid, &status)) {
		exited(pid, status, arg);
		return;
	}
	i = place_of(table, table_size, pid);
	new = table[i].pid == 0;
	if (new)
		table_used++;
	else if (table[i].exited == NULL)
		dying--;
	table[i] = (struct entry){.pid = pid, .exited = exited, .arg = arg};
	if (new && on_add != NULL)
		on_add(pid);
}

/* Empties place i, and moves up what had to step over it. */
static void
clear_place(size_t i)
{
	size_t mask = table_size - 1;

	table[i].pid = 0;
	table_used--;
	for (i = (i + 1) & mask; table[i].pid != 0; i = (i + 1) & mask) {
		struct entry moved = table[i];

		table[i].pid = 0;
		table[place_of(table, table_size, moved.pid)] = moved;
	}
}

void
child_forget(pid_t pid)
{
	size_t i;

	if (table_size == 0)
		return;
	i = place_of(table, table_size, pid);
	if (table[i].pid != pid || table[i].exited == NULL)
		return;
	table[i].exited = NULL;
	dying++;
}

unsigned
child_dying(void)
{
	return dying;
}

void
child_expect(void)
{
	expected++;
}

void
child_unexpect(void)
{
	if (--expected == 0)
		stray_count = 0;
}

void
child_exited(pid_t pid, int status)
{
	struct entry found = {0};

	if (table_size != 0) {
		size_t i = place_of(table, table_size, pid);

		found = table[i];
		if (found.pid == pid)
			clear_place(i);
	}
	if (found.pid == pid) {
		if (found.exited != NULL)
			found.exited(pid, status, found.arg);
		else
			dying--;
	} else if (expected > 0 && stray_count < STRAYS_MAX) {
		strays[stray_count++] = (struct stray){.pid = pid, .status = status};
	} else {
		log_debug("event=reaped-unknown pid=%d", (int)pid);
	}
}

size_t
child_places(void)
{
	return table_size;
}

pid_t
child_at(size_t place)
{
	return table[place].pid;
}

bool
child_reap(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, WNOHANG) != pid)
		return false;
	child_exited(pid, status);
	return true;
}

void
child_collect(pid_t pid)
{
	int status;

	child_forget(pid);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return;
	child_exited(pid, status);
}
