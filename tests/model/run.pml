/*
 * Presses and runs: src/run.c, with the pump of src/queue.c.
 *
 * What the code does by calls within calls is done by one inline after the other here and in life.pml: who calls
 * pump(), rearm(), lose_jail() or probe_end() there leaves a note here, and go_on: in probe.pml follows it in the same
 * step.
 */

inline push(p)
{
	if
#ifndef BUG_NUMBERS_TWICE	/* another run of it is begun while the first one's number isn't counted */
	:: pending[p] > 0 && lane_of[p] == 0 && !starting[p] && active(p) < most_at_once(p) ->
#else
	:: pending[p] > 0 && lane_of[p] == 0 && active(p) < most_at_once(p) ->
#endif
		lanes_push(entry_jail[p], p)
	:: else
	fi
}

inline give_back_pending(p, where)
{
#ifndef BUG_FORGETS_LANE	/* what came meanwhile, from another jail, says whose turn it is */
	entry_jail[p] = (lane_of[p] == 0 -> where : entry_jail[p]);
#else
	entry_jail[p] = (pending[p] == 0 -> where : entry_jail[p]);
#endif
	pending[p]++
}

inline queue_run_ended(where)
{
	lanes_release(where);
	resting = false
}

inline finish_run(p, where)
{
	jobs[p * LANES + where]--;
	running[p]--;
	push(p);
	probe_run_ended(p);
	queue_run_ended(where)
}

/* First come, first served. */
inline one_less_waits(p)
{
	balance[p]--;
	owed[p] = (owed[p] > 0 -> owed[p] - 1 : 0);
	asking[p] = (asking[p] > 0 -> asking[p] - 1 : 0)
}

/* started_now: it is executed. A told run is counted as told until store_told() is through with it, and so is one that
 * was begun. */
inline execute_or_give_back(p, where)
{
	crash_point();
	if
	:: failures > 0 -> failures--; give_back_pending(p, where)
	:: true ->
		started_now = true;
		assert(kind(p) != NO || !has_run[p]);		/* once */
		has_run[p] = (kind(p) == NO);
		must[p] = must[p] && kind(p) != NO;
		one_less_waits(p);
		running[p]++;
		jobs[p * LANES + where]++
	fi
}

/* The rest of it. */
inline run_has_started(p, where)
{
	started_now = false;
	push(p);
	probe_run_started(p);
	if
	:: missing > 0 -> missing--; finish_run(p, where)
	:: true
	fi
}

/* src/start.c: its command is on its way, and nobody looks yet whether it comes to its exec. */
inline begin_command(p, where)
{
	assert(!starting[p]);				/* numbers */
	starting[p] = true;
	told[p]++;
	begun!p,where
}

inline started(p, where)
{
	starting[p] = false;
	execute_or_give_back(p, where);
	told[p]--;
	if
	:: started_now -> run_has_started(p, where)
	:: else -> queue_put_back(where, p)
	fi
}

/* The one that was begun first. */
inline report_first()
{
	begun?who_of,place_of;
	started(who_of, place_of);
	who_of = 0;
	place_of = 0
}

inline start_run(p, where)
{
	assert(life[p] != UNBORN && pending[p] > 0);	/* of the code: it would use what was freed */
	assert(entry_jail[p] == where);			/* and give back another one's place */
	pending[p]--;
	entry_jail[p] = (pending[p] == 0 -> 0 : entry_jail[p]);
	if
#ifndef BUG_RUNS_FIRST	/* the command is started, and then the record */
	:: keep_before_start(p) && kind(p) == NO -> told[p]++; keep_start(p, RUN_TOLD, where)
#endif
	:: keep_before_start(p) && kind(p) != NO -> told[p]++; keep_save(p, RUN_TOLD, where)
	:: !keep_before_start(p) && reaping -> begin_command(p, where)
	:: else ->
		execute_or_give_back(p, where);
		if
		:: started_now ->
#ifdef BUG_RUNS_FIRST
			keep_start(p, NOTHING, 0);
#endif
			run_has_started(p, where)
		:: else -> lanes_put_back(where, p); resting = true
		fi
	fi
}

/* src/queue.c */
inline pump()
{
	do
	:: resting -> break
	:: !resting ->
		lanes_take();
		if
		:: first == NOBODY -> break
		:: else -> start_run(first, turn)
		fi
	od;
	first = 0;
	turn = 0
}

inline discard(p, where)
{
	told[p]--;
	on_the_brink[p]--;
	balance[p]--;
#ifndef BUG_LOSES_PLACE	/* a run that was removed before its start keeps its place */
	queue_run_ended(where);
#endif
	probe_run_ended(p)
}

inline store_told(p, where)
{
	if
	:: cancelled[p] -> discard(p, where)
	:: else ->
		execute_or_give_back(p, where);
		told[p]--;
		on_the_brink[p]--;
		if
		:: started_now -> run_has_started(p, where)
		:: else ->
			queue_put_back(where, p);
			on_the_brink[p]++;	/* still */
			returned[p] = true;
			keep_save(p, NOTHING, 0)
		fi
	fi
}

inline run_drop_pending(p)
{
	balance[p] = balance[p] - pending[p];
	pending[p] = 0;
	entry_jail[p] = 0;
#ifndef BUG_KEEPS_TURN	/* what was removed still has its turn */
	lanes_remove(p)
#endif
}

#ifdef BUG_COALESCES_EARLY	/* a press during the only run is forgotten */
#define too_many(p)	(active(p) + pending[p] >= most_at_once(p))
#else
#ifdef BUG_COALESCES_INTO_NOTHING	/* more runs go on than may since a reload, and none waits */
#define too_many(p)	(active(p) + pending[p] > most_at_once(p))
#else
#define too_many(p)	(pending[p] > 0 && active(p) + pending[p] > most_at_once(p))
#endif
#endif

inline run_request(p)
{
	if
	:: too_many(p) ->
		assert(pending[p] > 0);		/* stands_for */
		balance[p]--
	:: else ->
		entry_jail[p] = (pending[p] == 0 -> jail[p] : entry_jail[p]);
		pending[p]++;
		push(p)
	fi
}
