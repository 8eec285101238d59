/*
 * mem.h -- allocation that does not fail.
 *
 * For small, bounded sizes: when the system has no memory left for them, the
 * process says so and aborts.  A size that comes from outside is checked
 * against a named limit before it gets here.  All results are the caller's to
 * free().
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

#include "base/error.h"

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t len);
char *xasprintf(const char *fmt, ...) PRINTF_LIKE(1, 2);

#endif
