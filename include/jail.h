/*
 * Jails: finding one by number or name, holding on to this very instance of it, knowing whether it
 * is still there. On Linux a jail is a pid namespace other than the daemon's own, and its jid the
 * host's pid of its init.
 *
 * An instance is bound by something that can't be re-used: on Linux a pidfd of its init; on FreeBSD
 * 15 a jail descriptor, before it the jid together with the name, checked again by the probe from
 * inside. A new jail that gets an old number is another instance.
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
#define JAIL_BOOT_SIZE 48

/* How a jail is asked for: by number, or by name when number is 0. */
struct jail_ref {
	int64_t number;
	const char *name; /* fits into JAIL_NAME_SIZE; NULL: by number */
};

struct event;

struct jail_instance {
	LIST_ENTRY(jail_instance) entry;
	unsigned references;
	pid_t jid;
	uint64_t born;			/* Linux: start time of its init, in clock ticks since boot */
	char known_as[JAIL_NAME_SIZE];	/* FreeBSD: the system's name for it; Linux: "" */
	int watch_fd;			/* becomes readable when the jail ends; -1: ask jail_alive */
	int descriptor;			/* FreeBSD 15: of the jail itself; elsewhere -1 */
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

/*
 * What is kept of an instance to know it again after the daemon, or the host, was restarted. boot names
 * the boot of the host; "" when the system doesn't tell, and then nothing is ever found again.
 *
 * On Linux no other jail has the same. On FreeBSD it is the jid and the name: a jail that was removed and
 * made again under both of them while nobody held it can't be told from the first one. Nor, before
 * kern.boot_id (FreeBSD 14), is the boot beyond doubt: it is the time of the boot, which has to agree
 * within two seconds, and how long after it, to the microsecond, init began. There a clock that was set
 * by more than that looks like another boot.
 */
struct jail_identity {
	pid_t jid;
	uint64_t born;
	uint64_t pid_namespace;
	char known_as[JAIL_NAME_SIZE];
	char boot[JAIL_BOOT_SIZE];
};
void jail_identify(const struct jail_instance *, struct jail_identity *);

/* Whether it is that one. */
bool jail_is(const struct jail_instance *, const struct jail_identity *);

/* The same instance, held; NULL with *e (ERR_NO_SUCH_JAIL, or what jail_find fails with) when it is not
 * there any more, or the host has been booted since. */
struct jail_instance *jail_find_same(const struct jail_identity *, struct error *e);

/* An instance that goes to the daemon after this one, with its descriptors; one reference for the caller.
 * NULL: no memory. */
struct jail_saved {
	struct jail_identity identity;
	int watch_fd;
	int descriptor;
};
void jail_save(const struct jail_instance *, struct jail_saved *);
struct jail_instance *jail_resume(const struct jail_saved *);

/* Told of each instance when it has been opened, and before it is closed. */
struct jail_hooks {
	void (*opened)(struct jail_instance *);
	void (*closing)(struct jail_instance *);
};
void jail_set_hooks(const struct jail_hooks *);

/* Whether jails can be known again, by another daemon too: at the start of one. */
int jail_prepare(struct error *);

/* Instances that are held: how many; the first (NULL), or the one after it. */
unsigned jail_count(void);
struct jail_instance *jail_next(const struct jail_instance *);

/* Who is at the other end of a connected unix socket: its uid, if it is a process of the host, in no
 * jail. -1 with *e (ERR_DENIED) filled in. */
int jail_check_peer(int fd, uid_t *uid, struct error *e);

/* What the system's file provides; for jail.c alone. jail_os_find fills in jid and born (and
 * known_as), jail_os_open the rest, failing when the jail is no longer the one that was found. */
int jail_os_find(const struct jail_ref *, struct jail_instance *found, struct error *e);
int jail_os_open(struct jail_instance *, struct error *e);
bool jail_os_alive(const struct jail_instance *);
void jail_os_boot(char boot[JAIL_BOOT_SIZE]);
bool jail_os_same_boot(const char *boot); /* "": false */

/* Linux: CLONE_NEW* of the namespaces that the jail doesn't share with us, as they are now. */
uint32_t jail_namespaces(const struct jail_instance *);

#endif
