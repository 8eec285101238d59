#include "http/body.h"
#include "base/buf.h"
#include "base/mem.h"
#include "http/request.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum state {
	BODY_SIZE,	/* the hex digits of a chunk's size */
	BODY_EXTENSION, /* what follows them up to CR */
	BODY_SIZE_LF,
	BODY_DATA,
	BODY_DATA_CR,
	BODY_DATA_LF,
	BODY_TRAILER, /* a trailer field, or the empty line at the end */
	BODY_TRAILER_LF,
	BODY_COMPLETE,
};

struct body {
	bool chunked;
	enum state state;
	uint64_t left;	    /* bytes of data: of the body, of the chunk */
	unsigned digits;    /* of the size */
	size_t line_len;    /* of the line with the size, so far */
	size_t trailer_len; /* of all trailer lines */
	bool line_empty;    /* of the trailer, so far */
	struct buf bytes;
};

struct body *
body_new(const struct request *request, size_t max)
{
	struct body *body = xcalloc(1, sizeof(*body));

	body->chunked = request->framing == REQUEST_CHUNKED;
	if (!body->chunked) {
		body->left = request->body_length;
		body->state = body->left > 0 ? BODY_DATA : BODY_COMPLETE;
	}
	buf_init(&body->bytes, max);
	return body;
}

void
body_free(struct body *body)
{
	if (body == NULL)
		return;
	buf_clear(&body->bytes);
	free(body);
}

const char *
body_bytes(const struct body *body, size_t *len)
{
	*len = body->bytes.len;
	return buf_text(&body->bytes);
}

char *
body_take(struct body *body, size_t *len)
{
	*len = body->bytes.len;
	return buf_take(&body->bytes);
}

/* What a body that cannot be right is answered with. */
struct refusal {
	int *status;
	struct error *err;
};

static int
malformed(const struct refusal *refusal, const char *what)
{
	*refusal->status = 400;
	return error_set(refusal->err, ERROR_INPUT,
	    "chunked body: %s (RFC 9112 7.1)", what);
}

static int
too_large(const struct body *body, const struct refusal *refusal)
{
	*refusal->status = 413;
	return error_set(refusal->err, ERROR_INPUT,
	    "body has more than %zu bytes", body->bytes.limit);
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The size of a chunk is known: is there room for it? */
static int
begin_chunk(struct body *body, const struct refusal *refusal)
{
	if (body->left > body->bytes.limit - body->bytes.len)
		return too_large(body, refusal);
	body->state = BODY_SIZE_LF;
	return 0;
}

static int
take_size(struct body *body, char c, const struct refusal *refusal)
{
	int digit = hex_digit(c);

	if (++body->line_len > BODY_CHUNK_LINE_MAX)
		return malformed(refusal, "a chunk's first line is too long");
	if (body->state == BODY_SIZE && digit >= 0) {
		if (++body->digits > 15)
			return malformed(refusal, "a chunk's size is too long");
		body->left = body->left << 4 | (uint64_t)digit;
		return 0;
	}
	if (body->digits == 0)
		return malformed(refusal, "a chunk without a size");
	if (c == '\r')
		return begin_chunk(body, refusal);
	if (body->state == BODY_SIZE && c != ';' && c != ' ' && c != '\t')
		return malformed(refusal, "a chunk's size is no hex number");
	if (c == '\n')
		return malformed(refusal, "a bare LF");
	body->state = BODY_EXTENSION;
	return 0;
}

static int
take_trailer(struct body *body, char c, const struct refusal *refusal)
{
	if (++body->trailer_len > BODY_TRAILER_MAX)
		return malformed(refusal, "the trailer is too long");
	if (c == '\n')
		return malformed(refusal, "a bare LF in the trailer");
	if (c == '\r')
		body->state = BODY_TRAILER_LF;
	else
		body->line_empty = false;
	return 0;
}

/* One byte that is not data. */
static int
take_byte(struct body *body, char c, const struct refusal *refusal)
{
	switch (body->state) {
	case BODY_SIZE:
	case BODY_EXTENSION:
		return take_size(body, c, refusal);
	case BODY_TRAILER:
		return take_trailer(body, c, refusal);
	case BODY_DATA_CR:
		if (c != '\r')
			return malformed(refusal,
			    "a chunk is longer than its size");
		body->state = BODY_DATA_LF;
		return 0;
	case BODY_SIZE_LF:
	case BODY_DATA_LF:
	case BODY_TRAILER_LF:
		break;
	case BODY_DATA:
	case BODY_COMPLETE:
		abort(); /* our caller's mistake */
	}
	if (c != '\n')
		return malformed(refusal, "a bare CR");
	if (body->state == BODY_SIZE_LF && body->left > 0) {
		body->state = BODY_DATA;
	} else if (body->state == BODY_DATA_LF) {
		body->state = BODY_SIZE;
		body->digits = 0;
		body->line_len = 0;
	} else if (body->state == BODY_TRAILER_LF && body->line_empty) {
		body->state = BODY_COMPLETE;
	} else {
		body->state = BODY_TRAILER;
		body->line_empty = true;
	}
	return 0;
}

/* How much of the data was taken; -1 when there is no room. */
static int
take_data(struct body *body, const char *data, size_t len, size_t *taken,
    const struct refusal *refusal)
{
	*taken = len < body->left ? len : (size_t)body->left;
	if (buf_append(&body->bytes, data, *taken) != 0)
		return too_large(body, refusal);
	body->left -= *taken;
	if (body->left == 0)
		body->state = body->chunked ? BODY_DATA_CR : BODY_COMPLETE;
	return 0;
}

int
body_feed(struct body *body, const char *data, size_t len, size_t *used,
    int *status, struct error *err)
{
	const struct refusal refusal = { status, err };
	size_t at = 0, taken;

	if (!body->chunked && body->left > body->bytes.limit - body->bytes.len)
		return too_large(body, &refusal);
	while (at < len && body->state != BODY_COMPLETE) {
		taken = 1;
		if ((body->state == BODY_DATA ?
			    take_data(body, data + at, len - at, &taken,
				&refusal) :
			    take_byte(body, data[at], &refusal)) != 0)
			return -1;
		at += taken;
	}
	*used = at;
	return body->state == BODY_COMPLETE ? 1 : 0;
}
