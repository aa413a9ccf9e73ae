/*
 * What the fuzz targets share. A target is a program: with libFuzzer's main it makes inputs up, and with the
 * one of replay.c it goes through those of the corpus. It says by FUZZ_CHECK what must be true of each.
 *
 * Most inputs are scripts, so that they can be read, and cut and joined by lines: a line is a request, or
 * what happens meanwhile, which begins with a '!'.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

/* The target's own. Of the input as it is there is nothing left after it. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Once, before the first input. FUZZ_SKIPPED ends the program if this can't be tried here. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
#define FUZZ_SKIPPED 77

/* Ends the program where it is false, so that the fuzzer keeps the input. */
#define FUZZ_CHECK(condition) \
	((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition, NULL, 0))
#define FUZZ_CHECK_OF(condition, text, length) \
	((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition, (text), (length)))
void fuzz_fail(const char *file, int line, const char *condition, const char *text, size_t length)
    __attribute__((noreturn));

/* ---- scripts ---- */

struct fuzz_script {
	const char *at;
	size_t left;
};

/* Without its newline, not terminated. False: there are no more. */
bool fuzz_next_line(struct fuzz_script *, const char **line, size_t *length);

#define FUZZ_WORDS 4
#define FUZZ_WORD_SIZE 128

/* Of a line "!WORD WORD …": the words, terminated and cut; those that are not there are "". The last one
 * is all the rest. False: it is no such line. */
bool fuzz_split(const char *line, size_t length, char words[FUZZ_WORDS][FUZZ_WORD_SIZE]);

/* ---- what must be true ---- */

/* One answer: a line of JSON with ok, and where that is false, with an error that is known. A new
 * reference. */
json_t *fuzz_check_answer(const char *text, size_t length);

/* What is asked, by another reading than the daemon's. NULL: it is no request, and *code is what it must be
 * refused with; "": either of two. */
json_t *fuzz_read_request(const char *line, size_t length, const char **code);

/* The answer belongs to it: by its id. */
void fuzz_check_id(json_t *request, json_t *answer);

/* All probes, as a text to be freed with free(). Of each is checked that its line in a list is JSON, and that
 * its record tells all that its definition says. */
char *fuzz_probes(void);

/* No control character but newlines. */
void fuzz_check_printable(const char *text, size_t length);

/* ---- the world, played by the fuzzer: fake.c ---- */

/* The event loop, and all that probes need of the system. Commands are never executed, and nothing is
 * ever sent a signal. */
void fuzz_world_begin(void);
struct event_base *fuzz_base(void);

/* Everything that can be done now is done. */
void fuzz_turn(void);

/* What "!WORD …" makes happen to jails, probes and runs. False: it is none of that. */
bool fuzz_happens(char words[FUZZ_WORDS][FUZZ_WORD_SIZE]);

/* As commands.h has it, of a server that can't. */
void fuzz_no_upgrade(const char *id, const void *reply_arg, void (*failed)(void *, const struct error *), void *arg);

/* Ends all probes, runs and jails, and checks that nothing of them is left; then all is as it was at the
 * beginning. */
void fuzz_world_end(void);

/* Numbers, events, and keeping probes begin anew: fresh.c. */
void fuzz_fresh_registry(void);
void fuzz_fresh_watch(void);
void fuzz_fresh_keep(void);

/* ---- files: files.c ---- */

/* A directory of this process's own, in memory where there is such a place; it goes with the process. */
const char *fuzz_directory(void);

/* path below it; valid until the next but one. */
const char *fuzz_path(const char *name);

/* Makes it empty again. */
void fuzz_clear_directory(void);

/* Writes a text "== NAME\n…== NAME\n…" as files below root, and the directories that they need. A name with
 * ".." in it is left out. Returns how many. */
unsigned fuzz_write_files(const char *root, const char *text, size_t length);

#endif
