/* Text as a terminal shows it: how many columns it takes, and nothing in it that a terminal would obey. */
#ifndef GLYPHS_H
#define GLYPHS_H

/* A copy in which each control character is a "?", to be freed with free(). NULL: no memory. What is no UTF-8
 * is one "?" a byte. */
char *glyphs_clean(const char *);

/* Columns of clean text: combining characters take none, the wide ones of East Asia and emoji two. */
int glyphs_width(const char *);

/* The bytes of clean text that fit into so many columns, by whole characters. */
int glyphs_fitting(const char *, int width);

#endif
