#include "config.h"

#include "helper.h"

#include <signal.h>
#include <stdlib.h>

#include "child.h"

struct helper {
	unsigned party;
	unsigned users;
	unsigned busy; /* users whose channels have not ended */
	pid_t id;      /* 0: not heard of yet */
	bool there;    /* it is our child, not reaped yet */
};

/* The one that can be joined. */
static struct helper *latest;
static helper_ended_cb *on_end;

void
helper_init(helper_ended_cb *ended)
{
	on_end = ended;
}

struct helper *
helper_join(unsigned party)
{
	struct helper *helper = latest;

	if (helper == NULL || helper->party != party) {
		if ((helper = calloc(1, sizeof(*helper))) == NULL)
			return NULL;
		helper->party = party;
		latest = helper;
	}
	helper->users++;
	helper->busy++;
	return helper;
}

/* With the last channel closed all that it can do is to exit, unless somebody keeps it from that. */
static bool
end_without_work(struct helper *helper)
{
	if (--helper->busy > 0 || !helper->there)
		return false;
	kill(helper->id, SIGKILL);
	return true;
}

/* Mostly it has ended by now: then nobody has to look for it among all children. */
void
helper_done(struct helper *helper)
{
	if (end_without_work(helper))
		child_reap(helper->id);
}

void
helper_leave(struct helper *helper, bool done)
{
	if (!done)
		end_without_work(helper);
	if (--helper->users > 0)
		return;
	if (helper->there)
		child_forget(helper->id);
	if (latest == helper)
		latest = NULL;
	free(helper);
}

static void
helper_exited(pid_t pid, int status, void *arg)
{
	struct helper *helper = arg;

	(void)pid;
	(void)status;
	helper->there = false;
	helper->users++; /* it must outlive what is done about its end */
	on_end(helper);
	helper_leave(helper, true);
}

void
helper_heard(struct helper *helper, pid_t pid)
{
	if (helper->id != 0)
		return;
	/* It may have been reaped by the time that it is heard. */
	helper->id = pid > 0 ? pid : -1;
	if (!child_is_unclaimed(pid))
		return;
	helper->there = true;
	child_add(pid, helper_exited, helper);
}

pid_t
helper_id(const struct helper *helper)
{
	return helper->id;
}

bool
helper_is_there(const struct helper *helper)
{
	return helper->there;
}
