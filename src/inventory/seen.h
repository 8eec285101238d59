/*
 * seen.h -- in which line a MAC address was: sixteen bytes or so for each, for
 * files of a million.
 */
#ifndef INVENTORY_SEEN_H
#define INVENTORY_SEEN_H

#include <stddef.h>

#include "base/mac.h"

struct seen;
void seen_free(struct seen *seen);
struct seen *seen_new(void);

/* The line of an address that was noted before; else 0, and it is noted. */
size_t seen_note(struct seen *seen, const struct mac *mac, size_t line);

#endif
