#include "config.h"

#include "jail.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

/* One struct for each instance that somebody holds, found again by jid and birth, so that all
 * probes of a jail share its descriptor. Its length is the number of jails, not of probes. */
static LIST_HEAD(, jail_instance) instances = LIST_HEAD_INITIALIZER(instances);
static unsigned instance_count;
static const struct jail_hooks *hooks;

static void
close_and_free(struct jail_instance *jail)
{
	util_close(&jail->watch_fd);
	util_close(&jail->descriptor);
	free(jail);
}

/* One that has ended is no answer, even if the new one has all of its numbers. */
static struct jail_instance *
held_instance(const struct jail_instance *found)
{
	struct jail_instance *jail;

	LIST_FOREACH(jail, &instances, entry)
		if (jail->jid == found->jid && jail->born == found->born &&
		    strcmp(jail->known_as, found->known_as) == 0 && jail_os_alive(jail))
			return jail_hold(jail);
	return NULL;
}

/* It is one of those that are held. */
static void
enter(struct jail_instance *jail)
{
	lane_init(&jail->runs);
	lane_init(&jail->attaches);
	jail->references = 1;
	LIST_INSERT_HEAD(&instances, jail, entry);
	instance_count++;
	if (hooks != NULL)
		hooks->opened(jail);
}

/* By its own number: as long as it is alive nobody else has that. */
static struct jail_instance *
held_by_number(int64_t number)
{
	struct jail_instance *jail;

	LIST_FOREACH(jail, &instances, entry)
		if (number != 0 && jail->jid == number && jail_os_alive(jail))
			return jail_hold(jail);
	return NULL;
}

struct jail_instance *
jail_find(const struct jail_ref *ref, struct error *e)
{
	struct jail_instance found = {.watch_fd = -1, .descriptor = -1};
	struct jail_instance *jail;

	if ((jail = held_by_number(ref->number)) != NULL)
		return jail;
	if (jail_os_find(ref, &found, e) != 0)
		return NULL;
	if ((jail = held_instance(&found)) != NULL)
		return jail;
	if ((jail = malloc(sizeof(*jail))) == NULL) {
		error_no_memory(e);
		return NULL;
	}
	*jail = found;
	if (jail_os_open(jail, e) != 0) {
		close_and_free(jail);
		return NULL;
	}
	enter(jail);
	return jail;
}

int
jail_prepare(struct error *e)
{
	char boot[JAIL_BOOT_SIZE];

	jail_os_boot(boot);
	if (boot[0] != '\0')
		return 0;
	return error_set(e, ERR_INTERNAL, "this boot of the host can't be told from another");
}

void
jail_identify(const struct jail_instance *jail, struct jail_identity *identity)
{
	*identity = (struct jail_identity){
	    .jid = jail->jid,
	    .born = jail->born,
	    .pid_namespace = jail->pid_namespace,
	};
	memcpy(identity->known_as, jail->known_as, sizeof(identity->known_as));
	jail_os_boot(identity->boot);
}

bool
jail_is(const struct jail_instance *jail, const struct jail_identity *identity)
{
	return jail->jid == identity->jid && jail->born == identity->born &&
	       jail->pid_namespace == identity->pid_namespace &&
	       strcmp(jail->known_as, identity->known_as) == 0 && jail_os_same_boot(identity->boot);
}

struct jail_instance *
jail_find_same(const struct jail_identity *identity, struct error *e)
{
	const struct jail_ref ref = {.number = identity->jid};
	struct jail_instance *jail;

	if (identity->jid <= 0 || !jail_os_same_boot(identity->boot)) {
		error_set(e, ERR_NO_SUCH_JAIL, "the host has been booted since");
		return NULL;
	}
	if ((jail = jail_find(&ref, e)) == NULL)
		return NULL;
	if (jail_is(jail, identity))
		return jail;
	error_set(e, ERR_NO_SUCH_JAIL, "%d is another jail today", (int)identity->jid);
	jail_release(jail);
	return NULL;
}

void
jail_save(const struct jail_instance *jail, struct jail_saved *saved)
{
	jail_identify(jail, &saved->identity);
	saved->watch_fd = jail->watch_fd;
	saved->descriptor = jail->descriptor;
}

struct jail_instance *
jail_resume(const struct jail_saved *saved)
{
	struct jail_instance *jail = calloc(1, sizeof(*jail));

	if (jail == NULL)
		return NULL;
	jail->jid = saved->identity.jid;
	jail->born = saved->identity.born;
	jail->pid_namespace = saved->identity.pid_namespace;
	memcpy(jail->known_as, saved->identity.known_as, sizeof(jail->known_as));
	jail->watch_fd = saved->watch_fd;
	jail->descriptor = saved->descriptor;
	enter(jail);
	return jail;
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
	if (jail == NULL || --jail->references > 0)
		return;
	if (hooks != NULL)
		hooks->closing(jail);
	LIST_REMOVE(jail, entry);
	instance_count--;
	close_and_free(jail);
}

bool
jail_alive(const struct jail_instance *jail)
{
	return jail_os_alive(jail);
}

void
jail_set_hooks(const struct jail_hooks *new_hooks)
{
	hooks = new_hooks;
}

unsigned
jail_count(void)
{
	return instance_count;
}

struct jail_instance *
jail_next(const struct jail_instance *last)
{
	return last == NULL ? LIST_FIRST(&instances) : LIST_NEXT(last, entry);
}
