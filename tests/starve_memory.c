/*
 * Memory of tests/starved. These functions stand in the program itself, and so come before those of
 * the C library for all who call them, libevent, jansson and the C library among them. The wall
 * clock is here too, because asking for it is no system call either.
 */
#include "config.h"

#include <sys/syscall.h>
#include <sys/time.h>

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "starve.h"

#define EARLY_SIZE 8192 /* for whoever looks up the real functions */
#define ALIGNMENT  16

static struct {
	void *(*malloc)(size_t);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	void (*free)(void *);
	int (*clock_gettime)(clockid_t, struct timespec *);
} real;

static struct starve_plan *plan; /* null: nothing is counted yet */
static _Alignas(ALIGNMENT) char early[EARLY_SIZE];
static size_t early_used;

/* Converted the way that POSIX promises. */
#define LOOK_UP(function) (*(void **)&real.function = dlsym(RTLD_NEXT, #function))

static void
look_up(void)
{
	static bool under_way;

	if (real.free != NULL || under_way)
		return;
	under_way = true;
	LOOK_UP(clock_gettime);
	LOOK_UP(malloc);
	LOOK_UP(calloc);
	LOOK_UP(realloc);
	LOOK_UP(free);
	under_way = false;
}

static void *
take_early(size_t size)
{
	void *place = early + early_used;

	early_used += (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	return (early_used <= EARLY_SIZE ? place : NULL);
}

static bool
is_early(const void *block)
{
	return ((const char *)block >= early && (const char *)block < early + EARLY_SIZE);
}

/* The trap starts to count when it sees this call, which nobody else makes: what the loader does is
 * no affair of the daemon's. */
__attribute__((constructor)) static void
get_ready(void)
{
	struct starve_plan *mapped = starve_map(getenv(STARVE_VARIABLE));

	look_up();
	if (mapped != NULL && mapped->daemon == getpid())
		__atomic_store_n(&mapped->blocks, 0, __ATOMIC_SEQ_CST);
	plan = mapped;
	(void)syscall(SYS_sched_yield);
}

static bool
fails(unsigned call)
{
	const struct starve_point *point;
	enum starve_role role;
	unsigned occurrence;

	look_up();
	if (plan == NULL)
		return (false);
	point = &plan->point;
	role = getpid() == plan->daemon ? STARVE_DAEMON : STARVE_CHILD;
	occurrence = __atomic_add_fetch(&plan->counts[role][call], 1, __ATOMIC_SEQ_CST);
	if (point->call != call || point->role != role || point->occurrence != occurrence)
		return (false);
	(void)__atomic_add_fetch(&plan->failed, 1, __ATOMIC_SEQ_CST);
	errno = ENOMEM;
	return (true);
}

static void
count_blocks(int more)
{
	if (plan != NULL && getpid() == plan->daemon)
		(void)__atomic_add_fetch(&plan->blocks, (unsigned)more, __ATOMIC_SEQ_CST);
}

static void *
counted(void *block)
{
	if (block != NULL)
		count_blocks(1);
	return (block);
}

void *
malloc(size_t size)
{
	if (fails(STARVE_MALLOC))
		return (NULL);
	return (real.malloc == NULL ? take_early(size) : counted(real.malloc(size)));
}

void *
calloc(size_t number, size_t size)
{
	if (fails(STARVE_CALLOC))
		return (NULL);
	return (real.calloc == NULL ? take_early(number * size)
				    : counted(real.calloc(number, size)));
}

void *
realloc(void *block, size_t size)
{
	size_t most = (size_t)(early + EARLY_SIZE - (char *)block);
	void *larger;

	if (fails(STARVE_REALLOC))
		return (NULL);
	if (is_early(block)) {
		if ((larger = malloc(size)) != NULL)
			memcpy(larger, block, size < most ? size : most);
		return (larger);
	}
	if (real.realloc == NULL)
		return (take_early(size));
	return (block == NULL ? counted(real.realloc(block, size)) : real.realloc(block, size));
}

void
free(void *block)
{
	if (block == NULL || is_early(block))
		return;
	look_up();
	count_blocks(-1);
	real.free(block);
}

/* ---- the wall clock ---- */

int
clock_gettime(clockid_t clock, struct timespec *now)
{
	int64_t off_ms;
	int result;

	look_up();
	if ((result = real.clock_gettime(clock, now)) != 0 || clock != CLOCK_REALTIME ||
	    plan == NULL)
		return (result);
	off_ms = __atomic_load_n(&plan->clock_off_ms, __ATOMIC_SEQ_CST) + now->tv_nsec / 1000000;
	now->tv_sec += off_ms / 1000;
	now->tv_nsec = off_ms % 1000 * 1000000 + now->tv_nsec % 1000000;
	if (now->tv_nsec < 0) {
		now->tv_sec--;
		now->tv_nsec += 1000000000;
	}
	return (0);
}

int
gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	struct timespec exact;

	(void)zone;
	(void)clock_gettime(CLOCK_REALTIME, &exact);
	now->tv_sec = exact.tv_sec;
	now->tv_usec = exact.tv_nsec / 1000;
	return (0);
}

time_t
time(time_t *now)
{
	struct timespec exact;

	(void)clock_gettime(CLOCK_REALTIME, &exact);
	if (now != NULL)
		*now = exact.tv_sec;
	return (exact.tv_sec);
}
