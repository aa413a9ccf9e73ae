#include "config.h"

#include "linelog.h"

#include "limit.h"
#include "log.h"

static void
flush_line(struct linelog *out)
{
	char quoted[LINELOG_LINE_MAX * 4 + 3];

	log_info("event=run-output %s run=%llu line=%s", out->tag, (unsigned long long)out->run,
		 log_quote(quoted, sizeof(quoted), out->line, out->used));
	out->used = 0;
}

void
linelog_append(struct linelog *out, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length && out->seen + i < limits()->log_output_bytes; i++) {
		if (bytes[i] == '\n' || out->used == sizeof(out->line))
			flush_line(out);
		if (bytes[i] != '\n')
			out->line[out->used++] = bytes[i];
	}
	out->seen += length;
}

void
linelog_finish(struct linelog *out)
{
	if (out->used > 0)
		flush_line(out);
	if (out->seen > limits()->log_output_bytes)
		log_info("event=run-output-cut %s run=%llu unlogged_bytes=%llu", out->tag,
			 (unsigned long long)out->run,
			 (unsigned long long)(out->seen - limits()->log_output_bytes));
}
