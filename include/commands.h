/* The operations of the control protocol: one row each, which validation, dispatch and the client
 * walk alike. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include <stdbool.h>

#include "codec.h"
#include "configured.h"
#include "request.h"

enum command_flags {
	COMMAND_OVERLAPS = 1, /* needn't wait for the answers to the same client's earlier requests */
	COMMAND_READ_ONLY = 2,
};

struct command {
	const char *op;
	const struct codec_member *members;	 /* beside op, id and keep; NULL: none */
	const struct codec_member *more_members; /* likewise */
	unsigned flags;
	void (*run)(struct request *);
};

/* NULL: there is none. */
const struct command *commands_find(const char *op);

/* Those whose answer other lines may follow; for the table alone. */
void commands_watch(struct request *);
void commands_output(struct request *, struct probe *);

/* The handler of `list`: commands_list.c. */
void commands_list(struct request *);

/* What `status` tells of the server itself. */
struct commands_server_state {
	pid_t pid;
	int64_t started_ms; /* wall clock */
	int64_t uptime_ms;
	unsigned clients;
	const char *socket; /* the server's own string */
};

/* What commands ask of the server, which sets it before the first request. */
struct commands_server {
	void (*stop)(void);
	void (*describe)(struct commands_server_state *);
	int (*reload)(configured_done_cb *, void *arg, struct error *);
	/* failed is called, later or at once, if this program stays; see upgrade.h. */
	void (*upgrade)(const char *id, const void *reply_arg,
			void (*failed)(void *arg, const struct error *e), void *arg);
};
void commands_init(const struct commands_server *);

/* The line that answers an upgrade, of the request with this id (JSON; NULL: it had none), to be freed with
 * free(). NULL: no memory. */
char *commands_upgraded(const char *id);

#endif
