/*
 * lines.h -- the lines of a text that comes in pieces, in bounded memory.
 */
#ifndef INVENTORY_LINES_H
#define INVENTORY_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Fill in at most size bytes; *len 0: that was all.  0, or -1 with err. */
typedef int
lines_read(void *arg, char *data, size_t size, size_t *len, struct error *err);

enum line {
	LINE_END,    /* there is none any more */
	LINE_TEXT,   /* with its newline, if it has one; in UTF-8 or what the
		      * bytes were */
	LINE_LONG,   /* longer than the limit: it was skipped */
	LINE_FAILED, /* err says why */
};

struct lines;
void lines_free(struct lines *lines);
/* limit: bytes of a line; latin1: turn ISO 8859-1 into UTF-8. */
struct lines *lines_new(lines_read *read, void *arg, size_t limit, bool latin1)
    FREED_BY(lines_free);

/* The next line; borrowed until the next call. */
enum line lines_next(struct lines *lines, const char **text, size_t *len,
    struct error *err) MUST_CHECK;

/* The number of the line that came last, from 1. */
size_t lines_number(const struct lines *lines);

#endif
