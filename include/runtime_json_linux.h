/* The JSON files of container runtimes, read with bounds. */
#ifndef RUNTIME_JSON_LINUX_H
#define RUNTIME_JSON_LINUX_H

#include <jansson.h>

/* To be given back with json_decref. NULL: there is no such file, it is too large or no JSON, or
 * these characters, as a runtime writes them, are nowhere in it. */
json_t *runtime_json_load(const char *path, const char *mentioned);

#endif
