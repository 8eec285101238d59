#include "base/gzip.h"

#include <limits.h>

#define ZLIB_CONST /* next_in is not written to */
#include <zlib.h>

#define GZIP_WINDOW (15 + 16) /* zlib's word for "32 KiB, gzip header" */
#define GZIP_MEMORY 8	      /* zlib's default */
#define STEP_BYTES 16384

bool
gzip_begins(const void *data, size_t len)
{
	const unsigned char *p = data;

	return len >= 3 && p[0] == 0x1f && p[1] == 0x8b && p[2] == 8;
}

/* Take back what a failed call has appended. */
static void
cut(struct buf *buf, size_t len)
{
	buf->len = len;
	if (buf->data != NULL)
		buf->data[len] = '\0';
}

static int
too_long(const struct buf *out, const char *what, struct error *err)
{
	return error_set(err, ERROR_INPUT,
	    "%s would be longer than the %zu bytes that are allowed", what,
	    out->limit);
}

/*
 * Run step (deflate or inflate) until it says that the end is reached.  Room
 * grows with what has really come out, so a bomb costs no more than the limit.
 */
static int
run(z_stream *z, int (*step)(z_stream *, int), struct buf *out)
{
	for (;;) {
		size_t room = out->limit - out->len;
		char *space;
		int rc;

		if (room > STEP_BYTES)
			room = STEP_BYTES;
		space = room > 0 ? buf_reserve(out, room) : NULL;
		if (space == NULL)
			return Z_BUF_ERROR;
		z->next_out = (Bytef *)space;
		z->avail_out = (uInt)room;
		rc = step(z, Z_FINISH);
		out->len += room - z->avail_out;
		out->data[out->len] = '\0';
		if (rc == Z_STREAM_END)
			return rc;
		if (rc != Z_OK && rc != Z_BUF_ERROR)
			return rc;
		if (z->avail_out > 0)
			return Z_DATA_ERROR; /* it waits for more input */
	}
}

static void
set_input(z_stream *z, const void *data, size_t len)
{
	z->next_in = data;
	z->avail_in = (uInt)len;
}

int
gzip_compress(const void *data, size_t len, struct buf *out, struct error *err)
{
	z_stream z = { 0 };
	size_t before = out->len;
	int rc;

	if (len > INT_MAX)
		return too_long(out, "the compressed file", err);
	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW,
		GZIP_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
		return error_set(err, ERROR_SYSTEM, "zlib cannot be set up");
	set_input(&z, data, len);
	rc = run(&z, deflate, out);
	(void)deflateEnd(&z);
	if (rc == Z_STREAM_END)
		return 0;
	cut(out, before);
	return too_long(out, "the compressed file", err);
}

static int
refuse(const z_stream *z, int rc, const struct buf *out, struct error *err)
{
	if (rc == Z_BUF_ERROR)
		return too_long(out, "what is inside the gzip", err);
	if (z->msg != NULL)
		return error_set(err, ERROR_INPUT, "gzip: %s after %lu bytes",
		    z->msg, z->total_in);
	if (rc == Z_NEED_DICT)
		return error_set(err, ERROR_INPUT,
		    "gzip: it needs a dictionary");
	return error_set(err, ERROR_INPUT, "gzip: cut off after %lu bytes",
	    z->total_in);
}

int
gzip_expand(const void *data, size_t len, struct buf *out, struct error *err)
{
	z_stream z = { 0 };
	size_t before = out->len;
	int rc;

	if (!gzip_begins(data, len))
		return error_set(err, ERROR_INPUT,
		    "no gzip: expected it to begin with 1f 8b 08");
	if (len > INT_MAX)
		return error_set(err, ERROR_INPUT, "gzip: %zu bytes", len);
	if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
		return error_set(err, ERROR_SYSTEM, "zlib cannot be set up");
	set_input(&z, data, len);
	rc = run(&z, inflate, out);
	if (rc != Z_STREAM_END)
		rc = refuse(&z, rc, out, err);
	else if (z.avail_in > 0)
		rc = error_set(err, ERROR_INPUT,
		    "gzip: %u bytes after the end: expected one member and "
		    "nothing behind it",
		    z.avail_in);
	else
		rc = 0;
	if (rc != 0)
		cut(out, before);
	(void)inflateEnd(&z);
	return rc;
}
