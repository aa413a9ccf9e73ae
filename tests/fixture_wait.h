#ifndef FIXTURE_WAIT_H
#define FIXTURE_WAIT_H

#include <stdbool.h>

/* How long a test believes in something that must happen. */
#define WAIT_PATIENCE_MS 30000

/* Milliseconds of the monotonic clock. */
long long wait_now(void);

/* What is left of a deadline, as poll(2) wants it: never negative. */
int wait_left(long long deadline);

/* Asks cond again and again until it says true; false when patience ended. */
bool wait_until(bool (*cond)(void *), void *arg);

/* A breath between two looks at something that can't be polled. */
void wait_breath(void);

#endif
