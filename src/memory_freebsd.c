#include "config.h"

#include "memory.h"

#include <sys/types.h>
#include <sys/user.h>

#include <libutil.h>
#include <stdlib.h>
#include <unistd.h>

int64_t
memory_resident(void)
{
	struct kinfo_proc *process = kinfo_getproc(getpid());
	int64_t bytes;

	if (process == NULL)
		return 0;
	bytes = (int64_t)process->ki_rssize * sysconf(_SC_PAGESIZE);
	free(process);
	return bytes;
}
