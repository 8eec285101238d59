/*
 * range.h -- the fields Range and If-Range: which part of a file is asked for.
 *
 * A device whose download of an image broke off goes on where it was.  One
 * range of bytes is served; what asks for several, or is not understood, gets
 * the whole file, which RFC 9110 14.2 allows of every Range.
 * Source: RFC 9110 13.1.5 and 14.
 */
#ifndef HTTP_RANGE_H
#define HTTP_RANGE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum range_kind {
	RANGE_WHOLE,	     /* 200 with everything */
	RANGE_PART,	     /* 206 with bytes first to last */
	RANGE_UNSATISFIABLE, /* 416 */
};

struct range {
	uint64_t first, last; /* inclusive, both below the size */
};

/* Read the value of a Range field ("" is none) for a file of size bytes;
 * *range is set with RANGE_PART only. */
enum range_kind
range_read(const char *field, uint64_t size, struct range *range);

/*
 * May the part be sent, by the value of an If-Range field?  "" is none: yes.
 * etag is the file's strong one, quotes included.  A date counts when it is
 * last_modified exactly, and that lies a minute back at least, so that it names
 * one state of the file (RFC 9110 8.8.2.2).
 */
bool range_if_holds(const char *field, const char *etag, time_t last_modified,
    time_t now);

#endif
