/*
 * The log: one line a fact, to syslog or to standard error. Values that came from outside go
 * through log_quote, and whatever reaches a line, a control character never does, so nothing can
 * forge a line or a key=value pair. All verbs keep errno.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stddef.h>

/* to_stderr: lines go to standard error, with the native priority prefix ("<6>") when systemd reads
 * it (JOURNAL_STREAM is set). Else to syslog. */
void log_open(bool to_stderr);

/* From where on, and of what importance: as syslog has them. Before it is called: LOG_DAEMON, and
 * log_usual_level. */
void log_set(int facility, int level);

/* LOG_INFO, or LOG_DEBUG if JAILDAEMON_DEBUG is set. */
int log_usual_level(void);

/* By their names: those facilities that are not another program's own, and "error", "warning", "info" and
 * "debug". -1: that is none. */
int log_find_facility(const char *name);
int log_find_level(const char *name);

void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line that was composed already; priority: as syslog has them. */
void log_write(int priority, const char *line, size_t length);

/* Writes text[0..length) to dst as a quoted string: quotes, backslashes, control characters and
 * bytes above 126 are escaped. Cut to size; always terminated. Returns dst. */
char *log_quote(char *dst, size_t size, const char *text, size_t length);

#endif
