/*
 * profile.h -- the flat-profile XML that devices read.
 *
 * Source: [LINKSYS-PROV] p. 29-31.
 */
#ifndef SPA_PROFILE_H
#define SPA_PROFILE_H

#include <stddef.h>

#include "base/error.h"

#define PROFILE_BYTES_MAX (1024 * 1024)

/*
 * Is it well-formed XML with a flat-profile element somewhere inside (or as
 * root), at most PROFILE_BYTES_MAX bytes, without DOCTYPE?  -1 with ERROR_INPUT
 * and "line:column: ..." otherwise.
 */
int profile_check(const char *text, size_t len, struct error *err) MUST_CHECK;

#endif
