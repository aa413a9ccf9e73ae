/*
 * Jails and arming as the tests want them: these functions take the place of jail.c and arm.c, so
 * that a probe's life needs no jail and no root.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "arm.h"
#include "jail.h"
#include "unit.h"
#include "util.h"

#define JAILS_MAX 8

struct fake_jail {
	struct jail_instance instance; /* first: they are told apart by its address */
	char name[JAIL_NAME_SIZE];
	bool alive;
};

struct arm {
	TAILQ_ENTRY(arm) link;
	struct jail_instance *jail;
	struct attach_params params;
	arm_done_cb *done;
	void *arg;
};

static struct fake_jail jails[JAILS_MAX];
static size_t jail_count;
static TAILQ_HEAD(arms, arm) arms = TAILQ_HEAD_INITIALIZER(arms);

/* ---- for the tests ---- */

struct jail_instance *
unit_jail_begin(const char *name, pid_t jid)
{
	struct fake_jail *jail = &jails[jail_count++];

	ck_assert_uint_le(jail_count, JAILS_MAX);
	jail->instance.jid = jid;
	jail->instance.watch_fd = -1;
	jail->alive = true;
	ck_assert_uint_lt(strlen(name), sizeof(jail->name));
	memcpy(jail->name, name, strlen(name) + 1);
	return &jail->instance;
}

void
unit_jail_end(const char *name)
{
	for (size_t i = 0; i < jail_count; i++)
		if (strcmp(jails[i].name, name) == 0)
			jails[i].alive = false;
}

unsigned
unit_jails_held(void)
{
	unsigned held = 0;

	for (size_t i = 0; i < jail_count; i++)
		held += jails[i].instance.references;
	return held;
}

unsigned
unit_arms(void)
{
	unsigned count = 0;
	struct arm *arm;

	TAILQ_FOREACH(arm, &arms, link)
		count++;
	return count;
}

static struct arm *
newest(void)
{
	struct arm *arm = TAILQ_LAST(&arms, arms);

	ck_assert_ptr_nonnull(arm);
	return arm;
}

const char *
unit_arm_title(void)
{
	return newest()->params.title;
}

uid_t
unit_arm_uid(void)
{
	return newest()->params.uid;
}

gid_t
unit_arm_gid(void)
{
	return newest()->params.gid;
}

static void
end_arm(struct arm *arm, pid_t pid, const struct error *e)
{
	TAILQ_REMOVE(&arms, arm, link);
	arm->done(arm->arg, pid, e);
	jail_release(arm->jail);
	free(arm);
}

void
unit_arm_succeed(pid_t pid)
{
	ck_assert(!TAILQ_EMPTY(&arms));
	end_arm(TAILQ_FIRST(&arms), pid, NULL);
}

void
unit_arm_fail(const char *why)
{
	struct error e;

	ck_assert(!TAILQ_EMPTY(&arms));
	error_set(&e, ERR_ATTACH_FAILED, "%s", why);
	end_arm(TAILQ_FIRST(&arms), 0, &e);
}

/* ---- in place of jail.c ---- */

struct jail_instance *
jail_find(const struct jail_ref *ref, struct error *e)
{
	for (size_t i = 0; i < jail_count; i++)
		if (jails[i].alive && (ref->number != 0 ? jails[i].instance.jid == ref->number
							: strcmp(jails[i].name, ref->name) == 0))
			return jail_hold(&jails[i].instance);
	if (ref->number != 0)
		error_set(e, ERR_NO_SUCH_JAIL, "no jail has the number %lld",
			  (long long)ref->number);
	else
		error_set(e, ERR_NO_SUCH_JAIL, "no jail is named \"%s\"", ref->name);
	return NULL;
}

struct jail_instance *
jail_hold(struct jail_instance *jail)
{
	jail->references++;
	return jail;
}

void
jail_release(struct jail_instance *jail)
{
	if (jail == NULL)
		return;
	ck_assert_uint_gt(jail->references, 0);
	jail->references--;
}

bool
jail_alive(const struct jail_instance *jail)
{
	return ((const struct fake_jail *)(const void *)jail)->alive;
}

/* ---- in place of arm.c ---- */

void
arm_init(struct event_base *base)
{
	(void)base;
}

struct arm *
arm_begin(struct jail_instance *jail, const struct attach_params *params, arm_done_cb *done,
	  void *arg)
{
	struct arm *arm = calloc(1, sizeof(*arm));

	ck_assert_ptr_nonnull(arm);
	arm->jail = jail_hold(jail);
	arm->params = *params;
	arm->done = done;
	arm->arg = arg;
	TAILQ_INSERT_TAIL(&arms, arm, link);
	return arm;
}

void
arm_cancel(struct arm *arm)
{
	TAILQ_REMOVE(&arms, arm, link);
	jail_release(arm->jail);
	free(arm);
}
