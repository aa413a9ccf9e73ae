/* The floor's probe: ready when FLOOR_READY has got its byte; exits with the magic code when the
 * HUP comes. */
#include <signal.h>
#include <unistd.h>

#include "bench.h"

int
main(void)
{
	sigset_t hup;
	int came;

	sigemptyset(&hup);
	sigaddset(&hup, SIGHUP);
	sigprocmask(SIG_BLOCK, &hup, NULL);
	if (write(FLOOR_READY, "", 1) != 1)
		return 1;
	closefrom(0);
	while (sigwait(&hup, &came) != 0 || came != SIGHUP)
		continue;
	_exit(FLOOR_MAGIC);
}
