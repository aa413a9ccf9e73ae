/* The texts by which a probe is known: inside its jail by its title, in the log by its tag. */
#ifndef TITLE_H
#define TITLE_H

#include "probe.h"

/* For its next life, with the last result where that was asked for. Never anything of the command. */
void title_compose(const struct probe *, char title[ATTACH_TITLE_SIZE]);

/* `probe=N name="…" jail="…"`, without the first part if it has no number; to be freed with free(). NULL: no memory. */
char *title_make_tag(const struct probe *);

#endif
