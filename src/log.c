#include "config.h"

#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "util.h"

#define LINE_SIZE 4096 /* the longest tag and the longest piece of output, escaped, fit */

static bool use_stderr = true;
static bool journal_reads;

void
log_open(bool to_stderr)
{
	use_stderr = to_stderr;
	journal_reads = getenv("JOURNAL_STREAM") != NULL;
	if (!to_stderr)
		openlog("jaildaemon", LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

/* One write a line, so that lines of daemon and children never mix. A log that can't be written is
 * no reason to stop, and there is nobody to tell. */
static void
write_stderr(int priority, const char *line)
{
	char text[LINE_SIZE + 32];
	int length;

	if (journal_reads)
		length = snprintf(text, sizeof(text), "<%d>%s\n", priority, line);
	else
		length = snprintf(text, sizeof(text), "jaildaemon: %s\n", line);
	if (length > 0 && write(STDERR_FILENO, text, strlen(text)) < 0)
		return;
}

static void log_line(int priority, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

static void
log_line(int priority, const char *format, va_list args)
{
	int saved_errno = errno;
	char line[LINE_SIZE];

	vsnprintf(line, sizeof(line), format, args);
	util_make_printable(line);
	if (use_stderr)
		write_stderr(priority, line);
	else
		syslog(priority, "%s", line);
	errno = saved_errno;
}

#define LOG_VERB(name, priority)                    \
	void log_##name(const char *format, ...)    \
	{                                           \
		va_list args;                       \
                                                    \
		va_start(args, format);             \
		log_line(priority, format, args);   \
		va_end(args);                       \
	}

LOG_VERB(info, LOG_INFO)
LOG_VERB(warn, LOG_WARNING)
LOG_VERB(error, LOG_ERR)

void
log_debug(const char *format, ...)
{
	static int wanted = -1;
	va_list args;

	if (wanted < 0)
		wanted = getenv("JAILDAEMON_DEBUG") != NULL;
	if (!wanted)
		return;
	va_start(args, format);
	log_line(LOG_DEBUG, format, args);
	va_end(args);
}

char *
log_quote(char *dst, size_t size, const char *text, size_t length)
{
	static const char hex[] = "0123456789abcdef";
	const size_t longest = 4; /* \xNN */
	size_t used = 0;

	if (size < longest + 3)
		return memset(dst, 0, size);
	dst[used++] = '"';
	for (size_t i = 0; i < length && used + longest + 2 <= size; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '"' || c == '\\') {
			dst[used++] = '\\';
			dst[used++] = (char)c;
		} else if (c < ' ' || c > '~') {
			dst[used++] = '\\';
			dst[used++] = 'x';
			dst[used++] = hex[c >> 4];
			dst[used++] = hex[c & 15];
		} else {
			dst[used++] = (char)c;
		}
	}
	dst[used++] = '"';
	dst[used] = '\0';
	return dst;
}
