/*
 * profile_value.h -- what a profile says about some parameters.
 *
 * Parameters are the elements directly below flat-profile.  The last
 * occurrence counts; white space around a value is dropped and newlines in it
 * become blanks ([MPP-AG] p. 100).  <X></X> sets an empty value, <X/> none
 * at all ([LINKSYS-PROV] p. 30).
 */
#ifndef SPA_PROFILE_VALUE_H
#define SPA_PROFILE_VALUE_H

#include <stddef.h>

#include "base/error.h"

#define PROFILE_VALUE_MAX 65536 /* bytes; a longer one is an error */

/*
 * Write to values[i] the value of names[i], NULL when the profile does not say;
 * the caller free()s them.  Fails as profile_check() does; values are then as
 * they were.
 */
int profile_values(const char *text, size_t len, const char *const *names,
    size_t count, char **values, struct error *err) MUST_CHECK;

#endif
