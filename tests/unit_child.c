#include "config.h"

#include "child.h"

#include <sys/wait.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

#define MANY 6000
#define FEW  50

/* Who was told how often, and of what. */
struct owner {
	pid_t pid;
	int told;
	int status;
};

static struct owner owners[MANY];

static void
exited(pid_t pid, int status, void *arg)
{
	struct owner *owner = arg;

	if (pid != owner->pid)
		ck_abort_msg("the end of %d was told for %d", (int)pid, (int)owner->pid);
	owner->told++;
	owner->status = status;
}

static void
add(struct owner *owner, pid_t pid)
{
	owner->pid = pid;
	if (child_reserve() != 0)
		ck_abort_msg("no memory");
	child_add(pid, exited, owner);
}

START_TEST(told_once)
{
	struct owner owner = {0};

	add(&owner, 4711);
	child_exited(4712, 1);
	ck_assert_int_eq(owner.told, 0);
	child_exited(4711, 113 << 8);
	ck_assert_int_eq(owner.told, 1);
	ck_assert_int_eq(owner.status, 113 << 8);
	child_exited(4711, 0);
	ck_assert_int_eq(owner.told, 1);
}
END_TEST

START_TEST(unknown_ones_are_ignored)
{
	struct owner owner = {0};

	child_exited(1, 0); /* before there is any table */
	child_forget(1);
	add(&owner, 2);
	child_exited(1, 0);
	child_forget(1);
	ck_assert_int_eq(owner.told, 0);
	ck_assert_uint_eq(child_dying(), 0);
	child_exited(2, 0);
	ck_assert_int_eq(owner.told, 1);
}
END_TEST

/* How many of them were told as often, all together. An assertion for each would take its time. */
static size_t
count_told(size_t count, int told)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		found += owners[i].told == told;
	return found;
}

/* Steps between pids: consecutive ones, and multiples of every size that the table can have, which
 * all begin at the same place. */
static const pid_t steps[] = {1, 2, 64, 128, 4096, 16384, 65536};
static const size_t counts[] = {MANY, MANY, MANY, MANY, 2000, 1000, 1000};

static void
add_all(size_t count, pid_t step)
{
	for (size_t i = 0; i < count; i++)
		add(&owners[i], 100 + (pid_t)i * step);
}

START_TEST(many_that_collide)
{
	size_t count = counts[_i];

	add_all(count, steps[_i]);
	for (size_t i = 0; i < count; i++)
		child_exited(owners[i].pid, (int)i);
	ck_assert_uint_eq(count_told(count, 1), count);
	for (size_t i = 0; i < count; i++)
		if (owners[i].status != (int)i)
			ck_abort_msg("number %zu was told of another's status", i);
}
END_TEST

/* In another order than they came: what stepped over an emptied place must still be found. */
START_TEST(many_in_any_order)
{
	size_t count = counts[_i], place = 0;

	add_all(count, steps[_i]);
	for (size_t i = 0; i < count; i++) {
		place = (place + 3571) % count; /* a prime that divides none of the counts */
		child_exited(owners[place].pid, (int)place);
		if (owners[place].told != 1)
			ck_abort_msg("pid %d was not found", (int)owners[place].pid);
	}
	ck_assert_uint_eq(count_told(count, 1), count);
}
END_TEST

/* Half of them go, others come in their places, then all the rest go. */
START_TEST(comings_and_goings)
{
	pid_t step = steps[_i];
	size_t count = 1000;

	add_all(count, step);
	for (size_t i = 0; i < count; i += 2)
		child_exited(owners[i].pid, 0);
	for (size_t i = 0; i < count; i += 2)
		add(&owners[i], 100 + (pid_t)(count + i) * step);
	for (size_t i = count; i-- > 0;)
		child_exited(owners[i].pid, 0);
	ck_assert_uint_eq(count_told(count, 1), count / 2);
	ck_assert_uint_eq(count_told(count, 2), count / 2);
}
END_TEST

static size_t
count_places(pid_t pid)
{
	size_t found = 0;

	for (size_t place = 0; place < child_places(); place++)
		found += child_at(place) == pid;
	return found;
}

START_TEST(each_has_one_place)
{
	ck_assert_uint_eq(child_places(), 0);
	for (int i = 0; i < FEW; i++)
		add(&owners[i], 100 + i);
	for (int i = 0; i < FEW; i += 2)
		child_exited(100 + i, 0);
	for (int i = 0; i < FEW; i++)
		ck_assert_int_eq((int)count_places(100 + i), i % 2);
	ck_assert_uint_eq(count_places(0), child_places() - FEW / 2);
}
END_TEST

/* ---- forgetting ---- */

START_TEST(forgotten_ones_are_not_told)
{
	struct owner owner = {0};

	add(&owner, 5);
	child_forget(5);
	ck_assert_uint_eq(child_dying(), 1);
	child_forget(5);
	ck_assert_uint_eq(child_dying(), 1);
	child_exited(5, 0);
	ck_assert_uint_eq(child_dying(), 0);
	ck_assert_int_eq(owner.told, 0);
}
END_TEST

START_TEST(forgotten_and_taken_over)
{
	struct owner first = {0}, second = {0};

	add(&first, 5);
	child_forget(5);
	add(&second, 5);
	ck_assert_uint_eq(child_dying(), 0);
	child_exited(5, 7);
	ck_assert_int_eq(first.told, 0);
	ck_assert_int_eq(second.told, 1);
	ck_assert_int_eq(second.status, 7);
}
END_TEST

/* The end of a forgotten one is no stray: its pid has an owner, who doesn't care. */
START_TEST(forgotten_is_no_stray)
{
	struct owner first = {0}, second = {0};

	add(&first, 5);
	child_forget(5);
	child_expect();
	child_exited(5, 0);
	add(&second, 5);
	ck_assert_int_eq(second.told, 0);
	child_unexpect();
}
END_TEST

START_TEST(many_forgotten_in_between)
{
	add_all(MANY, 64);
	for (size_t i = 0; i < MANY; i += 3)
		child_forget(owners[i].pid);
	ck_assert_uint_eq(child_dying(), MANY / 3);
	for (size_t i = 0; i < MANY; i++)
		child_exited(owners[i].pid, 0);
	ck_assert_uint_eq(child_dying(), 0);
	ck_assert_uint_eq(count_told(MANY, 0), MANY / 3);
	ck_assert_uint_eq(count_told(MANY, 1), MANY - MANY / 3);
}
END_TEST

/* ---- ends that come before the pid ---- */

START_TEST(a_stray_is_told_at_once)
{
	struct owner owner = {0};

	child_expect();
	child_exited(8, 9);
	add(&owner, 8);
	ck_assert_int_eq(owner.told, 1);
	ck_assert_int_eq(owner.status, 9);
	child_exited(8, 1); /* it is not in the table any more */
	ck_assert_int_eq(owner.told, 1);
	child_unexpect();
}
END_TEST

START_TEST(a_stray_is_told_once)
{
	struct owner first = {0}, second = {0};

	child_expect();
	child_exited(8, 9);
	add(&first, 8);
	add(&second, 8);
	ck_assert_int_eq(first.told, 1);
	ck_assert_int_eq(second.told, 0);
	child_unexpect();
}
END_TEST

START_TEST(several_strays)
{
	child_expect();
	child_expect();
	for (int i = 0; i < 100; i++)
		child_exited(1000 + i, i);
	for (int i = 99; i >= 0; i--) {
		add(&owners[i], 1000 + i);
		ck_assert_int_eq(owners[i].told, 1);
		ck_assert_int_eq(owners[i].status, i);
	}
	child_unexpect();
	child_unexpect();
}
END_TEST

START_TEST(nobody_expects_is_no_stray)
{
	struct owner owner = {0};

	child_exited(8, 9);
	child_expect();
	add(&owner, 8);
	ck_assert_int_eq(owner.told, 0);
	child_unexpect();
	child_exited(8, 1);
	ck_assert_int_eq(owner.told, 1);
}
END_TEST

/* The number may be another process's by then. */
START_TEST(a_stale_stray_is_never_matched)
{
	struct owner owner = {0};

	child_expect();
	child_exited(8, 9);
	child_unexpect();
	child_expect();
	add(&owner, 8);
	ck_assert_int_eq(owner.told, 0);
	child_unexpect();
	child_exited(8, 2);
	ck_assert_int_eq(owner.status, 2);
}
END_TEST

/* Whose end nobody asked for, and whose number another child got. */
START_TEST(a_stray_is_not_who_has_its_number_now)
{
	struct owner owner = {0};
	pid_t pid = unit_probe_process();

	ck_assert_int_eq(child_reserve(), 0);
	child_expect();
	child_exited(pid, 9);
	ck_assert(child_is_unclaimed(pid));
	add(&owner, pid);
	ck_assert_int_eq(owner.told, 0);
	child_unexpect();
	ck_assert_int_eq(kill(pid, SIGUSR2), 0);
	ck_assert_int_eq(waitpid(pid, &owner.status, 0), pid);
	child_exited(pid, owner.status);
	ck_assert_int_eq(owner.told, 1);
	ck_assert_int_eq(WEXITSTATUS(owner.status), 1);
}
END_TEST

START_TEST(kept_until_the_last_one_is_there)
{
	struct owner owner = {0};

	child_expect();
	child_expect();
	child_exited(8, 9);
	child_unexpect();
	add(&owner, 8);
	ck_assert_int_eq(owner.told, 1);
	child_unexpect();
}
END_TEST

/* More unknown ends than are kept cost memory only up to there. */
START_TEST(strays_are_bounded)
{
	struct owner owner = {0};

	child_expect();
	for (int i = 0; i < 100000; i++)
		child_exited(1000 + i, 0);
	add(&owner, 1000);
	ck_assert_int_eq(owner.told, 1);
	child_unexpect();
}
END_TEST

/* What a report names is believed only of a child of ours that nobody has. */
START_TEST(unclaimed)
{
	struct owner owner = {0};
	pid_t pid = unit_probe_process();

	ck_assert_int_eq(child_reserve(), 0);
	ck_assert(child_is_unclaimed(pid));
	ck_assert(!child_is_unclaimed(getpid()));
	ck_assert(!child_is_unclaimed(getppid()));
	ck_assert(!child_is_unclaimed(0));
	ck_assert(!child_is_unclaimed(-1));
	add(&owner, pid);
	ck_assert(!child_is_unclaimed(pid));
	child_forget(pid);
	ck_assert(!child_is_unclaimed(pid)); /* it still is the one who forgot it */
	child_expect();
	child_exited(8, 9);
	ck_assert(child_is_unclaimed(8)); /* it was ours */
	child_unexpect();
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

/* Places are kept for those that are expected: child_add can't fail, however many come at once. */
START_TEST(places_for_the_expected)
{
	for (size_t i = 0; i < 500; i++) {
		ck_assert_int_eq(child_reserve(), 0);
		child_expect();
	}
	for (size_t i = 0; i < 500; i++) {
		owners[i].pid = 100 + (pid_t)i;
		child_add(owners[i].pid, exited, &owners[i]);
		child_unexpect();
	}
	for (size_t i = 0; i < 500; i++)
		child_exited(owners[i].pid, 0);
	for (size_t i = 0; i < 500; i++)
		ck_assert_int_eq(owners[i].told, 1);
}
END_TEST

static int announced;

static void
announce(pid_t pid)
{
	ck_assert_int_eq(pid, 7);
	announced++;
}

START_TEST(whoever_reaps_hears_of_each_number_once)
{
	struct owner owner = {0};

	child_on_add(announce);
	add(&owner, 7);
	child_forget(7);
	add(&owner, 7);
	ck_assert_int_eq(announced, 1);
	child_exited(7, 0);
	add(&owner, 7);
	ck_assert_int_eq(announced, 2);
	child_expect();
	child_exited(7, 0);
	child_exited(7, 0);
	child_add(7, exited, &owner);
	ck_assert_int_eq(announced, 2); /* there was nothing left to reap */
	child_unexpect();
}
END_TEST

Suite *
unit_child(void)
{
	Suite *suite;
	TCase *tests = unit_case("child", &suite);
	int rounds = (int)(sizeof(steps) / sizeof(steps[0]));

	tcase_add_test(tests, told_once);
	tcase_add_test(tests, unknown_ones_are_ignored);
	tcase_add_loop_test(tests, many_that_collide, 0, rounds);
	tcase_add_loop_test(tests, many_in_any_order, 0, rounds);
	tcase_add_loop_test(tests, comings_and_goings, 0, rounds);
	tcase_add_test(tests, each_has_one_place);
	tcase_add_test(tests, forgotten_ones_are_not_told);
	tcase_add_test(tests, forgotten_and_taken_over);
	tcase_add_test(tests, forgotten_is_no_stray);
	tcase_add_test(tests, many_forgotten_in_between);
	tcase_add_test(tests, a_stray_is_told_at_once);
	tcase_add_test(tests, a_stray_is_told_once);
	tcase_add_test(tests, several_strays);
	tcase_add_test(tests, nobody_expects_is_no_stray);
	tcase_add_test(tests, a_stale_stray_is_never_matched);
	tcase_add_test(tests, a_stray_is_not_who_has_its_number_now);
	tcase_add_test(tests, kept_until_the_last_one_is_there);
	tcase_add_test(tests, strays_are_bounded);
	tcase_add_test(tests, unclaimed);
	tcase_add_test(tests, places_for_the_expected);
	tcase_add_test(tests, whoever_reaps_hears_of_each_number_once);
	return suite;
}
