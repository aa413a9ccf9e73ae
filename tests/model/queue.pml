/*
 * The turns of jails: src/lanes.c, and src/queue.c but for its pump(), which belongs to whoever knows what
 * a run is (probe.pml, fair.pml).
 *
 *	chan circle, chan lane[]	struct lanes, struct lane; one lane is one jail instance, 0 is none
 *	lane_of[]			struct lane_entry: one entry is one probe
 *	lanes_push ... lanes_release	the functions of src/lanes.c
 *	lane_limit			src/queue.c: lane_limit(), where there are several jails
 *
 * Whoever includes this defines LANES, ENTRIES and LIMIT, and leaves turn and first at 0.
 */

#define NOBODY 255

chan circle = [LANES] of { byte };
chan lane[LANES] = [ENTRIES] of { byte };
byte lane_of[ENTRIES];
byte places[LANES];	/* taken by the runs of each lane */
byte places_in_all;
byte limit = LIMIT;
bool resting;		/* after a start that failed for want of something */

byte turn, first;	/* what lanes_take() found: the lane and its entry */
byte scan, other;

#ifdef BUG_NO_QUARTER	/* one jail may have all places */
#define lane_limit	limit
#else
#define lane_limit	(limit - limit / 4)
#endif

inline lanes_push(where, who)
{
	if
	:: empty(lane[where]) -> circle!where
	:: nempty(lane[where])
	fi;
	lane[where]!who;
	lane_of[who] = where
}

inline leave_circle_if_empty(where)
{
	if
	:: empty(lane[where]) -> circle??eval(where)
	:: nempty(lane[where])
	fi
}

inline lanes_remove(who)
{
	if
	:: lane_of[who] != 0 ->
		lane[lane_of[who]]??eval(who);
		leave_circle_if_empty(lane_of[who]);
		lane_of[who] = 0
	:: else
	fi
}

/* next_lane(): once round the circle, which stands as before afterwards. */
inline next_lane()
{
	turn = 0;
	if
	:: places_in_all < limit -> scan = len(circle)
	:: else -> scan = 0
	fi;
	do
	:: scan > 0 ->
		circle?other;
		circle!other;
		if
		:: turn == 0 && places[other] < lane_limit -> turn = other
		:: else
		fi;
		scan--
	:: else -> break
	od;
	other = 0
}

inline lanes_occupy(where)
{
	places[where]++;
	places_in_all++
}

inline lanes_release(where)
{
	assert(places[where] > 0);
	places[where]--;
	places_in_all--
}

inline lanes_take()
{
	next_lane();
	if
	:: turn == 0 -> first = NOBODY
	:: else ->
		lane[turn]?first;
		lane_of[first] = 0;
#ifndef BUG_NO_TURNS	/* the lane stays the first of the circle as long as it has entries */
		circle??eval(turn);
		if
		:: nempty(lane[turn]) -> circle!turn
		:: empty(lane[turn])
		fi;
#else
		leave_circle_if_empty(turn);
#endif
		lanes_occupy(turn)
	fi
}

inline lanes_put_back(where, who)
{
	lanes_release(where);
	lanes_push(where, who);
	scan = len(lane[where]) - 1;	/* to the front: all others step behind it */
	do
	:: scan > 0 ->
		lane[where]?other;
		lane[where]!other;
		scan--
	:: else -> break
	od;
	other = 0
}

inline queue_put_back(where, who)
{
	if
	:: lane_of[who] == 0 -> lanes_put_back(where, who)
	:: else -> lanes_release(where)
	fi;
	resting = true
}
