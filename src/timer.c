#include "config.h"

#include "timer.h"

#include <event2/event.h>

struct timeval
timer_span(int64_t ms)
{
	return (struct timeval){.tv_sec = (time_t)(ms / 1000),
				.tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

void
timer_set(struct event *timer, int64_t ms)
{
	const struct timeval delay = timer_span(ms);

	if (evtimer_add(timer, &delay) != 0)
		event_active(timer, EV_TIMEOUT, 0);
}
