#ifndef FIXTURE_EXEC_H
#define FIXTURE_EXEC_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

/* What became of a program: its exit code (128 + signal when one ended it) and what it printed. */
struct outcome {
	int exit;
	char *out;
	char *err;
	size_t out_length;
};

/* How a program is started; all zero is the usual way. */
struct launch {
	char *const *argv;
	char *const *env;  /* null: ours; otherwise argv[0] is a path */
	const char *input; /* null: /dev/null */
	const char *log;   /* a file for standard output and error */
	bool ignoring;	   /* starts with HUP and more signals ignored, as nohup and worse do */
	bool closed_stdio; /* starts with no descriptor open at all */
	bool leaks;	   /* starts with a few descriptors open that nobody asked for */
	bool blocked;	   /* starts with every signal blocked */
};

/* Starts a program and returns its pid. */
pid_t exec_start(const struct launch *launch);

/* Runs a program to its end; fails the test when it does not end. */
void exec_run(struct outcome *outcome, const struct launch *launch);

/* The same for a plain list of words that ends with a null. */
void exec_words(struct outcome *outcome, const char *word, ...) __attribute__((sentinel));

/* Waits for a child to end; its wait status. Fails the test when it does not. */
int exec_wait(pid_t pid);

/* Has a process ended? One of which only its exit status is left has. */
bool exec_gone(pid_t pid);

/* Waits until a child, or an orphan that became one, has ended, whatever its status. */
void exec_wait_gone(pid_t pid);

void outcome_free(struct outcome *outcome);

#endif
