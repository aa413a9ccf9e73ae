/*
 * The last state of an armed probe, as the host's root sees it through sysctl(3) and procctl(2).
 */
#include "config.h"

#include <sys/param.h>
#include <sys/procctl.h>
#include <sys/stat.h>
#include <sys/sysctl.h>
#include <sys/user.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_exec.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "hostile.h"
#include "hostile_adds.h"
#include "hostile_freebsd.h"

#define USER 501u

struct armed {
	int jid;
	const char *path; /* the jail's root */
	pid_t pid;
	uid_t uid;
};

static pid_t
add_to(int jid, uid_t uid)
{
	char request[512];
	json_t *answer;
	pid_t pid;

	(void)snprintf(request, sizeof(request),
		       "{\"op\":\"add\",\"jail\":%d,\"command\":\"%s\",\"title\":\"%s\",\"uid\":%u,"
		       "\"gid\":%u}",
		       jid, hostile_command_text(), hostile_title(), uid, uid);
	answer = ctl_ask_ok(request);
	pid = (pid_t)ctl_int(ctl_member(answer, "probe"), "pid");
	json_decref(answer);
	return (pid);
}

/* Probes of root and of a user, in a jail with a root of its own. */
static void
look_at_probes(void (*look)(const struct armed *))
{
	static const uid_t uids[] = {0, USER};
	struct armed armed = {.path = place_at("jailroot")};
	size_t i;

	ck_assert_int_eq(mkdir(armed.path, 0755), 0);
	(void)setenv("LEAKED_VARIABLE", "leaked", 1);
	armed.jid = freebsd_jail(0, "state", armed.path);
	(void)daemon_start_as(&(struct launch){.leaks = true, .ignoring = true, .blocked = true});
	for (i = 0; i < 2; i++) {
		armed.uid = uids[i];
		armed.pid = add_to(armed.jid, armed.uid);
		look(&armed);
	}
	hostile_expect_no_run();
}

#define STATE_TEST(name, look) \
	START_TEST(name) \
	{ \
		NEEDS_ROOT; \
		look_at_probes(look); \
	} \
	END_TEST

/* Calls see for each of its files, the directories among them with their negative numbers. */
static int
each_file(const struct armed *armed, void (*see)(const struct kinfo_file *, const struct armed *))
{
	int mib[4] = {CTL_KERN, KERN_PROC, KERN_PROC_FILEDESC, armed->pid}, count = 0;
	static char files[65536];
	size_t size = sizeof(files), at = 0;

	ck_assert_int_eq(sysctl(mib, 4, files, &size, NULL, 0), 0);
	while (at < size) {
		const struct kinfo_file *file = (const void *)(files + at);

		if (file->kf_structsize == 0)
			break;
		see(file, armed);
		count++;
		at += (size_t)file->kf_structsize;
	}
	return (count);
}

static void
see_descriptor(const struct kinfo_file *file, const struct armed *armed)
{
	(void)armed;
	ck_assert_msg(file->kf_fd < 0, "descriptor %d is open", file->kf_fd);
}

static void
look_descriptors(const struct armed *armed)
{
	ck_assert_int_gt(each_file(armed, see_descriptor), 0);
}
STATE_TEST(armed_probe_has_no_descriptor, look_descriptors)

static void
see_directory(const struct kinfo_file *file, const struct armed *armed)
{
	if (file->kf_fd == KF_FD_TYPE_CWD || file->kf_fd == KF_FD_TYPE_ROOT ||
	    file->kf_fd == KF_FD_TYPE_JAIL)
		ck_assert_str_eq(file->kf_path, armed->path);
}

static void
look_directories(const struct armed *armed)
{
	ck_assert_int_ge(each_file(armed, see_directory), 3);
}
STATE_TEST(armed_probe_stands_in_the_jails_root, look_directories)

static void
look_environment(const struct armed *armed)
{
	int mib[4] = {CTL_KERN, KERN_PROC, KERN_PROC_ENV, armed->pid};
	char text[4096] = "";
	size_t size = sizeof(text);

	ck_assert(sysctl(mib, 4, text, &size, NULL, 0) != 0 || size == 0 || text[0] == '\0');
}
STATE_TEST(armed_probe_has_an_empty_environment, look_environment)

static void
look_ids(const struct armed *armed)
{
	struct kinfo_proc process;

	ck_assert(freebsd_process(armed->pid, &process));
	ck_assert_uint_eq(process.ki_uid, armed->uid);
	ck_assert_uint_eq(process.ki_ruid, armed->uid);
	ck_assert_uint_eq(process.ki_svuid, armed->uid);
	ck_assert_uint_eq(process.ki_rgid, armed->uid);
	ck_assert_uint_eq(process.ki_svgid, armed->uid);
	ck_assert_int_eq(process.ki_ngroups, 1);
	ck_assert_uint_eq(process.ki_groups[0], armed->uid);
}
STATE_TEST(armed_probe_has_its_ids_and_no_other_group, look_ids)

static void
look_jail(const struct armed *armed)
{
	struct kinfo_proc process;

	ck_assert(freebsd_process(armed->pid, &process));
	ck_assert_int_eq(process.ki_jid, armed->jid);
}
STATE_TEST(armed_probe_is_in_the_jail, look_jail)

static void
look_session(const struct armed *armed)
{
	struct kinfo_proc process;

	ck_assert(freebsd_process(armed->pid, &process));
	ck_assert_int_eq(process.ki_sid, armed->pid);
	ck_assert_int_eq(process.ki_pgid, armed->pid);
	ck_assert_int_eq(process.ki_flag & P_CONTROLT, 0);
}
STATE_TEST(armed_probe_has_its_own_session_and_no_terminal, look_session)

static void
look_signals(const struct armed *armed)
{
	struct kinfo_proc process;
	int sig;

	ck_assert(freebsd_process(armed->pid, &process));
	for (sig = 1; sig < NSIG; sig++) {
		ck_assert(sig == SIGHUP || !sigismember(&process.ki_sigmask, sig));
		ck_assert(!sigismember(&process.ki_sigignore, sig) || sig == SIGCHLD ||
			  sig == SIGURG || sig == SIGCONT || sig == SIGWINCH || sig == SIGINFO ||
			  sig == SIGIO);
		ck_assert(!sigismember(&process.ki_sigcatch, sig));
	}
}
STATE_TEST(armed_probe_inherits_no_disposition_of_signals, look_signals)

static void
look_trace(const struct armed *armed)
{
	int status = 0;

	ck_assert_int_eq(procctl(P_PID, armed->pid, PROC_TRACE_STATUS, &status), 0);
	ck_assert_int_eq(status, -1);
}
STATE_TEST(armed_probe_is_untraceable, look_trace)

static bool
has_capability_mode(void)
{
	int there = 0;
	size_t size = sizeof(there);

	return (sysctlbyname("kern.features.security_capability_mode", &there, &size, NULL, 0) ==
		    0 &&
		there != 0);
}

static void
look_confinement(const struct armed *armed)
{
	struct kinfo_proc process;

	ck_assert(freebsd_process(armed->pid, &process));
	ck_assert_uint_ne(process.ki_cr_flags & KI_CRF_CAPABILITY_MODE, 0);
}

START_TEST(armed_probe_is_in_capability_mode)
{
	NEEDS_ROOT;
	SKIP_UNLESS(has_capability_mode(), "this kernel has no capability mode");
	look_at_probes(look_confinement);
}
END_TEST

Suite *
hostile_state(void)
{
	Suite *suite = suite_create("state");

	PLACE_CASE(suite, armed_probe_has_no_descriptor);
	PLACE_CASE(suite, armed_probe_stands_in_the_jails_root);
	PLACE_CASE(suite, armed_probe_has_an_empty_environment);
	PLACE_CASE(suite, armed_probe_has_its_ids_and_no_other_group);
	PLACE_CASE(suite, armed_probe_is_in_the_jail);
	PLACE_CASE(suite, armed_probe_has_its_own_session_and_no_terminal);
	PLACE_CASE(suite, armed_probe_inherits_no_disposition_of_signals);
	PLACE_CASE(suite, armed_probe_is_untraceable);
	PLACE_CASE(suite, armed_probe_is_in_capability_mode);
	return (suite);
}
