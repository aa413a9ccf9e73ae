#include "config.h"

#include "sticky.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "limit.h"
#include "runtimewatch.h"
#include "tell.h"
#include "timer.h"
#include "util.h"

/* After a sign that a jail may be back: it is often seen before all of the jail is there, so the
 * looks that follow come at growing distances. */
#define LOOK_FIRST_MS 10

/* However many names are waited for and whatever goes on around us: looking takes a twentieth of
 * the time at most, and never holds up the rest of the daemon for longer than a slice. */
#define LOOK_SLICE_US 5000
#define LOOK_REST     19

/* By jail and then by number: those that wait for one jail stand together, and one look serves
 * them. */
static int
compare_waiting(const struct probe *a, const struct probe *b)
{
	int order = strcmp(a->def.jail.name, b->def.jail.name);

	return order != 0 ? order : (a->number > b->number) - (a->number < b->number);
}

RB_HEAD(waiting_tree, probe);
RB_GENERATE_STATIC(waiting_tree, probe, by_jail, compare_waiting)

static struct waiting_tree waiting = RB_INITIALIZER(&waiting);
static void (*jail_found)(struct probe *);

static struct event *look_timer, *watch;
static int watch_fd = -1;
static char looked_at[JAIL_NAME_SIZE]; /* the last name of a round that isn't over; "": none is */
static int64_t pause_ms;	       /* between the end of this round and the next one */
static int64_t rested_us;	       /* when there may be a look again */
static int64_t due_us;		       /* when there will be, if the timer runs */

static int64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* The first that waits for this name and has this number, or comes after it. */
static struct probe *
at_or_after(const char *name, uint64_t number)
{
	struct probe key;

	key.def.jail.name = name;
	key.number = number;
	return RB_NFIND(waiting_tree, &waiting, &key);
}

static struct probe *
first_of_next_name(const char *name)
{
	return at_or_after(name, UINT64_MAX);
}

/* One look for all that wait for the name. The callback may end any of them, or send it back here.
 */
static unsigned
look_for(const char *name)
{
	const struct jail_ref ref = {.name = name};
	struct jail_instance *jail;
	struct probe *probe;
	uint64_t next = 0;
	unsigned found = 0;
	struct error e;

	if ((jail = jail_find(&ref, &e)) == NULL)
		return 0;
	while ((probe = at_or_after(name, next)) != NULL && strcmp(probe->def.jail.name, name) == 0) {
		next = probe->number + 1;
		sticky_forget(probe);
		probe->jail = jail_hold(jail);
		tell(TELL_JAIL_BACK, probe, TELL_NUMBER("jid", jail->jid), TELL_END);
		jail_found(probe);
		found++;
	}
	jail_release(jail);
	return found;
}

/* Goes on with the round for as long as a slice may take. Whether the round is over. */
static bool
look_on(int64_t until_us)
{
	struct probe *probe;

	while ((probe = first_of_next_name(looked_at)) != NULL) {
		snprintf(looked_at, sizeof(looked_at), "%s", probe->def.jail.name);
		look_for(looked_at);
		if (now_us() >= until_us)
			return false;
	}
	looked_at[0] = '\0';
	return true;
}

/* Never later than it was going to be, or somebody who goes on asking for it would keep it away. */
static void
look_in(int64_t ms)
{
	const int64_t now = now_us();
	const int64_t rest_ms = (rested_us - now) / 1000 + 1;

	if (RB_EMPTY(&waiting)) {
		evtimer_del(look_timer);
		looked_at[0] = '\0';
		if (watch != NULL) {
			event_del(watch);
			runtimewatch_rest(watch_fd);
		}
		return;
	}
	if (ms < rest_ms)
		ms = rest_ms;
	if (evtimer_pending(look_timer, NULL) && due_us <= now + ms * 1000)
		return;
	due_us = now + ms * 1000;
	timer_set(look_timer, ms);
}

/* What is told of from now on is not missed by this round: first the watch, and then the looks. */
static void
begin_round(void)
{
	if (watch == NULL)
		return;
	runtimewatch_renew(watch_fd);
	event_add(watch, NULL);
}

static void
look(evutil_socket_t fd, short what, void *arg)
{
	const int64_t began = now_us();
	int64_t next_ms = 0;

	(void)fd;
	(void)what;
	(void)arg;
	if (looked_at[0] == '\0')
		begin_round();
	if (look_on(began + LOOK_SLICE_US)) {
		next_ms = pause_ms;
		pause_ms *= 2;
		if (pause_ms > limits()->jail_poll_ms)
			pause_ms = limits()->jail_poll_ms;
	}
	rested_us = now_us() + (now_us() - began) * LOOK_REST;
	look_in(next_ms);
}

/* A round under way is followed by the next one soon enough. */
static void
look_soon(void)
{
	pause_ms = LOOK_FIRST_MS;
	if (looked_at[0] == '\0')
		look_in(pause_ms);
}

/* Not persistent: until the next round has begun, more of the same says nothing new. */
static void
something_changed(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	look_soon();
}

int
sticky_init(struct event_base *base, void (*found)(struct probe *))
{
	jail_found = found;
	watch_fd = runtimewatch_open();
	if (watch_fd >= 0)
		watch = event_new(base, watch_fd, EV_READ, something_changed, NULL);
	look_timer = evtimer_new(base, look, NULL);
	return look_timer == NULL || (watch_fd >= 0 && watch == NULL) ? -1 : 0;
}

void
sticky_wait(struct probe *probe)
{
	RB_INSERT(waiting_tree, &waiting, probe);
	look_soon();
}

void
sticky_forget(struct probe *probe)
{
	RB_REMOVE(waiting_tree, &waiting, probe);
}

/* Without the runtime that it is looked for in: whoever asks may name it, and the probe not. */
static const char *
plain(const char *name)
{
	const char *colon = strchr(name, ':');

	return colon == NULL ? name : colon + 1;
}

unsigned
sticky_check(const struct jail_ref *ref)
{
	char name[JAIL_NAME_SIZE] = "";
	struct probe *probe;
	unsigned found = 0;

	while (ref->name != NULL && (probe = first_of_next_name(name)) != NULL) {
		snprintf(name, sizeof(name), "%s", probe->def.jail.name);
		if (strcmp(plain(name), plain(ref->name)) == 0)
			found += look_for(name);
	}
	if (!RB_EMPTY(&waiting))
		look_soon();
	return found;
}
