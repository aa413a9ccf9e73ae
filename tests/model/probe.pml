/*
 * A probe's life: presses, the queue, the store, crashes and restarts. Every step of a small world is tried
 * in every order: two probes, two jails, a few presses, an end of the daemon at each place where it can be
 * killed, and a new daemon that finds what was left.
 *
 * Where it stands in the code; the inlines have the names of the functions, of which they do what concerns
 * the properties below:
 *
 *	queue.pml, and pump in run.pml		src/lanes.c, src/queue.c
 *	store.pml, finish_next, keep_changed	src/keep.c, src/store.c
 *	run.pml					src/run.c, src/start.c
 *	go_on_reaping				src/reaper.c: a turn, in which starts may overlap
 *	life.pml: probe_disarm ... arm_done	src/probe.c
 *	life.pml: probe_add ... probe_settle	src/probe_add.c
 *	life.pml: probe_remove, keep_press	src/probe_ask.c
 *	crash.pml: probe_restore, ...		src/probe_restore.c, src/state.c
 *	act LOOK				src/sticky.c: look_for()
 *	go_on_stopping				src/server.c: stop(), src/keep.c: keep_finish()
 *	proctype daemon				the event loop, one callback a step; clients' requests are such steps
 *	proctype jails				who is inside and presses, who ends jails and starts them
 *
 * What must hold, by name in the assertions' comments:
 *
 *	balance		triggers = runs + coalesced + dropped + waiting, always
 *	stands_for	a press is coalesced only where one waits that stands for it
 *	once		a single shot runs once at most, over all ends and restarts
 *	never_twice	what has started doesn't wait again in the next daemon
 *	overlap		-r and single shots: one run at a time; -R: no more than may; never armed during the run of -r
 *	numbers		of one probe no two runs are begun at a time
 *	survives	a probe whose add was answered ok is there in the next daemon
 *	removed		one whose removal was answered ok is not
 *	kept_press	a trigger that was answered ok and waits is there too, and so are all after an orderly end
 *	same_jail	a probe that is not sticky is armed in its own jail, and in no later one
 *	unreaped	a probe that is replaced has its run if it was pressed just then
 *	rest		when nothing more comes from outside, every run has been made, every change is on the disk, and
 *			every probe is armed or waits for a jail that isn't there: no deadlock, nothing forgotten. No
 *			state is ever come back to (tools/prove.d/model searches for cycles), so rest is always reached;
 *			what goes on for ever is in fair.pml
 *
 * With -DBUG_... a slip of a programmer is in it, at the places that have the word, and one of these fails.
 *
 * What the code does not promise, and the model therefore lets pass:
 *
 *	- a run whose start the store was told of is lost if the daemon is killed before its exec, or, where that
 *	  fails for want of processes, before the store was told that it waits again: at most once was chosen over
 *	  at least once (on_the_brink);
 *	- presses from inside that wait for a run of -r or -R are not on the disk: lost by a crash, not by an
 *	  orderly end;
 *	- a press that waits for its run is dropped, with a line in the log, if its jail ended before the restart;
 *	- a press that the daemon hasn't reaped is lost when it is killed, or when its probe is removed;
 *	- runs that outlive the daemon are not counted by the next one: overlap is about one daemon's life.
 *
 * What isn't here: time (a timer may expire at any time, a cooldown is a step more), the numbers of probes
 * (src/store.c: store_reserve), configured ones, the handover to another binary, and a disk that fails.
 */

/* ---- the instance; whoever runs it says otherwise with -D ---- */

#define NO	0	/* enum definition_respawn */
#define AFTER	1
#define NOW	2

#ifndef KIND0
#define KIND0	NO
#endif
#ifndef KIND1
#define KIND1	AFTER
#endif
#ifndef STICKY0
#define STICKY0	0
#endif
#ifndef STICKY1
#define STICKY1	0
#endif
#ifndef COOLING0	/* has a cooldown */
#define COOLING0	0
#endif
#ifndef COOLING1
#define COOLING1	0
#endif
#ifndef JAIL1		/* of probe 1; that of probe 0 is 0 */
#define JAIL1	1
#endif
#ifndef ADDED		/* probes: 1 or 2 */
#define ADDED	2
#endif
#ifndef LIMIT		/* runs at once */
#define LIMIT	1
#endif
#ifndef MOST		/* max_runs, of NOW */
#define MOST	2
#endif

/* How often what may happen, at most. */
#ifndef HUPS
#define HUPS	2
#endif
#ifndef TRIGGERS	/* -x */
#define TRIGGERS	1
#endif
#ifndef REMOVES
#define REMOVES	0
#endif
#ifndef KILLS		/* somebody inside kills a probe */
#define KILLS	0
#endif
#ifndef ENDS		/* of a jail */
#define ENDS	0
#endif
#ifndef RETURNS
#define RETURNS	0
#endif
#ifndef CRASHES		/* the daemon is killed */
#define CRASHES	1
#endif
#ifndef POWER_CUTS	/* the host loses its power */
#define POWER_CUTS	0
#endif
#ifndef STOPS
#define STOPS	0
#endif
#ifndef FAILURES	/* of a fork: EAGAIN */
#define FAILURES	0
#endif
#ifndef MISSING		/* commands that don't exist */
#define MISSING	0
#endif
#ifndef REFUSED		/* attaches */
#define REFUSED	0
#endif
#ifndef LOWERED		/* limits, by a reload */
#define LOWERED	0
#endif

#define PROBES	2
#define LANES	(3 + RETURNS + 2 * POWER_CUTS)	/* instances of jails, from 1 on */
#define ENTRIES	PROBES
#define CHANGES	8

#define kind(who)	((who) == 0 -> KIND0 : KIND1)
#define sticky(who)	((who) == 0 -> STICKY0 : STICKY1)
#define cooldown(who)	((who) == 0 -> COOLING0 : COOLING1)
#define jail_named(who)	((who) == 0 -> 0 : JAIL1)
#define paced_by_starts(who) (kind(who) != NOW || cooldown(who))

/* ---- the world ---- */

byte current[2] = { 1, 2 };	/* the instance that has the jail's name; 0: it isn't there */
bool alive[LANES] = { false, true, true };
byte instances = 2;

byte hups = HUPS, triggers = TRIGGERS, removes = REMOVES, kills = KILLS, ends = ENDS, returns = RETURNS;
byte crashes = CRASHES, power_cuts = POWER_CUTS, stops = STOPS;
byte failures = FAILURES, missing = MISSING, refused = REFUSED, lowered = LOWERED;
bool calm;			/* nothing more comes from outside */

/* ---- the daemon's memory: struct probe ---- */

mtype = { UNBORN, THERE, GONE };
mtype = { NONE, WAITING, STARTING, RESTING, ARMED };	/* RESTING: cooling, or trying again later */
mtype = { NOBODY_THERE, LISTENING, PRESSED, KILLED };	/* the process in the jail, and how it ended */

mtype life[PROBES] = UNBORN;
mtype presence[PROBES] = NONE;
mtype process[PROBES] = NOBODY_THERE;
byte jail[PROBES];
byte pending[PROBES], told[PROBES], running[PROBES];	/* active is told and running */
byte entry_jail[PROBES];
bool starting[PROBES];
chan begun = [PROBES] of { byte, byte };		/* commands on their way, and by whose place: these are told, too */
byte jobs[PROBES * LANES];				/* running, by whose place they have */
bool asked_for[PROBES], cancelled[PROBES];
bool replaces;						/* probe 1 takes the name of probe 0 */
bool saving[PROBES], kept[PROBES], dropped[PROBES], kept_started[PROBES];
byte kept_pending[PROBES];
byte most_at_once_now = MOST;

#define active(who)	(told[who] + running[who])
#define most_at_once(who) (kind(who) == NOW -> most_at_once_now : 1)

/* ---- what only the model knows ---- */

byte balance[PROBES];		/* triggers - runs - coalesced - dropped */
byte home[PROBES];		/* the jail that it was added to */
bool has_run[PROBES];		/* single shots */
bool must[PROBES];		/* its add was heard */
bool must_not[PROBES];		/* its removal was */
byte owed[PROBES];		/* of those that wait, from the first to the last whose ok was heard */
byte could[PROBES];		/* triggers that waited when the daemon ended */
byte asking[PROBES];		/* the same, to the last whose ok is on its way */
byte on_the_brink[PROBES];	/* starts that the store knows of, before the exec */
bool returned[PROBES];		/* one of them waits again, and the store is still to be told */
bool add_answer[PROBES], remove_answer[PROBES];
bool lost_press;		/* thrown away with who was pressed */

/* ---- the daemon's registers: 0 between its steps ---- */

mtype = { ADD, EXITED, ARM_DONE, TIMER, LOOK, TRIGGER, REMOVE, JAIL_ENDED, COMMAND_ENDED, COMMIT, RETRY, RELOAD, STOP };
mtype = { FROM_INSIDE, EARLY, BY_TRIGGER, REPLACED };	/* EARLY: before its parent knew that it is there */
mtype = { REAPS, FLUSHES };				/* of an orderly end */

mtype act, press, ending, change, done;
byte who, presser, who_of, record, place_of, left, group, each, waiting_yet;
bool into_started, started_now, shuts_down, reaping;
bool to_rearm[PROBES], to_lose_jail[PROBES], to_end[PROBES];

#include "queue.pml"

/* Here the daemon can be killed. */
inline crash_point()
{
	if
	:: crashes + power_cuts > 0 && !calm -> goto died
	:: true
	fi
}

#include "store.pml"

#include "run.pml"
#include "life.pml"

/* ---- src/keep.c, whoever is told ---- */

inline finish()
{
#ifdef BUG_NOTES_ONE_BY_ONE
	note_kept_pending();
#endif
	if
	:: done == FIRST_KEPT -> first_kept(who_of)
	:: done == RUN_TOLD -> store_told(who_of, place_of)
	:: done == REMOVED || done == REMOVED_KILLING -> record_dropped(who_of, done == REMOVED_KILLING)
	:: done == PRESS_KEPT || done == NOTHING
	fi
}

/* The next change of the group that was committed, told to whoever waits for it. */
inline finish_next()
{
	take_change();
	group--;
	finish();
	change = 0;
	done = 0;
	who_of = 0;
	record = 0;
	into_started = false;
	place_of = 0
}

/* What waits, at an orderly end. The code saves more: counts, and the last result. */
inline keep_changed(p)
{
	if
	:: life[p] == THERE && kept[p] && pending[p] > 0 -> keep_save(p, NOTHING, 0)
	:: else
	fi
}

/* ---- answers ---- */

/* No answer leaves while a change waits to be kept (send_ready() in src/control.c), and a commit comes in the same
 * turn of the event loop (event_active() in src/keep.c): so no client hears anything while changes wait. */
inline hear()
{
	each = 0;
	do
	:: each < PROBES ->
		must[each] = (add_answer[each] && life[each] == THERE && !dropped[each] ->
		    !(kind(each) == NO && kept_started[each] && pending[each] == 0) : must[each]);
		must_not[each] = must_not[each] || remove_answer[each];
		owed[each] = (asking[each] > owed[each] -> asking[each] : owed[each]);
		add_answer[each] = false;
		remove_answer[each] = false;
		asking[each] = 0;
		each++
	:: else -> break
	od;
	each = 0
}

/* After each step. */
inline look_again()
{
	assert(balance[0] == pending[0] + told[0] && balance[1] == pending[1] + told[1]);	/* balance */
	assert(!lost_press);								/* unreaped */
	if
	:: empty(waiting) -> hear()
	:: nempty(waiting)
	fi;
	act = 0;
	who = 0
}

#include "crash.pml"

/* ---- the event loop ---- */

#define is_there(p)	(life[p] == THERE)
#define has_ended(p)	(is_there(p) && (process[p] == PRESSED || process[p] == KILLED))

/* One of these, or none if none can be. */
inline choose_of(p)
{
	if
	:: life[p] == UNBORN && p < ADDED && !calm -> act = ADD
	:: has_ended(p) -> act = EXITED
	:: is_there(p) && presence[p] == STARTING -> act = ARM_DONE
	:: is_there(p) && presence[p] == RESTING -> act = TIMER
	:: is_there(p) && presence[p] == RESTING && !alive[jail[p]] -> act = JAIL_ENDED
	:: is_there(p) && presence[p] == WAITING && current[jail_named(p)] != 0 -> act = LOOK
	:: is_there(p) && presence[p] == ARMED && triggers > 0 && !calm -> triggers--; act = TRIGGER
	:: is_there(p) && !dropped[p] && removes > 0 && !calm -> removes--; act = REMOVE
	:: running[p] > 0 -> act = COMMAND_ENDED
	fi;
	who = p
}

inline choose()
{
	if
	:: choose_of(0)
	:: choose_of(1)
	:: nempty(waiting) -> act = COMMIT
	:: resting -> act = RETRY
	:: lowered > 0 && !calm -> lowered--; act = RELOAD
	:: stops > 0 && !calm -> stops--; act = STOP
	:: crashes + power_cuts > 0 && !calm -> goto died
	fi
}

inline command_ended(p)
{
	each = 1;
	do
	:: jobs[p * LANES + each] > 0 -> break
	:: else -> each++
	od;
	finish_run(p, each);
	each = 0
}

inline perform()
{
	if
	:: act == ADD -> probe_add(who)
	:: act == EXITED -> reaping = (ending == 0); probe_exited(who)
	:: act == ARM_DONE -> arm_done(who)
	:: act == TIMER -> start(who)
	:: act == LOOK ->				/* src/sticky.c: look_for() */
#ifndef BUG_LOOKS_NO_MORE	/* one that has waited once isn't looked for again */
		jail[who] = current[jail_named(who)];
		start(who)
#else
		presence[who] = NONE
#endif
	:: act == JAIL_ENDED -> to_lose_jail[who] = true
	:: act == TRIGGER -> probe_pressed(who, BY_TRIGGER)
	:: act == REMOVE -> probe_remove(who)
	:: act == COMMAND_ENDED -> reaping = true; command_ended(who)
	:: act == COMMIT -> store_commit()
	:: act == RETRY -> resting = false
	:: act == RELOAD -> limit = 1; most_at_once_now = 1
	:: act == STOP -> ending = REAPS
	fi
}

/* The turn goes on with whatever has ended, and is over when all are told of. Each may be told earlier: only so many can
 * be on their way. */
inline go_on_reaping()
{
	act = 0;
	if
	:: has_ended(0) -> who = 0; act = EXITED
	:: has_ended(1) -> who = 1; act = EXITED
	:: running[0] > 0 -> who = 0; act = COMMAND_ENDED
	:: running[1] > 0 -> who = 1; act = COMMAND_ENDED
	:: nempty(begun) -> report_first()
	:: empty(begun) -> reaping = false
	fi
}

/* src/server.c: stop(). What was pressed is reaped, what waits is saved. */
inline go_on_stopping()
{
	if
	:: has_ended(0) && ending == REAPS -> who = 0; act = EXITED
	:: !has_ended(0) && has_ended(1) && ending == REAPS -> who = 1; act = EXITED
	:: else ->
		if
#ifndef BUG_SAVES_BEFORE_KEPT	/* what is kept for the first time just then isn't looked at */
		:: nempty(waiting) -> act = COMMIT
		:: empty(waiting) && ending == REAPS -> keep_changed(0); keep_changed(1); act = 0; ending = FLUSHES
#else
		:: ending == REAPS -> keep_changed(0); keep_changed(1); act = 0; ending = FLUSHES
		:: nempty(waiting) && ending == FLUSHES -> act = COMMIT
#endif
		:: empty(waiting) && ending == FLUSHES -> shuts_down = true; goto died
		fi
	fi
}

active proctype daemon()
{
work:
end:	atomic {
		choose();
		goto begin
	};
begin_again:
	atomic {
		state_restore();
		goto go_on;
begin:
		perform();
go_on:
		pump();
		go_on_with(0);
		go_on_with(1);
		after_press();
		if
		:: to_end[0] -> goto go_on
		:: !to_end[0] && group > 0 -> finish_next(); goto go_on
		:: !to_end[0] && group == 0 && reaping ->
			go_on_reaping();
			if
			:: act != 0 -> goto begin
			:: else -> goto go_on
			fi
		:: !to_end[0] && group == 0 && !reaping && ending != 0 ->
			go_on_stopping();
			if
			:: act != 0 -> goto begin
			:: else -> goto go_on
			fi
		:: else
		fi;
		look_again();
		goto work
	};
died:
	atomic {
		die();
		goto begin_again
	}
}
/* ---- who is inside, and who has the jails ---- */

#define listens(who)	(process[who] == LISTENING && !calm)

inline end_jail(which)
{
	ends--;
	alive[current[which]] = false;
	each_inside = 0;
	do
	:: each_inside < PROBES ->
		if
		:: process[each_inside] == LISTENING && jail[each_inside] == current[which] -> process[each_inside] = KILLED
		:: else
		fi;
		each_inside++
	:: else -> break
	od;
	each_inside = 0;
	current[which] = 0
}

inline return_jail(which)
{
	returns--;
	instances++;
	current[which] = instances;
	alive[instances] = true
}

inline be_calm()
{
	calm = true;
	hups = 0;
	triggers = 0;
	removes = 0;
	kills = 0;
	ends = 0;
	returns = 0;
	crashes = 0;
	power_cuts = 0;
	stops = 0;
	failures = 0;
	missing = 0;
	refused = 0;
	lowered = 0
}

active proctype jails()
{
	byte each_inside;

end:	do
	:: atomic { hups > 0 && listens(0) -> hups--; process[0] = PRESSED }
	:: atomic { hups > 0 && listens(1) -> hups--; process[1] = PRESSED }
	:: atomic { kills > 0 && listens(0) -> kills--; process[0] = KILLED }
	:: atomic { kills > 0 && listens(1) -> kills--; process[1] = KILLED }
	:: atomic { ends > 0 && current[0] != 0 && !calm -> end_jail(0) }
	:: atomic { ends > 0 && current[1] != 0 && !calm -> end_jail(1) }
	:: atomic { returns > 0 && current[0] == 0 && !calm -> return_jail(0) }
	:: atomic { returns > 0 && current[1] == 0 && !calm -> return_jail(1) }
	:: atomic { !calm -> be_calm() }
	od
}

/* ---- rest ---- */

#define at_rest(who) (balance[who] == 0 && running[who] == 0 && lane_of[who] == 0 && !asked_for[who] && \
	(life[who] != THERE || \
	 presence[who] == ARMED && process[who] == LISTENING && alive[jail[who]] || \
	 presence[who] == WAITING && current[jail_named(who)] == 0))

active proctype rest_is_reached()
{
	timeout ->
	assert(at_rest(0) && at_rest(1));
	assert(empty(waiting) && empty(circle) && places_in_all == 0)
}
