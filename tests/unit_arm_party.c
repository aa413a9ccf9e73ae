/* Several attaches at once: a party whose members share a helper, and many that take turns. */
#include "config.h"

#include "arm.h"

#include <signal.h>

#include "unit.h"
#include "unit_arming.h"

#define MANY 40

/* ---- together ---- */

/* Three whose helper is known. */
static pid_t
begin_party(struct unit_arming outcomes[3], struct arm *arms[3])
{
	pid_t helper = unit_probe_process();

	unit_arming_begin();
	unit_attach_parties(3);
	for (unsigned i = 0; i < 3; i++)
		arms[i] = unit_arming_start(&outcomes[i]);
	unit_attach_wait(3);
	for (unsigned i = 0; i < 3; i++)
		unit_attach_report(i, ATTACH_HELPER, helper);
	unit_settle();
	return helper;
}

/* Each is answered when its own channel has ended and the helper, which they share, is gone. */
START_TEST(a_party_waits_for_its_helper)
{
	struct unit_arming outcomes[3];
	struct arm *arms[3];
	pid_t helper = begin_party(outcomes, arms), pids[3];

	for (unsigned i = 0; i < 3; i++)
		pids[i] = unit_probe_process();
	unit_attach_succeed(0, pids[0]);
	unit_attach_succeed(0, pids[1]);
	ck_assert_uint_eq(outcomes[0].done + outcomes[1].done, 0);
	kill(helper, SIGKILL);
	unit_wait_reaped(1);
	ck_assert_int_eq(outcomes[0].pid, pids[0]);
	ck_assert_int_eq(outcomes[1].pid, pids[1]);
	ck_assert_uint_eq(outcomes[2].done, 0);
	unit_attach_succeed(0, pids[2]);
	ck_assert_int_eq(outcomes[2].pid, pids[2]);
	for (unsigned i = 0; i < 3; i++)
		kill(pids[i], SIGKILL);
	unit_wait_reaped(4);
	unit_arming_check_clean();
}
END_TEST

/* What becomes of one is nothing to the others: the helper goes on. */
START_TEST(one_of_a_party_is_cancelled)
{
	struct unit_arming outcomes[3];
	struct arm *arms[3];
	pid_t helper = begin_party(outcomes, arms), pid = unit_probe_process();

	unit_attach_report(0, ATTACH_PID, unit_probe_process());
	unit_settle();
	arm_cancel(arms[0]);
	unit_wait_reaped(1);
	unit_attach_end(0);
	unit_attach_fail(0);
	ck_assert_int_eq(kill(helper, 0), 0);
	unit_attach_succeed(0, pid);
	unit_wait(unit_is_reaped, &helper, "the end of a helper that has nothing more to do");
	ck_assert_uint_eq(outcomes[0].done, 0);
	unit_arming_check_failed(&outcomes[1], UNIT_ATTACH_FAILED);
	ck_assert_int_eq(outcomes[2].pid, pid);
	kill(pid, SIGKILL);
	unit_wait(unit_is_reaped, &pid, "the end of a process");
	unit_arming_check_clean();
}
END_TEST

/* Whoever hears that a probe is armed may do away with the next one. */
static struct arm *to_cancel;

static void
done_and_cancel(void *arg, pid_t pid, const struct error *e)
{
	unit_arming_done(arg, pid, e);
	if (to_cancel != NULL)
		arm_cancel(to_cancel);
	to_cancel = NULL;
}

START_TEST(one_of_a_party_cancels_another)
{
	struct unit_arming outcomes[2] = {{0}, {0}};
	pid_t helper = unit_probe_process(), pids[2] = {unit_probe_process(), unit_probe_process()};

	unit_arming_begin();
	unit_attach_parties(2);
	ck_assert_ptr_nonnull(
	    arm_begin(unit_arming_jail, &unit_arming_params, done_and_cancel, &outcomes[0]));
	to_cancel =
	    arm_begin(unit_arming_jail, &unit_arming_params, unit_arming_done, &outcomes[1]);
	unit_attach_wait(2);
	for (unsigned i = 0; i < 2; i++)
		unit_attach_report(i, ATTACH_HELPER, helper);
	for (unsigned i = 0; i < 2; i++)
		unit_attach_succeed(0, pids[i]);
	unit_wait(unit_is_reaped, &helper, "the end of a helper that has nothing more to do");
	unit_wait(unit_is_reaped, &pids[1], "the end of a probe that nobody wants any more");
	ck_assert_int_eq(outcomes[0].pid, pids[0]);
	ck_assert_uint_eq(outcomes[1].done, 0);
	kill(pids[0], SIGKILL);
	unit_wait(unit_is_reaped, &pids[0], "the end of a process");
	unit_arming_check_clean();
}
END_TEST

/* Frozen with its jail, say: when all have given up waiting, it is ended. */
START_TEST(a_helper_that_stands_still)
{
	struct unit_arming outcomes[3];
	struct arm *arms[3];
	pid_t helper = begin_party(outcomes, arms);

	for (unsigned i = 0; i < 3; i++)
		unit_wait(unit_arming_is_done, &outcomes[i], "giving up");
	unit_wait(unit_is_reaped, &helper, "the end of a helper that stands still");
	for (unsigned i = 0; i < 3; i++) {
		unit_arming_check_failed(&outcomes[i], "the probe was not ready within 5 seconds");
		unit_attach_end(0);
	}
	unit_arming_check_clean();
}
END_TEST

/* ---- many ---- */

/* Only so many at once, more of them when there are places for a whole party, and all of them in the end, in
 * the order in which they were asked for. */
START_TEST(many_take_turns)
{
	static struct unit_arming outcomes[MANY];
	unsigned most, least;

	unit_arming_begin();
	for (size_t i = 0; i < MANY; i++)
		unit_arming_start(&outcomes[i]);
	unit_settle();
	most = unit_attaches();
	ck_assert(most > ATTACH_PARTY_MAX && most < MANY);
	least = most - ATTACH_PARTY_MAX + 1;
	for (unsigned i = 0; i < MANY; i++) {
		ck_assert_uint_eq(outcomes[i].done, 0);
		unit_attach_fail(0);
		ck_assert_uint_eq(outcomes[i].done, 1);
		ck_assert_uint_le(unit_attaches(), most);
		ck_assert_uint_ge(unit_attaches(), MANY - i - 1 < least ? MANY - i - 1 : least);
	}
	unit_arming_check_clean();
}
END_TEST

/* A jail whose attaches fill its places keeps no other one waiting. */
START_TEST(jails_have_places_each)
{
	static struct unit_arming outcomes[MANY], other;
	struct jail_instance *flooded;
	unsigned most;

	unit_arming_begin();
	for (size_t i = 0; i < MANY; i++)
		unit_arming_start(&outcomes[i]);
	unit_settle();
	most = unit_attaches();
	flooded = unit_arming_jail;
	unit_arming_jail = unit_arming_find_jail("mail", 4712);
	unit_arming_start(&other);
	unit_settle();
	ck_assert_uint_eq(unit_attaches(), most + 1);
	unit_attach_fail(most);
	unit_arming_check_failed(&other, UNIT_ATTACH_FAILED);
	while (unit_attaches() > 0)
		unit_attach_fail(0);
	jail_release(unit_arming_jail);
	unit_arming_jail = flooded;
	unit_arming_check_clean();
}
END_TEST

Suite *
unit_arm_party(void)
{
	Suite *suite;
	TCase *tests = unit_case("arm_party", &suite);

	tcase_add_test(tests, a_party_waits_for_its_helper);
	tcase_add_test(tests, one_of_a_party_is_cancelled);
	tcase_add_test(tests, one_of_a_party_cancels_another);
	tcase_add_test(tests, a_helper_that_stands_still);
	tcase_add_test(tests, many_take_turns);
	tcase_add_test(tests, jails_have_places_each);
	return suite;
}
