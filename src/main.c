#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "options.h"
#include "server.h"
#include "upgrade.h"

/* For this process only, not for those that it starts. */
static char *
take_handover(void)
{
	const char *value = getenv(UPGRADE_VARIABLE);
	char *taken = value == NULL ? NULL : strdup(value);

	unsetenv(UPGRADE_VARIABLE);
	return taken;
}

int
main(int argc, char **argv)
{
	struct options options;
	struct server_options server;
	char *handover;
	int status;

#ifdef HAVE_SETPROCTITLE_INIT /* libbsd has to move the environment first */
	setproctitle_init(argc, argv, environ);
#endif
	if (options_parse(argc, argv, &options) != 0)
		return CLIENT_USAGE;
	if (options.mode == MODE_HELP) {
		options_print_help();
		return 0;
	}
	if (options.mode == MODE_VERSION) {
		puts("jaildaemon " PACKAGE_VERSION);
		return 0;
	}
	if (options.mode != MODE_DAEMON)
		return client_run(&options);
	if (options.check)
		return server_check(options.config);
	server = (struct server_options){.foreground = options.foreground,
					 .socket = options.socket,
					 .pidfile = options.pidfile,
					 .state = options.state,
					 .config = options.config,
					 .argv = argv};
	handover = take_handover();
	status = handover != NULL ? server_take_over(handover, argv) : server_run(&server);
	free(handover);
	return status;
}
