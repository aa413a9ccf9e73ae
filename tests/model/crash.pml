/*
 * The end of a daemon, at any step, and the next one: what it must find, what it may, and what it does with it
 * (src/probe_restore.c, src/state.c).
 */

/* What the next one may find, and what it must. */
inline remember(p)
{
	could[p] = balance[p];
	owed[p] = (shuts_down && life[p] == THERE && !dropped[p] -> pending[p] :
	    (owed[p] > on_the_brink[p] -> owed[p] - on_the_brink[p] : 0));
	must[p] = must[p] && !(kind(p) == NO && on_the_brink[p] > 0);
	balance[p] = 0;
	on_the_brink[p] = 0;
	returned[p] = false;
	asking[p] = 0;
	add_answer[p] = false;
	remove_answer[p] = false
}

inline forget(p)
{
	life[p] = (life[p] == UNBORN -> UNBORN : GONE);
	probe_disarm(p);
	to_lose_jail[p] = false;
	to_end[p] = false;
	jail[p] = 0;
	pending[p] = 0;
	told[p] = 0;
	running[p] = 0;
	entry_jail[p] = 0;
	asked_for[p] = false;
	cancelled[p] = false;
	starting[p] = false;
	saving[p] = false;
	kept[p] = false;
	dropped[p] = false;
	kept_started[p] = false;
	kept_pending[p] = 0;
	lane_of[p] = 0
}

inline forget_queue()
{
	do
	:: nempty(waiting) -> take_change()
	:: nempty(circle) -> circle?turn
	:: nempty(begun) -> begun?turn,first
	:: empty(waiting) && empty(circle) && empty(begun) -> break
	od;
	each = 0;
	do
	:: each < LANES && nempty(lane[each]) -> lane[each]?first
	:: each < LANES && empty(lane[each]) ->
		places[each] = 0;
		jobs[each] = 0;
		jobs[LANES + each] = 0;
		each++
	:: each == LANES -> break
	od;
	places_in_all = 0;
	resting = false;
	turn = 0;
	first = 0;
	scan = 0;
	other = 0
}

inline forget_registers()
{
	act = 0;
	press = 0;
	ending = 0;
	change = 0;
	done = 0;
	who = 0;
	presser = 0;
	who_of = 0;
	record = 0;
	place_of = 0;
	left = 0;
	group = 0;
	each = 0;
	into_started = false;
	started_now = false;
	reaping = false;
	shuts_down = false;
	replaces = false
}

/* What was never synchronized is gone, or worse; and so are the jails. */
inline lose_power()
{
	each = 0;
	do
	:: each < PROBES ->
		armed_on_disk[each] = (armed_on_disk[each] >= TORN -> 0 : armed_on_disk[each]);
		started_on_disk[each] = (started_on_disk[each] >= TORN -> 0 : started_on_disk[each]);
		armed_file[each] = armed_on_disk[each];
		started_file[each] = started_on_disk[each];
		returns = returns + (current[each] != 0);
		alive[current[each]] = false;
		current[each] = 0;
		each++
	:: else -> break
	od;
	each = 0
}

inline die()
{
	remember(0);
	remember(1);
	if
	:: shuts_down || crashes + power_cuts == 0	/* which of them it was is of no account any more */
	:: !shuts_down && crashes > 0 -> crashes--
	:: !shuts_down && power_cuts > 0 -> power_cuts--; lose_power()
	fi;
	forget(0);
	forget(1);
	forget_queue();
	forget_registers()
}

/* src/state.c: drop(). */
#define drop(p)		left = left | (1 << (p))

/* waiting_yet: presses that are not dropped. */
inline probe_begin_again(p)
{
#ifdef BUG_FORGETS_RECORD	/* what was dropped is still in the record */
	kept_pending[p] = waiting_yet;
#endif
	assert(waiting_yet <= could[p]);						/* never_twice */
	assert(waiting_yet >= owed[p] || jail[p] == 0 || jail[p] != jail_of(record));	/* kept_press */
	pending[p] = waiting_yet;
	balance[p] = waiting_yet;
	owed[p] = (owed[p] < waiting_yet -> owed[p] : waiting_yet);
	entry_jail[p] = (waiting_yet > 0 -> jail[p] : 0);
	push(p);
	if
	:: jail[p] == 0 -> to_lose_jail[p] = true
	:: jail[p] != 0 && (waiting_yet == 0 || !paced_by_starts(p)) -> start(p)
	:: else
	fi
}

#ifdef REPLACES
#define name_is_taken(p)	(p == 0 && life[1] == THERE)
#else
#define name_is_taken(p)	false
#endif

inline probe_restore(p)
{
#ifdef BUG_TRUSTS_NAMES		/* whoever has the jail's name today */
	jail[p] = current[jail_named(p)];
#else
	jail[p] = (sticky(p) -> current[jail_named(p)] : (alive[jail_of(record)] -> jail_of(record) : 0));
#endif
	if
	:: jail[p] == 0 && !sticky(p) || name_is_taken(p) -> jail[p] = 0; drop(p)
	:: else ->
		assert(!must_not[p]);							/* removed */
		life[p] = THERE;
		kept[p] = true;
		kept_started[p] = given_back_of(record);
		kept_pending[p] = pending_of(record);
		waiting_yet = (jail[p] != 0 && jail[p] == jail_of(record) -> pending_of(record) : 0);
		probe_begin_again(p);
		waiting_yet = 0
	fi
}

/* src/state.c. What was killed half-way is set aside. */
inline found(p)
{
	assert(armed_file[p] == 0 || started_file[p] == 0);
	record = armed_file[p] + started_file[p];
	if
	:: record == 0 || record >= TORN
	:: record != 0 && record < TORN && started_file[p] != 0 && !given_back_of(record) -> drop(p)
	:: else -> probe_restore(p)
	fi;
	assert(life[p] == THERE || !must[p] || !sticky(p) && !alive[home[p]] || name_is_taken(p));	/* survives */
	must[p] = must[p] && life[p] == THERE;
	could[p] = 0;
	record = 0
}

inline commit_drops()
{
	each = 0;
	do
	:: each < PROBES && (left & (1 << each)) -> store_drop(each); each++
	:: each < PROBES && !(left & (1 << each)) -> each++
	:: each == PROBES -> break
	od;
	each = 0;
	if
	:: left != 0 -> left = 0; synchronize_directory()
	:: else
	fi
}

inline state_restore()
{
	found(1);
	found(0);
	commit_drops()
}
