/*
 * Jails: finding one by number or name, holding on to this very instance of it, knowing whether it
 * is still there. On Linux a jail is a pid namespace other than the daemon's own, and its jid the
 * host's pid of its init.
 *
 * An instance is bound by something that can't be re-used: on Linux a pidfd of its init; on FreeBSD
 * the jid together with the name, checked again by the probe from inside. A new jail that gets an
 * old number is another instance.
 */
#ifndef JAIL_H
#define JAIL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "error.h"
#include "lanes.h"

#define JAIL_NAME_SIZE 256

/* How a jail is asked for: by number, or by name when number is 0. */
struct jail_ref {
	int64_t number;
	char name[JAIL_NAME_SIZE];
};

struct event;

struct jail_instance {
	LIST_ENTRY(jail_instance) entry;
	unsigned references;
	pid_t jid;
	uint64_t born;			/* Linux: start time of its init, in clock ticks since boot */
	char known_as[JAIL_NAME_SIZE];	/* FreeBSD: the system's name for it; Linux: "" */
	int watch_fd;			/* becomes readable when the jail ends; -1: ask jail_alive */
	uint64_t pid_namespace;		/* Linux: its inode number */
	struct lane runs;		/* turns of its runs, and of its attaches */
	struct lane attaches;
	struct event *watch;		/* jailwatch's own */
};

/* Finds the jail as it is now, with one reference for the caller. NULL with *e filled in. */
struct jail_instance *jail_find(const struct jail_ref *, struct error *e);

struct jail_instance *jail_hold(struct jail_instance *);
void jail_release(struct jail_instance *); /* NULL: nothing */

bool jail_alive(const struct jail_instance *);

/* Told of each instance when it has been opened, and before it is closed. */
struct jail_hooks {
	void (*opened)(struct jail_instance *);
	void (*closing)(struct jail_instance *);
};
void jail_set_hooks(const struct jail_hooks *);

/* Instances that are held. */
unsigned jail_count(void);

/* Who is at the other end of a connected unix socket: its uid, if it is a process of the host, in no
 * jail. -1 with *e (ERR_DENIED) filled in. */
int jail_check_peer(int fd, uid_t *uid, struct error *e);

/* What the system's file provides; for jail.c alone. jail_os_find fills in jid and born (and
 * known_as), jail_os_open the rest, failing when the jail is no longer the one that was found. */
int jail_os_find(const struct jail_ref *, struct jail_instance *found, struct error *e);
int jail_os_open(struct jail_instance *, struct error *e);
bool jail_os_alive(const struct jail_instance *);

/* Linux: CLONE_NEW* of the namespaces that the jail doesn't share with us, as they are now. */
uint32_t jail_namespaces(const struct jail_instance *);

#endif
