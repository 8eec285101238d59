/*
 * body.h -- the body of a request, piece by piece, into memory.
 *
 * By Content-Length or chunked (RFC 9112 6 and 7.1), as the head of the request
 * said.  Whether it may be read at all, and how much of it, is decided before:
 * here is only a limit that is never passed.  Chunk extensions and trailer
 * fields are dropped, and bounded too.
 */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include <stddef.h>

#include "base/error.h"

#define BODY_CHUNK_LINE_MAX 256 /* a chunk's size and its extensions */
#define BODY_TRAILER_MAX 4096	/* all trailer fields together */

struct body; /* being read */
struct request;

/* For the body of that request, which has one, of at most max bytes. */
void body_free(struct body *body); /* NULL is fine */
struct body *body_new(const struct request *request, size_t max) MUST_CHECK
    FREED_BY(body_free);

/*
 * Read more of it.  Returns 1 when it is complete: what follows the first
 * *used bytes is not of this body; 0 when more is needed, *used is len then; -1
 * with *status (400, or 413 past the limit) when it is malformed.  The verdict
 * does not depend on how the bytes arrived.  Not to be called again after 1
 * or -1.
 */
int body_feed(struct body *body, const char *data, size_t len, size_t *used,
    int *status, struct error *err) MUST_CHECK;

/* What has arrived so far; "" when nothing has.  Borrowed until body_free or
 * the next body_feed. */
const char *body_bytes(const struct body *body, size_t *len);

/* The same with a NUL behind it, the caller's to free(): a long one is not
 * copied.  The body is empty then. */
char *body_take(struct body *body, size_t *len) MUST_CHECK;

#endif
