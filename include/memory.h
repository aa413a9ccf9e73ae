/* How much memory this process has. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdint.h>

/* Bytes of it that are resident; 0: the system doesn't tell. */
int64_t memory_resident(void);

#endif
