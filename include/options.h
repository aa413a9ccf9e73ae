/* The command line: one table from which parsing, usage and help come. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>

enum options_mode {
	MODE_NONE,
	MODE_DAEMON,
	MODE_ADD,
	MODE_LIST,
	MODE_STATUS,
	MODE_REMOVE,
	MODE_TRIGGER,
	MODE_OUTPUT,
	MODE_WATCH,
	MODE_CHECK_JAIL,
	MODE_RELOAD,
	MODE_STOP,
	MODE_UPGRADE,
	MODE_HELP,
	MODE_VERSION,
};

/* Strings are argv's; NULL: not given. */
struct options {
	enum options_mode mode;
	const char *argument; /* of the mode: a command, or a probe */
	bool foreground;
	bool check;
	const char *config;
	const char *pidfile;
	const char *state; /* "none": nothing is kept */
	const char *socket;
	const char *jail;
	const char *title;
	const char *name;
	const char *uid;
	const char *gid;
	const char *respawn; /* as the protocol spells it */
	const char *cooldown;
	const char *timeout;
	const char *max_runs;
	bool sticky;
	bool replace;
	bool show_status;
	bool kill;
	bool follow;
	bool metrics;
	bool again; /* -l --watch */
	bool json;
};

/* -1: wrong usage, which has been explained on standard error. */
int options_parse(int argc, char **argv, struct options *);

void options_print_help(void);

#endif
