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

static struct jail_instance *
held_instance(const struct jail_instance *found)
{
	struct jail_instance *jail;

	LIST_FOREACH(jail, &instances, entry)
		if (jail->jid == found->jid && jail->born == found->born &&
		    strcmp(jail->known_as, found->known_as) == 0)
			return jail_hold(jail);
	return NULL;
}

struct jail_instance *
jail_find(const struct jail_ref *ref, struct error *e)
{
	struct jail_instance found = {.watch_fd = -1};
	struct jail_instance *jail;

	if (jail_os_find(ref, &found, e) != 0)
		return NULL;
	if ((jail = held_instance(&found)) != NULL)
		return jail;
	if ((jail = malloc(sizeof(*jail))) == NULL) {
		error_no_memory(e);
		return NULL;
	}
	*jail = found;
	lane_init(&jail->runs);
	lane_init(&jail->attaches);
	if (jail_os_open(jail, e) != 0) {
		util_close(&jail->watch_fd);
		free(jail);
		return NULL;
	}
	jail->references = 1;
	LIST_INSERT_HEAD(&instances, jail, entry);
	instance_count++;
	if (hooks != NULL)
		hooks->opened(jail);
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
	util_close(&jail->watch_fd);
	free(jail);
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
