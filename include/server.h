/* The daemon: start-up, signals, the one waitpid loop, shutdown. */
#ifndef SERVER_H
#define SERVER_H

#include <stdbool.h>

#define SERVER_SOCKET  "/var/run/jaildaemon.pipe"
#define SERVER_PIDFILE "/var/run/jaildaemon.pid"
#define SERVER_STATE   STATE_DIR

struct server_options {
	bool foreground; /* stay attached, log to standard error */
	const char *socket;
	const char *pidfile;
	const char *state;  /* a directory; "none": nothing is kept */
	const char *config; /* NULL: the default file, if it is there */
	char *const *argv;  /* main's, for the binary that comes after this one */
};

/* Returns the exit status of the process that called it: with foreground after the daemon has
 * ended, otherwise as soon as its socket answers, or can't. */
int server_run(const struct server_options *);

/* In the place of another daemon, in the same process: how is the value of UPGRADE_VARIABLE. Returns like
 * server_run; if it can't take over, 1. */
int server_take_over(const char *how, char *const *argv);

/* Reads the configuration and says on standard error what is wrong with it: 1; else 0. */
int server_check(const char *config);

#endif
