#ifndef FIXTURE_WATCH_H
#define FIXTURE_WATCH_H

#include "fixture_ctl.h"

/* A connection that watches, as the request says, from the answer on. */
void watch_open(struct ctl *ctl, const char *request);

/* The next event, which must be of that kind: with its JSON, or without. */
json_t *watch_next(struct ctl *ctl, const char *kind);
void watch_expect(struct ctl *ctl, const char *kind);

#endif
