/* The utility: options → one line to the daemon → its answer, for a person or as JSON. */
#ifndef CLIENT_H
#define CLIENT_H

#include "options.h"

enum client_exit {
	CLIENT_DONE = 0,
	CLIENT_REFUSED = 1,	/* by the daemon; its message is on standard error */
	CLIENT_USAGE = 2,
	CLIENT_NO_DAEMON = 3,
};

int client_run(const struct options *);

#endif
