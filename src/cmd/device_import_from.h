/*
 * device_import_from.h -- "sprov device import --format": what other systems
 * keep.
 */
#ifndef CMD_DEVICE_IMPORT_FROM_H
#define CMD_DEVICE_IMPORT_FROM_H

#include <stdbool.h>

struct inventory;

/* Does the command line name a format other than CSV? */
bool device_import_is_from(int argc, char **argv);

/* As main(). */
int device_import_from(int argc, char **argv);

/* For a dry run: a copy in memory of what is there, so that no lock is needed
 * and nothing is written; NULL when that failed, which is said already. */
struct inventory *device_open_copy(const char *given);

#endif
