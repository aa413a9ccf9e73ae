#include "config.h"

#include "ending.h"

#include "child.h"
#include "util.h"

/* Whoever has not exited within so long means to go on. */
#define PATIENCE_MS 20

static TAILQ_HEAD(, ending) noted = TAILQ_HEAD_INITIALIZER(noted);
static unsigned count;

static void
note(struct ending *ending, int64_t since_ms)
{
	ending->since_ms = since_ms;
	TAILQ_INSERT_TAIL(&noted, ending, link);
	count++;
}

/* Whoever is told of the child's end may free what it is a part of. */
void
ending_note(struct ending *ending, pid_t pid)
{
	ending_forget(ending);
	ending->pid = pid;
	if (!child_reap(pid))
		note(ending, util_monotonic_ms());
}

void
ending_forget(struct ending *ending)
{
	if (ending->since_ms == 0)
		return;
	ending->since_ms = 0;
	TAILQ_REMOVE(&noted, ending, link);
	count--;
}

void
ending_reap(void)
{
	const int64_t now = count == 0 ? 0 : util_monotonic_ms();
	struct ending *ending;

	for (unsigned left = count; left > 0 && (ending = TAILQ_FIRST(&noted)) != NULL; left--) {
		int64_t since_ms = ending->since_ms;

		ending_forget(ending);
		if (!child_reap(ending->pid) && now - since_ms <= PATIENCE_MS)
			note(ending, since_ms);
	}
}
