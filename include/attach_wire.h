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
 * One report, written to the pipe that belongs to one attach. The pipe's end means: armed when
 * ATTACH_READY came before it, failed otherwise. A report is smaller than PIPE_BUF, so it arrives
 * whole. The probe's process and the process that made it write to the same pipe, in any order.
 */
enum attach_stage {
	ATTACH_PID = 1, /* value: the probe's pid, as the daemon sees it */
	ATTACH_READY,	/* everything is done but closing the descriptors, this pipe last */

	/* The stages that can fail; value: the errno. Texts: attach_stage_text(). */
	ATTACH_FAIL_REQUEST,
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
	ATTACH_STAGE_END
};

struct attach_report {
	uint32_t stage; /* enum attach_stage */
	int32_t value;
};

/* Linux only: one datagram to the launcher, with the descriptors below beside it. */
struct attach_request {
	uint32_t namespaces; /* CLONE_NEW*: those of the jail that are not the daemon's own */
	uint32_t uid;	     /* as the jail's user namespace counts */
	uint32_t gid;
	char title[ATTACH_TITLE_SIZE]; /* complete, NUL-terminated */
};

enum attach_fd {
	ATTACH_FD_REPORT, /* write end of the report pipe */
	ATTACH_FD_INIT,	  /* pidfd of the jail's init */
	ATTACH_FD_ROOT,	  /* the jail's root directory (O_PATH) */
	ATTACH_FD_COUNT
};

/* Descriptor on which the launcher gets its socket, and a FreeBSD probe its report pipe. */
#define ATTACH_INHERITED_FD 3

#endif
