/*
 * Answers: whole and in pieces come out the same.  The first byte says whether
 * it answers HEAD and how large the pieces are.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
feed(struct reply *reply, const uint8_t *data, size_t size, size_t step,
    struct error *err)
{
	int rc = 0;

	for (size_t at = 0; at < size && rc == 0; at += step) {
		size_t n = size - at < step ? size - at : step;
		char *piece = malloc(n);

		assert(piece != NULL);
		memcpy(piece, data + at, n);
		rc = reply_feed(reply, piece, n, err);
		free(piece);
	}
	return rc == 0 ? reply_end(reply, err) : rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool head = size > 0 && data[0] >= 128;
	size_t step = size > 0 ? 1 + data[0] % 128 : 1;
	struct error whole_err = { 0 }, part_err = { 0 };
	struct reply *whole = reply_new(head), *part = reply_new(head);
	const struct reply_head *a = reply_head(whole), *b = reply_head(part);
	const char *whole_body, *part_body;
	size_t whole_len, part_len;
	int rc;

	if (size > 0) {
		data++;
		size--;
	}
	rc = feed(whole, data, size, size > 0 ? size : 1, &whole_err);
	assert(rc == 1 || rc == -1);
	assert(feed(part, data, size, step, &part_err) == rc);
	if (rc < 0) {
		assert(whole_err.kind == ERROR_INPUT);
		assert(strcmp(whole_err.text, part_err.text) == 0);
		goto out;
	}
	whole_body = reply_body(whole, &whole_len);
	part_body = reply_body(part, &part_len);
	assert(whole_len == part_len && whole_len <= REPLY_BODY_MAX);
	assert(memcmp(whole_body, part_body, whole_len) == 0);
	assert(!head || whole_len == 0);
	assert(a->status >= 200 && a->status == b->status);
	assert(strcmp(a->location, b->location) == 0);
	assert(a->has_content_length == b->has_content_length);
	assert(a->chunked == b->chunked && a->keep_alive == b->keep_alive);
out:
	reply_free(whole);
	reply_free(part);
	return 0;
}
