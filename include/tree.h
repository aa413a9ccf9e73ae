/* <sys/tree.h>, whose functions are marked with a word that not every <sys/cdefs.h> has. */
#ifndef TREE_H
#define TREE_H

#ifndef __unused
#define __unused __attribute__((__unused__))
#endif

#include <sys/tree.h>

#endif
