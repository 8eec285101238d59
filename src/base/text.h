/*
 * text.h -- small questions about short texts.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"

/* Read a decimal number of min..max; no sign, no blanks, nothing after it. */
int text_parse_number(const char *text, uint64_t min, uint64_t max,
    uint64_t *number, struct error *err) MUST_CHECK;

/*
 * The candidate that someone who wrote text may have meant: the nearest by
 * edit distance without regard to case, or NULL when none is near.
 */
const char *
text_nearest(const char *text, const char *const *candidates, size_t count);

/*
 * Write at most size-1 bytes of what a peer sent as one printable word-safe
 * text: bytes outside 0x20..0x7e, '"' and '\' become \xNN.  Always
 * NUL-terminated; a cut text ends in "...".  size must be at least 8.
 */
void text_escape(const void *data, size_t len, char *out, size_t size);

/* Lower-case hex of len bytes; out holds 2*len+1 bytes. */
void text_hex(const void *data, size_t len, char *out);

/* Read 2*len hex digits into data; nothing may follow. */
bool text_unhex(const char *text, void *data, size_t len);

bool text_starts(const char *text, const char *prefix);
bool text_ends(const char *text, const char *suffix);

/* "2027-01-31", midnight UTC; -1 with ERROR_INPUT. */
int
text_parse_date(const char *text, time_t *when, struct error *err) MUST_CHECK;

#endif
