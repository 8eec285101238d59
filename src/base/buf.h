/*
 * buf.h -- a growing run of bytes with a limit given at birth.
 *
 * The bytes are kept NUL-terminated (the NUL is not counted), so that text in
 * a buffer can be read as a string.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct buf {
	char *data;   /* NULL until something is appended */
	size_t len;   /* bytes in use, without the final NUL */
	size_t size;  /* bytes allocated */
	size_t limit; /* len never exceeds it */
};

/* Start empty; at most limit bytes will ever fit. */
void buf_init(struct buf *buf, size_t limit);

/* Release the bytes; the buffer is empty and keeps its limit. */
void buf_clear(struct buf *buf);

/* Append; -1 when the limit would be passed, buf is then as it was. */
int buf_append(struct buf *buf, const void *data, size_t len) MUST_CHECK;
int buf_append_text(struct buf *buf, const char *text) MUST_CHECK;
int
buf_printf(struct buf *buf, const char *fmt, ...) PRINTF_LIKE(2, 3) MUST_CHECK;

/*
 * Room for at least len more bytes after those in use, and for the NUL; NULL
 * past the limit.  Who writes there adds to buf->len and puts the NUL.
 */
char *buf_reserve(struct buf *buf, size_t len) MUST_CHECK;

/* Drop the first len bytes (len <= buf->len). */
void buf_consume(struct buf *buf, size_t len);

/* The text so far, "" when empty; borrowed until the next change. */
const char *buf_text(const struct buf *buf);

/* Hand the text over to the caller, who free()s it; buf is empty again. */
char *buf_take(struct buf *buf);

#endif
