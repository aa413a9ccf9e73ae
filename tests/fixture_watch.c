#include "config.h"

#include "fixture_watch.h"

#include <check.h>

void
watch_open(struct ctl *ctl, const char *request)
{
	json_t *answer;

	ctl_open(ctl);
	ck_assert(ctl_say(ctl, request));
	answer = ctl_answer(ctl);
	ck_assert(ctl_true(answer, "ok"));
	json_decref(answer);
}

json_t *
watch_next(struct ctl *ctl, const char *kind)
{
	json_t *event = ctl_answer(ctl);

	ck_assert_str_eq(ctl_string(event, "event"), kind);
	return event;
}

void
watch_expect(struct ctl *ctl, const char *kind)
{
	json_decref(watch_next(ctl, kind));
}
