/* What standard output is, and how a person reading it there is best served. */
#ifndef SCREEN_H
#define SCREEN_H

#include <stdbool.h>

/* In columns; 0: it is no terminal, and nothing is to be cut. COLUMNS, if set, is the user's word.
 */
int screen_width(void);

/* In lines; 0: not known, or no terminal. */
int screen_height(void);

/* A terminal that can move its cursor. */
bool screen_is_capable(void);

/* One for which NO_COLOR is not set. */
bool screen_is_coloured(void);

/* A screen of its own, without a cursor, and back to what was there before; for a signal's handler,
 * too. */
void screen_begin(void);
void screen_end(void);

/* The text as what that screen shows, cut to its height. Lines must fit. */
void screen_show(const char *text);

#endif
