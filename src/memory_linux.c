#include "config.h"

#include "memory.h"

#include <stdio.h>
#include <unistd.h>

#include "util.h"

int64_t
memory_resident(void)
{
	char text[128];
	long long pages;

	if (util_read_file("/proc/self/statm", text, sizeof(text)) <= 0 ||
	    sscanf(text, "%*s %lld", &pages) != 1)
		return 0;
	return pages * sysconf(_SC_PAGESIZE);
}
