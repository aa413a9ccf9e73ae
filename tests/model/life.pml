/*
 * A probe from its add to its end: src/probe.c, src/probe_add.c, src/probe_ask.c.
 */

/* ---- src/probe.c ---- */

inline probe_disarm(p)
{
	process[p] = NOBODY_THERE;
	presence[p] = NONE;
	to_rearm[p] = false
}

inline keep_first(p)
{
	saving[p] = true;
	keep_save(p, FIRST_KEPT, 0);
#ifdef BUG_ANSWERS_EARLY	/* ok, and then the disk */
	add_answer[p] = asked_for[p];
	asked_for[p] = false;
	must[p] = must[p] || add_answer[p]
#endif
}

inline start(p)
{
	if
	:: !alive[jail[p]] -> to_lose_jail[p] = true
	:: else -> presence[p] = STARTING
	fi
}

inline rearm(p)
{
	to_rearm[p] = false;
	if
	:: cooldown(p) -> presence[p] = RESTING
	:: else -> start(p)
	fi
}

inline lose_jail(p)
{
	to_lose_jail[p] = false;
	if
	:: !sticky(p) -> to_end[p] = true
	:: else ->
		jail[p] = 0;
		presence[p] = WAITING;
		if
		:: !kept[p] && !saving[p] -> keep_first(p)
		:: else
		fi
	fi
}

/* Whoever still waits for its add is told that it was not to be. */
inline probe_end(p)
{
	probe_disarm(p);
	to_lose_jail[p] = false;
	to_end[p] = false;
	life[p] = GONE;
	jail[p] = 0;
	must[p] = false;
	owed[p] = 0;
	asking[p] = 0;
	asked_for[p] = false;
	if
	:: (kept[p] || saving[p]) && !dropped[p] -> keep_drop(p, NOTHING)
	:: else
	fi
}

inline go_on_with(p)
{
	if
	:: to_rearm[p] -> rearm(p)
	:: else
	fi;
	if
	:: to_lose_jail[p] -> lose_jail(p)
	:: else
	fi;
	if
	:: to_end[p] -> probe_end(p)
	:: else
	fi
}

inline probe_run_started(p)
{
	assert(active(p) <= (kind(p) == NOW -> MOST : 1));	/* overlap */
	to_rearm[p] = life[p] == THERE && kind(p) == NOW && paced_by_starts(p) || to_rearm[p]
}

inline probe_run_ended(p)
{
	if
	:: life[p] == GONE || active(p) > 0 || pending[p] > 0 || kind(p) == NOW
	:: else ->
		if
		:: kind(p) == NO -> to_end[p] = true
		:: else -> to_rearm[p] = true
		fi
	fi
}

/* Goes on in after_press(), once the queue was pumped. */
inline probe_pressed(p, how)
{
	probe_disarm(p);
	balance[p]++;
	run_request(p);
	to_rearm[p] = !paced_by_starts(p);
#ifdef BUG_REARMS_EARLY		/* a new probe before the run of the last one has ended */
	to_rearm[p] = to_rearm[p] || kind(p) == AFTER;
#endif
	press = how;
	presser = p
}

inline after_press()
{
	if
	:: press != 0 && pending[presser] > 0 && kind(presser) == NO -> keep_save(presser, NOTHING, 0)
	:: else
	fi;
	if
	:: press == BY_TRIGGER -> keep_press(presser)
	:: press == EARLY -> probe_settle(presser, true)
	:: press == REPLACED -> to_end[presser] = true
	:: else
	fi;
	press = 0;
	presser = 0
}

/* A process that ended: reaped, in whatever order. */
inline probe_exited(p)
{
	if
	:: process[p] == PRESSED -> probe_pressed(p, FROM_INSIDE)
	:: process[p] == KILLED ->
		probe_disarm(p);
		if
		:: !alive[jail[p]] -> to_lose_jail[p] = true
		:: alive[jail[p]] && kind(p) == NO && !sticky(p) -> to_end[p] = true
		:: else -> presence[p] = RESTING
		fi
	fi
}

inline attach_failed(p)
{
	if
	:: !kept[p] && !saving[p] -> to_end[p] = true
	:: else ->
		if
		:: !alive[jail[p]] -> to_lose_jail[p] = true
		:: else -> presence[p] = RESTING
		fi
	fi
}

inline armed(p)
{
	assert(sticky(p) || jail[p] == home[p]);		/* same_jail */
	assert(kind(p) == NOW || balance[p] == 0);		/* overlap */
	presence[p] = ARMED;
	if
	:: hups > 0 && !calm -> hups--; probe_pressed(p, EARLY)
	:: true ->
		process[p] = LISTENING;
		probe_settle(p, false)
	fi
}

inline arm_done(p)
{
	if
	:: !alive[jail[p]] -> attach_failed(p)
	:: alive[jail[p]] && refused > 0 -> refused--; attach_failed(p)
	:: alive[jail[p]] -> armed(p)
	fi
}

/* ---- src/probe_add.c ---- */

inline probe_add(p)
{
	if
	:: current[jail_named(p)] == 0 && !sticky(p) -> life[p] = GONE
	:: else ->
		life[p] = THERE;
		jail[p] = current[jail_named(p)];
		home[p] = jail[p];
		asked_for[p] = true;
#ifdef REPLACES		/* probe 1 is to have the name of probe 0 */
		replaces = (p == 1 && life[0] == THERE);
#endif
		if
		:: jail[p] == 0 -> to_lose_jail[p] = true
		:: else -> start(p)
		fi
	fi
}

inline take_over_name()
{
	if
	:: !replaces || life[0] != THERE
#ifndef BUG_REPLACES_UNREAPED	/* whoever was just pressed is thrown away with the press */
	:: replaces && life[0] == THERE && process[0] == PRESSED -> probe_pressed(0, REPLACED)
#endif
	:: else -> lost_press = (process[0] == PRESSED); to_end[0] = true
	fi;
	replaces = false
}

inline first_kept(p)
{
	saving[p] = false;
	kept[p] = true;
	if
	:: life[p] == THERE ->
#ifdef REPLACES
		if
		:: p == 1 -> take_over_name()
		:: else
		fi;
#endif
		add_answer[p] = asked_for[p];
		asked_for[p] = false
	:: else
	fi
}

inline probe_settle(p, pressed_already)
{
	if
	:: life[p] != THERE || kept[p] || saving[p]
	:: else ->
		if
		:: kind(p) == NO && pressed_already -> first_kept(p)
		:: else -> keep_first(p)
		fi
	fi
}

/* ---- src/probe_ask.c ---- */

inline probe_remove(p)
{
	must[p] = false;	/* it may be there, or not, until the answer */
	owed[p] = 0;
	asking[p] = 0;
	if
	:: keep_drop(p, REMOVED)
	:: keep_drop(p, REMOVED_KILLING)
	fi;
#ifdef BUG_REMOVES_EARLY	/* ok, and then the disk */
	must_not[p] = true
#endif
}

inline record_dropped(p, killing)
{
	if
	:: life[p] == THERE ->
		cancelled[p] = killing;
		run_drop_pending(p);
		to_end[p] = true
	:: else
	fi;
	remove_answer[p] = true
}

inline keep_press(p)
{
	if
	:: pending[p] > 0 -> keep_save(p, PRESS_KEPT, 0)
	:: pending[p] == 0 && kind(p) == NO -> ask(WAIT, p, PRESS_KEPT, 0)
	:: else		/* answered at once */
	fi;
	asking[p] = (life[p] == THERE && !dropped[p] -> balance[p] : 0)	/* it is the last of those */
#ifdef BUG_TRIGGERS_EARLY	/* ok, and then the disk */
	;
	owed[p] = asking[p]
#endif
}
