/*
 * knowledge_read.h -- reading a local file of claims; a part of knowledge.c.
 */
#ifndef SPA_KNOWLEDGE_READ_H
#define SPA_KNOWLEDGE_READ_H

#include <stddef.h>

#include "base/error.h"

struct claim;

/*
 * Read text of len bytes, which a NUL follows; it is cut into the strings
 * that the claims point to.  *claims is the caller's to free().  -1 with one
 * "name:line: ..." in errors for each bad row.
 */
int knowledge_read(const char *name, char *text, size_t len,
    struct claim **claims, size_t *count, struct errors *errors) MUST_CHECK;

#endif
