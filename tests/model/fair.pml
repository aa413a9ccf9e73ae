/*
 * Turns for ever: jail 1 floods through two probes that are pressed again as soon as their run has started, jail 2
 * has one. Whatever jail 1 does, and in each jail whoever else waits, everybody's turn comes again and again, under
 * weak fairness (whatever can happen all the time happens once).
 *
 *	queue.pml, pump		src/lanes.c, src/queue.c
 *	proctype pressed	run_request() of src/run.c, for a probe of -R
 *	proctype ends		queue_run_ended(), when a command of that jail has ended
 *
 * With ENDLESS the commands of jail 1 never end: it blocks itself, and not jail 2. That takes a limit of 4 or more,
 * for a quarter of the places is what the others are left (man/jaildaemon.8 says so of the default, 16).
 */

#ifdef ENDLESS
#define LIMIT	4
#else
#ifndef LIMIT
#define LIMIT	1
#endif
#endif
#define LANES	3
#define ENTRIES	3

#include "queue.pml"

inline pump()
{
	lanes_take();
	do
	:: first != NOBODY -> lanes_take()
	:: else -> break
	od;
	first = 0;
	turn = 0
}

proctype pressed(byte who, where)
{
	do
	:: atomic { lane_of[who] == 0 -> lanes_push(where, who); pump() }
	od
}

proctype ends(byte where)
{
	do
	:: atomic { places[where] > 0 -> lanes_release(where); pump() }
	od
}

init
{
	atomic {
		run pressed(0, 1);
		run pressed(1, 1);
		run pressed(2, 2);
#ifndef ENDLESS
		run ends(1);
#endif
		run ends(2)
	}
}

#ifdef ENDLESS
ltl served { []<> (lane_of[2] == 0) }
#else
ltl served { []<> (lane_of[0] == 0) && []<> (lane_of[1] == 0) && []<> (lane_of[2] == 0) }
#endif
