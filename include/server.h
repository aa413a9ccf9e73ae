/* The daemon: start-up, signals, the one waitpid loop, shutdown. */
#ifndef SERVER_H
#define SERVER_H

#include <stdbool.h>

#define SERVER_SOCKET  "/var/run/jaildaemon.pipe"
#define SERVER_PIDFILE "/var/run/jaildaemon.pid"

struct server_options {
	bool foreground; /* stay attached, log to standard error */
	const char *socket;
	const char *pidfile;
};

/* Returns the exit status of the process that called it: with foreground after the daemon has
 * ended, otherwise as soon as its socket answers, or can't. */
int server_run(const struct server_options *);

#endif
