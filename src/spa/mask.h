/*
 * mask.h -- a profile with its secrets masked, as it is shown to people.
 *
 * Values of parameters that are secret by their row in the table of parameters,
 * and keys and passwords in the options of rules.  All else stays byte by byte.
 */
#ifndef SPA_MASK_H
#define SPA_MASK_H

#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

#define MASK_TEXT "********"

/* Append the profile, masked.  Fails as flat_profile_read() does, and when out
 * is full; out is then as it was. */
int profile_mask(const char *text, size_t len, struct buf *out,
    struct error *err) MUST_CHECK;

#endif
