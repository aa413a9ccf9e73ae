#include "config.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util.h"

int64_t
memory_resident(void)
{
	char text[128];
	const char *second;

	if (util_read_file("/proc/self/statm", text, sizeof(text)) <= 0 ||
	    (second = strchr(text, ' ')) == NULL)
		return 0;
	return strtoll(second, NULL, 10) * sysconf(_SC_PAGESIZE);
}
