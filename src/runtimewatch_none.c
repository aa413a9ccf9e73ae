/* Where the system tells nobody of new jails. */
#include "config.h"

#include "runtimewatch.h"

int
runtimewatch_open(void)
{
	return -1;
}

void
runtimewatch_renew(int fd)
{
	(void)fd;
}

void
runtimewatch_rest(int fd)
{
	(void)fd;
}
