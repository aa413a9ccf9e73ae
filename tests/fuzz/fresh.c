/*
 * A daemon begins once, and numbers of probes and events are never used again: so the same input would find
 * others each time. These rooms are therefore part of the fuzz targets by their source, and made as they
 * were at first.
 */
#include "config.h"

#include "fuzz.h"
#include "run.h"
#include "watch.h"

/* Small enough for a fuzzer to fill them, with room for the longest line. */
#undef WATCH_EVENTS
#undef WATCH_BYTES
#undef WATCH_OUTPUTS
#undef WATCH_OUTPUT_BYTES
#define WATCH_EVENTS	   64
#define WATCH_BYTES	   131072
#define WATCH_OUTPUTS	   16
#define WATCH_OUTPUT_BYTES 131072

#include "../../src/keep.c"
#include "../../src/registry.c"
#include "../../src/watch.c"

void
fuzz_fresh_registry(void)
{
	struct probe *probe;

	while ((probe = TAILQ_FIRST(&gone)) != NULL) {
		TAILQ_REMOVE(&gone, probe, link);
		gone_count--;
		probe->remembered = false;
		probe_free_if_unused(probe);
	}
	FUZZ_CHECK(registry_first() == NULL && registry_every(NULL) == NULL && count == 0);
	next_number = 1;
}

void
fuzz_fresh_watch(void)
{
	FUZZ_CHECK(watcher_count == 0);
	while (rings[FACTS].first != rings[FACTS].next)
		ring_drop_oldest(&rings[FACTS]);
	last_seq = 0;
	memset(last_dropped, 0, sizeof(last_dropped));
}

void
fuzz_fresh_keep(void)
{
	FUZZ_CHECK(render_probe == NULL && TAILQ_EMPTY(&waiting));
	event_free(commit_event);
	commit_event = NULL;
}
