#include "base/gzip.h"
#include "base/mem.h"

#include <limits.h>
#include <stdlib.h>

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

static int
set_up(z_stream *z, int level, struct error *err)
{
	if (deflateInit2(z, level, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
		Z_DEFAULT_STRATEGY) == Z_OK)
		return 0;
	return error_set(err, ERROR_SYSTEM, "zlib cannot be set up");
}

static int
compress_with(z_stream *z, const void *data, size_t len, struct buf *out,
    struct error *err)
{
	size_t before = out->len;

	if (len > INT_MAX)
		return too_long(out, "the compressed file", err);
	set_input(z, data, len);
	if (run(z, deflate, out) == Z_STREAM_END)
		return 0;
	cut(out, before);
	return too_long(out, "the compressed file", err);
}

int
gzip_compress(const void *data, size_t len, struct buf *out, struct error *err)
{
	z_stream z = { 0 };
	int rc;

	if (set_up(&z, Z_DEFAULT_COMPRESSION, err) != 0)
		return -1;
	rc = compress_with(&z, data, len, out, err);
	(void)deflateEnd(&z);
	return rc;
}

struct gzip_packer {
	z_stream z;
};

struct gzip_packer *
gzip_packer_new(struct error *err)
{
	struct gzip_packer *packer = xcalloc(1, sizeof(*packer));

	if (set_up(&packer->z, Z_BEST_SPEED, err) == 0)
		return packer;
	free(packer);
	return NULL;
}

void
gzip_packer_free(struct gzip_packer *packer)
{
	if (packer != NULL)
		(void)deflateEnd(&packer->z);
	free(packer);
}

int
gzip_packer_run(struct gzip_packer *packer, const void *data, size_t len,
    struct buf *out, struct error *err)
{
	if (deflateReset(&packer->z) != Z_OK)
		return error_set(err, ERROR_SYSTEM, "zlib cannot be set up");
	return compress_with(&packer->z, data, len, out, err);
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
