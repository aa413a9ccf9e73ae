/* Before FreeBSD 15. */
#include "config.h"

#include "jail_descriptor.h"

#include <errno.h>

int
jail_descriptor_open(struct jail_instance *jail)
{
	(void)jail;
	return 0;
}

int
jail_descriptor_name(int descriptor, char name[JAIL_NAME_SIZE])
{
	(void)descriptor;
	(void)name;
	errno = ENOSYS;
	return -1;
}
