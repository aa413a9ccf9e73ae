#ifndef HOSTILE_H
#define HOSTILE_H

#include <check.h>
#include <stdbool.h>

/* The suites of tests/hostile that every system has; each is a file of that name. */
Suite *hostile_signals(void);
Suite *hostile_socket(void);
Suite *hostile_lines(void);
Suite *hostile_flood(void);
Suite *hostile_command(void);
Suite *hostile_words(void);

/* Those of this system; ends with a null. */
extern Suite *(*const hostile_os_suites[])(void);

/* Was this program started by the daemon in place of its probe program, and what it does then. */
bool hostile_fake_is_asked(int argc, char **argv);
int hostile_fake(void);

#endif
