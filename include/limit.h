/* The bounds that the configuration may change. Those of one definition are in definition.h; what
 * nobody would want to change stands where it is used. */
#ifndef LIMIT_H
#define LIMIT_H

#include <stdint.h>

struct limits {
	/* of the daemon as a whole */
	unsigned probes;
	unsigned gone_probes; /* that ended by themselves and can still be asked about */
	unsigned runs;	      /* at once, all jails together */

	/* of probes that don't say it themselves */
	unsigned burst;	     /* triggers at once, without a cooldown … */
	int64_t interval_ms; /* … and then one in this time; 0: as many as come */
	int64_t timeout_ms;  /* 0: none */
	unsigned max_runs;   /* of a RESPAWN_NOW probe; 0: as many as all together */

	/* of one run */
	unsigned output_bytes;	   /* kept */
	unsigned log_output_bytes; /* logged */
	int64_t kill_delay_ms;	   /* from TERM to KILL */
	int64_t drain_delay_ms;	   /* from the exit to giving up on the output */

	/* of the life of a probe */
	int64_t jail_poll_ms;	    /* between two looks for the jail of a waiting sticky probe */
	int64_t rearm_delay_ms;	    /* before a killed one is armed again; doubles each time … */
	int64_t rearm_delay_max_ms; /* … up to this … */
	int64_t rearm_steady_ms;    /* … until it has been armed for so long */

	/* of one client */
	unsigned clients;
	unsigned client_requests;  /* without an answer yet */
	unsigned client_backlog;   /* bytes of unread answers; no further request is taken before */
	int64_t client_silence_ms; /* without a first request, or with half a line */
	int64_t client_unread_ms;  /* answers of which nothing was read: cut off */
};

/* Those in force. */
const struct limits *limits(void);

void limits_set(const struct limits *);

/* As they are without any configuration. */
extern const struct limits limits_default;

#endif
