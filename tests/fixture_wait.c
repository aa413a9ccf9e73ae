#include "config.h"

#include "fixture_wait.h"

#include <poll.h>
#include <stddef.h>
#include <time.h>

#define BREATH_MS 3

long long
wait_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return ((long long)now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

int
wait_left(long long deadline)
{
	long long left = deadline - wait_now();

	return (left > 0 ? (int)left : 0);
}

void
wait_breath(void)
{
	(void)poll(NULL, 0, BREATH_MS);
}

bool
wait_until(bool (*cond)(void *), void *arg)
{
	long long deadline = wait_now() + WAIT_PATIENCE_MS;

	while (!cond(arg)) {
		if (wait_left(deadline) == 0)
			return (false);
		wait_breath();
	}
	return (true);
}
