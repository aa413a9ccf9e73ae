/*
 * A probe's life: from its definition to its end, through starting, armed, queued, running, cooling
 * and back. Other layers read the fields and change them through the functions.
 */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "arm.h"
#include "definition.h"
#include "due.h"
#include "error.h"
#include "jail.h"
#include "queue.h"
#include "rate.h"
#include "tail.h"
#include "tally.h"
#include "tree.h"

struct event_base;

/* What the protocol shows. */
enum probe_state {
	PROBE_WAITING,
	PROBE_STARTING,
	PROBE_ARMED,
	PROBE_QUEUED,
	PROBE_RUNNING,
	PROBE_COOLING,
	PROBE_GONE,
	PROBE_STATES
};

/* Where the process in the jail is; runs are counted apart, because those of a RESPAWN_NOW probe go
 * on while it is armed again. */
enum probe_presence {
	PRESENCE_NONE,	   /* triggered, and not to be armed before the run ends */
	PRESENCE_WAITING,  /* sticky, its jail is not there */
	PRESENCE_STARTING, /* being armed, or waiting to try again */
	PRESENCE_ARMED,
	PRESENCE_COOLING, /* not before its rate allows it */
};

/* The last run that has ended. */
struct probe_last {
	bool any;
	int64_t started_ms;
	int64_t finished_ms;
	int status; /* as waitpid gives it */
	bool timed_out;
	uint64_t output_bytes;
};

struct probe_run;
struct probe_waiter;

struct probe {
	RB_ENTRY(probe) by_number;
	RB_ENTRY(probe) by_name;
	RB_ENTRY(probe) by_jail; /* while waiting for it */
	TAILQ_ENTRY(probe) every; /* in the list of all, ended ones whose runs go on included */
	TAILQ_ENTRY(probe) link; /* in the list of gone ones */
	uint64_t number;
	struct definition def;
	char *tag; /* probe=N name="…" jail="…", for log lines */
	int64_t created_ms;

	enum probe_presence presence;
	bool gone;
	bool remembered;	    /* in the list of gone ones */
	unsigned held;		    /* by code that still needs it */
	pid_t pid;		    /* 0: none armed */
	struct jail_instance *jail; /* NULL while waiting */
	struct arm *arm;
	struct due due;	  /* cooling, or the next try to arm */
	int64_t armed_at; /* monotonic */
	struct rate rate;

	struct lane_entry entry;
	struct jail_instance *entry_jail; /* of the pending triggers; held while there are any */
	int64_t pressed_us;		  /* monotonic, when they came: the sum */
	unsigned pending;		  /* triggers whose run has not started */
	unsigned active;		  /* runs going on */
	bool starting; /* one of them is on its way; the next one's number is not known before */
	LIST_HEAD(, probe_run) active_runs;

	uint64_t triggers;
	uint64_t logged_triggers;
	uint64_t runs; /* started */
	uint64_t coalesced;
	uint64_t throttled;
	struct tally tallies[TALLIES]; /* what was told of the last two */
	struct probe_last last;
	struct tail output; /* of the last run that has ended */

	SLIST_HEAD(, probe_waiter) waiters;
	unsigned failures; /* to arm, in a row */
	bool replaces; /* takes its name from another one when it is there to stay */

	/* What the store has of it; keep.h says how it gets there. */
	bool configured;	/* it comes from a file of the administrator's */
	bool saving;		/* its first record is on its way */
	bool kept;		/* the record is there, or nothing is to be kept */
	bool dropped;		/* the record goes, or went */
	bool kept_started;	/* single shot: the record says that its run was about to start */
	unsigned kept_pending;	/* triggers that the record tells of */
	uint64_t kept_triggers; /* as counted in the record */
	int64_t kept_last_ms;	/* when the last run had ended that the record tells of */
};

/* What is known of a probe that was kept. */
struct probe_saved {
	uint64_t number;
	int64_t created_ms;
	bool configured;
	unsigned pending; /* triggers whose run has not started */
	bool given_back;  /* it was about to start once */
	uint64_t triggers;
	uint64_t runs;
	uint64_t coalesced;
	uint64_t throttled;
	struct probe_last last;
	struct jail_identity jail; /* boot "": it was waiting for its jail */
};

/* What its record doesn't have, for the daemon that comes after this one. */
struct probe_moment {
	enum probe_presence presence;
	pid_t pid;
	bool gone;
	bool remembered;
	bool kept;
	bool dropped;
	bool kept_started;
	unsigned kept_pending;
	uint64_t kept_triggers;
	int64_t kept_last_ms;
	uint64_t logged_triggers;
	unsigned failures;
	int64_t armed_at;	    /* monotonic, like the next: the clock goes on */
	int64_t rate_due;
	struct jail_instance *jail; /* NULL: none; held by the call */
	struct jail_instance *entry_jail;
	const char *output; /* of its last run */
	size_t output_length;
	uint64_t output_total;
};

/* probe is NULL when it could not be armed; then e says why. */
typedef void probe_added_cb(void *arg, struct probe *, const struct error *e);

/* -1: no memory. */
int probe_init(struct event_base *);

enum probe_add_flags {
	PROBE_ADD_REPLACE = 1,	  /* another definition takes the place of the one with its name */
	PROBE_ADD_CONFIGURED = 2, /* it comes from a file of the administrator's */
};

/*
 * Takes over the members of *def (clearing it), whatever the outcome. The callback comes exactly
 * once, when the probe is armed (a sticky one without its jail: waiting) and would survive the daemon,
 * or certainly never will be; possibly from within the call. A definition that is there already under
 * its name is answered with that probe.
 */
void probe_add(struct definition *def, unsigned flags, probe_added_cb *, void *arg);

/* A probe as it was kept, back to life. Takes over the members of *def, unless it fails: -1 with
 * *e: ERR_NO_SUCH_JAIL, its jail is not the same any more; ERR_EXISTS, a newer one has its name. */
int probe_restore(struct definition *def, const struct probe_saved *, struct error *e);

/* A probe as it is, from the daemon before this one: the same process. Its runs in progress are to follow
 * with run_resume, its triggers whose runs have not started with run_restore, and then probe_go_on. Takes over the members of *def. NULL: no memory. */
void probe_save(struct probe *, struct probe_moment *);
struct probe *probe_resume(struct definition *def, const struct probe_saved *,
			   const struct probe_moment *);
void probe_go_on(struct probe *);

/* Told once when what was asked for is certain to survive the daemon; *e says why it isn't. The probe
 * may be gone by then. From within the call, perhaps. */
typedef void probe_done_cb(void *arg, struct probe *, const struct error *e);

/* Ends the probe; a queued trigger is dropped, a run in progress goes on unless kill_runs. If its
 * record can't be removed it lives on. */
void probe_remove(struct probe *, bool kill_runs, probe_done_cb *, void *arg);

/* Does what a HUP from inside does. -1 with *e when it isn't armed, and nobody is called. It may end
 * within the call. */
int probe_trigger(struct probe *, struct error *e, probe_done_cb *, void *arg);

enum probe_state probe_state(const struct probe *);

/* Output of the last ended run, or of the one in progress if none has ended. */
struct tail *probe_output(struct probe *);

/* Keeps a probe that may end meanwhile from being freed. */
void probe_hold(struct probe *);
void probe_release(struct probe *);

/* For the daemon's end: kills every probe, and starts nothing any more. Runs go on. */
void probe_stop_all(void);

#endif
