/* <sys/tree.h>, whose functions are marked with a word that not every <sys/cdefs.h> has. musl calls members of struct
 * stat so, which is read before. */
#ifndef TREE_H
#define TREE_H

#include <sys/stat.h>

#ifndef __unused
#define __unused __attribute__((__unused__))
#endif

#include <sys/tree.h>

#endif
