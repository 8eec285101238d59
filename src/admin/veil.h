/*
 * veil.h -- positions in a record that all write, for who sees a part of it.
 *
 * Events and entries of the audit log are numbered in their order, so the
 * numbers of the few that a tenant sees would tell how many there are of
 * others.  A tenant gets numbers that say nothing: a permutation under a key
 * of this run, another one for each tenant and record.  They lead back to the
 * position, and a number that was never given out leads nowhere.
 */
#ifndef ADMIN_VEIL_H
#define ADMIN_VEIL_H

#include <stdint.h>

#include "base/error.h"

#define VEIL_KEY_BYTES 32 /* SITE_TAG_KEY_BYTES */
#define VEIL_ID_MAX (((int64_t)1 << 36) - 1)

/* name: whose it is, and of which record.  id: 0 to VEIL_ID_MAX.  The number is
 * below 2^52: exact in JSON wherever it is read. */
int64_t veil_put(const uint8_t key[static VEIL_KEY_BYTES], const char *name,
    int64_t id);

/* ERROR_INPUT: it was not made with that key and name. */
int veil_take(const uint8_t key[static VEIL_KEY_BYTES], const char *name,
    int64_t number, int64_t *id, struct error *err) MUST_CHECK;

#endif
