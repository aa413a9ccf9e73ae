/*
 * Putting a probe into a jail. attach_begin starts it and returns at once; how it went is read from
 * the report pipe, as attach_wire.h describes.
 */
#ifndef ATTACH_H
#define ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "attach_wire.h"
#include "error.h"
#include "jail.h"

struct attach_params {
	uid_t uid; /* as counted inside */
	gid_t gid;
	const char *title; /* without the prefix; cut to ATTACH_TITLE_SIZE */
	const char *tag;   /* of the probe, for log lines while it is waited for */
};

/* Once, at start: finds the probe program. -1 with *e. */
int attach_prepare(struct error *e);

/* An attach that has begun. */
struct attach_begun {
	int report_fd;	/* the caller's; close-on-exec, non-blocking */
	pid_t pid;	/* the probe's; -1 where it comes as a report (Linux) */
	unsigned party; /* those of one number are made by one helper (Linux); 0: there is no helper */
};

/* Ends what attach_prepare and attach_begin keep for themselves. Probes live on. */
void attach_finish(void);

/*
 * Begins one. What can be made together may wait for attach_flush: the jail must be held and *params live
 * until then. -1 with *e: nothing was begun, nothing is to be closed.
 */
int attach_begin(const struct jail_instance *, const struct attach_params *, struct attach_begun *,
		 struct error *e);

/* Nothing that was begun waits any longer. What fails here comes as a report. */
void attach_flush(void);

/*
 * Takes the next report that can be believed. helper: the pid that ATTACH_HELPER gave, 0 before. Where
 * the system tells who sent a report (Linux), ATTACH_HELPER and ATTACH_READY come with that pid as
 * their value, and ATTACH_PID from nobody but the helper; elsewhere the value of ATTACH_READY is 0.
 * 1: *line is filled in; 0: the end; -1: nothing is there, or can be taken, now.
 */
int attach_read(int report_fd, pid_t helper, struct attach_report *line);

/* Fills in *e for a failed stage, in words for the administrator. */
void attach_explain(const struct attach_report *, const struct attach_params *, struct error *e);

/* Reports of what a probe could do without, and their texts. */
bool attach_is_warning(const struct attach_report *);
const char *attach_warning(const struct attach_report *);

/* Path of the probe program: in $JAILDAEMON_LIBEXEC, beside the daemon's own binary (a build tree),
 * or where it was installed. -1 with *e. For the system's file. */
int attach_find_program(char *path, size_t size, struct error *e);

/* The daemon's own binary, from the system. -1: not known. */
int attach_os_own_path(char *path, size_t size);

#endif
