/* The plan, which several processes share, and the daemon that follows it. */
#include "config.h"

#include <sys/mman.h>

#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

#include "starve.h"

struct starve_plan *
starve_map(const char *path)
{
	void *memory;
	int fd;

	if (path == NULL || (fd = open(path, O_RDWR | O_CLOEXEC)) == -1)
		return (NULL);
	memory = mmap(NULL, sizeof(struct starve_plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	return (memory == MAP_FAILED ? NULL : memory);
}
