/*
 * Errors as values: a low layer fills one in with its text, the layer that decides answers or logs
 * it, once. The codes are the protocol's.
 */
#ifndef ERROR_H
#define ERROR_H

enum error_code {
	ERR_NONE,
	ERR_BAD_JSON,
	ERR_BAD_REQUEST,
	ERR_UNKNOWN_OP,
	ERR_TOO_LARGE,
	ERR_DENIED,
	ERR_NO_SUCH_JAIL,
	ERR_NO_SUCH_PROBE,
	ERR_EXISTS,
	ERR_LIMIT,
	ERR_ATTACH_FAILED,
	ERR_STOPPING,
	ERR_INTERNAL,
	ERR_COUNT
};

#define ERROR_TEXT_SIZE 512

struct error {
	enum error_code code;
	char text[ERROR_TEXT_SIZE]; /* one line, printable; cut, never overrun */
};

/* The code as the protocol spells it, e.g. "no-such-jail". */
const char *error_name(enum error_code);

/* Fills in *e and returns -1, so that a function can end with `return error_set(…)`. */
int error_set(struct error *e, enum error_code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for the one error that can happen anywhere. */
int error_no_memory(struct error *e);

#endif
