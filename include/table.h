/* A table for people: columns as wide as their contents, cut to fit a terminal. */
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct table_cell {
	char *text;	    /* clean */
	const char *colour; /* as SGR has it, like "32"; NULL: none */
};

/* Zeroed but for columns at first; cells by rows. */
struct table {
	size_t columns;
	size_t count; /* of cells */
	size_t room;
	struct table_cell *cells;
	bool failed; /* no memory */
};

/* The next cell, row by row; the text is copied and cleaned. */
void table_add(struct table *, const char *text, const char *colour);

/* width 0: nothing is cut. Else no line is wider: columns are cut from the last on, and then left
 * out. */
void table_print(const struct table *, FILE *, int width, bool coloured);

/* Frees the cells. */
void table_clear(struct table *);

#endif
