/* What the row "peers" compares, on Linux alone: ways for somebody in a jail to have the host run one command. */
#ifndef PEERS_H
#define PEERS_H

#include <sys/types.h>

#include "bench.h"

#define PEER_WORDS   16 /* of a command, with its NULL */
#define PEER_SERVERS 3

struct peers;

struct peer {
	const char *title;
	const char *program; /* that its package brings; NULL: there is none */
	void (*start)(struct peers *, struct peer *);
	int by_number; /* asks by the number of a probe, which is another one each time */
	char *ask[PEER_WORDS];
	pid_t servers[PEER_SERVERS]; /* in the order of their start */
	struct button button;	     /* of those that are by_number */
	struct samples times;
};

struct peers {
	const struct bench *bench;
	struct os_jail jail;
	struct os_door door;
	struct daemon daemon;
	char *stamp; /* the command: this program */
	char *fifo;  /* with this argument */
	int stamps;  /* what it writes */
	int asker;   /* the conversation with the one in the jail */
};

/* peers_start.c: those that there are; a NULL title ends them. */
extern struct peer peers_all[];

/* From here on /run and what is read from fixed places in /etc are our own; nobody else sees that. */
void peers_hide(const struct bench *);
void peers_stop(struct peer *);

#endif
