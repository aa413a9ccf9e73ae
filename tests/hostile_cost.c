#include "config.h"

#include <sys/resource.h>

#include <check.h>
#include <stdbool.h>
#include <stddef.h>

#include "fixture_daemon.h"
#include "fixture_wait.h"
#include "hostile_host.h"
#include "jailfix.h"
#include "watch.h"

struct costing {
	pid_t daemon;
	const struct hostile_cost *wanted;
	struct hostile_cost now;
};

/* The room of the events that are kept is there from the start, and used as they come. */
#define KEPT_KIB (WATCH_BYTES / 1024)

int
hostile_titled(const char *title)
{
	return (hostile_pids_titled(title, NULL, 0));
}

bool
hostile_can_open(unsigned long wanted)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return (false);
	if (limit.rlim_cur < (rlim_t)wanted)
		limit.rlim_cur = limit.rlim_max;
	return (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= (rlim_t)wanted);
}

void
hostile_note(pid_t daemon, struct hostile_cost *cost)
{
	cost->descriptors = host_descriptors(daemon);
	cost->children = host_children(daemon);
	cost->memory = hostile_memory(daemon);
}

static bool
is_as_wanted(void *arg)
{
	struct costing *costing = arg;

	hostile_note(costing->daemon, &costing->now);
	return (costing->now.descriptors <= costing->wanted->descriptors &&
		costing->now.children <= costing->wanted->children);
}

void
hostile_expect(pid_t daemon, const struct hostile_cost *cost, long growth)
{
	struct costing costing = {.daemon = daemon, .wanted = cost};

	ck_assert_msg(wait_until(is_as_wanted, &costing),
		      "%d descriptors and %d children, before the attack %d and %d",
		      costing.now.descriptors, costing.now.children, cost->descriptors,
		      cost->children);
	ck_assert_msg(!daemon_memory_tells() || costing.now.memory - cost->memory <= growth + KEPT_KIB,
		      "the daemon has grown from %ld to %ld KiB", cost->memory, costing.now.memory);
}
