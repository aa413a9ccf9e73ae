/*
 * What of the probes is on the disk, and how it gets there: src/keep.c and src/store.c.
 *
 *	armed_file[], started_file[]	N.json and N.started of each probe, as the kernel shows them
 *	..._on_disk[]			the same as a power cut would leave them
 *	chan waiting			src/keep.c: waiting, the changes of one turn of the event loop
 *	ask, keep_save, keep_start ...	the functions of src/keep.c
 *	store_put, store_start ...	src/store.c: place_new(), start_record(), drop_record()
 *	store_commit			store_commit() and commit_group()
 *	note_kept_pending		src/keep.c: what is known of the record from now on
 *
 * A directory's changes reach the disk when it is synchronized, or at any earlier time: those of one record
 * in their order, those of several records in any. A file's content is there only if it was synchronized
 * before. The daemon can be killed, and the power can go, before each of the steps.
 */

/* A record, in one byte: 0 is none. */
#define RECORD(pending, given_back, jail)	(1 + ((pending) << 1) + ((given_back) << 3) + ((jail) << 4))
#define pending_of(record)	(((record) >> 1) & 3)
#define given_back_of(record)	(((record) >> 3) & 1)
#define jail_of(record)		(((record) >> 4) & 7)
#define TORN			128	/* its text was never synchronized, or not even written to its end */

#ifdef BUG_NO_FILE_FSYNC	/* the name is on the disk, and the text is not; in these worlds the power goes */
#define NOT_SYNCHRONIZED	TORN
#else
#define NOT_SYNCHRONIZED	0
#endif

byte armed_file[PROBES], started_file[PROBES];
byte armed_on_disk[PROBES], started_on_disk[PROBES];

mtype = { PUT, START, DROP, WAIT };			/* enum store_kind */
mtype = { NOTHING, FIRST_KEPT, RUN_TOLD, REMOVED, REMOVED_KILLING, PRESS_KEPT };	/* the keep_done_cb */

/* kind, probe, record, whether it goes to N.started, whom to tell; for RUN_TOLD the jail whose place it has */
chan waiting = [CHANGES] of { mtype, byte, byte, bool, mtype, byte };

/* ---- src/keep.c ---- */

inline ask(what, who, whom, where)
{
	assert(nfull(waiting));		/* of the model, not of the code */
	waiting!what, who, RECORD(pending[who], kept_started[who] && pending[who] > 0, jail[who]), kept_started[who], whom, where;
	if
	:: what == PUT && pending[who] > kept_pending[who] -> kept_pending[who] = pending[who]
	:: else
	fi
}

inline keep_save(who, whom, where)
{
	ask((dropped[who] -> WAIT : PUT), who, whom, where)
}

inline keep_start(who, whom, where)
{
	if
	:: kept_started[who] -> keep_save(who, whom, where)
	:: else ->
		kept_started[who] = true;
		kept_pending[who] = 0;
		ask(START, who, whom, where)
	fi
}

inline keep_drop(who, whom)
{
	dropped[who] = true;
	ask(DROP, who, whom, 0)
}

#define keep_before_start(who) (kept_pending[who] > 0 || kind(who) == NO && !kept_started[who])

/* ---- src/store.c ---- */

inline may_reach_disk(who)
{
	if
	:: power_cuts == 0	/* then it makes no difference */
	:: power_cuts > 0
	:: power_cuts > 0 ->
		armed_on_disk[who] = armed_file[who];
		started_on_disk[who] = started_file[who]
	fi
}

inline synchronize_directory()
{
	crash_point();
#ifndef BUG_NO_DIRECTORY_FSYNC	/* the name isn't on the disk yet */
	each = 0;
	do
	:: each < PROBES ->
		armed_on_disk[each] = armed_file[each];
		started_on_disk[each] = started_file[each];
		each++
	:: else -> break
	od;
	each = 0
#endif
}

/* The text is beside its place and synchronized before it is renamed. */
inline store_put(who, text, started)
{
#ifdef BUG_WRITES_IN_PLACE	/* and not beside its place */
	if
	:: started -> started_file[who] = text | TORN
	:: else -> armed_file[who] = text | TORN
	fi;
	may_reach_disk(who);
#endif
	crash_point();
	if
	:: started -> started_file[who] = text | NOT_SYNCHRONIZED
	:: else -> armed_file[who] = text | NOT_SYNCHRONIZED
	fi;
	may_reach_disk(who)
}

inline store_start(who)
{
	crash_point();
	if
	:: armed_file[who] != 0 ->
		started_file[who] = armed_file[who];
		armed_file[who] = 0;
		may_reach_disk(who)
	:: else
	fi
}

inline store_drop(who)
{
	crash_point();
	armed_file[who] = 0;
	may_reach_disk(who);
	crash_point();
	started_file[who] = 0;
	may_reach_disk(who)
}

inline take_change()
{
	waiting?change, who_of, record, into_started, done, place_of
}

inline note_kept_pending()
{
	if
	:: change == PUT -> kept_pending[who_of] = pending_of(record)
	:: else
	fi
}

/* The runs that could not be started: the disk knows it now. */
inline they_wait_again()
{
	each = 0;
	do
	:: each < PROBES ->
		on_the_brink[each] = on_the_brink[each] - returned[each];
		returned[each] = false;
		each++
	:: else -> break
	od;
	each = 0
}

/* The changes stay in their channel, which stands as before afterwards. */
inline store_commit()
{
	group = len(waiting);
	left = group;
	do
	:: left > 0 ->
		take_change();
		if
		:: change == PUT -> store_put(who_of, record, into_started)
		:: change == START -> store_start(who_of)
		:: change == DROP -> store_drop(who_of)
		:: change == WAIT
		fi;
#ifndef BUG_NOTES_ONE_BY_ONE	/* what the disk says is known of each only when those before it have been told */
		note_kept_pending();
#endif
		if
		:: done == RUN_TOLD -> on_the_brink[who_of]++
		:: else
		fi;
		waiting!change, who_of, record, into_started, done, place_of;
		left--
	:: else -> break
	od;
	synchronize_directory();
	they_wait_again()
}
