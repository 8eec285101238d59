/*
 * Bodies: the first byte says how they are framed and cut into pieces; the
 * verdict does not depend on the pieces.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/body.h"
#include "http/request.h"

#define MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct verdict {
	int rc, status;
	size_t used, len;
	char bytes[MAX];
};

static void
feed(struct verdict *verdict, const struct request *request,
    const uint8_t *data, size_t size, size_t step)
{
	struct body *body = body_new(request, MAX);
	struct error err;
	const char *bytes;
	size_t used, at = 0;

	memset(verdict, 0, sizeof(*verdict));
	do {
		size_t len = size - at < step ? size - at : step;
		/* Exactly len bytes, so that reading past them is seen. */
		char *copy = malloc(len > 0 ? len : 1);

		assert(copy != NULL);
		memcpy(copy, data + at, len);
		used = 0;
		verdict->rc = body_feed(body, copy, len, &used,
		    &verdict->status, &err);
		free(copy);
		at += used;
	} while (verdict->rc == 0 && at < size);
	bytes = body_bytes(body, &verdict->len);
	assert(verdict->len <= MAX);
	memcpy(verdict->bytes, bytes, verdict->len);
	verdict->used = verdict->rc == 1 ? at : 0;
	if (verdict->rc < 0)
		assert(verdict->status == 400 || verdict->status == 413);
	body_free(body);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct verdict whole, part;
	struct request request = { .framing = REQUEST_CHUNKED };
	size_t step;

	if (size < 2)
		return 0;
	step = (data[0] & 0x3f) + 1;
	if ((data[0] & 0x80) != 0) {
		request.framing = REQUEST_LENGTH;
		request.body_length = (uint64_t)data[1] * 32;
	}
	feed(&whole, &request, data + 1, size - 1, size - 1);
	feed(&part, &request, data + 1, size - 1, step);
	assert(memcmp(&whole, &part, sizeof(whole)) == 0);
	if (whole.rc == 1 && request.framing == REQUEST_LENGTH)
		assert(whole.used == request.body_length);
	return 0;
}
