#include "config.h"

#include "error.h"

#include <stdarg.h>
#include <stdio.h>

#include "util.h"

static const char *const names[ERR_COUNT] = {
    [ERR_NONE] = "none",
    [ERR_BAD_JSON] = "bad-json",
    [ERR_BAD_REQUEST] = "bad-request",
    [ERR_UNKNOWN_OP] = "unknown-op",
    [ERR_TOO_LARGE] = "too-large",
    [ERR_DENIED] = "denied",
    [ERR_NO_SUCH_JAIL] = "no-such-jail",
    [ERR_NO_SUCH_PROBE] = "no-such-probe",
    [ERR_EXISTS] = "exists",
    [ERR_LIMIT] = "limit",
    [ERR_ATTACH_FAILED] = "attach-failed",
    [ERR_STOPPING] = "stopping",
    [ERR_INTERNAL] = "internal",
};

const char *
error_name(enum error_code code)
{
	return names[code];
}

int
error_set(struct error *e, enum error_code code, const char *format, ...)
{
	va_list args;

	e->code = code;
	va_start(args, format);
	vsnprintf(e->text, sizeof(e->text), format, args);
	va_end(args);
	util_make_printable(e->text);
	return -1;
}

int
error_no_memory(struct error *e)
{
	return error_set(e, ERR_INTERNAL, "out of memory");
}
