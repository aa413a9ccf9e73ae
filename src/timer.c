#include "config.h"

#include "timer.h"

#include <event2/event.h>

void
timer_set(struct event *timer, int64_t ms)
{
	struct timeval delay = {.tv_sec = (time_t)(ms / 1000),
				.tv_usec = (suseconds_t)(ms % 1000 * 1000)};

	evtimer_add(timer, &delay);
}
