/* Bounds of the daemon as a whole. Those of one definition are in definition.h, those of one client
 * in control.h. */
#ifndef LIMITS_DEFAULT_H
#define LIMITS_DEFAULT_H

#define LIMIT_PROBES	     100000
#define LIMIT_RUNS	     16 /* at once, all jails together */
#define LIMIT_RATE_BURST     10 /* triggers, where a probe has no cooldown */
#define LIMIT_RATE_MS	     1000
#define LIMIT_GONE_KEPT	     64 /* probes that ended by themselves and can still be asked about */
#define LIMIT_REARM_FIRST_MS 100
#define LIMIT_REARM_LAST_MS  30000
#define LIMIT_REARM_STEADY_MS 10000 /* armed for so long: the next delay begins small again */
#define LIMIT_LOOK_MS	     2000 /* between two looks for the jail of a waiting sticky probe */

#endif
