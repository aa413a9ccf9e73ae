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
#define PREFIX_SIZE 16

static bool use_stderr = true;
static bool journal_reads;
static int facility_used = LOG_DAEMON;
static int level_wanted = -1; /* not set yet */

struct word {
	const char *name;
	int value;
};

void
log_open(bool to_stderr)
{
	use_stderr = to_stderr;
	journal_reads = getenv("JOURNAL_STREAM") != NULL;
	if (!to_stderr)
		openlog("jaildaemon", LOG_PID | LOG_NDELAY, facility_used);
}

void
log_set(int facility, int level)
{
	level_wanted = level;
	if (facility == facility_used)
		return;
	facility_used = facility;
	log_open(use_stderr);
}

int
log_usual_level(void)
{
	return getenv("JAILDAEMON_DEBUG") != NULL ? LOG_DEBUG : LOG_INFO;
}

static int
find_word(const struct word *words, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(words[i].name, name) == 0)
			return words[i].value;
	return -1;
}

int
log_find_facility(const char *name)
{
	static const struct word facilities[] = {
	    {"auth", LOG_AUTH},	    {"authpriv", LOG_AUTHPRIV}, {"cron", LOG_CRON},
	    {"daemon", LOG_DAEMON}, {"user", LOG_USER},		{"local0", LOG_LOCAL0},
	    {"local1", LOG_LOCAL1}, {"local2", LOG_LOCAL2},	{"local3", LOG_LOCAL3},
	    {"local4", LOG_LOCAL4}, {"local5", LOG_LOCAL5},	{"local6", LOG_LOCAL6},
	    {"local7", LOG_LOCAL7}};

	return find_word(facilities, UTIL_COUNT(facilities), name);
}

int
log_find_level(const char *name)
{
	static const struct word levels[] = {{"error", LOG_ERR},
					     {"warning", LOG_WARNING},
					     {"info", LOG_INFO},
					     {"debug", LOG_DEBUG}};

	return find_word(levels, UTIL_COUNT(levels), name);
}

/* Less important ones have the higher numbers. */
static bool
is_wanted(int priority)
{
	if (level_wanted < 0)
		level_wanted = log_usual_level();
	return priority <= level_wanted;
}

/* Where the line begins: whoever reads standard error wants to know who it is, or how much it matters. */
static size_t
put_prefix(char text[PREFIX_SIZE], int priority)
{
	if (!use_stderr)
		return 0;
	if (journal_reads)
		return (size_t)snprintf(text, PREFIX_SIZE, "<%d>", priority);
	memcpy(text, "jaildaemon: ", strlen("jaildaemon: "));
	return strlen("jaildaemon: ");
}

/* One write a line, so that lines of daemon and children never mix. A log that can't be written is
 * no reason to stop, and there is nobody to tell. */
static void
put_line(int priority, const char *line, size_t length)
{
	char text[PREFIX_SIZE + LINE_SIZE + 1];
	size_t begin = put_prefix(text, priority), end;

	end = begin + (length < LINE_SIZE ? length : LINE_SIZE - 1);
	memcpy(text + begin, line, end - begin);
	text[end] = '\0';
	util_make_printable(text + begin);
	if (!use_stderr) {
		syslog(priority, "%s", text);
		return;
	}
	text[end++] = '\n';
	if (write(STDERR_FILENO, text, end) < 0)
		return;
}

void
log_write(int priority, const char *line, size_t length)
{
	int saved_errno = errno;

	if (is_wanted(priority))
		put_line(priority, line, length);
	errno = saved_errno;
}

static void log_line(int priority, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

static void
log_line(int priority, const char *format, va_list args)
{
	int saved_errno = errno;
	char line[LINE_SIZE];

	if (!is_wanted(priority))
		return;
	vsnprintf(line, sizeof(line), format, args);
	put_line(priority, line, strlen(line));
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

LOG_VERB(debug, LOG_DEBUG)
LOG_VERB(info, LOG_INFO)
LOG_VERB(warn, LOG_WARNING)
LOG_VERB(error, LOG_ERR)

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
