/*
 * What the daemon and its probe program (libexec/jaildaemon-probe) say to each other. Both are
 * built from one tree and started by the same daemon, so the layout needs no version.
 *
 * This header is also read by a program without a libc: types and constants only.
 */
#ifndef ATTACH_WIRE_H
#define ATTACH_WIRE_H

#include <stdint.h>

/* The one exit code that means "somebody inside pressed the button". Far from what shells, sysexits
 * and crashing programs use; anything else never runs a command. */
#define PROBE_EXIT_TRIGGERED 113

/* What every probe's title begins with, so that none can pass for another program. */
#define PROBE_TITLE_PREFIX "jaildaemon: "

/* Bytes of the whole title, prefix and terminating NUL included. */
#define ATTACH_TITLE_SIZE 320

/*
 * One report, written to the channel that belongs to one attach: a pipe on FreeBSD, a socket on Linux,
 * whose messages the kernel marks with their sender. Its end means: armed when ATTACH_READY came
 * before it, failed otherwise. A report is smaller than PIPE_BUF, so it arrives whole. The probe and the processes that made it write to the same pipe, in any order.
 */
enum attach_stage {
	ATTACH_HELPER = 1, /* the first of all (Linux): from the process that will make the probes */
	ATTACH_PID,	   /* value: the probe's pid, as the daemon sees it */
	ATTACH_READY,	   /* everything is done but closing the descriptors, this pipe last */

	/* The stages that can fail; value: the errno. Texts: attach_stage_text(). */
	ATTACH_FAIL_REQUEST,
	ATTACH_FAIL_HELPER,
	ATTACH_FAIL_PIDNS,
	ATTACH_FAIL_FORK,
	ATTACH_FAIL_EXEC,
	ATTACH_FAIL_UNTRACEABLE,
	ATTACH_FAIL_SESSION,
	ATTACH_FAIL_ENTER,
	ATTACH_FAIL_IDENTITY,
	ATTACH_FAIL_ROOT,
	ATTACH_FAIL_GROUPS,
	ATTACH_FAIL_GID,
	ATTACH_FAIL_UID,
	ATTACH_FAIL_CAPABILITIES,
	ATTACH_FAIL_PARENT_DEATH,
	ATTACH_FAIL_CONFINE,

	/* What a probe can live without: reported, and gone on. */
	ATTACH_WARN_CGROUP,
	ATTACH_WARN_OOM_SCORE,
	ATTACH_WARN_LABEL,
	ATTACH_STAGE_END
};

struct attach_report {
	uint32_t stage; /* enum attach_stage */
	int32_t value;
};

#define ATTACH_OOM_SCORE_SIZE  8
#define ATTACH_LABEL_PATH_SIZE 48
#define ATTACH_LABEL_SIZE      320

/* Hierarchies of cgroup v1 that a jail may have groups of its own in, and the one of v2. */
#define ATTACH_CGROUPS_MAX 16

/* Probes that one helper makes at most: all for one jail, with the same ids. */
#define ATTACH_PARTY_MAX 8

/* Linux only: one datagram to the launcher, with the descriptors below beside it. It ends after the last
 * of the titles. */
struct attach_request {
	uint32_t namespaces; /* CLONE_NEW*: those of the jail that are not the daemon's own */
	uint32_t uid;	     /* as the jail's user namespace counts */
	uint32_t gid;
	uint32_t probes;     /* 1 to ATTACH_PARTY_MAX */
	uint32_t cgroups;    /* descriptors of cgroups after the fixed ones */
	uint32_t unified;    /* 1: the first of them is a directory of cgroup v2 */
	char oom_score_adj[ATTACH_OOM_SCORE_SIZE]; /* the jail's; "": the same as ours */
	char label_path[ATTACH_LABEL_PATH_SIZE];  /* below /proc/self/attr; "": no label */
	char label[ATTACH_LABEL_SIZE];		  /* what to write there */
	char titles[ATTACH_PARTY_MAX][ATTACH_TITLE_SIZE]; /* each complete, NUL-terminated */
};

enum attach_fd {
	ATTACH_FD_INIT, /* pidfd of the jail's init */
	ATTACH_FD_ROOT, /* the jail's root directory (O_PATH) */
	ATTACH_FD_REPORTS, /* write ends of the report channels, one a probe */
	/* then: cgroup v2 directory, where there is one; cgroup.procs files of v1 */
	ATTACH_FD_MAX = ATTACH_FD_REPORTS + ATTACH_PARTY_MAX + ATTACH_CGROUPS_MAX
};

/* Descriptor on which the launcher gets its socket, and a FreeBSD probe its report pipe. */
#define ATTACH_INHERITED_FD 3

/* Linux: a file, the probe program itself, on which the daemon holds a lock (F_SETLK) for as long as it lives.
 * Whoever asks for it learns whether the daemon has begun to end, and that before anybody gets another parent. */
#define ATTACH_ALIVE_FD (ATTACH_INHERITED_FD + 1)

#endif
