/* What the programs of tools/bench share. Times are nanoseconds of CLOCK_MONOTONIC unless a name
 * says otherwise. */
#ifndef BENCH_H
#define BENCH_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

/* The exit code by which the floor's probe says that it was pressed. */
#define FLOOR_MAGIC 83
/* The descriptor on which it says that it is armed. */
#define FLOOR_READY 3

/* What tools/bench hands to every row: who is measured, with what, where, and how often. */
struct bench {
	const char *daemon; /* the jaildaemon to measure */
	const char *tools;  /* directory of the compiled programs of the bench */
	const char *dir;    /* private directory for sockets, logs and fifos */
	size_t trials;
};

/* The times of one contestant; owned by whoever calls samples_free. */
struct samples {
	double *us;
	size_t count;
	size_t room;
};

/* A jail of our own; it ends with os_jail_end or with this process. */
struct os_jail {
	pid_t holder; /* the process that keeps it alive, our child */
	int jid;
};

/* The way into a jail, opened once and used for every spawn; jid alone counts where there are no
 * namespaces. */
struct os_door {
	int jid;
	int home;   /* pidfd of ourselves */
	int inside; /* pidfd of the jail's first process */
	int root;   /* its root directory */
};

/* bench.c: every failure ends the program with its reason, a bench has nothing to save. */
void bench_fail(const char *, ...) __attribute__((noreturn, format(printf, 1, 2)));
void bench_arguments(struct bench *, int, char **);
char *bench_path(const char *, const char *);
int64_t bench_now(void);
void bench_pause_us(long);
void bench_stand_alone(void);
pid_t bench_start(const char *const[], const char *);
void bench_stop(pid_t);
int64_t bench_cpu(pid_t);

/* stats.c */
void samples_init(struct samples *, size_t);
void samples_add(struct samples *, int64_t);
double samples_percentile(struct samples *, unsigned);
void samples_free(struct samples *);
void stats_row(const char *, struct samples *, struct samples *);

/* daemon.c */
struct daemon {
	pid_t pid;
	char *socket;
};

void daemon_start(struct daemon *, const struct bench *, const char *, int);
void daemon_stop(struct daemon *);
long daemon_add(int, int, const char *);
void daemon_add_many(int, int, size_t);

/* button.c */
struct button {
	int line; /* the conversation with its owner */
	int fifo;
	char *fifo_path;
	char *command;	  /* what the command is, as a shell would read it */
	char request[96]; /* asks for the button's state */
	pid_t probe;	  /* the one that waits, or was pressed last */
	struct samples times;
};

void button_init(struct button *, const struct bench *, const char *);
void button_free(struct button *);
void button_add(struct button *, const struct bench *, const struct daemon *, int, int);
int64_t button_press(struct button *);

/* The longest answer that a row reads. */
#define LINE_ANSWER 65536

/* line.c: one line out, one line back, over a unix stream socket. */
int line_connect(const char *, pid_t);
void line_send(int, const char *);
size_t line_answers(int, char *, size_t, const char *);
void line_ask(int, const char *, char *, size_t);
int line_number(const char *, const char *, long *);
int line_has(const char *, const char *, const char *);

/* os_linux.c, os_freebsd.c */
void os_tether(void);
void os_jail_make(struct os_jail *);
void os_jail_end(struct os_jail *);
void os_door_open(struct os_door *, int);
void os_door_close(struct os_door *);
pid_t os_door_spawn(const struct os_door *, char *const[], int);

#endif
