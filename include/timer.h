/* Timers of the event loop, in the milliseconds that everything else counts in. */
#ifndef TIMER_H
#define TIMER_H

#include <stdint.h>

struct event;
struct timeval;

/* The same span as libevent takes it. */
struct timeval timer_span(int64_t ms);

/* (Re)starts a timer: one call of its callback, ms from now; at once where memory for it is wanting, because
 * whoever counts on it would else wait for ever. */
void timer_set(struct event *, int64_t ms);

#endif
