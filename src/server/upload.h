/*
 * upload.h -- a request whose body is being read, and the memory for that.
 *
 * All uploads of a worker share a bound: who comes when it is reached is told
 * to come later, before a byte of the body is read.
 */
#ifndef SERVER_UPLOAD_H
#define SERVER_UPLOAD_H

#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

#define UPLOAD_BYTES_MAX (16 * 1024 * 1024) /* all bodies of one worker */

struct request;
struct upload;

/*
 * For a body of at most max bytes; NULL when there is no room for it.
 * *in_use is what the worker's uploads may need together; it is borrowed until
 * upload_free.
 */
void upload_free(struct upload *upload); /* NULL is fine */
struct upload *upload_new(const struct request *request, size_t max,
    size_t *in_use) MUST_CHECK FREED_BY(upload_free);

const struct request *upload_request(const struct upload *upload);

/* Append "100 Continue" to out when the client waits for it (RFC 9110 10.1.1)
 * and has not begun to send anyhow. */
void upload_greet(const struct upload *upload, const struct buf *in,
    struct buf *out);

/* Take what in has: 1 when the body is complete, what is left in in is not of
 * it; 0 when more is needed; -1 with *status when it is malformed. */
int upload_feed(struct upload *upload, struct buf *in, int *status,
    struct error *err) MUST_CHECK;

/* The body so far; borrowed until upload_free. */
const char *upload_bytes(const struct upload *upload, size_t *len);

#endif
